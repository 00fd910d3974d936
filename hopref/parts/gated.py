r"""Gated linear attention: affine maps of the memory, merged in the order of the tokens [GD-5].

A segment of tokens maps the memory that it receives, and its results are linear in that memory:

.. math:: S \mapsto M S + B, \quad O = R\, S + P

so that two segments merge by composition.  The merge is associative, but not commutative.  For the
linear rule M is diagonal and held as a column of factors, for the delta rule it is dense.
"""
from typing import Any, NamedTuple

from hopref.dispatch.namespace import namespace
from hopref.maps import default_scale
from hopref.models.gated import column, decays, memory, written
from hopref.parts.operations import Chunked

__all__ = ["Segment", "empty", "from_chunk", "merge", "value"]


class Segment(NamedTuple):
    """M (..., d, 1) or (..., d, d) and B (..., d, v) of the memory; R (..., l, d) and P (..., l, v)
    of the results."""
    M: Any
    B: Any
    R: Any
    P: Any


def empty(Q, K, V, decay, write, /, *, rule):
    """The segment without tokens; the other axes are those of the arguments."""
    return from_chunk(*(a[..., :0, :] for a in (Q, K, V, decay, write)), rule=rule)


def from_chunk(Q, K, V, decay, write, /, *, rule):
    """The segment of tokens, by merging halves recursively.

    ``Q`` (..., l, d) holds scaled queries, ``decay`` (..., l, d) the factors of the memory,
    ``write`` (..., l, 1) the strengths; ``rule`` is a `hopref.models.gated.Rule`.
    """
    xp, tokens = namespace(V), V.shape[-2]
    if tokens > 1:
        halves = slice(tokens // 2), slice(tokens // 2, None)
        return merge(*(from_chunk(*(a[..., half, :] for a in (Q, K, V, decay, write)), rule=rule)
                       for half in halves))
    dense = rule.erased and K.shape[-1] > 1
    M = memory(K, K, xp.eye(K.shape[-1], dtype=K.dtype)) if dense else memory(K, K, 1.0)[..., :1]
    if tokens == 0:
        return Segment(M, memory(K, V, 0.0), Q, V)
    q, k, v, decay, write = (a[..., 0, :] for a in (Q, K, V, decay, write))
    M = decay[..., None] * M
    M = written(M, k, write, 0.0 * k, rule) if rule.erased else M
    B = written(memory(K, V, 0.0), k, write, v, rule)
    return Segment(M, B, through(Q, M), Q @ B)


def merge(a, b, /):
    """The tokens of a, then those of b."""
    xp = namespace(a.B)
    return Segment(applied(b.M, a.M), applied(b.M, a.B) + b.B,
                   xp.concat([a.R, through(b.R, a.M)], axis=-2),
                   xp.concat([a.P, b.R @ a.B + b.P], axis=-2))


def value(segment, /, *, S=0.0):
    """The results (..., l, v) and the memory after the last token, from that of earlier tokens."""
    S = S + namespace(segment.B).zeros_like(segment.B)
    return segment.R @ S + segment.P, applied(segment.M, S) + segment.B


def applied(M, S):
    """M S, where a column stands for a diagonal matrix, so that NaN stays in its row."""
    return M * S if M.shape[-1] == 1 else M @ S


def through(R, M):
    """R M, where a column stands for a diagonal matrix."""
    return R * namespace(M).matrix_transpose(M) if M.shape[-1] == 1 else R @ M


# -- the operation --------------------------------------------------------------------------------

def from_tokens(*, Q, K, V, log_decay, log_gates, beta, rule, scale, **_):
    return from_chunk(default_scale(scale, K) * Q, K, V, decays(K, log_decay, log_gates),
                      column(K, beta), rule=rule)


def attention_of_tokens(segment, *, S, **_):
    return value(segment, S=S)


OPERATIONS = {"gated.linear_attention": Chunked("l", from_tokens, attention_of_tokens)}
