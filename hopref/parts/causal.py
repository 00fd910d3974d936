"""Causal linear attention: the inclusive prefix scan of `linear` [MO-3].

A segment of positions holds the sums over its keys, its queries, and the sums of each query over
the keys of the segment up to its own position.  When it is merged after another segment, the sums
over the keys of that segment are added to those of its queries.  The merge is associative, but not
commutative.
"""
import math
from typing import NamedTuple

from hopref.dispatch.namespace import namespace
from hopref.maps import default_scale, masked, ratio
from hopref.parts import linear, softmax
from hopref.parts.operations import Chunked

__all__ = ["Segment", "empty", "from_chunk", "merge", "value"]


class Segment(NamedTuple):
    """State of the keys, queries (a tuple, see `linear`), and the sums of the queries."""
    keys: linear.State
    query: tuple
    sums: softmax.State


def empty(query, keys, V, /):
    """The segment without positions."""
    query, keys = (tuple(a[..., :0, :] for a in group) for group in (query, keys))
    return from_chunk(query, keys, V[..., :0, :])


def from_chunk(query, keys, V, /):
    """The segment of positions (..., l, r), by merging halves recursively."""
    positions = V.shape[-2]
    if positions > 1:
        return merge(*(from_chunk(_sliced(query, half), _sliced(keys, half), V[..., half, :])
                       for half in (slice(positions // 2), slice(positions // 2, None))))
    state = linear.from_chunk(keys[0], V, sign_k=keys[1]) if keys[1:] \
        else linear.from_features(*keys, V)
    return Segment(state, query, linear.read(state, query))


def merge(a, b, /):
    """The positions of a, then those of b."""
    xp = namespace(a.keys.z)
    sums = softmax.merge(linear.read(a.keys, b.query), b.sums)
    query = (xp.concat(pair, axis=-2) for pair in zip(a.query, b.query, strict=True))
    return Segment(linear.merge(a.keys, b.keys), tuple(query), softmax.State(
        xp.concat([a.sums.top, sums.top], axis=-1), xp.concat([a.sums.total, sums.total], axis=-1),
        xp.concat([a.sums.weighted, sums.weighted], axis=-2), 1.0))


def value(segment, /, *, before=None, eps=0.0, empty_row=0.0):
    """The attention (..., l, v) of every position, and the state (S, z, c) after the last.

    ``before`` is the `linear` state of earlier positions; eps applies to features without a scale.
    """
    keys, query, sums = segment
    if before is not None:
        sums = softmax.merge(linear.read(before, query), sums)
        keys = linear.merge(before, keys)
    return ratio(sums.weighted, sums.total[..., None] + eps, empty_row), *keys


def _sliced(group, half):
    return tuple(a[..., half, :] for a in group)


# -- the operations -------------------------------------------------------------------------------

def from_features(*, phi_q, phi_k, V, mask, **_):
    return from_chunk((phi_q,), (masked(phi_k, mask, 0.0),), masked(V, mask, 0.0))


def attention_of_features(segment, *, S, z, eps, empty_row, **_):
    return value(segment, before=_earlier(segment, S, z, 0.0), eps=eps, empty_row=empty_row)[:3]


def from_logs(*, log_q, log_k, V, sign_q, sign_k, mask, **_):
    ones, log_k = namespace(V).ones_like(log_k), masked(log_k, mask, -math.inf)
    return from_chunk((log_q, sign_q * ones), (log_k, sign_k * ones), masked(V, mask, 0.0))


def attention_of_logs(segment, *, S, z, c, empty_row, **_):
    return value(segment, before=_earlier(segment, S, z, c), empty_row=empty_row)


def from_heads(*, Q, K, V, omega, features, scale, mask, **_):
    beta = default_scale(scale, K)
    log_k, sign_k = features(K, omega, beta)
    return from_chunk(features(Q, omega, beta), (masked(log_k, mask, -math.inf), sign_k),
                      masked(V, mask, 0.0))


def _earlier(segment, S, z, c):
    """The state passed by the caller, in the shape of the segment's state."""
    zeros = linear.State(*(namespace(a).zeros_like(a) for a in segment.keys))
    return linear.State(S + zeros.S, z + zeros.z, c + zeros.c)


OPERATIONS = {
    "attention.causal_linear_attention": Chunked("l", from_features, attention_of_features),
    "attention.log_causal_linear_attention": Chunked("l", from_logs, attention_of_logs),
    "performer.causal_attention": Chunked("l", from_heads, attention_of_logs),
}
