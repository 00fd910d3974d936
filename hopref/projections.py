"""Random projections: the rows omega (m, d) that feature maps project on, drawn on the host.

Every draw has E omega = 0 and E omega omega^T = I.  Softmax features are unbiased if each row is
N(0, I): `iid`, `orthogonal`, `simplex`, `qmc`.  Rows of one length have a known bias
(`regularized`); structured rows (`hadamard`, `givens`) have a small one, which goes to 0 as d
grows.

References: Choromanski et al. 2021, Section 2.4 and Appendix B.2; the SimRF paper.
"""
import math

import numpy as np

from hopref.dispatch.domains import Scalar, choice, count, seed
from hopref.dispatch.operation import op

__all__ = ["iid", "orthogonal", "regularized", "simplex", "hadamard", "givens", "qmc"]

CLOSE = 100             # Givens rows: fourth moments within 1/100, lambda being at most 3/4
SOBOL = 21201           # dimensions of scipy's table
BITS = 48               # of a scrambled Sobol point: its cell's middle is a float64
two_or_more = Scalar("an integer >= 2", lambda v: v >= 2, int)


def _chi(m, d, rng):
    """Lengths (m, 1) of Gaussian rows."""
    return np.sqrt(rng.chisquare(d, size=(m, 1)))


def _root(m, d, rng):
    return np.full((m, 1), math.sqrt(d))


lengths = choice(chi=_chi, fixed=_root)


@op("->(m,d)", m=count, d=count, rng=seed, scratch="(m,d)")
def iid(m, d, /, *, rng):
    r"""Independent Gaussian rows.  Source: Choromanski et al. 2021, Lemma 1 [RF-2].

    .. math:: \omega_i \sim \mathcal N(0, I_d)

    Parameters
    ----------
    m, d : number of rows, and of components
    rng : seed or numpy Generator

    >>> from hopref import projections
    >>> projections.iid(3, 2, rng=0).shape
    (3, 2)
    """
    return rng.standard_normal((m, d))


@op("->(m,d)", m=count, d=count, rng=seed, scratch="(m,d)")
def orthogonal(m, d, /, *, rng):
    r"""Block-orthogonal Gaussian rows: every row is N(0, I), rows of a block are orthogonal.

    Source: Choromanski et al. 2021, Section 2.4 and Appendix B.2 [RF-4].

    .. math:: \omega_i = r_i u_i, \quad r_i \sim \chi_d,
        \quad (u_1, \ldots, u_d) \text{ Haar on } O(d)

    Independent blocks of d rows, the last cut off.  The QR factor is Haar only after its columns
    were given the signs of R's diagonal; without, positive features are biased.

    >>> from hopref import projections
    >>> omega = projections.orthogonal(2, 2, rng=0)
    >>> bool(abs(omega[0] @ omega[1]) < 1e-14)
    True
    """
    return _chi(m, d, rng) * _haar_rows(m, d, rng)


@op("->(m,d)", m=count, d=count, rng=seed, scratch="(m,d)")
def regularized(m, d, /, *, rng):
    r"""Block-orthogonal rows of the one length sqrt(d) (SMREG).

    Source: Choromanski et al. 2021, Section 2.4, Theorem 1 [RF-5].

    .. math:: \omega_i = \sqrt d\, u_i, \quad (u_1, \ldots, u_d) \text{ Haar on } O(d)

    The estimated kernel lies below the softmax kernel; their ratio tends to 1 as d grows.

    >>> from hopref import projections
    >>> omega = projections.regularized(3, 4, rng=0)
    >>> [round(float(row @ row), 12) for row in omega]
    [4.0, 4.0, 4.0]
    """
    return np.sqrt(d) * _haar_rows(m, d, rng)


@op("->(m,d)", m=count, d=two_or_more, rng=seed, scratch="(m,d)")
def simplex(m, d, /, *, rng):
    r"""Gaussian rows that point to the corners of a simplex, d to a block (SimRF).

    Source: the SimRF paper, for exp(x.y) in place of its Gaussian kernel [RF-9].

    .. math:: \omega_i = r_i R^T s_i, \quad r_i \sim \chi_d, \quad R \text{ Haar on } O(d),
        \quad s_i^T s_j = -\tfrac1{d-1}

    Each row is N(0, I), so that estimates are unbiased; of all rows that are in one block, these
    repel each other most.  Independent blocks, the last cut off.

    >>> from hopref import projections
    >>> omega = projections.simplex(3, 3, rng=0)
    >>> u = omega / (omega**2).sum(axis=1, keepdims=True)**0.5
    >>> [round(float(u[i] @ u[j]), 12) for i, j in ((0, 1), (0, 2), (1, 2))]
    [-0.5, -0.5, -0.5]
    """
    sizes = [min(d, m - i) for i in range(0, m, d)]
    return _chi(m, d, rng) * np.concatenate([_corners(k, d) @ _haar(k, d, rng) for k in sizes])


def _corners(k, d):
    """The first k of the d corners of a simplex about 0, in triangular position (k, k)."""
    j = np.arange(k)
    own = np.sqrt(d * (d - 1 - j) / ((d - 1) * (d - j)))
    return np.diag(own) - np.tril(np.ones((k, 1)) * own / np.maximum(d - 1 - j, 1), -1)


@op("->(m,d)", m=count, d=count, rng=seed, lengths=lengths, scratch="(m,d)")
def hadamard(m, d, /, *, rng, lengths="fixed"):
    r"""Rows of products of Hadamard matrices and random signs (HD HD HD).

    Source: Choromanski et al. 2021, Appendix B.2, for the structured variants [RF-6].

    .. math:: \Omega = \tfrac1d\, H D_1 H D_2 H D_3, \quad H^T H = d I, \quad D_k = \mathrm{diag}
        (\pm 1)

    For d a power of two orthogonal in independent blocks of d rows, exactly: all entries are
    integers over d.  Otherwise the first d columns of the matrix of the next power of two, and
    neither orthogonality nor lengths are exact.

    Parameters
    ----------
    lengths : "fixed", as they are: sqrt(d), in the mean square if d is no power of two; "chi"
        multiplies them by chi_d / sqrt(d)

    Second moments are exact and odd ones 0; the others are not those of a sphere, so that softmax
    features are biased at every finite d.

    >>> from hopref import projections
    >>> omega = projections.hadamard(4, 4, rng=0)
    >>> omega @ omega.T
    array([[4., 0., 0., 0.],
           [0., 4., 0., 0.],
           [0., 0., 4., 0.],
           [0., 0., 0., 4.]])
    """
    p = 2 ** math.ceil(math.log2(d))
    blocks = []
    for i in range(0, m, p):
        D = rng.choice([-1.0, 1.0], size=(3, p))
        block = np.eye(min(p, m - i), p)
        for signs in D:
            block = _times_hadamard(block) * signs
        blocks.append(block[:, :d] / p)
    return lengths(m, d, rng) / math.sqrt(d) * np.concatenate(blocks)


def _times_hadamard(x):
    """x H for rows x of p = 2^k components, by k rounds of sums and differences."""
    p, half = x.shape[-1], 1
    while half < p:
        a, b = np.moveaxis(x.reshape(-1, 2, half), 1, 0)
        x, half = np.stack([a + b, a - b], axis=1), 2 * half
    return x.reshape(-1, p)


@op("->(m,d)", m=count, d=count, rng=seed, lengths=lengths, rounds=count, scratch="(m,d)")
def givens(m, d, /, *, rng, lengths="chi", rounds=None):
    r"""Orthogonal rows from random rotations in coordinate planes (Givens).

    Source: Choromanski et al. 2021, Appendix B.2, for the structured variants [RF-6].

    .. math:: \omega_i = r_i\, (D P\, G_1 \cdots G_K)_i

    A round turns the planes of a random matching of the coordinates, each by an angle uniform on
    the circle; P is a random permutation, D holds random signs.  Independent blocks of d rows.

    Parameters
    ----------
    lengths : "chi", those of Gaussian rows, or "fixed", sqrt(d)
    rounds : by default so many that fourth moments are within a hundredth of those of Haar rows,
        about 2.4 log2(d) + 12

    Orthogonal up to rounding, second moments exact, odd ones 0.  A row u of length 1 has
    E sum u_a^4 = 3/(d+2) + lambda^K (1 - 3/(d+2)), lambda = 3 (d-2) / 4 (d-1), of odd d
    (3d-2) / 4d: Haar for d = 2 and in the limit of many rounds.  The d ln d rotations that are
    usual, about 2 ln d rounds, fall short of it.

    >>> from hopref import projections
    >>> omega = projections.givens(3, 3, rng=0, lengths="fixed")
    >>> [round(float(row @ omega[0]), 12) + 0.0 for row in omega]
    [3.0, 0.0, 0.0]
    """
    rounds = math.ceil(math.log(CLOSE * (d + 2) / 3, 4 / 3)) if rounds is None else rounds
    blocks = [_rotations(min(d, m - i), d, rounds, rng) for i in range(0, m, d)]
    return lengths(m, d, rng) * np.concatenate(blocks)


def _rotations(k, d, rounds, rng):
    Q = np.zeros((d, k))                                     # transposed: planes are pairs of rows
    Q[rng.permutation(d)[:k], np.arange(k)] = rng.choice([-1.0, 1.0], size=k)
    for _ in range(rounds):
        order, pairs = rng.permutation(d), d // 2
        i, j = order[:pairs], order[pairs:2 * pairs]         # without replacement: i never meets i
        angle = rng.uniform(0.0, 2 * math.pi, size=(pairs, 1))
        c, s = np.cos(angle), np.sin(angle)
        Q[i], Q[j] = c * Q[i] - s * Q[j], s * Q[i] + c * Q[j]
    return Q.T


def _sobol(m, d, rng):
    from scipy.stats.qmc import Sobol
    points = Sobol(d, scramble=True, bits=BITS, rng=rng).random_base2(math.ceil(math.log2(m)))
    return points[:m] + 2.0 ** -(BITS + 1)                  # the middle of its cell, never 0


def _halton(m, d, rng):
    from scipy.stats.qmc import Halton
    return Halton(d, scramble=True, rng=rng).random(m)


sequences = choice(sobol=_sobol, halton=_halton)


def _tabulated(xp, given):
    """Sobol's direction numbers are known for so many dimensions."""
    if given["sequence"] == "sobol" and given["d"] > SOBOL:
        return f"d must be at most {SOBOL} with sequence='sobol'; got d={given['d']}"


@op("->(m,d)", m=count, d=count, rng=seed, sequence=sequences, precondition=_tabulated,
    scratch="(m,d)")
def qmc(m, d, /, *, rng, sequence="sobol"):
    r"""Gaussian rows of a randomised quasi-Monte Carlo sequence.

    Source: Owen's scrambling of Sobol and Halton sequences, by scipy.stats.qmc [RF-2].

    .. math:: \omega_{ij} = \Phi^{-1}(u_{ij})

    Each row is N(0, I), up to the resolution of 48 binary digits, so that estimates are unbiased;
    rows depend on each other, and no closed form of their variance is known.

    Parameters
    ----------
    sequence : "sobol" (best for m a power of two: then each column has one entry in each m-th part
        of the normal distribution) or "halton"

    >>> from hopref import projections
    >>> omega = projections.qmc(4, 1, rng=0)
    >>> [int((omega < q).sum()) for q in (-0.6744897501960817, 0.0, 0.6744897501960817)]
    [1, 2, 3]
    """
    from scipy.special import ndtri
    return ndtri(sequence(m, d, rng))


def _haar_rows(m, d, rng):
    return np.concatenate([_haar(min(d, m - i), d, rng) for i in range(0, m, d)])


def _haar(rows, d, rng):
    """The first rows of a rotation or reflection, uniform on O(d)."""
    Q, R = np.linalg.qr(rng.standard_normal((d, rows)))
    return (Q * np.where(np.diagonal(R) < 0, -1.0, 1.0)).T
