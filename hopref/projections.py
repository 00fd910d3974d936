"""Random projections: the rows omega (m, d) that feature maps project on, drawn on the host.

References: Choromanski et al. 2021, Section 2.4 and Appendix B.2.
"""
import numpy as np

from hopref.domains import count, seed
from hopref.op import op

__all__ = ["iid", "orthogonal", "regularized"]


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
    norms = np.sqrt(rng.chisquare(d, size=(m, 1)))
    return norms * _haar_rows(m, d, rng)


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


def _haar_rows(m, d, rng):
    return np.concatenate([_haar(min(d, m - i), d, rng) for i in range(0, m, d)])


def _haar(rows, d, rng):
    """The first rows of a rotation or reflection, uniform on O(d)."""
    Q, R = np.linalg.qr(rng.standard_normal((d, rows)))
    return (Q * np.where(np.diagonal(R) < 0, -1.0, 1.0)).T
