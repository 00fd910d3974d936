"""Laws of random draws: moments within six standard errors, for fixed seeds.

`f(m, d, rng=seed)` draws a matrix (m, d).  Each row of an i.i.d. or block-orthogonal draw is
N(0, I), so that the variances below are exact, not estimated.
"""
import numpy as np

from hopref.check.laws import equal, law, toleranced

DRAWS, ERRORS = 400, 6.0
GAUSSIAN = ("projections.iid", "projections.orthogonal", "projections.simplex")
ORTHOGONAL = ("projections.orthogonal", "projections.regularized", "projections.givens",
              "projections.hadamard")
FIXED = ("projections.regularized", "projections.hadamard")
ALL = (*GAUSSIAN, *ORTHOGONAL[1:], "projections.qmc")


def drawn(f, m, d):
    """All draws, once; not at all where every seed draws the same (`a seed is a draw` says so)."""
    omega = np.stack([f(m, d, rng=seed) for seed in range(DRAWS)])
    if np.any(omega != omega[0]):
        yield omega


def mean(x, variance, axis=0):
    """The mean of independent numbers of this variance, six standard errors wide."""
    count = np.prod([x.shape[i] for i in np.atleast_1d(axis)])
    return toleranced(np.mean(x, axis=axis), ERRORS * np.sqrt(variance / count))


@law(*ALL, id="RF-4", kills=("QR without sign correction",))
def rows_point_nowhere_on_average(f):
    """E omega = 0: every row is as likely as its opposite (Haar)."""
    for m, d in ((4, 4), (5, 3)):
        for omega in drawn(f, m, d):
            yield equal(mean(omega, 1.0), 0.0, f"E omega_ij, m = {m}, d = {d}")


@law(*GAUSSIAN, *FIXED, "projections.qmc", id="RF-4", kills=("rows of length 1",))
def every_axis_has_unit_variance(f):
    """E omega_ij^2 = 1; its variance is at most that of a Gaussian, 2."""
    for omega in drawn(f, 4, 4):
        yield equal(mean(omega**2, 2.0), 1.0)


@law(*ALL, id="RF-4", kills=("QR without sign correction",))
def along_the_ones_nothing_is_special(f):
    """E omega . 1 = 0, with variance d: the direction along which QR without signs is biased."""
    for omega in drawn(f, 4, 4):
        yield equal(mean(np.sum(omega, axis=-1), 4.0, axis=(0, 1)), 0.0)


@law(*GAUSSIAN, id="RF-4", kills=("rows of the one length sqrt(d)", "rows of length 1"))
def lengths_are_chi_distributed(f):
    """|omega|^2 has mean d and variance 2 d (its square deviation the variance 8 d^2 + 48 d)."""
    d = 4
    for omega in drawn(f, 4, d):
        squares = np.sum(omega**2, axis=-1)
        yield equal(mean(squares, 2.0 * d, axis=(0, 1)), float(d), "mean")
        spread = mean((squares - d) ** 2, 8.0 * d**2 + 48 * d, axis=(0, 1))
        yield equal(spread, 2.0 * d, "variance")


@law(*FIXED, id="RF-5", kills=("rows of chi length",))
def lengths_are_all_sqrt_d(f):
    """|omega|^2 = d, to rounding."""
    squares = np.sum(f(5, 4, rng=0) ** 2, axis=-1)
    yield equal(toleranced(squares, 64 * 4 * epsilon(squares)), 4.0)


@law(*ORTHOGONAL, id="RF-4", kills=("rows independent, not orthogonal",))
def rows_of_a_block_are_orthogonal(f):
    """omega_i . omega_j = 0 within a block of d rows, to rounding."""
    block = f(7, 4, rng=1)
    for rows in (block[:4], block[4:]):
        inner = rows @ rows.T - np.diag(np.sum(rows * rows, axis=-1))
        size = np.max(np.sum(rows * rows, axis=-1))
        yield equal(toleranced(inner, 64 * size * epsilon(inner)), 0.0)


@law("projections.simplex", id="RF-9", kills=("right angles, not those of a simplex",))
def rows_of_a_block_are_the_corners_of_a_simplex(f):
    """Directions of a block of d rows have the inner products -1/(d - 1), to rounding."""
    block = f(7, 4, rng=1)
    for rows in (block[:4], block[4:]):
        u = rows / np.sqrt(np.sum(rows * rows, axis=-1, keepdims=True))
        inner = (u @ u.T)[~np.eye(len(u), dtype=bool)]
        yield equal(toleranced(inner, 64 * epsilon(inner)), -1 / 3)


@law(*ORTHOGONAL[:3], "projections.simplex", id="RF-4",
     kills=("same seed for every block", "QR without sign correction"))
def blocks_are_independent(f):
    """Rows of different blocks have no correlation (the variance of a product is at most 3)."""
    for omega in drawn(f, 6, 3):
        yield equal(mean(omega[:, 0, :] * omega[:, 3, :], 3.0), 0.0)


@law(*ALL, id="RF-4", kills=("seed ignored",))
def a_seed_is_a_draw(f):
    """The same seed draws the same matrix, another seed another."""
    first, same, other = f(4, 4, rng=0), f(4, 4, rng=0), f(4, 4, rng=1)
    yield equal(first, same, "same seed")
    yield equal(float(np.all(first == other)), 0.0, "other seed")


def epsilon(x):
    """Rounding of float32: what a draw may at least be expected to hold."""
    return np.finfo(np.float32).eps
