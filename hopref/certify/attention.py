"""Softmax and kernel attention in ball arithmetic, by quadratic sums over queries and keys.

References: Vaswani et al. 2017; Choromanski et al. 2021, eqs. (1)-(4), (11); the blog, eqs.
(14)-(18).
"""
import math

import numpy as np

from hopref.certify.balls import (
    columns,
    exp,
    greatest,
    known,
    over_rows,
    ratio,
    shown,
    sqrt,
    sum_of_exponentials,
    tanh,
    total,
    vanishes,
)
from hopref.certify.derivatives import Variable
from hopref.certify.maps import exponentials

__all__ = ["softmax_weights", "softmax_attention", "softmax_logsumexp", "softcapped_attention",
           "linear_weights",
           "linear_attention", "key_state", "association", "causal_linear_attention",
           "log_linear_attention", "log_causal_linear_attention"]


def softmax_weights(Q, K, *, scale=None, mask=True, bias=0, causal=False, align="end",
                    empty_row="zeros"):
    e = attended(Q, K, scale, mask, bias, causal, align)
    return ratio(e, total(e), empty_row)


def softmax_attention(Q, K, V, *, scale=None, mask=True, bias=0, causal=False, align="end",
                      empty_row="zeros"):
    e = attended(Q, K, scale, mask, bias, causal, align)
    return ratio(e @ V, total(e), empty_row)


def softmax_logsumexp(Q, K, *, scale=None, mask=True, bias=0, causal=False, align="end"):
    sums = total(attended(Q, K, scale, mask, bias, causal, align))[..., 0]
    return np.frompyfunc(lambda s: -math.inf if vanishes(s) else s.log(), 1, 1)(sums)


def softcapped_attention(Q, K, V, *, softcap, scale=None, mask=True, bias=0, causal=False,
                         align="end", empty_row="zeros"):
    z = softcap * tanh(scale_of(scale, K) * (Q @ columns(K)) / softcap)
    e = exponentials(z, 1, bias, seen_by(Q, K, mask, causal, align))
    return ratio(e @ V, total(e), empty_row)


def attended(Q, K, scale, mask, bias, causal, align):
    """exp(s Q K^T + B), 0 where a key is hidden from a query."""
    return exponentials(Q @ columns(K), scale_of(scale, K), bias,
                        seen_by(Q, K, mask, causal, align))


def seen_by(Q, K, mask, causal, align):
    """True where a key is visible to a query."""
    return past(Q.shape[-2], K.shape[-2], align) & mask if causal else mask


def scale_of(scale, K):
    """The scale, or 1/sqrt(d) without one."""
    return 1 / sqrt(max(1, K.shape[-1])) if scale is None else scale


def past(queries, keys, align):
    """True for keys that are not later than a query."""
    offset = keys - queries if align == "end" else 0
    return np.arange(keys) <= np.arange(queries)[:, None] + offset


def linear_weights(phi_q, phi_k, *, empty_row="zeros"):
    kernel = phi_q @ columns(phi_k)
    return ratio(kernel, total(kernel), empty_row)


def seen_keys(phi_k, mask, hidden=0):
    return phi_k if mask is True else np.where(mask[..., None], phi_k, hidden)


def key_state(phi_k, V, *, mask=True, S=0, z=0):
    keys = seen_keys(phi_k, mask)
    return S + columns(keys) @ V, z + np.sum(keys, axis=-2)


def linear_attention(phi_q, phi_k, V, *, mask=True, S=0, z=0, eps=0, empty_row="zeros"):
    kernel = phi_q @ columns(seen_keys(phi_k, mask))
    above, below = earlier(phi_q, S, z)
    return ratio(kernel @ V + above, total(kernel) + below + eps, empty_row)


def earlier(q, S, z):
    """The contributions q S and q z of the state of earlier keys."""
    above = q @ S if isinstance(S, np.ndarray) else 0
    below = q @ z[..., None] if isinstance(z, np.ndarray) else 0
    return above, below


def association(phi_q, phi_k, V):
    return phi_q @ columns(phi_k) @ V


def causal_linear_attention(phi_q, phi_k, V, *, mask=True, S=0, z=0, eps=0, empty_row="zeros"):
    kernel = up_to_query(phi_q @ columns(seen_keys(phi_k, mask)))
    above, below = earlier(phi_q, S, z)
    Z = ratio(kernel @ V + above, total(kernel) + below + eps, empty_row)
    state = key_state(phi_k, V, mask=mask, S=S, z=z)
    return Z, *(full(x, phi_k.shape[:-2], shape) for x, shape in zip(
        state, ((phi_k.shape[-1], V.shape[-1]), phi_k.shape[-1:]), strict=True))


def up_to_query(kernel):
    return np.where(past(*kernel.shape[-2:], "end"), kernel, 0)


def full(x, lead, shape):
    return np.broadcast_to(x, (*lead, *shape))


def log_linear_attention(log_q, log_k, V, *, sign_q=1, sign_k=1, mask=True, empty_row="zeros"):
    if all(isinstance(sign, int) for sign in (sign_q, sign_k)) or differentiated(log_q, log_k, V):
        return linear_attention(from_logs(log_q, sign_q), from_logs(log_k, sign_k), V, mask=mask,
                                empty_row=empty_row)
    exponents, factors = terms(log_q, seen_keys(log_k, mask, -math.inf), sign_q, sign_k)
    values = columns(np.repeat(V, log_k.shape[-1], axis=-2))[..., None, :, :]
    above = over_rows(sum_of_exponentials, exponents[..., None, :], factors[..., None, :] * values,
                      count=0)
    return ratio(above, over_rows(sum_of_exponentials, exponents, factors, count=0)[..., None],
                 empty_row)


def differentiated(*arrays):
    """Whether derivatives are taken of arrays."""
    return any(isinstance(v, Variable) for x in arrays for v in x.flat)


def terms(log_q, log_k, sign_q, sign_k):
    """The exponents and signs of the products of features, (..., l, s r): equal ones may cancel."""
    q, k = log_q[..., :, None, :], log_k[..., None, :, :]
    signs = (sign_q * np.ones_like(log_q))[..., :, None, :] \
        * (sign_k * np.ones_like(log_k))[..., None, :, :]
    found = known(q) + known(k), np.where(shown(q) & shown(k), signs, 0)
    return [x.reshape(*x.shape[:-2], math.prod(x.shape[-2:])) for x in found]


def from_logs(logs, sign):
    return np.where(shown(logs), sign * exp(known(logs)), 0)


def log_causal_linear_attention(log_q, log_k, V, *, sign_q=1, sign_k=1, mask=True, S=0, z=0,
                                c=-math.inf, empty_row="zeros"):
    if log_k.shape[-2] == 0:
        return V, S, z, c
    log_k = seen_keys(log_k, mask, -math.inf)
    q, k, scale = from_logs(log_q, sign_q), from_logs(log_k, sign_k), from_logs(c, 1)
    S, z = np.asarray(scale)[..., None] * S, scale * z
    Z, S, z = causal_linear_attention(q, k, V, S=S if np.ndim(S) > 1 else 0,
                                      z=z if np.ndim(z) else 0, empty_row=empty_row)
    top = final_scale(log_k, c)
    back = np.where(shown(top), exp(-known(top)), 0)
    return Z, S * back[..., None], z * back, top


def final_scale(log_k, c):
    """The largest of the logarithms of a feature and the scale of the earlier keys."""
    c = c[..., None, :] if np.ndim(c) else c
    whole = np.concatenate([np.broadcast_to(c, log_k[..., :1, :].shape), log_k], axis=-2)
    top = [greatest(list(column)) for column in np.moveaxis(whole, -2, -1).reshape(
        -1, whole.shape[-2])]
    result = np.empty(len(top), object)
    result[:] = top
    return result.reshape((*whole.shape[:-2], whole.shape[-1]))
