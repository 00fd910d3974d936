r"""Continuous (graded) classical Hopfield network: any strictly increasing activation.

``xi`` (..., d) states, ``W`` (d, d) weights, ``b`` (d,) threshold, ``X`` (n, d) patterns in rows.
``activation`` is "tanh", "sigmoid", "identity", or an `Activation` that the caller defines;
``beta`` is its gain: f(beta u).  ``leak`` (d,) is 1/R, a conductance a site.

References: Hopfield 1984; Koiran 1994; the blog, eqs. (7)-(13) and (20).
"""
import math
from collections.abc import Callable
from functools import partial
from typing import NamedTuple

from hopref.dispatch.domains import (
    Choice,
    choice,
    factors,
    finite,
    inverse_temperature,
    no_larger_than,
    positive,
    real,
    sites,
    symmetric,
)
from hopref.dispatch.namespace import namespace
from hopref.dispatch.operation import op
from hopref.dispatch.preconditions import states_in_range
from hopref.maps import above, below, dot, in_turn, sigmoid, xlog

__all__ = ["Activation", "energy", "update", "asynchronous_update", "two_step_energy", "flow",
           "thresholded_update"]


class Activation(NamedTuple):
    """A strictly increasing activation function, elementwise.

    Attributes
    ----------
    f : callable, the function
    inverse : callable, the inverse of f
    integral : callable, the integral of the inverse from 0; +inf outside the closure of the range
        of f
    low, high : float, bounds of the closure of the range of f, which must contain 0
    """
    f: Callable
    inverse: Callable
    integral: Callable
    low: float = -math.inf
    high: float = math.inf


def _tanh(u):
    return namespace(u).tanh(u)


def _artanh(x):
    return namespace(x).atanh(x)


def _artanh_integral(x):
    """x artanh x + log(1 - x^2)/2, in a form that is accurate on each side of |x| = 1/2."""
    xp = namespace(x)
    small = xp.abs(x) < 0.5
    a, c = xp.where(small, x, 0.0), xp.where(small, 0.0, xp.abs(x))
    near = a * xp.atanh(a) + xp.log1p(-a * a) / 2
    far = ((1 + c) * xp.log1p(c) + xlog(1 - c)) / 2
    return xp.where(small, near, xp.where(c > 1, math.inf, far))


def _logit(x):
    xp = namespace(x)
    return xp.log(x) - xp.log1p(-x)


def _logit_integral(x):
    """x log x + (1 - x) log(1 - x), and +inf outside [0, 1]."""
    xp = namespace(x)
    inside = (x >= 0) & (x <= 1)
    entropy = xlog(x) + (1 - x) * xp.log1p(xp.where(x < 1, -x, 0.0))
    return xp.where(inside, entropy, math.inf)


def _identity(u):
    return u


def _half_square(x):
    return x * x / 2


ACTIVATIONS = {
    "tanh": Activation(_tanh, _artanh, _artanh_integral, -1.0, 1.0),
    "sigmoid": Activation(sigmoid, _logit, _logit_integral, 0.0, 1.0),
    "identity": Activation(_identity, _identity, _half_square),
}
activation = Choice(ACTIVATIONS, record=Activation)
side = choice(above=above, below=below)
in_range = states_in_range(activation)
moderate = no_larger_than(500)
inputs = dict(W=moderate, b=moderate)
leaks = factors("(d)")


@op("(...,d),(d,d),(d)->(...)", activation=activation, beta=positive, leak=leaks, W=symmetric,
    precondition=in_range, result=finite)
def energy(xi, W, b=0.0, /, *, activation="tanh", beta=1.0, leak=1.0):
    r"""Energy of a state.  Source: Hopfield 1984; blog eq. (7), where leak is 1 [CC-1].

    .. math:: E = -\tfrac12 \xi^T W \xi + b^T \xi
        + \tfrac1\beta \sum_i \ell_i \int_0^{\xi_i} f^{-1}(y)\,dy

    Parameters
    ----------
    xi : states in the closure of the range of f: [-1, 1] for tanh, [0, 1] for sigmoid
    beta : gain of the activation

    >>> from hopref import graded
    >>> round(float(graded.energy([1.0], [[0.0]])), 6)       # ln 2
    0.693147
    """
    xp = namespace(xi)
    integrals = xp.sum(leak * activation.integral(xi), axis=-1)
    return -dot(xi @ W.T, xi) / 2 + xp.sum(b * xi, axis=-1) + integrals / beta


@op("(...,d),(d,d),(d)->(...,d)", activation=activation, beta=inverse_temperature, leak=leaks,
    lowers=(energy, "W = W.T, smallest eigenvalue >= -c min(leak)/beta; c = 1, sigmoid 4"),
    xi=moderate, **inputs, result=finite)
def update(xi, W, b=0.0, /, *, activation="tanh", beta=1.0, leak=1.0):
    r"""Synchronous update.  Source: blog eqs. (8)-(13), where it is derived by the CCCP [CC-2].

    .. math:: \xi^{new}_i = f(\beta (W \xi - b)_i / \ell_i)

    Parameters
    ----------
    beta : gain of the activation

    Notes
    -----
    For symmetric W the identity E(new) - E(xi) = -1/2 D^T W D - D_G(xi, new) holds, with
    D = new - xi and the Bregman divergence D_G of the integral term.  Fixed points are those of
    `flow`.  `asynchronous_update` takes the leak as part of the weights: W / leak[:, None] and
    b / leak give the sites the activation f(beta (W xi - b)_i / leak_i).

    >>> from hopref import graded
    >>> graded.update([0.5, -0.5], [[0.0, 0.0], [0.0, 0.0]])
    array([0., 0.])
    """
    return activation.f(beta * ((xi @ W.T - b) / leak))


@op("(...,d),(d,d),(d)->(...,d)", activation=activation, beta=positive,
    order=sites("(k)", below="d"),
    lowers=(energy, "W = W.T, w_ii >= -1/beta (tanh), -4/beta (sigmoid)"),
    xi=moderate, **inputs, result=finite)
def asynchronous_update(xi, W, b=0.0, /, *, order, activation="tanh", beta=1.0):
    r"""Asynchronous update of the sites in ``order``.

    Source: blog eq. (12), applied to one site as below its eq. (2) [CC-4].

    .. math:: \xi_i \leftarrow f(\beta\, (W \xi - b)_i) \quad\text{for } i \text{ in order}

    Parameters
    ----------
    order : sites in the order in which they are updated; ``range(d)`` is one cyclic sweep
    beta : gain of the activation

    Notes
    -----
    For symmetric W the update of one site, by delta, changes the energy by exactly
    -w_ii delta^2/2 - D_G(xi_i, new_i).

    >>> from hopref import graded
    >>> W = [[0.0, 1.0], [1.0, 0.0]]
    >>> graded.asynchronous_update([5.0, 7.0], W, order=[0, 1], activation="identity")
    array([7., 7.])
    """
    return in_turn(partial(_activated_field, f=activation.f, beta=beta), xi, W, b, order)


def _activated_field(h, value, *, f, beta):
    return f(beta * h)


@op("(...,d),(...,d),(d,d),(d)->(...)", activation=activation, beta=positive, leak=leaks,
    W=symmetric, precondition=in_range, result=finite)
def two_step_energy(xi, previous, W, b=0.0, /, *, activation="tanh", beta=1.0, leak=1.0):
    r"""Energy of two successive states, which no synchronous update increases.  Source: [CC-3].

    .. math:: L(t) = -\xi(t)^T W \xi(t-1)
        + \sum_{s \in \{t, t-1\}} \left(b^T \xi(s) + \tfrac1\beta \sum_i \ell_i G(\xi_i(s))\right)

    Parameters
    ----------
    beta : gain of the activation

    Notes
    -----
    W must be symmetric.  The limit sets of the dynamics are fixed points and cycles of length 2
    (cf. Koiran 1994).

    >>> from hopref import graded
    >>> float(graded.two_step_energy([0.0], [0.0], [[1.0]]))
    0.0
    """
    xp = namespace(xi)
    integrals = leak * (activation.integral(xi) + activation.integral(previous))
    return (-dot(xi, previous @ W.T) + xp.sum(b * (xi + previous), axis=-1)
            + xp.sum(integrals, axis=-1) / beta)


@op("(...,d),(d,d),(d)->(...,d)", activation=activation, beta=positive, tau=positive, leak=leaks,
    lowers=(energy, "W = W.T, along the flow, at xi = f(beta u)"), **inputs, result=finite)
def flow(u, W, b=0.0, /, *, activation="tanh", beta=1.0, tau=1.0, leak=1.0):
    r"""Velocity of the internal state u, where xi = f(beta u).  Source: Hopfield 1984 [CC-5].

    .. math:: \tau \dot u = -\ell \circ u + W f(\beta u) - b

    Parameters
    ----------
    u : internal states
    beta : gain of the activation
    tau : time constant: the capacitance, if the leak is the conductance 1/R

    Notes
    -----
    An Euler step of size tau gives u = W xi - b, the field of `update`, where the leak is 1.  For
    symmetric W the energy changes at the rate -tau beta sum_i f'(beta u_i) u'_i^2 <= 0.

    >>> from hopref import graded
    >>> graded.flow([1.0], [[0.0]], tau=2.0)
    array([-0.5])
    """
    return (activation.f(beta * u) @ W.T - b - leak * u) / tau


@op("(...,d),(n,d)->(...,d)", theta=real, side=side, activation=activation, beta=positive,
    scratch="(...,n)", result=finite)
def thresholded_update(xi, X, /, *, theta=-0.5, side="above", activation="tanh", beta=1.0):
    r"""Update on thresholded ("sparse") patterns and state.  Source: blog eq. (20) [CC-7].

    .. math:: \xi^{new} = f(\beta X^T S_\theta(X) S_\theta(\xi)), \quad
        S_\theta(x)_l = 0 \text{ if } x_l > \theta, \text{ else } x_l

    Parameters
    ----------
    theta : threshold; a component equal to it is kept
    side : "above" sets the components > theta to 0, as the blog does; "below" those < theta
    beta : gain of the activation

    Notes
    -----
    The rule has no energy, because the weights X^T S(X) are not symmetric.

    >>> from hopref import graded
    >>> graded.thresholded_update([0.9, -1.0], [[0.0, -1.0]], activation="identity")
    array([ 0., -1.])
    """
    return activation.f(beta * ((side(xi, theta) @ side(X, theta).T) @ X))
