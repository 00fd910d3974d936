"""Laws of random draws: moments within six standard errors, for fixed seeds.

`f(m, d, rng=seed)` draws a matrix (m, d).  Each row of an i.i.d. or block-orthogonal draw is N(0, I),
so that the variances below are exact, not estimated.
"""
import numpy as np

from hopref.check.laws import about, equal, law

DRAWS, ERRORS = 400, 6.0
GAUSSIAN = ("projections.iid", "projections.orthogonal")
ORTHOGONAL = ("projections.orthogonal", "projections.regularized")
ALL = (*GAUSSIAN, "projections.regularized")


def drawn(f, m, d):
    return np.stack([f(m, d, rng=seed) for seed in range(DRAWS)])


def mean(x, variance, axis=0):
    """The mean of independent numbers of this variance, six standard errors wide."""
    count = np.prod([x.shape[i] for i in np.atleast_1d(axis)])
    return about(np.mean(x, axis=axis), ERRORS * np.sqrt(variance / count))


@law(*ALL, id="RF-4", kills=("QR without sign correction",), draws=True)
def rows_point_nowhere_on_average(f):
    """E omega = 0: every row is as likely as its opposite (Haar)."""
    yield equal(mean(drawn(f, 4, 4), 1.0), 0.0, "E omega_ij, d = 4")
    tall = drawn(f, 5, 3)
    yield equal(mean(tall, 1.0), 0.0, "E omega_ij, m = 5, d = 3")


@law(*ALL, id="RF-4", kills=("rows of length 1",), draws=True)
def every_axis_has_unit_variance(f):
    """E omega_ij^2 = 1; its variance is at most that of a Gaussian, 2."""
    yield equal(mean(drawn(f, 4, 4) ** 2, 2.0), 1.0)


@law(*ALL, id="RF-4", kills=("QR without sign correction",), draws=True)
def along_the_ones_nothing_is_special(f):
    """E omega . 1 = 0, with variance d: the direction along which QR without signs is biased."""
    along = drawn(f, 4, 4).sum(axis=-1)
    yield equal(mean(along, 4.0, axis=(0, 1)), 0.0)


@law(*GAUSSIAN, id="RF-4", kills=("rows of the one length sqrt(d)", "rows of length 1"), draws=True)
def lengths_are_chi_distributed(f):
    """|omega|^2 has mean d and variance 2 d, so that its square deviation has mean 2 d."""
    d = 4
    squares = np.sum(drawn(f, 4, d) ** 2, axis=-1)
    yield equal(mean(squares, 2.0 * d), float(d), "mean")
    yield equal(mean((squares - d) ** 2, 56.0 * d**2), 2.0 * d, "variance")


@law("projections.regularized", id="RF-5", kills=("rows of chi length",), draws=True)
def lengths_are_all_sqrt_d(f):
    """|omega|^2 = d, to rounding."""
    squares = np.sum(f(5, 4, rng=0) ** 2, axis=-1)
    yield equal(about(squares, 64 * 4 * epsilon(squares)), 4.0)


@law(*ORTHOGONAL, id="RF-4", kills=("rows independent, not orthogonal",), draws=True)
def rows_of_a_block_are_orthogonal(f):
    """omega_i . omega_j = 0 within a block of d rows, to rounding."""
    block = f(7, 4, rng=1)
    for rows in (block[:4], block[4:]):
        inner = rows @ rows.T - np.diag(np.sum(rows * rows, axis=-1))
        size = np.max(np.sum(rows * rows, axis=-1))
        yield equal(about(inner, 64 * size * epsilon(inner)), 0.0)


@law(*ORTHOGONAL, id="RF-4", kills=("same seed for every block", "QR without sign correction"), draws=True)
def blocks_are_independent(f):
    """Rows of different blocks have no correlation (variance at most 3: lengths are independent)."""
    both = drawn(f, 6, 3)
    yield equal(mean(both[:, 0, :] * both[:, 3, :], 3.0), 0.0)


@law(*ALL, id="RF-4", kills=("seed ignored", "seed from the data"), draws=True)
def a_seed_is_a_draw(f):
    """The same seed draws the same matrix, another seed another."""
    first, same, other = f(4, 4, rng=0), f(4, 4, rng=0), f(4, 4, rng=1)
    yield equal(first, same, "same seed")
    yield equal(float(np.all(first == other)), 0.0, "other seed")


def epsilon(x):
    """Rounding of float32: what a draw may at least be expected to hold."""
    return np.finfo(np.float32).eps
