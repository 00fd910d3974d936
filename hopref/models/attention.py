r"""Softmax attention and generalised kernel ("linear") attention.

``Q`` (..., l, d) queries, ``K`` (..., s, d) keys, ``V`` (..., s, v) values, with equal leading
axes; ``phi_q`` (..., l, r), ``phi_k`` (..., s, r) their features.  A mask is True where a key is
visible.

References: Vaswani et al. 2017; Choromanski et al. 2021, *Rethinking Attention with Performers*,
eqs. (1)-(4), (11); the blog, eqs. (14)-(18).
"""
import math

from hopref.dispatch.domains import (
    choice,
    finite,
    flag,
    inverse_temperature,
    mask,
    nonnegative,
    positive,
    scores,
    state,
)
from hopref.dispatch.namespace import namespace
from hopref.dispatch.operation import op
from hopref.dispatch.preconditions import state_with_its_scale
from hopref.maps import (
    balanced,
    balanced_in_turn,
    default_scale,
    empty_rows,
    end,
    evened,
    evened_in_turn,
    key_visible,
    logsumexp,
    masked,
    over,
    overlaps,
    ratio,
    running_maximum,
    scan,
    seen,
    shrunk,
    softcapped,
    softmax,
    start,
    tame,
    times,
    unhidden,
    unless_lost,
    visible,
    weighted_sum,
    with_sign,
    zero_denominators,
)

__all__ = ["softmax_weights", "softmax_attention", "softmax_logsumexp", "softcapped_attention",
           "linear_weights", "linear_attention", "key_state", "association",
           "causal_linear_attention", "log_linear_attention", "log_causal_linear_attention"]

align = choice(end=end, start=start)
score_options = dict(scale=inverse_temperature, mask=mask("(...,l,s)"), bias=scores("(...,l,s)"),
                     causal=flag, align=align)
softmax_options = dict(**score_options, empty_row=empty_rows, precondition=key_visible)


@op("(...,l,d),(...,s,d)->(...,l,s)", scratch="(...,l,s)", **softmax_options, result=finite)
def softmax_weights(Q, K, /, *, scale=None, mask=True, bias=0.0, causal=False, align="end",
                    empty_row="zeros"):
    r"""Attention matrix.  Source: blog eq. (15); Choromanski et al. 2021, eq. (1) [AT-1].

    .. math:: A = \mathrm{softmax}(s\,Q K^T + B)

    >>> from hopref import attention
    >>> attention.softmax_weights([[1.0]], [[2.0], [2.0]])
    array([[0.5, 0.5]])
    """
    seen = unhidden(visible(Q, K, mask, causal, align), bias)
    return _softmax_weights(Q, K, seen, scale, bias, empty_row)


def _softmax_weights(Q, K, seen, scale, bias, empty_row):
    z = overlaps(Q, K, seen)
    return softmax(z, beta=default_scale(scale, K), bias=bias, where=seen, empty_row=empty_row)


@op("(...,l,d),(...,s,d),(...,s,v)->(...,l,v)", scratch="(...,l,s)", **softmax_options,
    result=finite)
def softmax_attention(Q, K, V, /, *, scale=None, mask=True, bias=0.0, causal=False, align="end",
                      empty_row="zeros"):
    r"""Exact attention.  Source: blog eq. (14); Choromanski et al. 2021, eq. (1) [AT-1, MH-13].

    .. math:: Z = \mathrm{softmax}(s\,Q K^T + B)\,V

    Parameters
    ----------
    scale : s; None for 1/sqrt(d)
    mask : True where a key is visible to a query
    bias : B, added to the scaled scores; -inf hides a key
    causal : whether later keys are hidden from a query
    align : whether a causal mask aligns the last query with the last key ("end") or the first query
        with the first key ("start"), where l != s
    empty_row : result of a query to which no key is visible: "zeros" or "nan"; "raise" raises
        DomainError

    Returns
    -------
    (..., l, v) array, each row in the convex hull of the values of its visible keys

    >>> from hopref import attention
    >>> attention.softmax_attention([[0.0]], [[1.0], [2.0]], [[1.0], [3.0]])
    array([[2.]])
    """
    seen = unhidden(visible(Q, K, mask, causal, align), bias)
    return weighted_sum(_softmax_weights(Q, K, seen, scale, bias, empty_row), V, seen)


@op("(...,l,d),(...,s,d)->(...,l)", scratch="(...,l,s)", **score_options, result=scores())
def softmax_logsumexp(Q, K, /, *, scale=None, mask=True, bias=0.0, causal=False, align="end"):
    r"""Logarithm of the denominators of exact attention, by which results are merged.

    Source: Choromanski et al. 2021, eq. (1); Dao et al. 2022, *FlashAttention* [AT-1, MO-1].

    .. math:: L_i = \ln \sum_j e^{s\,q_i^T k_j + B_{ij}}

    Returns
    -------
    (..., l) array; -inf for a query without visible keys

    >>> from hopref import attention
    >>> attention.softmax_logsumexp([[3.0]], [[1.0], [1.0]], mask=[[True, False]])
    array([3.])
    """
    among = unhidden(visible(Q, K, mask, causal, align), bias)
    z = default_scale(scale, K) * (Q @ namespace(K).matrix_transpose(K)) + bias
    return logsumexp(seen(z, among))


@op("(...,l,d),(...,s,d),(...,s,v)->(...,l,v)", scratch="(...,l,s)", softcap=positive,
    **softmax_options, result=finite)
def softcapped_attention(Q, K, V, /, *, softcap, scale=None, mask=True, bias=0.0, causal=False,
                         align="end", empty_row="zeros"):
    r"""Exact attention whose scaled scores are capped smoothly.

    Source: the models Gemma 2 and Grok; the operator Attention of ONNX [SC-1, SC-3].

    .. math:: Z = \mathrm{softmax}\bigl(c \tanh(s\,Q K^T / c) + B\bigr)\,V

    Parameters
    ----------
    softcap : c, which no capped score exceeds in size; scores are scaled before, and biased and
        masked after they are capped

    Notes
    -----
    A visible key of n has at least the weight 1/(1 + (n - 1) e^(2 c)) without a bias.  With V = K
    the step has no energy: its Jacobian is not symmetric.

    >>> from hopref import attention
    >>> attention.softcapped_attention([[9e9]], [[1.0], [0.0]], [[1.0], [0.0]], softcap=1e-9)
    array([[0.5]])
    """
    seen = unhidden(visible(Q, K, mask, causal, align), bias)
    z = softcapped(default_scale(scale, K) * (Q @ namespace(K).matrix_transpose(K)), softcap)
    return weighted_sum(softmax(z, bias=bias, where=seen, empty_row=empty_row), V, seen)


@op("(...,l,r),(...,s,r)->(...,l,s)", empty_row=zero_denominators, scratch="(...,l,s)",
    result=finite)
def linear_weights(phi_q, phi_k, /, *, empty_row="zeros"):
    r"""Kernel attention matrix.  Source: blog eq. (16), its K' transposed [AT-2].

    .. math:: A = D^{-1} Q' K'^T, \quad D = \mathrm{diag}(Q' K'^T 1)

    >>> from hopref import attention
    >>> attention.linear_weights([[2.0]], [[1.0], [3.0]])
    array([[0.25, 0.75]])
    """
    xp, (q, keys, *_) = namespace(phi_q), evened(phi_q, phi_k, 0.0)
    kernel = q @ xp.matrix_transpose(keys)
    return ratio(kernel, xp.sum(kernel, axis=-1, keepdims=True), empty_row)


@op("(...,s,r),(...,s,v)->(...,r,v),(...,r)", mask=mask("(...,s)"), S=state("(...,r,v)"),
    z=state("(...,r)"), result=finite)
def key_state(phi_k, V, /, *, mask=True, S=0.0, z=0.0):
    r"""State of linear attention, the sums over its keys.  Source: blog eq. (17) [AT-2, MO-2].

    .. math:: S = K'^T V, \quad z = K'^T 1

    Parameters
    ----------
    mask : True where a key is visible; a hidden key enters neither sum
    S, z : state of earlier keys, to which the sums are added

    Notes
    -----
    The keys may be processed in chunks, because the sums are added to the given state.

    >>> from hopref import attention
    >>> attention.key_state([[1.0], [2.0]], [[3.0], [4.0]])
    (array([[11.]]), array([3.]))
    """
    xp, keys = namespace(V), masked(phi_k, mask, 0.0)
    return S + xp.matrix_transpose(keys) @ masked(V, mask, 0.0), z + xp.sum(keys, axis=-2)


@op("(...,l,r),(...,s,r),(...,s,v)->(...,l,v)", mask=mask("(...,s)"), S=state("(...,r,v)"),
    z=state("(...,r)"), eps=nonnegative, empty_row=zero_denominators, result=finite)
def linear_attention(phi_q, phi_k, V, /, *, mask=True, S=0.0, z=0.0, eps=0.0, empty_row="zeros"):
    r"""Kernel attention in linear time.

    Source: Choromanski et al. 2021, eq. (4); blog eq. (17), where the inverse is missing [AT-2].

    .. math:: Z = D^{-1} (Q' (K'^T V)), \quad D = \mathrm{diag}(Q' (K'^T 1) + \epsilon)

    Parameters
    ----------
    mask : True where a key is visible; a hidden key enters neither sum
    S, z : state of earlier keys, from `key_state`
    eps : added to the denominator; 0 unless a published variant is to be reproduced
    empty_row : result where the denominator is exactly 0

    Notes
    -----
    The cost is O((l + s) r v) time and O(r v) memory beyond the result.  For features >= 0 the rows
    lie in the convex hull of the values; for features of both signs D may be near 0 or negative.

    >>> from hopref import attention
    >>> attention.linear_attention([[2.0]], [[1.0], [3.0]], [[0.0], [4.0]])
    array([[3.]])
    """
    q, keys, c, rows = evened(phi_q, masked(phi_k, mask, 0.0), z)
    V, back = tame(masked(V, mask, 0.0))
    S, z = key_state(keys, V, S=c[..., None] * S / back, z=c * z)
    return ratio(q @ S, q @ z[..., None] + times(eps, rows), empty_row) * back


@op("(...,l,r),(...,s,r),(...,s,v)->(...,l,v)", result=finite)
def association(phi_q, phi_k, V, /):
    r"""Kernel attention without its denominator, a linear associative memory.

    Source: blog eq. (18) [AT-4].

    .. math:: \tilde Q' = Q' W, \quad W = K'^T V

    With identity features and V = K the result is the field of the classical network, transposed.

    >>> from hopref import attention
    >>> attention.association([[1.0, -1.0]], [[1.0, 1.0], [1.0, -1.0]], [[5.0], [7.0]])
    array([[14.]])
    """
    q, keys, c, rows = evened(phi_q, phi_k, 0.0)
    V, back = tame(V)
    return over(q @ (namespace(V).matrix_transpose(keys) @ V), rows) * back


@op("(...,l,r),(...,l,r),(...,l,v)->(...,l,v),(...,r,v),(...,r)", mask=mask("(...,l)"),
    S=state("(...,r,v)"), z=state("(...,r)"), eps=nonnegative, empty_row=zero_denominators,
    result=finite)
def causal_linear_attention(phi_q, phi_k, V, /, *, mask=True, S=0.0, z=0.0, eps=0.0,
                            empty_row="zeros"):
    r"""Causal kernel attention, with its state.

    Source: Choromanski et al. 2021, eq. (11) [AT-3].

    .. math:: S_i = S_{i-1} + k'_i v_i^T, \quad z_i = z_{i-1} + k'_i, \quad
        Z_i = q'_i S_i / (q'_i z_i + \epsilon)

    Parameters
    ----------
    mask : True where a key is visible; a hidden key enters neither the state nor any result
    S, z : state of earlier keys
    eps : added to the denominator
    empty_row : result where the denominator is exactly 0

    Returns
    -------
    Z : (..., l, v) array, the results
    S, z : (..., r, v) and (..., r) arrays, the state that is passed on to the next chunk

    >>> from hopref import attention
    >>> Z, S, z = attention.causal_linear_attention([[1.0], [1.0]], [[1.0], [3.0]], [[4.0], [8.0]])
    >>> Z[:, 0], S[0, 0], z[0]
    (array([4., 7.]), np.float64(28.0), np.float64(4.0))
    """
    keys = masked(phi_k, mask, 0.0)
    q, keys, first, last, shrinking, rows = evened_in_turn(phi_q, keys, z)
    V, back = tame(masked(V, mask, 0.0))
    zS = first[..., None] * joined_state(phi_k, V, S / back, z)
    Z, zS = scan(step, zS, (q, keys, with_ones(V), *shrinking))
    zS = zS / last[..., None]
    Z = ratio(Z[..., 1:], Z[..., :1] + times(eps, rows), empty_row) * back
    return Z, zS[..., 1:] * back, zS[..., 0]


def with_ones(V):
    """The values with a leading component 1, so that one sum holds both z and S."""
    xp = namespace(V)
    return xp.concat([xp.ones((*V.shape[:-1], 1), dtype=V.dtype), V], axis=-1)


def joined_state(keys, V, S, z):
    """The state of earlier keys as one matrix (z, S), broadcast to full size."""
    xp, lead, r = namespace(V), keys.shape[:-2], keys.shape[-1]
    z_0 = xp.zeros((*lead, r), dtype=V.dtype)
    S_0 = xp.zeros((*lead, r, V.shape[-1]), dtype=V.dtype)
    return xp.concat([(z + z_0)[..., None], S + S_0], axis=-1)


def step(zS, q, k, v, *shrinking):
    """The next state, and the row (q z, q S)."""
    zS = shrunk(zS, shrinking) + k[..., :, None] * v[..., None, :]
    return zS, (q[..., None, :] @ zS)[..., 0, :]


@op("(...,l,r),(...,s,r),(...,s,v)->(...,l,v)", log_q=scores(), log_k=scores(),
    sign_q=state("(...,l,r)"), sign_k=state("(...,s,r)"), mask=mask("(...,s)"),
    empty_row=zero_denominators, result=finite)
def log_linear_attention(log_q, log_k, V, /, *, sign_q=1.0, sign_k=1.0, mask=True,
                         empty_row="zeros"):
    r"""Kernel attention of features given by their logarithms, without under- or overflow.

    Source: Choromanski et al. 2021, eq. (4) [AT-2, MO-2].

    .. math:: Z = D^{-1} (Q' (K'^T V)), \quad Q' = \pm e^{\log q}, \; K' = \pm e^{\log k}

    Parameters
    ----------
    log_q, log_k : logarithms of the absolute values of the features; -inf for a feature of 0
    sign_q, sign_k : signs of the features
    mask : True where a key is visible; a hidden key enters neither sum
    empty_row : result where the denominator is exactly 0

    Notes
    -----
    Each feature has its own scale c_r = max_s log k_sr, which is absorbed into the logarithms of
    the queries.  For features >= 0 the denominator is then at least 1, however large the norms are.
    With features of both signs its terms may cancel.  Where their sum is 0 although terms below the
    precision of the largest take part, the result is NaN, an error; `hopref.certify` decides it.

    >>> from hopref import attention
    >>> attention.log_linear_attention([[1e6]], [[-1e6], [-1e6]], [[1.0], [3.0]])
    array([[2.]])
    """
    log_q, log_k = with_sign(log_q, sign_q), with_sign(masked(log_k, mask, -math.inf), sign_k)
    q, keys = balanced(log_q, log_k, sign_q, sign_k)
    empty_row = unless_lost(empty_row, log_q, log_k, q, keys, (sign_q, sign_k))
    return linear_attention(q, keys, masked(V, mask, 0.0), empty_row=empty_row)


@op("(...,l,r),(...,l,r),(...,l,v)->(...,l,v),(...,r,v),(...,r),(...,r)", log_q=scores(),
    log_k=scores(), sign_q=state("(...,l,r)"), sign_k=state("(...,l,r)"), mask=mask("(...,l)"),
    S=state("(...,r,v)"), z=state("(...,r)"), c=scores("(...,r)"),
    shape_rule=state_with_its_scale, empty_row=zero_denominators)
def log_causal_linear_attention(log_q, log_k, V, /, *, sign_q=1.0, sign_k=1.0, mask=True, S=0.0,
                                z=0.0, c=-math.inf, empty_row="zeros"):
    r"""Causal kernel attention of features given by their logarithms, with its state.

    Source: Choromanski et al. 2021, eq. (11) [AT-3, MO-2].

    .. math:: c_i = \max(c_{i-1}, \log k_i), \quad
        S_i = e^{c_{i-1} - c_i} S_{i-1} + e^{\log k_i - c_i} v_i^T

    The same recurrence holds for z; the logarithms of the query absorb c_i.  The scale is a running
    maximum, so that no result depends on later keys.  A denominator of features of both signs that
    is lost beside terms that cancel counts as 0, which `log_linear_attention` does not take it for.

    Parameters
    ----------
    log_q, log_k : logarithms of the absolute values of the features; -inf for a feature of 0
    sign_q, sign_k : signs of the features
    mask : True where a key is visible; a hidden key enters neither the state nor any result
    S, z : state of earlier keys, divided by e^c
    c : logarithm of the scale of each feature in S and z
    empty_row : result where the denominator is exactly 0

    Returns
    -------
    Z : (..., l, v) array, the results
    S, z, c : (..., r, v), (..., r) and (..., r) arrays, the state that is passed on to the next
        chunk; the sums are e^c S and e^c z

    >>> from hopref import attention
    >>> Z, S, z, c = attention.log_causal_linear_attention(
    ...     [[0.0], [0.0]], [[-2000.0], [-2000.0]], [[1.0], [3.0]])
    >>> Z[:, 0], c
    (array([1., 2.]), array([-2000.]))
    """
    xp, log_k, V = namespace(V), masked(log_k, mask, -math.inf), masked(V, mask, 0.0)
    zS = joined_state(log_k, V, S, z)
    c = running_maximum(c + xp.zeros_like(zS[..., 0]), log_k)
    q, keys, shrinking = balanced_in_turn(log_q, log_k, c)
    Z, zS = scan(_shrinking_step, zS, (shrinking, sign_q * q, sign_k * keys, with_ones(V)))
    return ratio(Z[..., 1:], Z[..., :1], empty_row), zS[..., 1:], zS[..., 0], c[..., -1, :]


def _shrinking_step(zS, shrink, q, k, v):
    """`step`, of a state times the factors of its features."""
    return step(shrink[..., None] * zS, q, k, v)
