"""Draws that come near to the bounds of retrieval: equal, nearly equal and opposite patterns, norms
far apart, mixed with plain draws; temperatures from nearly none to a maximum."""
import numpy as np

from hopref import theory
from hopref.check.cases.draws import arrays, betas, composed, eighths, integers, sampled

__all__ = ["basins", "crowds", "fixed_points", "groups", "metastable", "norms", "opposed", "pairs",
           "patterns", "rows_of_scores", "spheres"]

nonzero = eighths.map(lambda x: x or 0.125)


def norms(x):
    """Euclidean lengths of rows."""
    return np.sqrt(np.sum(x * x, axis=-1))


@composed
def patterns(draw, least=1, most=6):
    """(n, d) eighths, some rows of which are made equal, opposite, long or short."""
    n, d = draw(integers(least, most)), draw(integers(1, 4))
    X = draw(arrays(n, d))
    kinds = sampled(["as drawn", "as drawn", "equal", "near", "opposite", "long", "short"])
    for i in range(1, n):
        X[i] = {"as drawn": X[i], "equal": X[0], "near": X[0] + X[i] / 2**12, "opposite": -X[0],
                "long": 8 * X[i], "short": X[i] / 8}[draw(kinds)]
    return X


@composed
def crowds(draw, least=1, most=6):
    """A state for each pattern: at it, between it and another, or anywhere."""
    X = draw(patterns(least, most))
    xi = {"at": X.copy(), "between": (X + X[::-1]) / 2, "opposite": -X,
          "anywhere": draw(arrays(*X.shape))}[draw(sampled(["at", "between", "opposite",
                                                             "anywhere"]))]
    return {"xi": xi, "X": X, "beta": draw(betas)}


@composed
def pairs(draw):
    """Two patterns: where the sharp bounds are attained."""
    d = draw(integers(1, 4))
    return {"xi": draw(arrays(2, d)), "X": draw(arrays(2, d)), "beta": draw(betas)}


@composed
def opposed(draw):
    """Two opposite patterns, and states from each of them towards the other: where bounds by the
    separation are nearly attained."""
    X = np.zeros((2, draw(integers(1, 3))))
    X[:, 0] = [2.0, -2.0]
    return {"xi": (1 - draw(sampled([0.125, 0.25, 0.5]))) * X, "X": X,
            "beta": draw(sampled([0.5, 1.0, 2.0]))}


@composed
def rows_of_scores(draw):
    """Two rows of scores."""
    return {"z": draw(arrays(2, draw(integers(1, 5)))), "beta": draw(betas)}


@composed
def spheres(draw):
    """States on the edge of spheres of radius 1/(2 beta M) about the patterns, some of them towards
    the strongest rival."""
    X = draw(patterns(2))
    X[0] += (norms(X).max() == 0)
    beta = draw(sampled([0.25, 1.0, 3.0]))
    X = X * draw(sampled([1.0, 2.0]))
    rival = X[np.argmax(X @ X.T - np.diag(np.full(len(X), np.inf)), axis=-1)] - X
    away = draw(sampled([rival, draw(arrays(*X.shape))]))
    size = norms(away)[:, None]
    radius = 0.5 / (beta * norms(X).max()) * (1 - 2.0**-40)
    return {"xi": X + radius * away / np.where(size > 0, size, 1.0), "X": X, "beta": beta}


@composed
def fixed_points(draw):
    """Fixed points that are known exactly: 0 of patterns that come in pairs, or equal patterns."""
    X, equal = draw(patterns(1, 3)), draw(sampled([False, True]))
    X = np.repeat(X[:1], len(X), axis=0) if equal else np.concatenate([X, -X])
    xi = draw(arrays(*X.shape)) / draw(sampled([1.0, 2.0**12]))
    return {"xi": xi, "fixed": X if equal else 0 * X, "X": X, "beta": draw(betas)}


@composed
def basins(draw):
    """Patterns, a temperature at which some have basins, directions to leave them by."""
    pair = np.outer([1.0, -1.0], np.eye(draw(integers(1, 3)))[0])
    X = draw(sampled([draw(patterns(2, 5)), pair]))
    return {"X": X, "beta": draw(sampled([0.5, 2.0, 16.0])), "towards": draw(arrays(*X.shape))}


@composed
def groups(draw):
    """States, a group and others, separated or not."""
    X = draw(patterns(1, 4))
    others = draw(arrays(draw(integers(1, 3)), X.shape[1]))
    if draw(sampled([False, True])):
        others[0] = -X[0]
    xi = draw(sampled([X, (X + X[:1]) / 2, 2 * X]))
    return {"xi": xi, "X": X, "others": others, "beta": draw(betas)}


@composed
def metastable(draw):
    """A group of spread 0 < m_max < 1/sqrt(beta), far on one side of the others; states on the edge
    of its sphere."""
    beta, d = draw(sampled([0.25, 1.0, 4.0])), draw(integers(1, 3))
    spread = draw(sampled([0.5, 0.9, 0.99])) / np.sqrt(beta)
    far = np.zeros(d)
    far[0] = draw(sampled([3.0, 6.0])) / (beta * spread)
    away = draw(arrays(1, d, elements=nonzero))
    away = spread * away / norms(away)
    others = np.minimum(draw(arrays(draw(integers(1, 3)), d)), 0.0) / np.sqrt(beta)
    towards = draw(arrays(4, d, elements=nonzero))
    X = far + np.array([[1.0], [-1.0]]) * away
    radius, _ = theory.group_sphere(X, others, beta=beta)
    xi = X.mean(axis=0) + (1 - 2.0**-40) * radius * towards / norms(towards)[:, None]
    return {"xi": xi, "X": X, "others": others, "beta": beta}
