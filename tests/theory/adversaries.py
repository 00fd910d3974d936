"""Patterns and states made to break a bound: twins, near twins, opposites, norms far apart, all
mixed with plain draws; temperatures from nearly none to a maximum."""
import numpy as np
from hypothesis import strategies as st

from hopref import theory
from tests import rounding
from tests.draw import arrays, eighths

betas = st.sampled_from([2.0**-10, 0.25, 1.0, 3.0, 64.0])


def norms(x):
    return np.sqrt((x * x).sum(-1))


def spectral(J):
    return np.linalg.norm(J, 2, axis=(-2, -1))


def room(op, *args, **kwargs):
    """What rounding may do to the true bound: the tolerance derived for it."""
    return rounding.of(op, *args, **kwargs)[1]


@st.composite
def patterns(draw, least=1, most=6):
    """(n, d) eighths, some rows of which are made alike, opposite, long or short."""
    n, d = draw(st.integers(least, most)), draw(st.integers(1, 4))
    X = draw(arrays(n, d))
    for i in range(1, n):
        how = draw(st.sampled_from(["free", "free", "twin", "near", "opposite", "long", "short"]))
        X[i] = {"free": X[i], "twin": X[0], "near": X[0] + X[i] / 2**12, "opposite": -X[0],
                "long": 8 * X[i], "short": X[i] / 8}[how]
    return X


@st.composite
def crowds(draw, least=1, most=6):
    """A state for each pattern: at it, between it and another, or anywhere."""
    X = draw(patterns(least, most))
    n, d = X.shape
    how = draw(st.sampled_from(["at", "between", "free", "opposite"]))
    xi = {"at": X.copy(), "between": (X + X[::-1]) / 2, "opposite": -X,
          "free": draw(arrays(n, d))}[how]
    return {"xi": xi, "X": X, "beta": draw(betas)}


@st.composite
def pairs(draw):
    """Two patterns: where the sharp bounds are attained."""
    d = draw(st.integers(1, 4))
    return {"xi": draw(arrays(2, d)), "X": draw(arrays(2, d)), "beta": draw(betas)}


@st.composite
def spheres(draw):
    """States on the edge of spheres of radius 1/(2 beta M) about the patterns, one towards the
    strongest rival; beta from where the bounds say something."""
    X = draw(patterns(2))
    X[0] += (norms(X).max() == 0)
    beta = draw(st.sampled_from([0.25, 1.0, 3.0]))
    X = X * draw(st.sampled_from([1.0, 2.0]))
    away = draw(arrays(*X.shape, elements=eighths))
    rival = X[np.argmax(X @ X.T - np.diag(np.full(len(X), np.inf)), -1)] - X
    away = np.where(draw(st.booleans()), rival, away)
    size = norms(away)[:, None]
    towards = np.where(size > 0, away / np.where(size > 0, size, 1.0), 0.0)
    radius = 0.5 / (beta * norms(X).max()) * (1 - 2.0**-40)
    return {"xi": X + radius * towards, "X": X, "beta": beta}


@st.composite
def groups(draw):
    """States, a group and others, without any promise."""
    X = draw(patterns(1, 4))
    d = X.shape[1]
    others = draw(arrays(draw(st.integers(1, 3)), d))
    if draw(st.booleans()):
        others[0] = -X[0]
    xi = draw(st.sampled_from([X, (X + X[:1]) / 2, 2 * X]))
    return {"xi": xi, "X": X, "others": others, "beta": draw(betas)}


@st.composite
def metastable(draw):
    """A group of spread 0 < m_max < 1/sqrt(beta), far on one side of the others; states on the edge
    of its sphere."""
    beta, d, m = draw(st.sampled_from([0.25, 1.0, 4.0])), draw(st.integers(1, 3)), 2
    spread = draw(st.sampled_from([0.5, 0.9, 0.99])) / np.sqrt(beta)
    far = np.zeros(d)
    far[0] = draw(st.sampled_from([3.0, 6.0])) / (beta * spread)
    away = draw(arrays(1, d, elements=eighths.filter(bool)))
    away = spread * away / norms(away)
    others = np.minimum(draw(arrays(draw(st.integers(1, 3)), d)), 0.0) / np.sqrt(beta)
    towards = draw(arrays(4, d, elements=eighths.filter(bool)))
    X = far + np.repeat([[1.0], [-1.0]], m // 2, axis=0) * away
    radius, _ = theory.group_sphere(X, others, beta=beta)
    xi = X.mean(0) + (1 - 2.0**-40) * radius * towards / norms(towards)[:, None]
    return {"xi": xi, "X": X, "others": others, "beta": beta}
