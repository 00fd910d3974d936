"""Draws of the arguments of networks with weights: classical, graded, dense, of two layers."""
import numpy as np

from hopref.check.cases.draws import arrays, composed, eighths, integers, polar, sampled, small

__all__ = ["analog", "antisymmetric", "associations", "contests", "cued", "layers", "memories",
           "named_states", "networks", "overlaps", "pairs", "stores", "symmetrised", "unlike",
           "visits", "warm"]

LOW = {"polar": -1.0, "binary": 0.0}
GAINS = sampled([0.25, 1.0, 2.0])
CURVATURE = {"tanh": 1.0, "sigmoid": 4.0, "identity": 1.0}      # G'' is at least this
LAYERS = sampled(["quadratic", "tanh", "softmax"])


def symmetrised(W):
    return np.tril(W) + np.tril(W, -1).T


# -- binary states, integer weights ---------------------------------------------------------------

@composed
def networks(draw, low=-1.0, diagonal=None, b=small, symmetric=True, max_d=6, rows=None):
    """A state (or up to ``rows`` of them) of {low, 1}, integer weights, a threshold.

    ``diagonal`` is None for any, ">=0" or "0".
    """
    d = draw(integers(1, max_d))
    W = draw(arrays(d, d, elements=small))
    if symmetric:
        W = symmetrised(W)
    if diagonal is not None:
        np.fill_diagonal(W, np.abs(np.diagonal(W)) if diagonal == ">=0" else 0.0)
    shape = (d,) if rows is None else (draw(integers(1, rows)), d)
    return {"xi": draw(arrays(*shape, elements=sampled([low, 1.0]))), "W": W,
            "b": draw(arrays(d, elements=b))}


@composed
def named_states(draw, **how):
    """A network of polar or of binary states, and their name."""
    states = draw(sampled(["polar", "binary"]))
    return {**draw(networks(low=LOW[states], **how)), "states": states}


@composed
def stores(draw, max_n=4, max_d=6, least_d=1, elements=None):
    """A polar state, integer patterns (polar or not) and a threshold."""
    n, d = draw(integers(1, max_n)), draw(integers(least_d, max_d))
    elements = draw(sampled([polar, small])) if elements is None else elements
    return {"xi": draw(arrays(d, elements=polar)), "X": draw(arrays(n, d, elements=elements)),
            "b": draw(arrays(d, elements=small))}


@composed
def unlike(draw):
    """A polar state of three sites, and patterns whose entries are of very different sizes."""
    sizes = sampled([0.0, 1e-200, 1e-8, 1.0, 3.0, 1e8])
    signs = draw(arrays(2, 3, elements=polar))
    return {"xi": draw(arrays(3, elements=polar)), "X": signs * draw(arrays(2, 3, elements=sizes))}


@composed
def pairs(draw, of, values=polar):
    """A case with a second state; both of these values."""
    case = draw(of)
    xi, other = (draw(arrays(*case["xi"].shape, elements=values)) for _ in range(2))
    return {**case, "xi": xi, "other": other}


@composed
def visits(draw, of, most=8):
    """A case with an order in which sites are visited, some often, some never."""
    case = draw(of)
    number = draw(integers(1, most))
    site = integers(0, case["xi"].shape[-1] - 1)
    return {**case, "order": np.array([draw(site) for _ in range(number)])}


@composed
def antisymmetric(draw):
    """An even number of sites with odd weights W = -W.T: no field is ever zero."""
    d = 2 * draw(integers(1, 3))
    W = np.triu(2 * draw(arrays(d, d, elements=small)) + 1, 1)
    return {"xi": draw(arrays(d, elements=polar)), "W": W - W.T}


@composed
def warm(draw, diagonal=None, symmetric=True, rows=None):
    """A network, the name of its states and an inverse temperature."""
    case = draw(named_states(diagonal=diagonal, symmetric=symmetric, max_d=4, rows=rows))
    return {**case, "beta": draw(sampled([0.125, 0.5, 2.0]))}


@composed
def contests(draw):
    """Binary states, integer weights and a number of winners."""
    case = draw(networks(low=0.0, symmetric=False, rows=3))
    return {**case, "k": draw(integers(1, len(case["b"])))}


@composed
def cued(draw, n=4, d=5, e=3):
    """Pairs of binary patterns."""
    bit = sampled([0.0, 1.0])
    return {"X": draw(arrays(n, d, elements=bit)), "Y": draw(arrays(n, e, elements=bit))}


@composed
def memories(draw, interactions=("quadratic", "polynomial", "rectified"), rows=None, max_d=6):
    """A polar state (or up to ``rows`` of them), integer patterns, an interaction, its degree."""
    n, d = draw(integers(1, 4)), draw(integers(1, max_d))
    shape = (d,) if rows is None else (draw(integers(1, rows)), d)
    X = draw(arrays(n, d, elements=draw(sampled([polar, small]))))
    return {"xi": draw(arrays(*shape, elements=polar)), "X": X,
            "interaction": draw(sampled(interactions)), "n": draw(integers(1, 4))}


@composed
def overlaps(draw):
    """Integer patterns whose overlaps are multiples of 100, many of them beyond the range of exp.
    """
    n, d = draw(integers(1, 4)), draw(integers(1, 4))
    return {"xi": draw(arrays(d, elements=polar)),
            "X": draw(sampled([100.0, 1000.0])) * draw(arrays(n, d, elements=small))}


@composed
def associations(draw, max_d=5):
    """Polar states of two layers, and integer weights between them."""
    d, e = draw(integers(1, max_d)), draw(integers(1, max_d))
    return {"y": draw(arrays(e, elements=polar)), "x": draw(arrays(d, elements=polar)),
            "W": draw(arrays(e, d, elements=small))}


# -- continuous states ----------------------------------------------------------------------------

@composed
def analog(draw, activations=("tanh", "sigmoid", "identity"), descends=False, max_d=4, leaks=False):
    """States inside the activation's range, symmetric weights, a threshold, a gain, leaks if asked.

    With ``descends`` the smallest eigenvalue is at least -c/beta, c the least curvature of the
    integral, by Gershgorin's circles.
    """
    d, activation, beta = draw(integers(1, max_d)), draw(sampled(activations)), draw(GAINS)
    W = symmetrised(draw(arrays(d, d)))
    if descends:
        own = np.diagonal(W)
        circles = np.sum(np.abs(W), axis=-1) - np.abs(own)
        np.fill_diagonal(W, np.maximum(own, circles - CURVATURE[activation] / beta))
    low, high = {"tanh": (-8, 8), "sigmoid": (0, 8), "identity": (-32, 32)}[activation]
    inside = integers(low, high).map(lambda k: k / 8)
    xi = draw(arrays(draw(integers(1, 3)), d, elements=inside))
    more = {"leak": draw(arrays(d, elements=sampled([1.0, 0.5, 4.0])))} if leaks else {}
    return {"xi": xi, "W": W, "b": draw(arrays(d)), "activation": activation, "beta": beta, **more}


@composed
def layers(draw, visible=LAYERS, hidden=LAYERS):
    """States of visible and hidden neurons, synapses, the Lagrangians of both layers, a gain."""
    m, n = draw(integers(1, 3)), draw(integers(1, 4))
    return {"v": draw(arrays(m, elements=eighths)), "h": draw(arrays(n, elements=eighths)),
            "X": draw(arrays(n, m)), "beta": draw(sampled([0.25, 1.0, 3.0])),
            "visible": draw(visible), "hidden": draw(hidden)}
