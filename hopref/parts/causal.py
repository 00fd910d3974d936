"""Causal linear attention: the inclusive prefix scan of `linear` [MO-3].

A segment of positions holds the sums over its keys, its queries, and what each query draws from
the keys of the segment up to its own.  Merged after another, its queries draw from the earlier
keys too.  Associative, not commutative: later positions see earlier ones.  One position and this
merge are all that causal attention is.
"""
from typing import NamedTuple

from hopref.dispatch.namespace import namespace
from hopref.maps import default_scale, ratio
from hopref.parts import linear, softmax
from hopref.parts.served import Served

__all__ = ["Segment", "none", "of", "merge", "value"]


class Segment(NamedTuple):
    """The keys as a `linear` state, the queries (a tuple, see `linear`), their softmax sums."""
    keys: linear.State
    query: tuple
    sums: softmax.State


def none(query, keys, V, /):
    """The segment of no position."""
    return of(*((tuple(a[..., :0, :] for a in group)) for group in (query, keys)), V[..., :0, :])


def of(query, keys, V, /):
    """The segment of positions (..., l, r): halved until one is left, and merged."""
    positions = V.shape[-2]
    if positions > 1:
        return merge(*(of(_cut(query, half), _cut(keys, half), V[..., half, :])
                       for half in (slice(positions // 2), slice(positions // 2, None))))
    state = linear.of(keys[0], V, sign_k=keys[1]) if keys[1:] else linear.of_plain(*keys, V)
    return Segment(state, query, linear.read(state, query))


def merge(a, b, /):
    """The positions of a, then those of b."""
    xp = namespace(a.keys.z)
    sums = softmax.merge(linear.read(a.keys, b.query), b.sums)
    query = (xp.concat(pair, axis=-2) for pair in zip(a.query, b.query, strict=True))
    return Segment(linear.merge(a.keys, b.keys), tuple(query), softmax.State(
        xp.concat([a.sums.top, sums.top], axis=-1), xp.concat([a.sums.total, sums.total], axis=-1),
        xp.concat([a.sums.drawn, sums.drawn], axis=-2), 1.0))


def value(segment, /, *, before=None, eps=0.0, empty_row=0.0):
    """The attention (..., l, v) of every position, and the state (S, z, c) after the last.

    ``before`` is the `linear` state of what came earlier; eps is for plain features.
    """
    keys, query, sums = segment
    if before is not None:
        sums = softmax.merge(linear.read(before, query), sums)
        keys = linear.merge(before, keys)
    return ratio(sums.drawn, sums.total[..., None] + eps, empty_row), *keys


def _cut(group, half):
    return tuple(a[..., half, :] for a in group)


# -- the operations -------------------------------------------------------------------------------

def of_features(*, phi_q, phi_k, V, **_):
    return of((phi_q,), (phi_k,), V)


def plain(segment, *, S, z, eps, empty_row, **_):
    return value(segment, before=_earlier(segment, S, z, 0.0), eps=eps, empty_row=empty_row)[:3]


def of_logs(*, log_q, log_k, V, sign_q, sign_k, **_):
    ones = namespace(V).ones_like(log_k)
    return of((log_q, sign_q * ones), (log_k, sign_k * ones), V)


def after(segment, *, S, z, c, empty_row, **_):
    return value(segment, before=_earlier(segment, S, z, c), empty_row=empty_row)


def of_heads(*, Q, K, V, omega, features, scale, **_):
    beta = default_scale(scale, K)
    return of(features(Q, omega, beta), features(K, omega, beta), V)


def _earlier(segment, S, z, c):
    """A state passed in, at full size."""
    zeros = linear.State(*(namespace(a).zeros_like(a) for a in segment.keys))
    return linear.State(S + zeros.S, z + zeros.z, c + zeros.c)


SERVED = {
    "attention.causal_linear_attention": Served("l", of_features, plain),
    "attention.log_causal_linear_attention": Served("l", of_logs, after),
    "performer.causal_attention": Served("l", of_heads, after),
}
