r"""Sequence memories: each pattern is followed by the next one, with interactions of any degree.

``xi`` (..., d) polar states, ``X`` (n, d) patterns in rows, in the order in which they follow each
other.  There is no energy: a closed sequence of more than two patterns is replayed for ever, while
a function that falls with each change would have to end in a fixed point.

References: Chaudhry, Zavatone-Veth, Krotov and Pehlevan 2023, *Long Sequence Hopfield Memory*, for
the interactions; Amari 1972 and Sompolinsky and Kanter 1986 for degree 1.
"""
from hopref.dispatch.domains import choice, count, flag
from hopref.dispatch.namespace import namespace
from hopref.dispatch.operation import op
from hopref.dispatch.preconditions import polar
from hopref.maps import (
    NEAR,
    followers,
    in_common_unit,
    keep,
    others_or_all,
    power,
    relu,
    shifted_exp,
)
from hopref.models.dense import large

__all__ = ["update"]


def _polynomial(r, n):
    return power(in_common_unit(r, n), n)


def _rectified(r, n):
    return _polynomial(relu(r), n)


def _exponential(r, n):
    return shifted_exp(r, -2)


interaction = choice(polynomial=_polynomial, rectified=_rectified, exponential=_exponential)


@op("(...,d),(n,d)->(...,d)", interaction=interaction, n=count, loop=flag, zero_diagonal=flag,
    X=large, precondition=polar("xi"), scratch="(...,n,d)")
def update(xi, X, /, *, interaction="polynomial", n=3, loop=True, zero_diagonal=False):
    r"""One step along the sequence; the rule lowers no energy.

    Source: Chaudhry et al. 2023 [SQ-1, SQ-2].

    .. math:: \xi^{new}_i = \mathrm{sgn} \sum_\mu x_{\mu + 1, i}\, F(r_{\mu i}), \quad
        r_{\mu i} = x_\mu^T \xi \;\text{ or }\; \textstyle\sum_{j \ne i} x_{\mu j} \xi_j

    A tie keeps the value of the site.

    Parameters
    ----------
    interaction : F: "polynomial" z^n, "rectified" max(z, 0)^n, or "exponential" e^z
    n : degree, which the exponential ignores; 1 is the asymmetric Hebbian rule
    loop : whether the last pattern is followed by the first, or by nothing
    zero_diagonal : whether a site has no part in its own overlaps, as in the published code

    Notes
    -----
    For polar patterns, x_mu is followed by the next one without an error if F(d) exceeds the sum of
    the sizes of F(x_nu.x_mu) over the others.

    >>> from hopref import sequences
    >>> X = [[1.0, 1.0, 1.0, 1.0], [1.0, -1.0, 1.0, -1.0], [1.0, 1.0, -1.0, -1.0]]
    >>> sequences.update(X, X)
    array([[ 1., -1.,  1., -1.],
           [ 1.,  1., -1., -1.],
           [ 1.,  1.,  1.,  1.]])
    """
    Y = in_common_unit(followers(X, loop), NEAR)
    F = interaction(others_or_all(X * xi[..., None, :], zero_diagonal), n)
    return keep(namespace(xi).sum(Y * F, axis=-2), xi, -1.0)
