"""Laws of random draws: moments within six standard errors, for fixed seeds.

`f(m, d, rng=seed)` draws a matrix (m, d).  Each row of an i.i.d. or block-orthogonal draw is
N(0, I), so that the variances below are exact, not estimated.
"""
from weakref import WeakKeyDictionary

import numpy as np

from hopref.check.laws import equal, law, toleranced

DRAWS, ERRORS = 400, 6.0
BLOCKS = 20             # of one draw
GAUSSIAN = ("projections.iid", "projections.orthogonal", "projections.simplex")
ORTHOGONAL = ("projections.orthogonal", "projections.regularized", "projections.givens",
              "projections.hadamard")
FIXED = ("projections.regularized", "projections.hadamard")
ALL = (*GAUSSIAN, *ORTHOGONAL[1:], "projections.qmc")
SAMPLES = WeakKeyDictionary()       # implementation -> its draws by size, which laws share


def drawn(f, m, d):
    """All draws, once; none if all seeds draw the same, which `a seed is a draw` reports."""
    samples = SAMPLES.setdefault(f, {})
    if (m, d) not in samples:
        samples[m, d] = np.stack([f(m, d, rng=seed) for seed in range(DRAWS)])
    omega = samples[m, d]
    if np.any(omega != omega[0]):
        yield omega


def blocks(f, rows, d, count, **options):
    """``count`` blocks (count, rows, d) of a few draws; other laws say that they are independent.
    """
    draws = [f(BLOCKS * rows, d, rng=seed, **options) for seed in range(count // BLOCKS)]
    return np.concatenate(draws).reshape(count, rows, d)


def mean(x, variance, axis=0):
    """The mean of independent numbers of this variance, six standard errors wide."""
    count = np.prod([x.shape[i] for i in np.atleast_1d(axis)])
    return toleranced(np.mean(x, axis=axis), ERRORS * np.sqrt(variance / count))


@law(*ALL[:-1], id="RF-4", kills=("QR without sign correction", "the same corners in every draw"))
def rows_have_mean_zero(f):
    """E omega = 0: a row and its negative have the same distribution (Haar)."""
    for m, d in ((4, 4), (5, 3)):
        for omega in drawn(f, m, d):
            yield equal(mean(omega, 1.0), 0.0, f"E omega_ij, m = {m}, d = {d}")


@law(*ALL, id="RF-4",
     kills=("rows of length 1", "uniform numbers", "rows of length d"))
def every_axis_has_unit_variance(f):
    """E omega_ij^2 = 1; its variance is at most that of a Gaussian, 2."""
    for omega in drawn(f, 4, 4):
        yield equal(mean(omega**2, 2.0), 1.0)


@law(*ALL, id="RF-4", kills=("QR without sign correction",))
def projections_on_the_ones_have_mean_zero(f):
    """E omega . 1 = 0, with variance d: the direction along which QR without signs is biased."""
    for omega in drawn(f, 4, 4):
        yield equal(mean(np.sum(omega, axis=-1), 4.0, axis=(0, 1)), 0.0)


@law(*GAUSSIAN, id="RF-4",
     kills=("rows of the one length sqrt(d)", "rows of length 1",
            "corners not scaled to length 1", "uniform numbers"))
def lengths_are_chi_distributed(f):
    """|omega|^2 has mean d and variance 2 d (its square deviation the variance 8 d^2 + 48 d)."""
    d = 4
    for omega in drawn(f, 4, d):
        squares = np.sum(omega**2, axis=-1)
        yield equal(mean(squares, 2.0 * d, axis=(0, 1)), float(d), "mean")
        spread = mean((squares - d) ** 2, 8.0 * d**2 + 48 * d, axis=(0, 1))
        yield equal(spread, 2.0 * d, "variance")


@law("projections.iid", "projections.orthogonal", id="RF-4",
     kills=("one length for the rows of a block",))
def lengths_of_rows_are_independent(f):
    """(|omega_1|^2 - d)(|omega_2|^2 - d) has mean 0 and variance (2 d)^2, also within a block."""
    d = 4
    for omega in drawn(f, 4, d):
        away = np.sum(omega**2, axis=-1) - d
        yield equal(mean(away[:, 0] * away[:, 1], 4.0 * d**2), 0.0)


@law(*FIXED, id="RF-5", kills=("rows of chi length", "rows of length d", "rows of length 1"))
def lengths_are_all_sqrt_d(f):
    """|omega|^2 = d, to rounding."""
    squares = np.sum(f(5, 4, rng=0) ** 2, axis=-1)
    yield equal(toleranced(squares, 64 * 4 * epsilon(squares)), 4.0)


@law(*ORTHOGONAL, id="RF-4",
     kills=("rows independent, not orthogonal", "planes (i, i) too, which scale a row",
            "planes (i, i) too, which scale a column"))
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


@law(*ORTHOGONAL[:3], "projections.simplex", "projections.iid", id="RF-4",
     kills=("same seed for every block", "QR without sign correction", "one row, repeated"))
def blocks_are_independent(f):
    """Rows of different blocks have no correlation (the variance of a product is at most 3)."""
    for omega in drawn(f, 5, 3):
        yield equal(mean(omega[:, 0, :] * omega[:, 3, :], 3.0), 0.0)


@law("projections.orthogonal", "projections.regularized", "projections.iid",
     "projections.simplex", id="RF-4", kills=("coordinate axes in every draw",))
def directions_have_the_fourth_moments_of_a_sphere(f):
    """E sum_a u_a^4 = 3/(d + 2), of numbers between 1/d and 1: their variance is at most
    (1 - 1/d)^2 / 4."""
    d = 3
    for omega in drawn(f, 5, d):
        u = omega / np.sqrt(np.sum(omega**2, axis=-1, keepdims=True))
        yield equal(mean(np.sum(u[:, 0]**4, axis=-1), (1 - 1 / d) ** 2 / 4), 3 / (d + 2))


@law(*ALL, id="RF-4", kills=("seed ignored", "points not scrambled"))
def a_seed_is_a_draw(f):
    """The same seed gives the same matrix, another seed another matrix."""
    first, same, other = f(4, 4, rng=0), f(4, 4, rng=0), f(4, 4, rng=1)
    yield equal(first, same, "same seed")
    yield equal(float(np.all(first == other)), 0.0, "other seed")


# -- structured rows ------------------------------------------------------------------------------

@law("projections.hadamard", id="RF-6",
     kills=("two factors HD in place of three", "last signs missing"))
def hadamard_rows_have_the_fourth_moments_of_all_signs(f):
    """d = 4: E omega_ij^4 and E omega_i1 omega_i2 omega_i3 omega_i4 are means over the 4096 choices
    of signs, and so are their variances; they are not those of a sphere, 3 d/(d + 2) and 0."""
    signs = np.array(np.meshgrid(*[[-1.0, 1.0]] * 12)).reshape(3, 4, -1)
    H = np.array([[1, 1, 1, 1], [1, -1, 1, -1], [1, 1, -1, -1], [1, -1, -1, 1.0]])
    every = np.eye(4)
    for k in range(3):
        every = every @ H * signs[k].T[:, None, :]
    every = every / 4
    omega = blocks(f, 4, 4, 5 * DRAWS)
    for moment in (lambda x: x**4, lambda x: np.prod(x, axis=-1)):
        exact, sample = moment(every), moment(omega)
        error = ERRORS * np.std(exact, axis=0) / np.sqrt(len(sample)) + 64 * np.finfo(float).eps
        yield equal(toleranced(np.mean(sample, axis=0), error), np.mean(exact, axis=0))


@law("projections.hadamard", id="RF-6", kills=("length sqrt(d) before the columns are cut",))
def padded_hadamard_rows_have_the_mean_square_d(f):
    """d = 5 columns out of 8: E |omega|^2 = d; the variance is below that of a Gaussian row, 2 d.
    """
    squares = np.sum(blocks(f, 8, 5, DRAWS) ** 2, axis=-1)
    yield equal(mean(squares[:, 0], 10.0), 5.0)


@law("projections.hadamard", id="RF-6", kills=("same signs for every block",))
def hadamard_blocks_are_independent(f):
    """Rows of different blocks of d = 4 have no correlation; products have the variance 1."""
    for omega in drawn(f, 8, 4):
        product = np.mean(omega[:, 0] * omega[:, 4], axis=-1)
        yield equal(mean(product, 1.0), 0.0)


@law("projections.hadamard", "projections.givens", id="RF-6",
     kills=("lengths exchanged", "rows of length 1"))
def structured_rows_have_the_lengths_that_were_asked_for(f):
    """|omega|^2 = d, to rounding, or with mean d and variance 2 d."""
    d = 4
    fixed = np.sum(f(9, d, rng=0, lengths="fixed") ** 2, axis=-1)
    yield equal(toleranced(fixed, 64 * d * epsilon(fixed)), float(d), "fixed")
    squares = np.sum(f(DRAWS * d, d, rng=0, lengths="chi") ** 2, axis=-1)[::d]
    yield equal(mean(squares, 2.0 * d), float(d), "chi, mean")
    spread = mean((squares - d) ** 2, 8.0 * d**2 + 48 * d)
    yield equal(spread, 2.0 * d, "chi, variance")


@law("projections.givens", id="RF-6",
     kills=("rounds ignored", "random numbers below 1 for angles"))
def givens_rows_tend_to_a_sphere_at_the_known_rate(f):
    """E sum u_a^4 = 3/(d + 2) + lambda^K (1 - 3/(d + 2)): one round mixes the squares of a random
    matching.  For d = 2 the variance is 1/32, else at most (1 - 1/d)^2 / 4."""
    for d, rounds, rate, variance in (
            (2, 1, 0.0, 1 / 32), (4, 1, 0.5, 9 / 64), (4, 2, 0.5, 9 / 64)):
        count, sphere = 5 * DRAWS if d == 2 else DRAWS, 3 / (d + 2)
        u = blocks(f, d, d, count, rounds=rounds, lengths="fixed")[:, 0] / np.sqrt(d)
        yield equal(mean(np.sum(u**4, axis=-1), variance),
                    sphere + rate**rounds * (1 - sphere), f"d = {d}, {rounds} rounds")


@law("projections.givens", id="RF-6", kills=("d ln d rotations by default",))
def givens_rows_are_by_default_those_of_a_sphere_to_a_hundredth(f):
    """d = 64: E sum u_a^4 = 3/66 within a hundredth; the variance is at most that of d squares of
    Gaussian squares, 96/d^3.  After 2 ln d rounds the error is twice as large."""
    d = 64
    u = np.stack([f(1, d, rng=seed, lengths="fixed")[0] for seed in range(DRAWS // 2)]) / np.sqrt(d)
    moment = mean(np.sum(u**4, axis=-1), 96 / d**3)
    yield equal(moment, toleranced(3 / (d + 2), 0.01 * 3 / (d + 2)))


@law("projections.qmc", id="RF-2",
     kills=("rows independent", "first point left out: no net", "uniform numbers of variance 1"))
def scrambled_sobol_rows_are_stratified_in_every_column(f):
    """Of m = 2^k points every column has exactly one in each m-th part of the distribution."""
    from scipy.special import ndtr
    for m, d in ((64, 5), (1, 3), (8, 1)):
        cell = np.sort(np.floor(ndtr(f(m, d, rng=4)) * m), axis=0)
        yield equal(cell, np.arange(m)[:, None] + np.zeros(d))


def epsilon(x):
    """Rounding of float32, the lowest accuracy that is accepted of a draw."""
    return np.finfo(np.float32).eps
