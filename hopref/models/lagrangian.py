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
from hopref.dispatch.domains import (
    Choice,
    count,
    finite,
    no_larger_than,
    nonnegative,
    positive,
)
from hopref.dispatch.operation import op
from hopref.maps import CATALOGUE, LAGRANGIANS, Lagrangian, dot, transform

__all__ = ["Lagrangian", "energy", "reduced_energy", "update", "flow", "potential", "output",
           "legendre"]


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


# -- the catalogue of Lagrangians, each a layer ---------------------------------------------------

catalogue = Choice(CATALOGUE)
of_a_layer = dict(layer=catalogue, beta=positive, n=count, gain=positive, eps=nonnegative,
                  x=moderate, result=finite)


@op("(...,m)->(...)", **of_a_layer)
def potential(x, /, *, layer="softmax", beta=1.0, n=2, gain=1.0, eps=0.0):
    r"""Lagrangian of a layer.  Source: Krotov 2021; Krotov and Hopfield 2021 [LG-1].

    .. math:: L(x), \quad \nabla L = g

    Parameters
    ----------
    x : neurons of the layer
    layer : "quadratic" |x|^2/2, "repu" sum max(x, 0)^n/n, "exponential" sum e^u/beta,
        "rectified_exponential" sum (e^v - 1 - v)/beta, "tanh" sum log cosh(u)/beta, "sigmoid"
        sum log(1 + e^u)/beta, "softmax" log(sum e^u)/beta, "ghostmax" log(1 + sum e^u)/beta,
        "layer_norm" d gain (mean (x - mean x)^2 + eps)^(1/2), "spherical"
        gain (|x|^2 + eps)^(1/2); with u = beta x and v = max(u, 0)
    beta : inverse temperature of the layers with exponentials
    n : degree of "repu", whose output is that of a ReLU for n = 2
    gain : factor of the normalised outputs
    eps : stabiliser of "layer_norm" and "spherical"

    >>> from hopref import lagrangian
    >>> float(lagrangian.potential([3.0, 4.0], layer="spherical"))
    5.0
    """
    return layer(n, gain, eps).L(x, beta)


@op("(...,m)->(...,m)", **of_a_layer)
def output(x, /, *, layer="softmax", beta=1.0, n=2, gain=1.0, eps=0.0):
    r"""Output of a layer, the gradient of its Lagrangian.

    Source: Krotov 2021; Krotov and Hopfield 2021 [LG-1].

    .. math:: g(x) = \nabla L(x)

    Parameters
    ----------
    x : neurons of the layer
    layer : the Lagrangian, see `potential`
    n : degree of "repu"
    gain : factor of the normalised outputs
    eps : stabiliser of "layer_norm" and "spherical"

    Notes
    -----
    Neurons of no length have the normalised output 0 if eps = 0, where L has no gradient.

    >>> from hopref import lagrangian
    >>> lagrangian.output([3.0, 4.0], layer="spherical")
    array([0.6, 0.8])
    """
    return 1.0 * layer(n, gain, eps).g(x, beta)


@op("(...,m)->(...)", **of_a_layer)
def legendre(x, /, *, layer="softmax", beta=1.0, n=2, gain=1.0, eps=0.0):
    r"""Energy of a layer, the Legendre transform of its Lagrangian at its output.

    Source: Krotov 2021; Krotov and Hopfield 2021 [LG-1, LG-2].

    .. math:: E = x^T g(x) - L(x)

    Parameters
    ----------
    x : neurons of the layer
    layer : the Lagrangian, see `potential`
    n : degree of "repu"
    gain : factor of the normalised outputs
    eps : stabiliser of "layer_norm" and "spherical"

    Notes
    -----
    No layer computes the difference, which cancels for small neurons (tanh), for saturated ones
    (sigmoid, softmax) and for long ones (layer_norm, whose energy is -d gain eps/s).

    >>> from hopref import lagrangian
    >>> float(lagrangian.legendre([3.0, 4.0], layer="quadratic"))           # 25 - 25/2
    12.5
    """
    return transform(layer(n, gain, eps), x, beta)
