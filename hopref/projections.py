"""Random projections: the rows omega (m, d) of random feature maps, drawn on the host.

Every draw has E omega = 0 and E omega omega^T = I.  Softmax features are unbiased if each row is
N(0, I), as for `iid`, `orthogonal`, `simplex` and `qmc`.  They have a known bias for rows of one
length (`regularized`), and a small bias for structured rows (`hadamard`, `givens`), which vanishes
as d grows.

References: Choromanski et al. 2021, Section 2.4 and Appendix B.2; the SimRF paper.
"""
import math

import numpy as np

from hopref.dispatch.domains import Scalar, choice, count, seed
from hopref.dispatch.operation import op

__all__ = ["iid", "orthogonal", "regularized", "simplex", "hadamard", "givens", "qmc"]

MOMENT_ERROR = 1 / 100  # relative error of the fourth moments of Givens rows, for lambda <= 3/4
SOBOL_DIMENSIONS = 21201    # in the table of scipy
BITS = 48               # of a scrambled Sobol point: the midpoint of its cell is a float64
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
    r"""Block-orthogonal Gaussian rows: each row is N(0, I), and the rows of a block are orthogonal.

    Source: Choromanski et al. 2021, Section 2.4 and Appendix B.2 [RF-4].

    .. math:: \omega_i = r_i u_i, \quad r_i \sim \chi_d,
        \quad (u_1, \ldots, u_d) \text{ Haar on } O(d)

    The blocks of d rows are independent, and the last is truncated.  The QR factor is Haar only if
    its columns are multiplied by the signs of the diagonal of R; otherwise positive features are
    biased.

    >>> from hopref import projections
    >>> omega = projections.orthogonal(2, 2, rng=0)
    >>> bool(abs(omega[0] @ omega[1]) < 1e-14)
    True
    """
    return _chi(m, d, rng) * _haar_rows(m, d, rng)


@op("->(m,d)", m=count, d=count, rng=seed, scratch="(m,d)")
def regularized(m, d, /, *, rng):
    r"""Block-orthogonal rows of length sqrt(d) (SMREG).

    Source: Choromanski et al. 2021, Section 2.4, Theorem 1 [RF-5].

    .. math:: \omega_i = \sqrt d\, u_i, \quad (u_1, \ldots, u_d) \text{ Haar on } O(d)

    The expected kernel is below the softmax kernel; their ratio tends to 1 as d grows.

    >>> from hopref import projections
    >>> omega = projections.regularized(3, 4, rng=0)
    >>> [round(float(row @ row), 12) for row in omega]
    [4.0, 4.0, 4.0]
    """
    return np.sqrt(d) * _haar_rows(m, d, rng)


@op("->(m,d)", m=count, d=two_or_more, rng=seed, scratch="(m,d)")
def simplex(m, d, /, *, rng):
    r"""Gaussian rows along the vertices of a regular simplex, d in each block (SimRF).

    Source: the SimRF paper, for exp(x.y) in place of its Gaussian kernel [RF-9].

    .. math:: \omega_i = r_i R^T s_i, \quad r_i \sim \chi_d, \quad R \text{ Haar on } O(d),
        \quad s_i^T s_j = -\tfrac1{d-1}

    Each row is N(0, I), so that estimates are unbiased.  The angles between the rows of a block are
    the largest possible.  The blocks are independent, and the last is truncated.

    >>> from hopref import projections
    >>> omega = projections.simplex(3, 3, rng=0)
    >>> u = omega / (omega**2).sum(axis=1, keepdims=True)**0.5
    >>> [round(float(u[i] @ u[j]), 12) for i, j in ((0, 1), (0, 2), (1, 2))]
    [-0.5, -0.5, -0.5]
    """
    sizes = [min(d, m - i) for i in range(0, m, d)]
    return _chi(m, d, rng) * np.concatenate([_vertices(k, d) @ _haar(k, d, rng) for k in sizes])


def _vertices(k, d):
    """The first k of the d vertices of a simplex with centre 0, as a triangular matrix (k, k)."""
    j = np.arange(k)
    own = np.sqrt(d * (d - 1 - j) / ((d - 1) * (d - j)))
    return np.diag(own) - np.tril(np.ones((k, 1)) * own / np.maximum(d - 1 - j, 1), -1)


@op("->(m,d)", m=count, d=count, rng=seed, lengths=lengths, scratch="(m,d)")
def hadamard(m, d, /, *, rng, lengths="fixed"):
    r"""Rows of products of Hadamard matrices and random signs (HD HD HD).

    Source: Choromanski et al. 2021, Appendix B.2, for the structured variants [RF-6].

    .. math:: \Omega = \tfrac1d\, H D_1 H D_2 H D_3, \quad H^T H = d I, \quad D_k = \mathrm{diag}
        (\pm 1)

    If d is a power of two, the rows are orthogonal in independent blocks of d, exactly, since all
    entries are integers over d.  Otherwise they are the first d columns of the matrix of the next
    power of two, and neither orthogonality nor lengths are exact.

    Parameters
    ----------
    lengths : "fixed" for the length sqrt(d), which holds in the mean square if d is no power of
        two; "chi" for a multiplication by chi_d / sqrt(d)

    Second moments are exact and odd moments are 0; the others are not those of a sphere, so that
    softmax features are biased at every finite d.

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
    r"""Orthogonal rows from products of random Givens rotations.

    Source: Choromanski et al. 2021, Appendix B.2, for the structured variants [RF-6].

    .. math:: \omega_i = r_i\, (D P\, G_1 \cdots G_K)_i

    Each round rotates the planes of a random matching of the coordinates by angles that are uniform
    on the circle; P is a random permutation, and D holds random signs.  The blocks of d rows are
    independent.

    Parameters
    ----------
    lengths : "chi" for those of Gaussian rows, "fixed" for sqrt(d)
    rounds : number K of rounds; by default the smallest for which the relative error of the fourth
        moments of Haar rows is at most a hundredth, about 2.4 log2(d) + 12

    The rows are orthogonal up to rounding, second moments are exact, and odd moments are 0.  A row
    u of length 1 has E sum u_a^4 = 3/(d+2) + lambda^K (1 - 3/(d+2)) with lambda = 3 (d-2) / 4 (d-1)
    for even d and (3d-2) / 4d for odd d.  The rows are Haar for d = 2, and in the limit of many
    rounds.  The usual number of d ln d rotations, about 2 ln d rounds, is not sufficient.

    >>> from hopref import projections
    >>> omega = projections.givens(3, 3, rng=0, lengths="fixed")
    >>> [round(float(row @ omega[0]), 12) + 0.0 for row in omega]
    [3.0, 0.0, 0.0]
    """
    rounds = math.ceil(math.log((d + 2) / 3 / MOMENT_ERROR, 4 / 3)) if rounds is None else rounds
    blocks = [_rotations(min(d, m - i), d, rounds, rng) for i in range(0, m, d)]
    return lengths(m, d, rng) * np.concatenate(blocks)


def _rotations(k, d, rounds, rng):
    Q = np.zeros((d, k))                                     # transposed: planes are pairs of rows
    Q[rng.permutation(d)[:k], np.arange(k)] = rng.choice([-1.0, 1.0], size=k)
    for _ in range(rounds):
        order, pairs = rng.permutation(d), d // 2
        i, j = order[:pairs], order[pairs:2 * pairs]         # disjoint
        angle = rng.uniform(0.0, 2 * math.pi, size=(pairs, 1))
        c, s = np.cos(angle), np.sin(angle)
        Q[i], Q[j] = c * Q[i] - s * Q[j], s * Q[i] + c * Q[j]
    return Q.T


def _sobol(m, d, rng):
    from scipy.stats.qmc import Sobol
    points = Sobol(d, scramble=True, bits=BITS, rng=rng).random_base2(math.ceil(math.log2(m)))
    return points[:m] + 2.0 ** -(BITS + 1)                  # the midpoint of the cell, never 0


def _halton(m, d, rng):
    from scipy.stats.qmc import Halton
    return Halton(d, scramble=True, rng=rng).random(m)


sequences = choice(sobol=_sobol, halton=_halton)


def _tabulated(xp, given):
    """A message if d exceeds the dimensions for which Sobol direction numbers are tabulated."""
    if given["sequence"] == "sobol" and given["d"] > SOBOL_DIMENSIONS:
        return f"d must be at most {SOBOL_DIMENSIONS} with sequence='sobol'; got d={given['d']}"


@op("->(m,d)", m=count, d=count, rng=seed, sequence=sequences, precondition=_tabulated,
    scratch="(m,d)")
def qmc(m, d, /, *, rng, sequence="sobol"):
    r"""Gaussian rows from a randomised quasi-Monte Carlo sequence.

    Source: Owen's scrambling of Sobol and Halton sequences, by scipy.stats.qmc [RF-2].

    .. math:: \omega_{ij} = \Phi^{-1}(u_{ij})

    Each row is N(0, I) up to the resolution of 48 binary digits, so that estimates are unbiased.
    The rows are dependent, and no closed form of the variance is known.

    Parameters
    ----------
    sequence : "sobol" (preferably with m a power of two: then each column has one entry in each of
        m intervals of equal probability) or "halton"

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
    """The first rows of a matrix that is uniform on O(d)."""
    Q, R = np.linalg.qr(rng.standard_normal((d, rows)))
    return (Q * np.where(np.diagonal(R) < 0, -1.0, 1.0)).T
