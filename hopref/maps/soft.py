"""Softmax, logsumexp, and masks."""
import math

import numpy as np

from hopref.dispatch.domains import choice, mask, positive, scores
from hopref.dispatch.namespace import namespace, on_host
from hopref.dispatch.operation import op
from hopref.dispatch.overrides import overridable
from hopref.maps.entries import finite_or_zero, ratio, seen, shown
from hopref.maps.overlaps import biased, overlaps
from hopref.maps.preconditions import EMPTY_ROW, something_visible
from hopref.maps.signs import sigmoid, softplus

__all__ = ["softmax", "sink_softmax", "logsumexp"]

inf = math.inf
SMALL = 2.0**-64            # a mean of exponentials, below which its terms may have underflowed

empty_rows = choice(**{"zeros": 0.0, "nan": math.nan, "raise": math.nan})
zero_denominators = choice(zeros=0.0, nan=math.nan)


@op("(...,n)->(...,n)", z=scores(), beta=positive, bias=scores("(...,n)"), where=mask("(...,n)"),
    empty_row=empty_rows, precondition=something_visible)
def softmax(z, /, *, beta=1.0, bias=0.0, where=True, empty_row="zeros"):
    r"""Softmax with inverse temperature, mask and an option for empty rows.

    Source: Ramsauer et al. 2021, eq. (3); blog eq. (14) [MH-2].

    .. math:: p_i = e^{\beta (z_i - \max z)} / \sum_j e^{\beta (z_j - \max z)}

    Parameters
    ----------
    z : (..., n) scores, finite or -inf (the log of 0)
    beta : inverse temperature, > 0
    bias : (..., n) added to beta z; -inf hides an entry
    where : (..., n) bool, True where an entry takes part
    empty_row : result for rows without visible entries: "zeros", "nan", or an error ("raise")

    Returns
    -------
    (..., n) array, weights >= 0; every row that is not empty sums to 1

    Notes
    -----
    The maximum is subtracted before the multiplication by beta, so that the largest exponent is 0
    for every beta.

    >>> from hopref.maps import softmax
    >>> softmax([0.0, 0.0, float("-inf")])
    array([0.5, 0.5, 0. ])
    """
    xp, (z, beta) = namespace(z), seen_scores(z, beta, bias, where)
    e = xp.exp(beta * (z - finite_or_zero(xp.max(z, axis=-1, keepdims=True))))
    total = xp.sum(e, axis=-1, keepdims=True)       # >= 1, and 0 in empty rows
    p = e / xp.maximum(total, 1.0)
    return p if empty_row == 0.0 else xp.where(total == 0, empty_row, p)


@op("(...,n),(...)->(...,n)", z=scores(), beta=positive, bias=scores("(...,n)"),
    where=mask("(...,n)"))
def sink_softmax(z, sink, /, *, beta=1.0, bias=0.0, where=True):
    r"""Softmax with a sink, a score of no entry that takes part of the weight.

    Source: the attention sinks of gpt-oss; with a sink of 0, Miller 2023, *Attention is off by one*
    [SK-1].

    .. math:: p_i = e^{\beta z_i} / \bigl(e^s + \sum_j e^{\beta z_j}\bigr)

    Parameters
    ----------
    z : (..., n) scores, finite or -inf
    sink : (...) s, in the units of beta z
    bias : (..., n) added to beta z; -inf hides an entry
    where : (..., n) bool, True where an entry takes part

    Returns
    -------
    (..., n) array, weights >= 0 whose sum is 1 minus the weight of the sink; 0 in rows without
    visible entries

    >>> from hopref.maps import sink_softmax
    >>> sink_softmax([0.0, 0.0], 0.0) * 3
    array([1., 1.])
    """
    z = namespace(z).concat([z, namespace(z).zeros_like(z[..., :1])], axis=-1)
    return softmax_and_sink(z, sink[..., None], beta, bias, where)[..., :-1]


def softmax_and_sink(z, sink, beta, bias, where):
    """Softmax of scores whose last entry is that of the sink, a zero with the bias ``sink``."""
    bias, where = beside_sink(z, sink, bias, where)
    return softmax(z, beta=beta, bias=bias, where=where)


def overlaps_and_zero(Q, K, where=True):
    """Products of queries and keys, and a zero in each row, up to an additive constant of the row.
    """
    xp = namespace(K)
    here = xp.arange(K.shape[-2] + 1) < K.shape[-2]
    if where is not True:
        where = and_sink(where, K.shape[-2])
    z = overlaps(Q, xp.concat([K, xp.zeros_like(K[..., :1, :])], axis=-2), where)
    return xp.where(here | (z == z), z, 0.0)


def and_sink(where, n):
    """The mask of n entries and the sink, which is visible in each row."""
    xp = namespace(where)
    one = xp.ones((*where.shape[:-1], 1), dtype=xp.bool)
    return xp.concat([xp.broadcast_to(where, (*where.shape[:-1], n)), one], axis=-1)


def beside_sink(z, sink, bias, where):
    """Bias and mask of scores whose last entry is that of the sink."""
    xp, zero = namespace(z), namespace(z).zeros_like(z)
    bias = xp.concat([bias + zero[..., :-1], sink + zero[..., -1:]], axis=-1)
    return bias, True if where is True else and_sink(where, z.shape[-1] - 1)


@overridable
def sink_gain(gaps, beta, sink):
    """log of the mean of e^(beta gaps) over n entries and e^sink times the last, over beta."""
    xp, (others, share) = namespace(gaps), shares_without_scores(gaps, sink)

    def averaged(e):
        return others * xp.mean(e[..., :-1], axis=-1) + share * e[..., -1]
    mean, lack = averaged(xp.exp(beta * gaps)), averaged(xp.expm1(beta * gaps))
    plain = log_of_mean(mean, lack)
    return xp.where(mean < SMALL, log_of_small_mean(beta * gaps, sink), plain) / beta


def log_of_small_mean(x, sink):
    """The logarithm of the mean of `sink_gain` from those of its terms, which may underflow."""
    xp, lead = namespace(x), lead_of_sink(x, sink)
    top = xp.max(x[..., :-1], axis=-1, keepdims=True)
    mean = xp.log(xp.mean(xp.exp(x[..., :-1] - top), axis=-1))
    entries, own = mean + top[..., 0] - softplus(lead), x[..., -1] - softplus(-lead)
    return xp.maximum(entries, own) + xp.log1p(xp.exp(-xp.abs(entries - own)))


def shares_without_scores(z, sink):
    """The weights n/(n + e^s) of n entries and e^s/(n + e^s) of the sink, where all scores are 0.
    """
    lead = lead_of_sink(z, sink)
    return sigmoid(-lead), sigmoid(lead)


def lead_of_sink(z, sink):
    """The score of the sink above the log-sum-exp of n scores of 0."""
    xp = namespace(z)
    return sink - xp.log(xp.sum(xp.ones_like(z[..., 1:]), axis=-1))


def seen_scores(z, beta, bias, where):
    """Scores, -inf where hidden, and the remaining factor beta of the scores."""
    if not isinstance(bias, float):
        z, beta = biased(z, beta, bias, where), 1.0
    return seen(z, where), beta


@op("(...,n)->(...)", z=scores(), beta=positive)
def logsumexp(z, /, *, beta=1.0):
    r"""Log-sum-exp with inverse temperature, the potential whose gradient is softmax.

    Source: Ramsauer et al. 2021, eq. (1) [MH-1].

    .. math:: \mathrm{lse}(\beta, z) = \beta^{-1} \ln \sum_i e^{\beta z_i}

    Returns: (...) potentials; -inf for rows in which all scores are -inf.

    >>> from hopref.maps import logsumexp
    >>> float(logsumexp([3.0, float("-inf")], beta=2.0))
    3.0
    """
    xp = namespace(z)
    top = xp.max(z, axis=-1, keepdims=True)
    total = xp.sum(xp.exp(beta * (z - finite_or_zero(top))), axis=-1)
    return top[..., 0] + xp.log(total) / beta


def taking_part(z, bias, where):
    """Scores, -inf where hidden by the mask or by the bias."""
    return seen(z, unhidden(where, bias))


def unhidden(where, bias):
    """Mask of the entries that neither ``where`` nor the bias hides."""
    return where if isinstance(bias, float) else where & (bias > -inf)


@overridable
def logmeanexp(z, where=True):
    """log mean exp(z) for z <= 0 with maximum 0, accurate also near 0; 0 for no entry."""
    xp = namespace(z)
    return log_of_mean(average(xp.exp(z), where), average(xp.expm1(z), where))


def mean_gain(gaps, beta, where=True):
    """log mean exp(beta gaps) / beta for gaps <= 0 with maximum 0; the mean for tiny beta gaps."""
    xp, x = namespace(gaps), beta * gaps
    lowest = xp.min(shown(gaps, where), axis=-1)
    tiny = beta * lowest > -2.0**-900
    plain = logmeanexp(x, where) / beta
    return plain if on_host(x) and not bool(xp.any(tiny)) else \
        xp.where(tiny, average(gaps, where), plain)


def log_of_mean(mean, lack):
    """log(mean), computed from lack = mean - 1 where the mean is near 1."""
    xp = namespace(mean)
    return xp.where(lack > -0.5, xp.log1p(lack), xp.log(mean))


def average(a, where):
    """The mean of the visible entries; 0 if there is none."""
    xp = namespace(a)
    if where is True:
        return xp.mean(a, axis=-1)
    total = xp.sum(shown(a, where), axis=-1)
    return ratio(total, xp.sum(xp.astype(where, a.dtype), axis=-1), 0.0)


@overridable
def softmax_among(z, beta, support, renormalise, empty_row):
    """Softmax over a support, or over all patterns and then masked.  NaN is propagated."""
    if support is True:
        return softmax(z, beta=beta)
    xp, p = namespace(z), softmax(z, beta=beta, where=among(support, renormalise))
    nothing = xp.where(xp.isnan(z), z, empty_row)
    return xp.where(support, p, xp.where(xp.any(support, axis=-1, keepdims=True), 0.0, nothing))


def among(support, renormalise):
    """Mask of the entries over which weights sum to 1: the support, or True for all."""
    return support if renormalise else True


def otherwise(y, support, answer):
    """``y``, or ``answer`` where a support is empty."""
    if support is True:
        return y
    xp = namespace(support)
    return xp.where(xp.any(support, axis=-1), y, answer)


def visible(Q, K, mask, causal, align):
    """Mask of the keys visible to each query; True for all."""
    if not causal:
        return mask
    xp, queries, keys = namespace(Q), Q.shape[-2], K.shape[-2]
    past = xp.tril(xp.ones((queries, keys), dtype=xp.bool), k=align(queries, keys))
    return past if mask is True else past & mask


def end(queries, keys):
    """Offset that aligns the last query with the last key."""
    return keys - queries


def start(queries, keys):
    """Offset that aligns the first query with the first key."""
    return 0


def key_visible(xp, given):
    """With empty_row="raise", a key must be visible to every query."""
    if given["empty_row"] != "raise":
        return None
    align = {"end": end, "start": start}[given["align"]]
    seen = visible(given["Q"], given["K"], given["mask"], given["causal"], align) \
        & (given["bias"] > -math.inf)
    return None if seen is True or bool(xp.all(xp.any(seen, axis=-1))) else EMPTY_ROW


def softcapped(z, cap):
    """cap tanh(z / cap), which is close to z for scores far below the cap."""
    return cap * namespace(z).tanh(z / cap)


def masked(keys, mask, nothing):
    """Features of keys, with ``nothing`` (0, or -inf for logs) for hidden keys."""
    return keys if mask is True else namespace(keys).where(mask[..., None], keys, nothing)


def default_scale(scale, keys):
    """``scale``, or 1/sqrt(d), the default scale of attention, if it is None.

    For keys of long double it is of long double.
    """
    d = max(1, keys.shape[-1])
    long = isinstance(keys.dtype, np.dtype) and keys.dtype == np.longdouble
    root = np.sqrt(np.longdouble(d)) if long else math.sqrt(d)
    return 1 / root if scale is None else scale


def feature_scale(scale, keys):
    """``scale``, or d^(-1/4), whose square is the default scale of attention, if it is None."""
    return math.sqrt(default_scale(None, keys)) if scale is None else scale


def guarded(D, guard):
    """The denominator, plus twice the guard where |D| <= guard."""
    return namespace(D).where(abs(D) <= guard, D + 2 * guard, D)
