r"""Vector-Jacobian products of the deterministic feature maps.

``g`` is the cotangent of the features; the other arguments are those of
`hopref.features.deterministic`.  The result is dx alone; for `relu` it is (dx, deps), and for
`taylor` (dx, dbeta).

References: Katharopoulos et al. 2020; Shen et al. 2021; Arora et al. 2024; Qin et al. 2022;
differentiated.
"""
import math

from hopref.dispatch.domains import choice, count, inverse_temperature, nonnegative
from hopref.dispatch.namespace import namespace
from hopref.dispatch.operation import op
from hopref.features import deterministic
from hopref.gradients.maps import softmax
from hopref.gradients.preconditions import features_of_each_pair, features_up_to_pairs
from hopref.gradients.sums import times_exp, transposed
from hopref.maps import quarter_turns

__all__ = ["identity", "elu", "relu", "exponential", "quadratic", "taylor", "cosformer",
           "softmax_keys"]


@op("(...,d),(...,d)->(...,d)")
def identity(g, x, /):
    r"""Gradient of `features.deterministic.identity`.

    Source: blog, below eq. (18) [GR-4, AT-4, AT-5].

    .. math:: dx = g

    >>> from hopref.gradients.features import deterministic
    >>> deterministic.identity([3.0], [9.0])
    array([3.])
    """
    return 1.0 * g


@op("(...,d),(...,d)->(...,d)")
def elu(g, x, /):
    r"""Gradient of `features.deterministic.elu`.

    Source: Katharopoulos et al. 2020, differentiated [GR-4, AT-5].

    .. math:: dx = g \circ e^{\min(x, 0)}

    >>> from hopref.gradients.features import deterministic
    >>> deterministic.elu([3.0, 3.0, 3.0], [2.0, 0.0, -1000.0])
    array([3., 3., 0.])
    """
    xp = namespace(x)
    return g * xp.exp(xp.where(x > 0, 0.0, x))


@op("(...,d),(...,d)->(...,d),()", eps=nonnegative)
def relu(g, x, /, *, eps=0.0):
    r"""Gradient of `features.deterministic.relu`; dx is 0 at x = 0.

    Source: Choromanski et al. 2021, differentiated [GR-4, AT-5].

    .. math:: dx = g \circ 1_{x > 0}, \quad d\epsilon = \textstyle\sum g

    >>> from hopref.gradients.features import deterministic
    >>> deterministic.relu([3.0, 4.0], [2.0, -1.0])
    (array([3., 0.]), np.float64(7.0))
    """
    return where_positive(g, x), namespace(g).sum(g)


def where_positive(g, x):
    return namespace(x).where(x > 0, g, 0.0)


@op("(...,d),(...,d)->(...,d)")
def exponential(g, x, /):
    r"""Gradient of `features.deterministic.exponential`; dx is 0 where g is 0.

    Source: catalogue of feature maps, differentiated [GR-4, AT-5].

    .. math:: dx = g \circ e^x

    >>> from hopref.gradients.features import deterministic
    >>> deterministic.exponential([3.0, 0.0], [0.0, 1000.0])
    array([3., 0.])
    """
    return times_exp(g, x)


@op("(...,dd),(...,d)->(...,d)", shape_rule=features_of_each_pair, scratch="(...,d,d)")
def quadratic(g, x, /):
    r"""Gradient of `features.deterministic.quadratic`.

    Source: catalogue of feature maps, differentiated [GR-4, AT-5].

    .. math:: dx = (G + G^T)\, x, \quad g = \mathrm{vec}(G)

    >>> from hopref.gradients.features import deterministic
    >>> deterministic.quadratic([1.0, 2.0, 4.0, 0.0], [1.0, 10.0])
    array([62.,  6.])
    """
    G = namespace(g).reshape(g, (*x.shape, x.shape[-1]))
    return ((G + transposed(G)) @ x[..., None])[..., 0]


@op("(...,dd+d+1),(...,d)->(...,d),()", beta=inverse_temperature,
    shape_rule=features_up_to_pairs, scratch="(...,d,d)")
def taylor(g, x, /, *, beta=1.0):
    r"""Gradient of `features.deterministic.taylor`.

    Source: Arora et al. 2024, differentiated [GR-4, TF-1].

    .. math:: dx = \sqrt\beta\, a + \tfrac{\beta}{\sqrt2} (G + G^T)\, x, \quad
        d\beta = \tfrac1{2\sqrt\beta} a^T x + \tfrac1{\sqrt2} x^T G\, x, \quad
        g = (\cdot, a, \mathrm{vec}(G))

    Parameters
    ----------
    beta : factor of the scores

    >>> from hopref.gradients.features import deterministic
    >>> deterministic.taylor([9.0, 3.0, 0.0], [2.0])
    (array([3.]), np.float64(3.0))
    """
    xp, root, d = namespace(x), math.sqrt(beta), x.shape[-1]
    a, pairs = g[..., 1:d + 1], quadratic(g[..., d + 1:], x) / math.sqrt(2)
    return root * a + beta * pairs, xp.sum((a / root + pairs) * x) / 2


@op("(...,s,2d),(...,s,d)->(...,s,d)", length=count)
def cosformer(g, x, /, *, length=None):
    r"""Gradient of `features.deterministic.cosformer`; dx is 0 at x = 0.

    Source: Qin et al. 2022, differentiated [GR-4, TF-2].

    .. math:: dx_i = 1_{x_i > 0} \circ \bigl(a_i \cos\tfrac{\pi i}{2M}
        + b_i \sin\tfrac{\pi i}{2M}\bigr), \quad g_i = (a_i, b_i)

    Parameters
    ----------
    length : M; None for the number of positions

    >>> from hopref.gradients.features import deterministic
    >>> deterministic.cosformer([[7.0, 5.0], [7.0, 5.0]], [[2.0], [-2.0]])
    array([[7.],
           [0.]])
    """
    (cos, sin), d = quarter_turns(x, length), x.shape[-1]
    return where_positive(g[..., :d] * cos + g[..., d:] * sin, x)


@op("(...,s,d),(...,s,d)->(...,s,d)")
def softmax_keys(g, K, /):
    r"""Gradient of `features.deterministic.softmax_keys`.

    Source: Shen et al. 2021, differentiated [GR-1, AT-5].

    .. math:: dK_{jr} = K'_{jr} \left(g_{jr} - \textstyle\sum_i K'_{ir} g_{ir}\right)

    >>> from hopref.gradients.features import deterministic
    >>> deterministic.softmax_keys([[1.0], [0.0]], [[5.0], [5.0]])
    array([[ 0.25],
           [-0.25]])
    """
    dz, dbias, dbeta = softmax(transposed(g), transposed(K))
    return transposed(dz)


deterministic_features = choice(
    identity=(deterministic.identity, identity),
    elu=(deterministic.elu, elu),
    relu=(deterministic.relu, where_positive),
    exponential=(deterministic.exponential, exponential),
    quadratic=(deterministic.quadratic, quadratic))
