r"""Networks of visible and hidden neurons that are defined by Lagrangians.

``v`` (..., m) visible and ``h`` (..., n) hidden neurons, ``X`` (n, m) synapses, a pattern a row.
``visible`` and ``hidden`` are the names of the Lagrangian L of each layer, whose gradient is the
output of the layer: "softmax" lse(beta, u), "tanh" sum log cosh(beta u)/beta, "quadratic"
|u|^2/2.

A quadratic visible and a softmax hidden layer give the modern network (`modern`); a tanh visible
and a quadratic hidden layer give the graded network with Hebbian weights (`graded`).

Reference: Krotov and Hopfield 2021.  The text of the paper was not available: the equations are
taken from the catalogue, and laws verify that they reduce to `modern` and `graded`.
"""
from collections.abc import Callable
from typing import NamedTuple

from hopref.dispatch.domains import Choice, finite, no_larger_than, positive
from hopref.dispatch.namespace import namespace
from hopref.dispatch.operation import op
from hopref.maps import (
    dot,
    log_cosh,
    log_cosh_transform,
    logsumexp,
    logsumexp_transform,
    softmax,
)

__all__ = ["Lagrangian", "energy", "reduced_energy", "update", "flow"]


def difference(layer, u, beta):
    """The Legendre transform u.g(u) - L(u), as a difference."""
    return dot(u, layer.g(u, beta)) - layer.L(u, beta)


class Lagrangian(NamedTuple):
    """A convex Lagrangian over the last axis.

    Attributes
    ----------
    L : callable L(u, beta)
    g : callable g(u, beta), the gradient of L in u
    transform : callable transform(layer, u, beta), the Legendre transform u.g - L; the default
        subtracts, and may therefore cancel
    """
    L: Callable
    g: Callable
    transform: Callable = difference


def _lse(u, beta):
    return logsumexp(u, beta=beta)


def _softmax(u, beta):
    return softmax(u, beta=beta)


def _entropy(layer, u, beta):
    return logsumexp_transform(u, beta)


def _tanh(u, beta):
    return namespace(u).tanh(beta * u)


def _log_cosh_transform(layer, u, beta):
    return log_cosh_transform(u, beta)


def _half_square(u, beta):
    return dot(u, u) / 2


def _identity(u, beta):
    return u


def _half_square_transform(layer, u, beta):
    return dot(u, u) / 2


LAGRANGIANS = {
    "softmax": Lagrangian(_lse, _softmax, _entropy),
    "tanh": Lagrangian(log_cosh, _tanh, _log_cosh_transform),
    "quadratic": Lagrangian(_half_square, _identity, _half_square_transform),
}
layer = Choice(LAGRANGIANS, record=Lagrangian)
moderate = no_larger_than(500)
both = dict(v=moderate, h=moderate, X=moderate)
one = dict(v=moderate, X=moderate)


@op("(...,m),(...,n),(n,m)->(...)", visible=layer, hidden=layer, beta=positive, **both,
    result=finite)
def energy(v, h, X, /, *, visible="quadratic", hidden="softmax", beta=1.0):
    r"""Energy of both layers.  Source: Krotov and Hopfield 2021 [DA-4].

    .. math:: E = \left[v^T g - L_v(v)\right] + \left[h^T f - L_h(h)\right] - f^T X g, \quad
        g = \nabla L_v(v), \; f = \nabla L_h(h)

    Parameters
    ----------
    h : hidden neurons
    X : stored patterns, one in each row
    beta : inverse temperature, the same for each layer that depends on it

    Notes
    -----
    The term v.g - L(v) is computed without subtraction: as |v|^2/2 (quadratic), p.log(p)/beta
    (softmax), or the integral of artanh/beta up to g (tanh).

    >>> from hopref import lagrangian
    >>> float(lagrangian.energy([2.0], [0.0], [[1.0]]))         # 4 - 2 - 1 * 1 * 2
    0.0
    """
    g, f = visible.g(v, beta), hidden.g(h, beta)
    return transform(visible, v, beta) + transform(hidden, h, beta) - dot(f, g @ X.T)


@op("(...,m),(n,m)->(...)", visible=layer, hidden=layer, beta=positive, scratch="(...,n)", **one,
    result=finite)
def reduced_energy(v, X, /, *, visible="quadratic", hidden="softmax", beta=1.0):
    r"""Energy for fast hidden neurons, which have reached h = X g.

    Source: Krotov and Hopfield 2021 [DA-4].

    .. math:: E = v^T g - L_v(v) - L_h(X g), \quad g = \nabla L_v(v)

    Notes
    -----
    For a quadratic visible and a softmax hidden layer this is `modern.energy` without its constants
    log(n)/beta + M^2/2.  The terms v.g - L(v) and L(X g) are each accurate to a few eps of their
    own size, however small v or beta is; the error of the energy is relative to the larger term.

    >>> from hopref import lagrangian
    >>> float(lagrangian.reduced_energy([2.0], [[1.0]]))        # 4 - 2 - 2
    0.0
    """
    g = visible.g(v, beta)
    return transform(visible, v, beta) - hidden.L(g @ X.T, beta)


@op("(...,m),(n,m)->(...,m)", visible=layer, hidden=layer, beta=positive, scratch="(...,n)",
    lowers=(reduced_energy, "always"), **one, result=finite)
def update(v, X, /, *, visible="quadratic", hidden="softmax", beta=1.0):
    r"""Update of the visible neurons to equilibrium, for fast hidden neurons.

    Source: Krotov and Hopfield 2021 [DA-4].

    .. math:: v^{new} = X^T \nabla L_h(X g), \quad g = \nabla L_v(v)

    Notes
    -----
    `energy` is minimised over h at X g, and then over v at the result, so that it decreases for
    every convex Lagrangian.  For a quadratic visible and a softmax hidden layer the rule is
    `modern.update`.

    >>> from hopref import lagrangian
    >>> lagrangian.update([2.0, 0.0], [[1.0, 0.0], [-1.0, 0.0]], beta=50.0)
    array([1., 0.])
    """
    return hidden.g(visible.g(v, beta) @ X.T, beta) @ X


@op("(...,m),(...,n),(n,m)->(...,m),(...,n)", visible=layer, hidden=layer, beta=positive,
    tau_v=positive, tau_h=positive, **both, result=finite)
def flow(v, h, X, /, *, visible="quadratic", hidden="softmax", beta=1.0, tau_v=1.0, tau_h=1.0):
    r"""Velocities of both layers, along which the energy decreases.

    Source: Krotov and Hopfield 2021 [DA-4].

    .. math:: \tau_v \dot v = X^T \nabla L_h(h) - v, \quad \tau_h \dot h = X \nabla L_v(v) - h

    Parameters
    ----------
    h : hidden neurons
    tau_v, tau_h : time constants of the visible and the hidden layer

    >>> from hopref import lagrangian
    >>> lagrangian.flow([2.0], [0.0], [[1.0]], tau_v=0.5)
    (array([-2.]), array([2.]))
    """
    return ((hidden.g(h, beta) @ X - v) / tau_v, (visible.g(v, beta) @ X.T - h) / tau_h)


def transform(layer, u, beta):
    """u.g(u) - L(u), the Legendre transform of L at the output g(u)."""
    return layer.transform(layer, u, beta)
