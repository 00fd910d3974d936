"""All estimators of one kernel at equal cost: the same number of features, d = 16.

A feature costs attention the same whatever made it, so a map that makes two of each row is given
half the rows.  Errors are root mean squares over many draws from fixed seeds, over the kernel;
work is that of a map for a vector of many, counted on counting arrays.
"""
from typing import NamedTuple

import numpy as np

from benchmarks.growth import counting
from hopref import features, projections, theory
from hopref.dispatch.operation import load
from hopref.theory.moments import DRAWS

D, FEATURES, REPEATS, VECTORS = 16, 64, 200, 4096
CLOSED = tuple(DRAWS.names)         # draws with an error in closed form


class Entry(NamedTuple):
    """A feature map with the draw of its rows."""
    map: str
    draw: str

    @property
    def rows(self):
        return FEATURES // (2 if self.map in features.PAIRED else 1)


ENTRIES = {
    **{f"positive, {draw}": Entry("positive", draw)
       for draw in (*CLOSED, "hadamard", "givens", "qmc")},
    **{f"gerf, {draw}": Entry("gerf", draw) for draw in ("iid", "orthogonal", "simplex", "qmc")},
    **{f"{kind}, {draw}": Entry(kind, draw)
       for kind in ("hyperbolic", "trigonometric") for draw in ("iid", "orthogonal")},
}


def pair(s, cosine=0.5):
    """Two vectors x and y of the same norm with this cosine and |x + y|^2 = s."""
    size = np.sqrt(s / (2 + 2 * cosine))
    x, y = np.zeros((2, D))
    x[0], y[:2] = size, [size * cosine, size * np.sqrt(1 - cosine**2)]
    turn = projections.regularized(D, D, rng=1) / np.sqrt(D)        # in general position
    return x @ turn, y @ turn


def options(entry, s):
    """Parameters of the map that depend on the data: the optimal A of GERF at s."""
    return {"A": theory.gerf_parameter(s, d=D)} if entry.map == "gerf" else {}


def exact_error(title, s, cosine=0.5):
    """Root mean squared error over the kernel in closed form; NaN if none is known."""
    entry = ENTRIES[title]
    if entry.draw not in CLOSED:
        return float("nan")
    x, y = pair(s, cosine)
    kind = "positive" if entry.map == "gerf" else entry.map
    return float(np.exp(theory.log_relative_mse(
        x, y, m=entry.rows, features=kind, draw=entry.draw, **options(entry, s)) / 2))


def measured_errors(title, s, cosine=0.5, draws=REPEATS):
    """Squared errors over the squared kernel, one for each draw."""
    entry, (x, y) = ENTRIES[title], pair(s, cosine)
    draw, phi = getattr(projections, entry.draw), getattr(features, entry.map)
    kernel, errors = np.exp(x @ y), []
    for seed in range(draws):
        omega = draw(entry.rows, D, rng=seed)
        errors.append(phi(x, omega, **options(entry, s)) @ phi(y, omega, **options(entry, s)))
    return (np.array(errors) / kernel - 1) ** 2


def work(title):
    """Mean number of operations of the map per vector."""
    entry = ENTRIES[title]
    op, omega = load()[f"features.{entry.map}"], np.ones((entry.rows, D))
    return counting.count(op.formula, np.ones((VECTORS, D)), omega).work / VECTORS
