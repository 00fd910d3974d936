"""Maps along the last axis, and the few loops and branches that formulas need.

Separation maps with their potentials, sign maps, thresholds, running sums.  Models hold equations
only; what an option or an absent mask means is decided here.
"""
import math

from hopref.domains import choice, mask, positive, scores
from hopref.namespace import namespace
from hopref.op import op

__all__ = ["softmax", "logsumexp"]

inf = math.inf
EMPTY = "every row must see at least one entry; got a fully masked row"


def something_visible(xp, given):
    """With empty_row="raise", something must take part in every row."""
    if given["empty_row"] != "raise":
        return None
    seen = (given["z"] + given.get("bias", 0.0) > -inf) & given["where"]
    return None if bool(xp.all(xp.any(seen, axis=-1))) else EMPTY


def key_visible(xp, given):
    """With empty_row="raise", every query must see a key."""
    if given["empty_row"] != "raise":
        return None
    align = {"end": end, "start": start}[given["align"]]
    seen = visible(given["Q"], given["K"], given["mask"], given["causal"], align) \
        & (given["bias"] > -inf)
    return None if seen is True or bool(xp.all(xp.any(seen, axis=-1))) else EMPTY


empty_rows = choice(**{"zeros": 0.0, "nan": math.nan, "raise": math.nan})
zero_denominators = choice(zeros=0.0, nan=math.nan)


@op("(...,n)->(...,n)", z=scores(), beta=positive, bias=scores("(...,n)"), where=mask("(...,n)"),
    empty_row=empty_rows, demands=something_visible)
def softmax(z, /, *, beta=1.0, bias=0.0, where=True, empty_row="zeros"):
    r"""Softmax with inverse temperature, mask and a stated answer for empty rows.

    Source: Ramsauer et al. 2021, eq. (3); blog eq. (14) [MH-2].

    .. math:: p_i = e^{\beta (z_i - \max z)} / \sum_j e^{\beta (z_j - \max z)}

    Parameters
    ----------
    z : (..., n) scores, finite or -inf (the log of no weight)
    beta : inverse temperature, > 0
    bias : (..., n) added to beta z; -inf hides an entry
    where : (..., n) bool, True where an entry takes part
    empty_row : a row in which nothing takes part is "zeros", "nan", or refused ("raise")

    Returns
    -------
    (..., n) weights >= 0; rows sum to 1 unless empty

    Notes
    -----
    Subtracts the maximum first and multiplies by beta after, so that beta * 0 is 0 whatever beta.

    >>> from hopref.maps import softmax
    >>> softmax([0.0, 0.0, float("-inf")])
    array([0.5, 0.5, 0. ])
    """
    xp = namespace(z)
    if not isinstance(bias, float):
        z, beta = beta * z + bias, 1.0
    z = z if where is True else xp.where(where, z, -inf)
    e = xp.exp(beta * (z - finite_or_zero(xp.max(z, axis=-1, keepdims=True))))
    return ratio(e, xp.sum(e, axis=-1, keepdims=True), empty_row)


@op("(...,n)->(...)", z=scores(), beta=positive)
def logsumexp(z, /, *, beta=1.0):
    r"""Log-sum-exp with inverse temperature, the potential whose gradient is softmax.

    Source: Ramsauer et al. 2021, eq. (1) [MH-1].

    .. math:: \mathrm{lse}(\beta, z) = \beta^{-1} \ln \sum_i e^{\beta z_i}

    Returns -inf where a row holds nothing but -inf.

    >>> from hopref.maps import logsumexp
    >>> float(logsumexp([3.0, float("-inf")], beta=2.0))
    3.0
    """
    xp = namespace(z)
    top = xp.max(z, axis=-1, keepdims=True)
    total = xp.sum(xp.exp(beta * (z - finite_or_zero(top))), axis=-1)
    return top[..., 0] + xp.log(xp.where(total > 0, total, 1.0)) / beta


def logmeanexp(z):
    """log mean exp for z <= 0 with maximum 0: exact near 0 and far from it."""
    xp = namespace(z)
    near = xp.mean(xp.expm1(z), axis=-1)
    return xp.where(near > -0.5, xp.log1p(xp.where(near > -0.5, near, 0.0)),
                    xp.log(xp.mean(xp.exp(z), axis=-1)))


def ratio(numerator, denominator, otherwise):
    """The quotient; ``otherwise`` where the denominator is 0."""
    xp = namespace(denominator)
    none = denominator == 0
    return xp.where(none, otherwise, numerator / xp.where(none, 1.0, denominator))


def visible(Q, K, mask, causal, align):
    """Which keys each query sees; True if all."""
    if not causal:
        return mask
    xp, queries, keys = namespace(Q), Q.shape[-2], K.shape[-2]
    past = xp.tril(xp.ones((queries, keys), dtype=xp.bool), k=align(queries, keys))
    return past if mask is True else past & mask


def end(queries, keys):
    """The last query is aligned with the last key."""
    return keys - queries


def start(queries, keys):
    """The first query is aligned with the first key."""
    return 0


def masked(keys, mask, nothing):
    """Features of keys, ``nothing`` (0, or -inf for logs) where a key may not be seen."""
    return keys if mask is True else namespace(keys).where(mask[..., None], keys, nothing)


def balanced(log_q, log_k, sign_q, sign_k):
    """Features from logs: every feature's largest key is 1, and so is a query's largest weight."""
    xp = namespace(log_k)
    c = xp.max(log_k, axis=-2, keepdims=True)
    return sign_q * shifted_exp(log_q + c, -1), sign_k * shifted_exp(log_k, -2)


def rescaled(log_q, log_k, c):
    """One step of `balanced` with a running scale: query, key, how the past shrinks, new scale."""
    xp = namespace(log_k)
    new = xp.maximum(c, log_k)
    zero = finite_or_zero(new)
    return shifted_exp(log_q + new, -1), xp.exp(log_k - zero), xp.exp(c - zero), new


def shifted_exp(a, axis):
    """exp(a - max a); 0 where all of a is -inf."""
    xp = namespace(a)
    return xp.exp(a - finite_or_zero(xp.max(a, axis=axis, keepdims=True)))


def finite_or_zero(c):
    """A log scale to subtract: 0 where it is -inf, the scale of nothing."""
    return namespace(c).where(c == -inf, 0.0, c)


def default_scale(scale, keys):
    """1/sqrt(d), the scale of attention, unless another was given."""
    return 1 / math.sqrt(max(1, keys.shape[-1])) if scale is None else scale


def keep(h, xi, low):
    """Sign of the field with values 1 and ``low``; at h = 0 the state keeps its value."""
    xp = namespace(h)
    return xp.where(h > 0, 1.0, xp.where(h < 0, low, xp.where(h == 0, xi, h)))


def plus(h, xi, low):
    """Sign of the field with values 1 and ``low``; 1 at h = 0."""
    xp = namespace(h)
    return xp.where(h >= 0, 1.0, xp.where(h < 0, low, h))


def sigmoid(u):
    """1 / (1 + e^-u), without overflow."""
    xp = namespace(u)
    e = xp.exp(-xp.abs(u))
    return xp.where(u >= 0, 1.0, e) / (1 + e)


def above(x, theta):
    """S_theta: what exceeds theta becomes 0, so that only the strongly negative is left."""
    return namespace(x).where(x > theta, 0.0, x)


def below(x, theta):
    """The other side: what is less than theta becomes 0."""
    return namespace(x).where(x < theta, 0.0, x)


def dot(a, b):
    return namespace(a).sum(a * b, axis=-1)


def of_length_one(x):
    """x / |x|, 0 where x is."""
    return ratio(x, namespace(x).sqrt(dot(x, x))[..., None], 0.0)


def centred(x):
    """x less its mean."""
    return x - namespace(x).sum(x, axis=-1, keepdims=True) / max(1, x.shape[-1])


def xlog(x):
    """x log x, 0 at 0."""
    xp = namespace(x)
    return x * xp.log(xp.where(x > 0, x, 1.0))


def strongest(x):
    """True at the first largest entry of each row."""
    xp, d = namespace(x), x.shape[-1]
    return xp.arange(d) == (xp.argmax(x, axis=-1, keepdims=True) if d else 0)


def winners(x, k):
    """1 at the k largest entries of each row, the first of equals; else 0, NaN at NaN."""
    xp, d = namespace(x), x.shape[-1]
    if d == 0:
        return x
    least = xp.sort(x, axis=-1)[..., d - k, None]
    over, level = x > least, x == least
    room = k - xp.sum(xp.astype(over, x.dtype), axis=-1, keepdims=True)
    won = over | level & (xp.cumulative_sum(xp.astype(level, x.dtype), axis=-1) <= room)
    return xp.where(x == x, xp.astype(won, x.dtype), x)


def power(z, n):
    """z^n for an integer n >= 0, by repeated squaring: exact for integers, whatever the library."""
    result = namespace(z).ones_like(z)
    while n:
        result, n = result * z if n % 2 else result, n // 2
        z = z * z if n else z
    return result


def common_unit(z, n):
    """A factor for all patterns (axis -2) by which z^n neither over- nor underflows; mostly 1."""
    xp = namespace(z)
    top = xp.max(xp.abs(z), axis=-2, keepdims=True)
    size = power(top, n)
    plain = (size > 2.0**-900) & (size < 2.0**900) | (top == 0)
    return xp.where(plain, 1.0, 1 / xp.where(plain, 1.0, top))


def rows(X, i):
    """Row i of X for every index in i: (n, d), (...) -> (..., d)."""
    xp = namespace(X)
    return xp.reshape(xp.take(X, xp.reshape(i, (-1,)), axis=0), (*i.shape, X.shape[1]))


def column(a):
    """A vector of sites (k,) as rows (k, 1) for `scan`."""
    return namespace(a).reshape(a, (-1, 1))


def each(function, items):
    """``function`` of every entry of the first axis, stacked."""
    xp = namespace(items)
    return xp.stack([function(items[i, ...]) for i in range(items.shape[0])])


def scan(step, carry, rows):
    """Every y_i, and the last carry, of ``carry, y_i = step(carry, *rows_i)`` along axis -2.

    A step without result returns None for y.  Without rows the result is as empty as the last of
    ``rows``.
    """
    xp, results = namespace(rows[0]), []
    for i in range(rows[0].shape[-2]):
        carry, y = step(carry, *(r[..., i, :] for r in rows))
        results.append(y)
    if not results or results[0] is None:
        return rows[-1], carry
    return xp.stack(results, axis=-2), carry


def standard_error(draws):
    """Of the mean over the first axis."""
    xp, k = namespace(draws), draws.shape[0]
    away = draws - xp.mean(draws, axis=0)
    return xp.sqrt(xp.sum(away * away, axis=0) / (k * (k - 1)))
