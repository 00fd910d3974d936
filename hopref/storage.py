"""Learning rules: weights W (d, d) of patterns X (n, d), or W (e, d) of pairs X -> Y."""
from functools import partial

from hopref.dispatch.domains import (
    binary,
    choice,
    count,
    finite,
    flag,
    nonnegative,
    polar,
    positive,
    real,
)
from hopref.dispatch.namespace import namespace
from hopref.dispatch.operation import op
from hopref.maps import dot, followers, ratio, repeated, scan

__all__ = ["hebbian", "covariance", "projection", "storkey", "perceptron", "willshaw",
           "willshaw_pairs", "bam"]

SITES = 64          # at most so many sites have their weight matrix formed in `hollow_field`


@op("(n,d)->(d,d)", scale=positive, zero_diagonal=flag, scratch="(d,d)")
def hebbian(X, /, *, scale=1.0, zero_diagonal=False):
    r"""Hebbian storage, the sum of outer products.  Source: blog eqs. (1), (5), (6) [CB-1].

    .. math:: W = s \sum_i x_i x_i^T

    Parameters
    ----------
    X : patterns, polar, binary or real, one in each row
    scale : s; 1, 1/d or 1/N in the literature
    zero_diagonal : whether the diagonal of W is set to 0, as in most textbooks and in the code of
        the blog; with its diagonal, as in the text of the blog, W is positive semidefinite

    Notes
    -----
    The weights of integer patterns are exact for scale 1 or any power of two.  For other scales,
    such as 1/3, the weights are rounded, and a field of exactly 0 may become a few eps, so that
    rounding decides the tie.  The signs of the fields do not depend on the scale: where ties
    matter, keep scale 1 or use `classical.low_rank_update`, which multiplies the field by the
    scale instead of the weights.

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
    >>> options = {"zero_diagonal": True, "ties": "plus"}
    >>> float(classical.low_rank_update([1, 1, 1, -1, -1], X, scale=1 / 3, **options)[4])
    1.0
    """
    return scaled(X.T @ X, scale, zero_diagonal)


def scaled(W, scale, zero_diagonal):
    """The weights times their scale, with the diagonal set to 0 if required."""
    xp, W = namespace(W), scale * W
    return xp.where(xp.eye(*W.shape, dtype=xp.bool), 0.0, W) if zero_diagonal else W


@op("(n,d)->(d,d)", activity=real, zero_diagonal=flag, scratch="(d,d)")
def covariance(X, /, *, activity=None, zero_diagonal=False):
    r"""Covariance rule, for sparse binary patterns.

    Source: Tsodyks and Feigel'man 1988; Amari 1989 [CB-12].

    .. math:: W = \sum_\mu (x_\mu - p)(x_\mu - p)^T

    Parameters
    ----------
    activity : p; None for the mean of all entries of X.  With 1/2 the result is the Hebbian rule
        of the polar patterns, divided by 4
    zero_diagonal : whether the diagonal of W is set to 0

    >>> from hopref import storage
    >>> storage.covariance([[1.0, 0.0], [0.0, 1.0]])
    array([[ 0.5, -0.5],
           [-0.5,  0.5]])
    """
    away = X - (mean_activity(X) if activity is None else activity)
    rounded = mean_activity(away) if activity is None else 0.0      # of the mean, many ulp of away
    return hebbian(away - rounded, zero_diagonal=zero_diagonal)


def mean_activity(X):
    return namespace(X).sum(X) / (X.shape[0] * X.shape[1])


def projected(X):
    """The projection onto the span of the patterns."""
    X = of_one_unit(X)
    return onto_span(X, roundings(X.shape[0], X) * dot(X, X))


def _followed(X, *, loop):
    """The matrix that maps each pattern to the next one, and what is orthogonal to all to 0."""
    x, y = of_one_unit(X), in_units_of(X, followers(X, loop))
    noise = roundings(X.shape[0], X) * dot(x, x)
    return scan(_follow, (no_weights(X), no_weights(X)), (x, y, noise[:, None]))[1][1]


def _follow(weights, x, y, noise):
    """The projection P and the matrix W after one more pattern: W x = y."""
    P, W = weights
    r, size = _residual(P, x, noise)
    dual = ratio(r, size, 0.0)
    return (P + r[:, None] * dual, W + (y - W @ x)[:, None] * dual), None


sequences = choice(none=projected, open=partial(_followed, loop=False),
                   loop=partial(_followed, loop=True))


@op("(n,d)->(d,d)", sequence=sequences, scratch="(d,d)", result=finite)
def projection(X, /, *, sequence="none"):
    r"""Projection (pseudo-inverse) rule, for patterns or for a sequence of them.

    Source: Personnaz, Guyon and Dreyfus 1985, 1986 [CB-10, SQ-3].

    .. math:: W = X^+ X = X^T (X X^T)^{-1} X \;\text{ or }\; W = Y^T (X^+)^T = Y^T (X X^T)^{-1} X,
        \quad y_\mu = x_{\mu + 1}

    W is the orthogonal projection onto the span of the patterns: W = W^T = W^2 and W x_i = x_i.
    The last form requires linearly independent patterns.  For a sequence W x_mu = x_(mu+1), and
    W = 0 on what is orthogonal to all patterns.

    Parameters
    ----------
    X : patterns, one in each row; those of a sequence in the order in which they follow each other
    sequence : "none" to map each pattern to itself; to the next one with "open", where the last
        pattern is mapped to 0, and with "loop", where it is mapped to the first

    Notes
    -----
    The patterns are added one at a time, by W <- W + r r^T / |r|^2 with r = x - W x.  The residual
    r is computed twice, because the second projection removes the component in the span that
    rounding leaves.  A pattern whose residual is no larger than n d roundings is skipped; in a
    sequence the pattern after it is then not stored as its follower, but each other pattern still
    has its own.

    The weights of a sequence have no energy: a loop of more than two patterns is replayed for ever.

    >>> from hopref import storage
    >>> storage.projection([[2.0, 0.0], [4.0, 0.0]])
    array([[1., 0.],
           [0., 0.]])
    >>> storage.projection([[1.0, 1.0], [0.0, 2.0]], sequence="loop")     # (0, 1) to (1, 1)/2
    array([[-0.5,  0.5],
           [ 1.5,  0.5]])
    """
    return sequence(X)


def of_one_unit(X):
    """Patterns divided by their largest entry, so that their squares do not overflow."""
    return in_units_of(X, X)


def in_units_of(X, Y):
    """The rows of Y divided by the largest entries of those of X; 0 where these are 0."""
    xp = namespace(X)
    return ratio(Y, xp.max(xp.abs(X), axis=-1, keepdims=True), 0.0) if X.shape[1] else Y


def roundings(n, X):
    """The square of n d roundings."""
    return (n * X.shape[1] * float(namespace(X).finfo(X.dtype).eps)) ** 2


def onto_span(X, noise):
    """The projection onto the span of the rows, whose squared lengths have an error of ``noise``.
    """
    return scan(_project, no_weights(X), (X, noise[:, None]))[1]


def no_weights(X):
    """Weights of 0, to which patterns are added one at a time."""
    return namespace(X).zeros((X.shape[1], X.shape[1]), dtype=X.dtype)


def _project(W, x, noise):
    """The projection after one more pattern."""
    r, size = _residual(W, x, noise)
    return W + ratio(r[:, None] * r, size, 0.0), None


def _residual(W, x, noise):
    """The component of x outside of the span, 0 if it is no larger than noise, and its square."""
    r = x - W @ x
    r = r - W @ r
    size = dot(r, r)
    return namespace(W).where(size > noise, r, 0.0), size


@op("(n,d)->(d,d)", scratch="(d,d)")
def storkey(X, /):
    r"""Storkey's learning rule.  Source: Storkey 1997 [CB-11].

    .. math:: w_{ij} \leftarrow w_{ij} + \tfrac1d (x_i x_j - x_i h_{ji} - h_{ij} x_j), \quad
        h_{ij} = \sum_{k \ne i,j} w_{ik} x_k \quad (i \ne j)

    The patterns are added one after another, and W depends on their order.  Its diagonal is 0.

    >>> from hopref import storage
    >>> storage.storkey([[1.0, -1.0]])
    array([[ 0. , -0.5],
           [-0.5,  0. ]])
    """
    return scan(_storkey_step, no_weights(X), (X,))[1]


def _storkey_step(W, x):
    """The weights after one more pattern; k = i needs no exclusion, because w_ii = 0."""
    H = (W @ x)[:, None] - W * x
    change = x[:, None] * x - x[:, None] * H.T - H * x
    return scaled(W + change / x.shape[0], 1.0, True), None


@op("(n,d)->(d,d)", X=polar, epochs=count, margin=nonnegative, scratch="(d,d)")
def perceptron(X, /, *, epochs, margin=0.0):
    r"""Perceptron rule, which adds a pattern wherever its stability does not exceed the margin.

    Source: Gardner 1988; Rosenblatt 1958; Cover 1965 [GA-2, GA-3].

    .. math:: w_{ij} \leftarrow w_{ij} + x_i x_j \; (i \ne j) \quad\text{where}\quad
        x_i \textstyle\sum_j w_{ij} x_j \le \kappa \|w_i\|

    Parameters
    ----------
    X : polar patterns, one in each row, visited in this order
    epochs : most visits of each pattern; the rule ends earlier if none is to be added
    margin : kappa, the stability that each component of a pattern has to exceed

    Notes
    -----
    The weights are integers, d times those of the literature, and their diagonal is 0.  The rule
    ends, with all patterns as fixed points, if weights of a larger margin exist: `theory.stability`
    tells whether it has, `theory.perceptron_capacity` how many patterns to expect.  W depends on
    the order of the patterns and is not symmetric, so that there is no energy.

    >>> from hopref import storage
    >>> storage.perceptron([[1.0, -1.0]], epochs=2)
    array([[ 0., -1.],
           [-1.,  0.]])
    """
    return repeated(partial(_epoch, X=X, margin=margin), no_weights(X), epochs)


def _epoch(W, *, X, margin):
    return scan(partial(_perceptron_step, margin=margin), W, (X,))[1]


def _perceptron_step(W, x, *, margin):
    """The weights after one more visit of a pattern."""
    xp = namespace(W)
    violated = x * (W @ x) <= margin * xp.sqrt(dot(W, W))
    return W + xp.where(violated[:, None], scaled(x[:, None] * x, 1.0, True), 0.0), None


@op("(n,d)->(d,d)", X=binary, scratch="(d,d)")
def willshaw(X, /):
    r"""Clipped Hebbian rule of Willshaw, for sparse binary patterns.

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
    r"""Clipped Hebbian rule of Willshaw, for pairs x -> y.

    Source: Willshaw, Buneman and Longuet-Higgins 1969 [CB-13].

    .. math:: w_{ij} = \min\left(1, \sum_\mu y_{\mu i} x_{\mu j}\right)

    Parameters
    ----------
    X : cues, binary, one in each row
    Y : responses, binary, one in each row

    Notes
    -----
    `classical.willshaw_update` is the recall from these weights.  `theory.willshaw_load` is the
    expected fraction of weights that are 1.

    >>> from hopref import storage
    >>> storage.willshaw_pairs([[1.0, 0.0]], [[1.0]])
    array([[1., 0.]])
    """
    return namespace(X).minimum(bam(X, Y), 1.0)


@op("(n,d),(n,e)->(e,d)", scratch="(e,d)")
def bam(X, Y, /):
    r"""Weights of a bidirectional associative memory (`hopref.bam`) for pairs x -> y.

    Source: Kosko 1988; of the form of blog eq. (18) [CB-14].

    .. math:: W = \sum_\mu y_\mu x_\mu^T

    Parameters
    ----------
    X : states of the first layer, one in each row
    Y : states of the second layer, one in each row

    >>> from hopref import storage
    >>> storage.bam([[1.0, -1.0]], [[2.0]])
    array([[ 2., -2.]])
    """
    return Y.T @ X


def hebbian_field(xi, X, scale, zero_diagonal):
    """W xi for W = hebbian(X), without forming W: O(N d) for each state instead of O(d^2)."""
    return scale * (hollow_field(xi, X) if zero_diagonal else (xi @ X.T) @ X)


def hollow_field(xi, X):
    """The field of the other sites, sum_{j != i} (X^T X)_ij xi_j, without a subtraction.

    The field of one half of the sites is that of the other half plus, recursively, that within the
    half: O(N d log d) for each state.
    """
    d = X.shape[1]
    if d <= SITES:
        return xi @ scaled(X.T @ X, 1.0, True)
    A, B = X[:, :d // 2], X[:, d // 2:]
    a, b = xi[..., :d // 2], xi[..., d // 2:]
    return namespace(X).concat([hollow_field(a, A) + (b @ B.T) @ A,
                                hollow_field(b, B) + (a @ A.T) @ B], axis=-1)


def removed_diagonal(X, zero_diagonal):
    """The diagonal of X^T X if it is to be removed, otherwise 0."""
    diagonal = dot(X.T, X.T)
    return diagonal if zero_diagonal else namespace(X).zeros_like(diagonal)
