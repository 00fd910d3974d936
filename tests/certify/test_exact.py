"""Certified values against exact rational numbers, by other algorithms."""
from fractions import Fraction

import numpy as np
import pytest

pytest.importorskip("flint", reason="certified values need python-flint (hopref[certify])")

from hopref.certify import certify  # noqa: E402
from tests import exact_sparse  # noqa: E402

RNG = np.random.default_rng(7)


def rational(x):
    return [[Fraction(v) for v in row] for row in np.atleast_2d(x).tolist()]


def numbers(*shape):
    """Numbers of very different sizes, and some whose sums are ties only in floating point."""
    x = RNG.standard_normal(shape) * 10.0 ** RNG.integers(-12, 13, shape)
    return np.where(RNG.random(shape) < 0.3, RNG.integers(-2, 3, shape) * 0.1, x)


@pytest.mark.parametrize("ties", ["keep", "plus"])
def test_signs_are_those_of_the_rational_fields(ties):
    W, b = numbers(6, 6), numbers(6)
    W[3] = b[3] = 0.0                                           # a tie
    xi = np.where(RNG.random((20, 6)) < 0.5, -1.0, 1.0)
    found = certify("classical.update", xi, W, b, ties=ties)
    assert found.method == "exact" and not np.any(found.bound)
    (threshold,) = rational(b)
    for state, new in zip(rational(xi), found.value.tolist(), strict=True):
        for row, level, old, value in zip(rational(W), threshold, state, new, strict=True):
            h = sum(w * x for w, x in zip(row, state, strict=True)) - level
            tie = old if ties == "keep" else 1
            assert value == (1 if h > 0 else -1 if h < 0 else tie)


@pytest.mark.parametrize("op, solve, options", [
    ("maps.sparsemax", exact_sparse.sparsemax, {}),
    ("maps.k_subsets", lambda z: exact_sparse.k_subsets(z, 3), {"k": 3}),
    ("maps.entmax", lambda z: exact_sparse.entmax(z, 1.75), {"alpha": 1.75}),
    ("maps.entmax", lambda z: exact_sparse.entmax(z, 3.0), {"alpha": 3.0}),
    ("maps.normmax", lambda z: exact_sparse.normmax(z, 2.0), {"gamma": 2.0})])
def test_sparse_maps_are_those_of_proved_thresholds(op, solve, options):
    for _ in range(5):
        z = np.concatenate([RNG.standard_normal(6), RNG.integers(-2, 3, 4) * 0.5])
        exact, found = solve(z), certify(op, z, **options)
        off = np.abs((found.value - exact.near) - exact.rest)
        assert np.all(off <= found.bound + 2.0**-100 * exact.near)
        assert exact.supports(found.value)


def test_projections_are_those_of_rational_gram_matrices():
    """W X^T = X^T, W = W^T and the trace is the rank, in rationals rounded once."""
    X = RNG.integers(-3, 4, (3, 5)).astype(float)
    X = np.concatenate([X, X[:1] + X[1:2]])                     # in the span of the others
    found = certify("storage.projection", X)
    W = found.value
    assert np.array_equal(W, W.T) and np.max(np.abs(W @ X.T - X.T)) < 1e-13
    assert np.trace(W) == pytest.approx(np.linalg.matrix_rank(X), abs=1e-13)
    assert np.all(found.bound <= 0.51 * np.spacing(np.abs(W)))
