"""What the laws are tried on: hypothesis strategies of dictionaries, each saying its precondition.

Numbers are eighths of small integers: sums, differences and products of a few of them are exact,
so that a translation, a scaling or a rational rotation of the input is exact too, and a difference
between two answers is the rule's own.  Zeros, ties and duplicates are frequent.
"""
import numpy as np
from hypothesis import strategies as st
from hypothesis.extra import numpy as hnp

eighths = st.integers(-32, 32).map(lambda k: k / 8)
betas = st.sampled_from([2.0**-10, 0.25, 1.0, 3.0, 64.0])
small = st.integers(-3, 3).map(float)
polar = st.sampled_from([-1.0, 1.0])


def arrays(*shape, elements=eighths):
    return hnp.arrays(float, shape, elements=elements)


@st.composite
def records(draw, **strategies):
    return {name: draw(strategy) for name, strategy in strategies.items()}


# -- binary networks: integers, so that every law is exact --------------------------------------

@st.composite
def networks(draw, low=-1.0, diagonal=None, b=small, symmetric=True, max_d=6, rows=None):
    """A state (or ``rows`` of them) of {low, 1}, integer weights, a threshold.

    ``diagonal``: None any, ">=0", "0".
    """
    d = draw(st.integers(1, max_d))
    W = draw(arrays(d, d, elements=small))
    if symmetric:
        W = np.tril(W) + np.tril(W, -1).T
    if diagonal is not None:
        np.fill_diagonal(W, np.abs(np.diagonal(W)) if diagonal == ">=0" else 0.0)
    shape = (d,) if rows is None else (draw(st.integers(1, rows)), d)
    xi = draw(arrays(*shape, elements=st.sampled_from([low, 1.0])))
    return {"xi": xi, "W": W, "b": draw(arrays(d, elements=b))}


@st.composite
def stores(draw, max_n=4, max_d=6, low=-1.0, elements=None):
    """A state of {low, 1} and integer patterns, polar or not."""
    n, d = draw(st.integers(1, max_n)), draw(st.integers(1, max_d))
    elements = draw(st.sampled_from([polar, small])) if elements is None else elements
    X = draw(arrays(n, d, elements=elements))
    return {"xi": draw(arrays(d, elements=st.sampled_from([low, 1.0]))), "X": X,
            "b": draw(arrays(d, elements=small))}


# -- continuous states --------------------------------------------------------------------------

@st.composite
def problems(draw, max_m=3, max_n=6, max_d=5, betas=betas, norm=None):
    """A batch of states, patterns and an inverse temperature."""
    m, n, d = draw(st.integers(1, max_m)), draw(st.integers(1, max_n)), draw(st.integers(1, max_d))
    return {"xi": draw(arrays(m, d)), "X": draw(arrays(n, d)), "beta": draw(betas)}


@st.composite
def analog(draw, floor=None, max_d=5, activations=("tanh", "sigmoid", "identity")):
    """A batch inside the activation's range, symmetric weights, a threshold, a gain.

    ``floor`` bounds the weights from below: the smallest eigenvalue is at least ``floor``
    (a function of the activation and beta), by Gershgorin's circles.
    """
    d, activation = draw(st.integers(1, max_d)), draw(st.sampled_from(activations))
    beta = draw(st.sampled_from([0.25, 1.0, 2.0]))
    W = draw(arrays(d, d))
    W = np.tril(W) + np.tril(W, -1).T
    if floor is not None:
        circles = np.abs(W).sum(-1) - np.abs(np.diagonal(W))
        np.fill_diagonal(W, np.maximum(np.diagonal(W), circles + floor(activation, beta)))
    low, high = {"tanh": (-8, 8), "sigmoid": (0, 8), "identity": (-32, 32)}[activation]
    inside = st.integers(low, high).map(lambda k: k / 8)
    xi = draw(arrays(draw(st.integers(1, 3)), d, elements=inside))
    return {"xi": xi, "W": W, "b": draw(arrays(d)), "activation": activation, "beta": beta}


# -- attention ----------------------------------------------------------------------------------

@st.composite
def heads(draw, max_l=4, max_s=5, square=False, masked=False):
    """Queries, keys, values; with ``masked`` a boolean mask in which every row sees something."""
    l, s = draw(st.integers(1, max_l)), draw(st.integers(1, max_s))
    s = l if square else s
    d, v = draw(st.integers(1, 4)), draw(st.integers(1, 3))
    case = {"Q": draw(arrays(l, d)), "K": draw(arrays(s, d)), "V": draw(arrays(s, v))}
    if masked:
        mask = draw(hnp.arrays(bool, (l, s), elements=st.booleans()))
        mask[np.arange(l), draw(hnp.arrays(int, l, elements=st.integers(0, s - 1)))] = True
        case["mask"] = mask
    return case


@st.composite
def feature_heads(draw, max_l=5, max_s=5, square=False, low=0):
    """Features of queries and keys, >= 0 or (low < 0) signed, the first one positive; values."""
    l, s = draw(st.integers(1, max_l)), draw(st.integers(1, max_s))
    s = l if square else s
    r, v = draw(st.integers(1, 4)), draw(st.integers(1, 3))
    eighth = st.integers(low, 32).map(lambda k: k / 8)
    phi_q, phi_k = draw(arrays(l, r, elements=eighth)), draw(arrays(s, r, elements=eighth))
    phi_q[:, 0], phi_k[:, 0] = np.maximum(phi_q[:, 0], 0.125), np.maximum(phi_k[:, 0], 0.125)
    return {"phi_q": phi_q, "phi_k": phi_k, "V": draw(arrays(s, v))}


# -- random features ----------------------------------------------------------------------------

@st.composite
def projected(draw, max_m=6, max_n=4, max_r=5, max_d=4):
    """States, patterns, a draw omega, a temperature; norms small enough for plain features."""
    m, n = draw(st.integers(1, max_m)), draw(st.integers(1, max_n))
    d, r = draw(st.integers(1, max_d)), draw(st.integers(1, max_r))
    near = st.integers(-12, 12).map(lambda k: k / 8)
    return {"xi": draw(arrays(m, d, elements=near)), "X": draw(arrays(n, d, elements=near)),
            "omega": draw(arrays(r, d, elements=near)),
            "beta": draw(st.sampled_from([0.25, 1.0, 2.0]))}


# -- supports -----------------------------------------------------------------------------------

@st.composite
def supported(draw, empty=True, **how):
    """A problem with a support for each state; ``empty`` ones among them by default."""
    case = draw(problems(**how))
    m, n = len(case["xi"]), len(case["X"])
    support = draw(hnp.arrays(bool, (m, n), elements=st.booleans()))
    if not empty:
        support[np.arange(m), draw(hnp.arrays(int, m, elements=st.integers(0, n - 1)))] = True
    return {**case, "support": support}
