"""The tolerances of the logistic function and of its integral, whose slopes are bounded."""
import numpy as np

from hopref import maps
from hopref.check.tolerance.toleranced import Toleranced, implements
from hopref.maps import signs

__all__ = []


def slope(u):
    """sigma(u) (1 - sigma(u)), which is largest at 0."""
    e = np.exp(-np.abs(u).astype(float))
    return e / (1 + e) ** 2


@implements(signs.sigmoid)
def sigmoid(u):
    """The error of the argument times the largest slope nearby, and a few roundings."""
    y, profile = maps.sigmoid.__wrapped__(u.value), u.profile
    nearest = np.maximum(np.abs(u.value).astype(float) - u.radius, 0)
    moved = np.where(u.radius > 0, np.minimum(u.radius * slope(nearest), 1.0), 0.0)
    return Toleranced(y, moved + 8 * profile.u * y.astype(float) + profile.eta, profile)


@implements(signs.softplus)
def softplus(u):
    """Code that rounds 1 + e^u before the logarithm has an absolute error of a rounding."""
    y, profile = maps.softplus.__wrapped__(u.value), u.profile
    steepest = maps.sigmoid.__wrapped__(u.value + u.radius).astype(float)
    moved = np.where(u.radius > 0, u.radius * steepest, 0.0)
    return Toleranced(y, moved + 8 * profile.u * y.astype(float) + 4 * profile.u, profile)
