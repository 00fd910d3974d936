r"""Vector-Jacobian products of the continuous (graded) classical network.

``g`` is the cotangent of the result; the other arguments are those of `models.graded`, except that
``activation`` must be one of its three names.  The entries of W are treated as independent.

References: Hopfield 1984; the blog, eqs. (7)-(13) and (20).
"""
import math
from collections.abc import Callable
from typing import NamedTuple

from hopref.dispatch.domains import choice, inverse_temperature, positive, real, symmetric
from hopref.dispatch.namespace import namespace
from hopref.dispatch.operation import op
from hopref.dispatch.overrides import overridable
from hopref.gradients.thresholds import side
from hopref.maps import outer, sigmoid, table
from hopref.models.graded import ACTIVATIONS, in_range, leaks

__all__ = ["energy", "update", "thresholded_update"]


class Slope(NamedTuple):
    """The derivative of an activation f, and its inverse, which is infinite at the range's ends."""
    of: Callable
    inverse: Callable


@overridable
def tanh_slope(u):
    """1/cosh^2(u), without cancellation where tanh is near 1, and without overflow."""
    e = namespace(u).exp(-namespace(u).abs(u))
    s = 2 * e / (1 + e * e)
    return s * s


@overridable
def sigmoid_slope(u):
    return sigmoid(u) * sigmoid(-u)


def ones(u):
    return namespace(u).ones_like(u)


def artanh(x):
    xp, inside = namespace(x), (x > -1) & (x < 1)
    return xp.where(inside, xp.atanh(xp.where(inside, x, 0.0)), signed_infinity(x, 0.0))


def logit(x):
    xp, inside = namespace(x), (x > 0) & (x < 1)
    y = xp.where(inside, x, 0.5)
    return xp.where(inside, xp.log(y) - xp.log1p(-y), signed_infinity(x, 0.5))


def signed_infinity(x, middle):
    xp = namespace(x)
    return xp.where(x > middle, xp.full_like(x, math.inf), -math.inf)


def identity(x):
    return x


activation = choice(tanh=(ACTIVATIONS["tanh"], Slope(tanh_slope, artanh)),
                    sigmoid=(ACTIVATIONS["sigmoid"], Slope(sigmoid_slope, logit)),
                    identity=(ACTIVATIONS["identity"], Slope(ones, identity)))


@op("(...),(...,d),(d,d),(d)->(...,d),(d,d),(d),(d),()", activation=activation, beta=positive,
    leak=leaks, W=symmetric, precondition=in_range)
def energy(g, xi, W, b=0.0, /, *, activation="tanh", beta=1.0, leak=1.0):
    r"""Gradient of `graded.energy`.  Source: Hopfield 1984; blog eqs. (7)-(9) [CC-1].

    .. math:: d\xi = g\, (b - W \xi + \ell \circ f^{-1}(\xi) / \beta), \quad
        dW = -\tfrac12 g\, \xi \xi^T, \quad db = g\, \xi, \quad
        d\ell = g\, G(\xi) / \beta, \quad d\beta = -g\, \beta^{-2} \ell^T G(\xi), \quad
        G(\xi)_i = \textstyle\int_0^{\xi_i} f^{-1}

    The gradient is infinite where a component is at an end of the range of f and g is not 0.

    >>> from hopref.gradients import graded
    >>> graded.energy(1.0, [2.0], [[3.0]], [1.0], activation="identity")[:2]
    (array([-3.]), array([[-2.]]))
    """
    xp, (f, slope) = namespace(xi), activation
    pull = b - (xi @ W.T + xi @ W) / 2 + leak * slope.inverse(xi) / beta
    along = g[..., None]
    dxi = xp.where(along == 0, 0.0, xp.where(along == 0, 1.0, along) * pull)
    G = f.integral(xi)
    db, dleak = xp.sum(table(along * xi), axis=0), xp.sum(table(along * (G / beta)), axis=0)
    dbeta = -xp.sum(g * (xp.sum(leak * G, axis=-1) / beta / beta))
    return dxi, -outer(along * xi, xi) / 2, db, dleak, dbeta


@op("(...,d),(...,d),(d,d),(d)->(...,d),(d,d),(d),(d),()", activation=activation,
    beta=inverse_temperature, leak=leaks)
def update(g, xi, W, b=0.0, /, *, activation="tanh", beta=1.0, leak=1.0):
    r"""Gradient of `graded.update`.  Source: blog eq. (12), differentiated [CC-2].

    .. math:: h = \beta\, g \circ f'(\beta (W \xi - b) / \ell) / \ell, \quad d\xi = W^T h, \quad
        dW = h\, \xi^T, \quad db = -h, \quad d\ell = -h \circ (W \xi - b) / \ell, \quad
        d\beta = h^T (W \xi - b) / \beta

    >>> from hopref.gradients import graded
    >>> graded.update([1.0], [0.5], [[3.0]], [0.0], beta=2.0, activation="identity")
    (array([6.]), array([[1.]]), array([-2.]), array([-3.]), np.float64(1.5))
    """
    xp, field = namespace(xi), (xi @ W.T - b) / leak
    h = g * activation[1].of(beta * field)
    down = beta * (h / leak)
    db, dleak = -xp.sum(table(down), axis=0), -xp.sum(table(down * field), axis=0)
    return down @ W, outer(down, xi), db, dleak, xp.sum(h * field)


@op("(...,d),(...,d),(n,d)->(...,d),(n,d),()", theta=real, side=side, activation=activation,
    beta=positive, scratch="(...,n)")
def thresholded_update(g, xi, X, /, *, theta=-0.5, side="above", activation="tanh", beta=1.0):
    r"""Gradient of `graded.thresholded_update`, which is 0 for thresholded components.

    Source: blog eq. (20), differentiated [CC-7].

    .. math:: h = \beta\, g \circ f'(\beta X^T c), \quad c = S_\theta(X) S_\theta(\xi), \quad
        d\xi = 1_{\xi \le \theta} \circ S_\theta(X)^T X h, \quad
        dX = c\, h^T + 1_{X \le \theta} \circ (X h)\, S_\theta(\xi)^T

    >>> from hopref.gradients import graded
    >>> graded.thresholded_update([1.0, 1.0], [0.9, -1.0], [[0.0, -1.0]], activation="identity")
    (array([0., 1.]), array([[1., 2.]]), np.float64(-1.0))
    """
    xp, (S, kept) = namespace(xi), side
    c = S(xi, theta) @ S(X, theta).T
    h = g * activation[1].of(beta * (c @ X))
    a = beta * h @ X.T
    dX = outer(c, beta * h) + kept(outer(a, S(xi, theta)), X, theta)
    return kept(a @ S(X, theta), xi, theta), dX, xp.sum(h * (c @ X))
