"""Learning rules: patterns, the rows of X (n, d), become weights W (d, d); pairs X -> Y (e, d)."""
from hopref.dispatch.domains import binary, flag, positive, real
from hopref.dispatch.namespace import namespace
from hopref.dispatch.operation import op
from hopref.maps import dot, ratio, scan

__all__ = ["hebbian", "covariance", "projection", "storkey", "willshaw", "willshaw_pairs", "bam"]

SITES = 64          # whose weights among each other are formed


@op("(n,d)->(d,d)", scale=positive, zero_diagonal=flag, scratch="(d,d)")
def hebbian(X, /, *, scale=1.0, zero_diagonal=False):
    r"""Hebbian storage, the sum of outer products.  Source: blog eqs. (1), (5), (6) [CB-1].

    .. math:: W = s \sum_i x_i x_i^T

    Parameters
    ----------
    X : (n, d) patterns, polar, binary or real
    scale : 1, 1/d or 1/N in the literature; see the notes on ties
    zero_diagonal : the blog keeps the diagonal, which makes W positive semidefinite; most textbooks
        and the blog's own code set it to zero, which does not

    Notes
    -----
    Weights of integers are exact at scale 1, and at any power of two.  Others are rounded, as 1/3
    is, and a field that would be 0 may come out as some eps: the tie is decided by rounding.  Signs
    do not depend on the scale; where ties matter leave it at 1, or use
    `classical.low_rank_update`, which multiplies the field by it and not the weights.

    >>> from hopref import classical, storage
    >>> storage.hebbian([[1.0, -1.0]])
    array([[ 1., -1.],
           [-1.,  1.]])
    >>> X = [[-1, 1, -1, 1, -1], [-1, -1, -1, -1, 1], [-1, 1, -1, -1, -1]]
    >>> W = storage.hebbian(X, zero_diagonal=True)
    >>> float(classical.field([1, 1, 1, -1, -1], W)[4])         # a tie
    0.0
    >>> float(classical.field([1, 1, 1, -1, -1], W / 3)[4]) < 0                 # none
    True
    >>> how = {"zero_diagonal": True, "ties": "plus"}
    >>> float(classical.low_rank_update([1, 1, 1, -1, -1], X, scale=1 / 3, **how)[4])
    1.0
    """
    return scaled(X.T @ X, scale, zero_diagonal)


def scaled(W, scale, zero_diagonal):
    xp, W = namespace(W), scale * W
    return xp.where(xp.eye(W.shape[0], dtype=xp.bool), 0.0, W) if zero_diagonal else W


@op("(n,d)->(d,d)", activity=real, zero_diagonal=flag, scratch="(d,d)")
def covariance(X, /, *, activity=None, zero_diagonal=False):
    r"""Covariance rule, for sparse binary patterns.

    Source: Tsodyks and Feigel'man 1988; Amari 1989 [CB-12].

    .. math:: W = \sum_\mu (x_\mu - p)(x_\mu - p)^T

    Parameters
    ----------
    activity : p, the mean of all entries of X if None; 1/2 makes it Hebb's rule of the polar
        patterns, divided by 4

    >>> from hopref import storage
    >>> storage.covariance([[1.0, 0.0], [0.0, 1.0]])
    array([[ 0.5, -0.5],
           [-0.5,  0.5]])
    """
    p = mean_activity(X) if activity is None else activity
    return hebbian(X - p, zero_diagonal=zero_diagonal)


def mean_activity(X):
    return namespace(X).sum(X) / max(1, X.shape[0] * X.shape[1])


@op("(n,d)->(d,d)", scratch="(d,d)")
def projection(X, /):
    r"""Projection (pseudo-inverse) rule.  Source: Personnaz, Guyon and Dreyfus 1985 [CB-10].

    .. math:: W = X^+ X = X^T (X X^T)^{-1} X

    The orthogonal projection on the span of the patterns: W = W^T = W^2, W x_i = x_i.  The last
    form holds for independent patterns, the first for any.

    Notes
    -----
    Learnt pattern by pattern, W <- W + r r^T / |r|^2 with r = x - W x, taken twice: the second
    time removes what rounding left of the span.  A pattern of which no more is left than n d
    roundings of it adds nothing.

    >>> from hopref import storage
    >>> storage.projection([[2.0, 0.0], [4.0, 0.0]])
    array([[1., 0.],
           [0., 0.]])
    """
    X = of_one_unit(X)
    return onto_span(X, roundings(X.shape[0], X) * dot(X, X))


def of_one_unit(X):
    """Patterns divided by their largest entry: their squares stay in range."""
    xp = namespace(X)
    return ratio(X, xp.max(xp.abs(X), axis=-1, keepdims=True), 0.0) if X.shape[1] else X


def roundings(n, X):
    """The square of n d roundings."""
    return (n * X.shape[1] * float(namespace(X).finfo(X.dtype).eps)) ** 2


def onto_span(X, noise):
    """The projection on the span of the rows, whose squared lengths may be off by ``noise``."""
    start = namespace(X).zeros((X.shape[1], X.shape[1]), dtype=X.dtype)
    return scan(_project, start, (X, noise[:, None]))[1]


def _project(W, x, noise):
    xp = namespace(W)
    r = x - W @ x
    r = r - W @ r
    left = dot(r, r)
    new = left > noise
    return W + xp.where(new, r[:, None] * r / xp.where(new, left, 1.0), 0.0), None


@op("(n,d)->(d,d)", scratch="(d,d)")
def storkey(X, /):
    r"""Storkey's rule, one pattern after another.  Source: Storkey 1997 [CB-11].

    .. math:: w_{ij} \leftarrow w_{ij} + \tfrac1d (x_i x_j - x_i h_{ji} - h_{ij} x_j), \quad
        h_{ij} = \sum_{k \ne i,j} w_{ik} x_k \quad (i \ne j)

    The order of the patterns matters; the diagonal is 0.

    >>> from hopref import storage
    >>> storage.storkey([[1.0, -1.0]])
    array([[ 0. , -0.5],
           [-0.5,  0. ]])
    """
    start = namespace(X).zeros((X.shape[1], X.shape[1]), dtype=X.dtype)
    return scan(_storkey_step, start, (X,))[1]


def _storkey_step(W, x):
    """The diagonal of W is 0, so that leaving out k = i takes nothing away."""
    xp, d = namespace(W), x.shape[0]
    H = (W @ x)[:, None] - W * x
    change = x[:, None] * x - x[:, None] * H.T - H * x
    return xp.where(xp.eye(d, dtype=xp.bool), 0.0, W + change / d), None


@op("(n,d)->(d,d)", X=binary, scratch="(d,d)")
def willshaw(X, /):
    r"""Willshaw's clipped Hebbian rule for sparse binary patterns.

    Source: Willshaw, Buneman and Longuet-Higgins 1969 [CB-13].

    .. math:: w_{ij} = \min\left(1, \sum_\mu x_{\mu i} x_{\mu j}\right)

    >>> from hopref import storage
    >>> storage.willshaw([[1.0, 1.0, 0.0], [1.0, 1.0, 0.0]])
    array([[1., 1., 0.],
           [1., 1., 0.],
           [0., 0., 0.]])
    """
    return willshaw_pairs(X, X)


@op("(n,d),(n,e)->(e,d)", X=binary, Y=binary, scratch="(e,d)")
def willshaw_pairs(X, Y, /):
    r"""Willshaw's rule for pairs x -> y.

    Source: Willshaw, Buneman and Longuet-Higgins 1969 [CB-13].

    .. math:: w_{ij} = \min\left(1, \sum_\mu y_{\mu i} x_{\mu j}\right)

    `classical.willshaw_update` recalls; `theory.willshaw_load` says how many weights will be 1.

    >>> from hopref import storage
    >>> storage.willshaw_pairs([[1.0, 0.0]], [[1.0]])
    array([[1., 0.]])
    """
    return namespace(X).minimum(bam(X, Y), 1.0)


@op("(n,d),(n,e)->(e,d)", scratch="(e,d)")
def bam(X, Y, /):
    r"""Hetero-association x -> y, the weights of a `bam`.

    Source: Kosko 1988; the shape of blog eq. (18) [CB-14].

    .. math:: W = \sum_\mu y_\mu x_\mu^T

    >>> from hopref import storage
    >>> storage.bam([[1.0, -1.0]], [[2.0]])
    array([[ 2., -2.]])
    """
    return Y.T @ X


def hebbian_field(xi, X, scale, zero_diagonal):
    """W xi for W = hebbian(X), without W: O(N d) a state instead of O(d^2)."""
    return scale * (hollow_field(xi, X) if zero_diagonal else (xi @ X.T) @ X)


def hollow_field(xi, X):
    """The field of all other sites, sum_{j != i} (X^T X)_ij xi_j, without a subtraction.

    Each half of the sites adds up the other half, and divides itself in turn: O(N d log d) a state.
    """
    d = X.shape[1]
    if d <= SITES:
        return xi @ scaled(X.T @ X, 1.0, True)
    near, far = X[:, :d // 2], X[:, d // 2:]
    a, b = xi[..., :d // 2], xi[..., d // 2:]
    return namespace(X).concat([hollow_field(a, near) + (b @ far.T) @ near,
                                hollow_field(b, far) + (a @ near.T) @ far], axis=-1)


def removed_diagonal(X, zero_diagonal):
    """What is taken off the diagonal of X^T X: all of it, or nothing."""
    diagonal = dot(X.T, X.T)
    return diagonal if zero_diagonal else namespace(X).zeros_like(diagonal)
