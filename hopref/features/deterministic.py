r"""Deterministic feature maps: phi(q).phi(k) is a kernel, not an estimate of one.

``x`` (..., d) queries or keys, one in each row; the features are arguments of
`attention.linear_attention` and its causal form.  The random maps, which estimate the softmax
kernel, are in `hopref.features`.

References: Katharopoulos et al. 2020, *Transformers are RNNs*; Shen et al. 2021, *Efficient
Attention*; Arora et al. 2024, *Simple linear attention language models balance the
recall-throughput tradeoff*; Qin et al. 2022, *cosFormer*.
"""
import math

from hopref.dispatch.domains import choice, count, finite, inverse_temperature, nonnegative
from hopref.dispatch.namespace import namespace, on_host
from hopref.dispatch.operation import op
from hopref.maps import balanced, evened, quarter_turns, softmax
from hopref.maps import relu as positive_part

__all__ = ["identity", "elu", "relu", "exponential", "quadratic", "taylor", "cosformer",
           "softmax_keys"]


@op("(...,d)->(...,d)")
def identity(x, /):
    r"""Identity feature map, whose features have both signs, so that a denominator may be 0.

    Source: blog, below eq. (18) [AT-4, AT-5].

    .. math:: \phi(x) = x

    >>> from hopref.features import deterministic
    >>> deterministic.identity([3.0, -1.0])
    array([ 3., -1.])
    """
    return 1.0 * x


@op("(...,d)->(...,d)")
def elu(x, /):
    r"""Exponential linear units plus one: e^x for x <= 0 and x + 1 for x > 0.

    Source: Katharopoulos et al. 2020 [AT-5].

    .. math:: \phi(x) = \mathrm{elu}(x) + 1

    >>> from hopref.features import deterministic
    >>> deterministic.elu([3.0, 0.0, -1000.0])
    array([4., 1., 0.])
    """
    xp = namespace(x)
    return positive_part(x) + xp.exp(xp.minimum(x, 0.0))


@op("(...,d)->(...,d)", eps=nonnegative)
def relu(x, /, *, eps=0.0):
    r"""Rectified linear units plus a constant.

    Source: Choromanski et al. 2021, generalised attention, without a projection [AT-5].

    .. math:: \phi(x) = \max(0, x) + \epsilon

    Parameters
    ----------
    eps : added to the features; 1e-3 in the paper

    >>> from hopref.features import deterministic
    >>> deterministic.relu([3.0, -1.0], eps=0.5)
    array([3.5, 0.5])
    """
    return positive_part(x) + eps


@op("(...,d)->(...,d)", result=finite)
def exponential(x, /):
    r"""Exponential of each component.

    Source: catalogue of feature maps [AT-5].

    .. math:: \phi(x) = e^x

    Raises
    ------
    RangeError : a component is larger than 709

    >>> from hopref.features import deterministic
    >>> deterministic.exponential([0.0])
    array([1.])
    """
    return namespace(x).exp(x)


@op("(...,d)->(...,dd)", scratch="(...,d,d)", result=finite)
def quadratic(x, /):
    r"""All products of two components; the kernel is (q.k)^2, and therefore nonnegative.

    Source: catalogue of feature maps [AT-5].

    .. math:: \phi(x) = \mathrm{vec}(x x^T), \quad \phi(q)^T \phi(k) = (q^T k)^2

    >>> from hopref.features import deterministic
    >>> deterministic.quadratic([2.0, 3.0])
    array([4., 6., 6., 9.])
    """
    squares = x[..., :, None] * x[..., None, :]
    return namespace(x).reshape(squares, (*x.shape[:-1], x.shape[-1] ** 2))


@op("(...,d)->(...,dd+d+1)", beta=inverse_temperature, scratch="(...,d,d)", result=finite)
def taylor(x, /, *, beta=1.0):
    r"""Terms up to the second order of the exponential, whose kernel is at least 1/2.

    Source: Arora et al. 2024, the features of Based, for beta = 1/sqrt(d) [TF-1].

    .. math:: \phi(x) = (1, \sqrt\beta\, x, \tfrac{\beta}{\sqrt2} \mathrm{vec}(x x^T)), \quad
        \phi(q)^T \phi(k) = 1 + z + \tfrac12 z^2, \; z = \beta\, q^T k

    Parameters
    ----------
    beta : factor of the scores

    Notes
    -----
    The kernel differs from e^z by at most |z|^3 e^max(z, 0) / 6.  It is least at z = -1, so that
    keys opposite to the query have more weight than some with smaller scores.

    >>> from hopref.features import deterministic
    >>> kernel = deterministic.taylor([2.0]) @ deterministic.taylor([-1.0])
    >>> round(float(kernel), 12)                                            # 1 - 2 + 4/2
    1.0
    """
    xp, u = namespace(x), math.sqrt(beta) * x
    one = xp.ones_like(xp.sum(x, axis=-1, keepdims=True))
    return xp.concat([one, u, quadratic(u) / math.sqrt(2)], axis=-1)


@op("(...,s,d)->(...,s,2d)", length=count)
def cosformer(x, /, *, length=None):
    r"""Rectified components, turned by the position: the kernel falls with the distance.

    Source: Qin et al. 2022, *cosFormer* [TF-2].

    .. math:: \phi(x_i) = \bigl(\max(0, x_i) \cos\tfrac{\pi i}{2M},
        \max(0, x_i) \sin\tfrac{\pi i}{2M}\bigr), \quad
        \phi(q_i)^T \phi(k_j) = \max(0, q_i)^T \max(0, k_j) \cos\tfrac{\pi (i - j)}{2M}

    Parameters
    ----------
    length : M; None for the number of positions.  Weights of positions that are more than M apart
        may be negative

    Notes
    -----
    Positions are counted from the first row.  A row without positive components has features of
    0, and as a query an empty row.

    >>> from hopref.features import deterministic
    >>> deterministic.cosformer([[3.0], [2.0]], length=1).round(6)           # turned by 0 and pi/2
    array([[3., 0.],
           [0., 2.]])
    """
    cos, sin = quarter_turns(x, length)
    return namespace(x).concat([positive_part(x) * cos, positive_part(x) * sin], axis=-1)


@op("(...,s,d)->(...,s,d)")
def softmax_keys(K, /):
    r"""Features of the keys in efficient attention: a softmax over the keys for each component.

    Source: Shen et al. 2021 [AT-5].

    .. math:: K'_{jr} = e^{k_{jr}} / \textstyle\sum_i e^{k_{ir}}

    The features of the queries are `maps.softmax`.  Every denominator of linear attention is then
    1.

    >>> from hopref.features import deterministic
    >>> deterministic.softmax_keys([[5.0, 0.0], [5.0, 0.0]])
    array([[0.5, 0.5],
           [0.5, 0.5]])
    """
    xp = namespace(K)
    return xp.matrix_transpose(softmax(xp.matrix_transpose(K)))


deterministic_features = choice(identity=identity, elu=elu, relu=relu, exponential=exponential,
                                quadratic=quadratic)


def paired(phi, q, k):
    """Features of queries (..., l, d) and keys (..., s, d), up to a factor for each query.

    They are phi(q) and phi(k) unless these, or their products in attention, would under- or
    overflow.  Exponentials are then divided by the largest one, and squares are taken of rescaled
    components.
    """
    if phi is exponential:
        return _by_logs(phi, q, k, q, k)
    if phi is elu:
        return _by_logs(phi, q, k, log_elu(q), log_elu(k))
    q, k = evened(q, k, 0.0)[:2] if phi is quadratic else (q, k)
    return phi(q), phi(k)


def _by_logs(phi, q, k, log_q, log_k):
    """phi(q) and phi(k) where all logarithms are within 300 of 0, otherwise relative to the largest
    one."""
    xp = namespace(k)
    far = xp.any((xp.abs(log_q) > 300.0) & xp.isfinite(log_q)) | xp.any(xp.abs(log_k) > 300.0)
    if 0 in k.shape or on_host(k) and not bool(far):
        return phi(q), phi(k)
    queries, keys = balanced(log_q, log_k, 1.0, 1.0)
    return xp.where(far, queries, phi(q)), xp.where(far, keys, phi(k))


def log_elu(x):
    """The logarithm of `elu`."""
    xp = namespace(x)
    return xp.log1p(positive_part(x)) + xp.minimum(x, 0.0)
