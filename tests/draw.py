"""Hypothesis strategies of the arguments of tests, as dictionaries.

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


# -- continuous states --------------------------------------------------------------------------

@st.composite
def problems(draw, max_m=3, betas=betas):
    """A batch of states, patterns and an inverse temperature."""
    m, n, d = draw(st.integers(1, max_m)), draw(st.integers(1, 6)), draw(st.integers(1, 5))
    return {"xi": draw(arrays(m, d)), "X": draw(arrays(n, d)), "beta": draw(betas)}


@st.composite
def analog(draw):
    """A batch inside the activation's range, symmetric weights, a threshold, a gain."""
    d = draw(st.integers(1, 5))
    activation = draw(st.sampled_from(["tanh", "sigmoid", "identity"]))
    beta = draw(st.sampled_from([0.25, 1.0, 2.0]))
    W = draw(arrays(d, d))
    W = np.tril(W) + np.tril(W, -1).T
    low, high = {"tanh": (-8, 8), "sigmoid": (0, 8), "identity": (-32, 32)}[activation]
    inside = st.integers(low, high).map(lambda k: k / 8)
    xi = draw(arrays(draw(st.integers(1, 3)), d, elements=inside))
    return {"xi": xi, "W": W, "b": draw(arrays(d)), "activation": activation, "beta": beta}


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
