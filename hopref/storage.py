"""Learning rules: patterns, the rows of X (N, d), become weights W (d, d)."""
from hopref.domains import flag, positive
from hopref.maps import dot
from hopref.namespace import namespace
from hopref.op import op

__all__ = ["hebbian"]


@op("(n,d)->(d,d)", scale=positive, zero_diagonal=flag, scratch="(d,d)")
def hebbian(X, /, *, scale=1.0, zero_diagonal=False):
    r"""Hebbian storage, the sum of outer products.  Source: blog eqs. (1), (5), (6) [CB-1].

    .. math:: W = s \sum_i x_i x_i^T

    Parameters
    ----------
    X : (n, d) patterns, polar, binary or real
    scale : 1, 1/d or 1/N in the literature
    zero_diagonal : the blog keeps the diagonal, which makes W positive semidefinite; most textbooks
        and the blog's own code set it to zero, which does not

    >>> from hopref import storage
    >>> storage.hebbian([[1.0, -1.0]])
    array([[ 1., -1.],
           [-1.,  1.]])
    """
    xp = namespace(X)
    W = scale * (X.T @ X)
    return xp.where(xp.eye(X.shape[1], dtype=xp.bool), 0.0, W) if zero_diagonal else W


def hebbian_field(xi, X, scale, zero_diagonal):
    """W xi for W = hebbian(X), without W: O(N d) a state instead of O(d^2)."""
    return scale * ((xi @ X.T) @ X - removed_diagonal(X, zero_diagonal) * xi)


def removed_diagonal(X, zero_diagonal):
    """What is taken off the diagonal of X^T X: all of it, or nothing."""
    diagonal = dot(X.T, X.T)
    return diagonal if zero_diagonal else namespace(X).zeros_like(diagonal)
