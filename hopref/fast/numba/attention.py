"""`hopref.models.attention` in tiles: softmax attention without an array of L x S scores, linear
attention without one of L x r x v.

Softmax attention: see `hopref.fast.numba._heads`.

Linear attention: see `hopref.fast.numba._linear`.  Heads are computed one after the other, each in
the first precision that holds its products, or by the formula if none does.
"""
import math
from functools import partial

import numpy as np

from hopref.fast.numba._features import exponentiate
from hopref.fast.numba._heads import attention_of_heads, log_sums
from hopref.fast.numba._linear import (
    by_head,
    causal,
    in_range,
    in_range_of_ones,
    key_sums,
    product,
    respond,
    visible,
)
from hopref.fast.numba._softmax import LEAST, attend
from hopref.models import attention

__all__ = ["softmax_attention", "softmax_logsumexp", "softcapped_attention", "key_state",
           "linear_attention", "association", "causal_linear_attention", "log_linear_attention",
           "log_causal_linear_attention"]

FORMED = 2**9           # rows of features that are formed together from their logarithms
GROWTH = {4: 40.0, 8: 300.0}            # by bytes: of a logarithm, for keys with the same scale


def softmax_attention(Q, K, V, /, *, scale=None, mask=True, bias=0.0, causal=False, align="end",
                      empty_row="zeros"):
    return attention_of_heads(Q, K, V, scale, mask, bias, causal, align, empty_row)


def softmax_logsumexp(Q, K, /, *, scale=None, mask=True, bias=0.0, causal=False, align="end"):
    def formula(h, q, k, values, **options):
        return attention.softmax_logsumexp.formula(q, k, **options)[..., None]

    def finished(Z, sums, unit):
        return log_sums(sums, unit)[..., None]
    return attention_of_heads(Q, K, K[..., :0].copy(), scale, mask, bias, causal, align, -math.inf,
                              formula, finished)[..., 0]


def softcapped_attention(Q, K, V, /, *, softcap, scale=None, mask=True, bias=0.0, causal=False,
                         align="end", empty_row="zeros"):
    def formula(h, q, k, values, **options):
        return attention.softcapped_attention.formula(q, k, values, softcap=softcap, **options)
    cap = max(softcap, LEAST[4])        # 0 is no cap; such scores change no digit of a weight
    return attention_of_heads(Q, K, V, scale, mask, bias, causal, align, empty_row, formula,
                              kernel=partial(attend, cap=cap))


def key_state(phi_k, V, /, *, mask=True, S=0.0, z=0.0):
    def kernel(seen, k, values, S, z, new_S, new_z):
        k, values = k[seen], values[seen]
        new_S[:], new_z[:] = S, z
        key_sums(k, values, new_S, new_z)
        return in_range(1.0, k, values, new_S, new_z)

    def formula(seen, k, values, S, z):
        return attention.key_state.formula(k, values, mask=seen, S=S, z=z)
    r, v = phi_k.shape[-1], V.shape[-1]
    return by_head(kernel, formula, (phi_k, V), mask, S, z, [(r, v), (r,)])


def linear_attention(phi_q, phi_k, V, /, *, mask=True, S=0.0, z=0.0, eps=0.0, empty_row="zeros"):
    def kernel(seen, q, k, values, S, z, out):
        k, values = k[seen], values[seen]
        S, z = S.copy(), z.copy()
        key_sums(k, values, S, z)
        least = respond(q, S, z, float(eps), float(empty_row), out, np.empty(len(q), out.dtype))
        return in_range(least, k, values, S, z)

    def formula(seen, q, k, values, S, z):
        return attention.linear_attention.formula(q, k, values, mask=seen, S=S, z=z, eps=eps,
                                                  empty_row=empty_row)
    shape = phi_q.shape[-2], V.shape[-1]
    return by_head(kernel, formula, (phi_q, phi_k, V), mask, S, z, [shape])


def association(phi_q, phi_k, V, /):
    def kernel(seen, q, k, values, S, z, out):
        S, z = S.copy(), z.copy()
        key_sums(k, values, S, z)
        return in_range(product(q, S, out), k, values, S, z)

    def formula(seen, q, k, values, S, z):
        return attention.association.formula(q, k, values)
    shape = phi_q.shape[-2], V.shape[-1]
    return by_head(kernel, formula, (phi_q, phi_k, V), True, 0.0, 0.0, [shape])


def causal_linear_attention(phi_q, phi_k, V, /, *, mask=True, S=0.0, z=0.0, eps=0.0,
                            empty_row="zeros"):
    def kernel(seen, q, k, values, S, z, out, new_S, new_z):
        k, values = visible(seen, k, 0), visible(seen, values, 0)
        new_S[:], new_z[:] = S, z
        least = causal(q, k, values, new_S, new_z, float(eps), float(empty_row), out, True)
        return in_range(least, k, values, new_S, new_z)

    def formula(seen, q, k, values, S, z):
        return attention.causal_linear_attention.formula(q, k, values, mask=seen, S=S, z=z,
                                                         eps=eps, empty_row=empty_row)
    r, (l, v) = phi_k.shape[-1], V.shape[-2:]
    return by_head(kernel, formula, (phi_q, phi_k, V), mask, S, z, [(l, v), (r, v), (r,)])


# -- features by their logarithms -----------------------------------------------------------------

def log_linear_attention(log_q, log_k, V, /, *, sign_q=1.0, sign_k=1.0, mask=True,
                         empty_row="zeros"):
    def kernel(seen, q_sign, k_sign, q, k, values, S, z, out):
        k, values, k_sign, least = k[seen], values[seen], k_sign[seen], math.inf
        c = np.max(k, axis=0, initial=-math.inf)
        S, z = np.zeros_like(S), np.zeros_like(z)
        for rows in _blocks(len(k)):
            keys, valid = _formed(k[rows], -_finite(c), False, k_sign[rows])
            key_sums(keys, values[rows], S, z)
            least = least if valid else 0.0
        for rows in _blocks(len(q)):
            queries, valid = _formed(q[rows], c, True, q_sign[rows])
            D = np.empty(len(queries), out.dtype)
            found = respond(queries, S, z, 0.0, float(empty_row), out[rows], D)
            decided = of_one_sign or D.all()        # else the formula looks for lost terms
            least = min(least, found) if valid and decided else 0.0
        return in_range_of_ones(least, values, S)

    def formula(seen, q_sign, k_sign, q, k, values, S, z):
        return attention.log_linear_attention.formula(
            q, k, values, sign_q=q_sign, sign_k=k_sign, mask=seen, empty_row=empty_row)
    of_one_sign = isinstance(sign_q, float) and isinstance(sign_k, float)
    operands = _whole(sign_q, log_q), _whole(sign_k, log_k), log_q, log_k, V
    shape = log_q.shape[-2], V.shape[-1]
    return by_head(kernel, formula, operands, mask, 0.0, 0.0, [shape])


def log_causal_linear_attention(log_q, log_k, V, /, *, sign_q=1.0, sign_k=1.0, mask=True, S=0.0,
                                z=0.0, c=-math.inf, empty_row="zeros"):
    def kernel(seen, c, q_sign, k_sign, q, k, values, S, z, out, new_S, new_z, new_c):
        k, values = visible(seen, k, -np.inf), visible(seen, values, 0)
        new_S[:], new_z[:], new_c[:], scale = S, z, c, c
        least, first = math.inf, 0
        while first < len(k):
            scale, old = np.maximum(new_c, k[first]), scale
            _rescale(new_S, new_z, old, scale)
            rows, new_c[:] = _with_one_scale(k, first, scale)
            keys, valid_keys = _formed(k[rows], -_finite(scale), False, k_sign[rows])
            queries, valid = _formed(q[rows], scale, True, q_sign[rows])
            found = causal(queries, keys, values[rows], new_S, new_z, 0.0, float(empty_row),
                           out[rows], True)
            least, first = min(least, found) if valid and valid_keys else 0.0, rows.stop
        if len(k):
            _rescale(new_S, new_z, scale, new_c)
        return in_range_of_ones(least, values, new_S)

    def formula(seen, c, q_sign, k_sign, q, k, values, S, z):
        return attention.log_causal_linear_attention.formula(
            q, k, values, sign_q=q_sign, sign_k=k_sign, mask=seen, S=S, z=z, c=c,
            empty_row=empty_row)
    (*lead, l, v), r = V.shape, log_k.shape[-1]
    operands = (_whole(c, np.empty((*lead, r), V.dtype)), _whole(sign_q, log_q),
                _whole(sign_k, log_k), log_q, log_k, V)
    return by_head(kernel, formula, operands, mask, S, z, [(l, v), (r, v), (r,), (r,)])


def _blocks(rows):
    return [slice(first, min(rows, first + FORMED)) for first in range(0, rows, FORMED)]


def _whole(x, like):
    return np.broadcast_to(np.asarray(x, like.dtype), like.shape)


def _finite(c):
    """A scale to subtract: c, or 0 where there is no key yet."""
    return np.where(c == -math.inf, c.dtype.type(0), c)


def _formed(logs, shifts, relative, sign):
    """Features (see `exponentiate`), and whether they are in range."""
    out = np.empty(logs.shape, logs.dtype)
    valid = exponentiate(logs, shifts, relative, out)
    if sign.size and (any(sign.strides) or sign.flat[0] != 1):
        out *= sign
    return out, valid


def _with_one_scale(k, first, scale):
    """The next rows whose logarithms exceed the scale by little, and the largest up to there.

    The scale does not depend on later keys, and therefore no bit of a result does, unless they
    exceed it by far.
    """
    block, limit = k[first:first + FORMED], GROWTH[k.dtype.itemsize]
    most = np.maximum(scale, np.max(block, axis=0))
    if np.any(most - scale > limit):
        running = np.maximum.accumulate(block)
        block = block[:np.argmax(np.any(running - scale > limit, axis=1))]
        most = np.maximum(scale, np.max(block, axis=0))
    return slice(first, first + len(block)), most


def _rescale(S, z, old, new):
    """Divide the state by e^(new - old), the quotient of two scales."""
    shrink = np.exp(old - _finite(new))
    S *= shrink[:, None]
    z *= shrink
