r"""The tolerance of gated linear attention, and of the factors of its memory.

Code that works by chunks has factors from differences of sums of logs, of at most `CHUNK` tokens.

A running error bounds each entry, and grows by the entries of |I - beta k k^T|, whose product over
a long sequence is large.  The matrix itself does not increase lengths where beta |k|^2 is at most
2: the error of a column of the memory is bounded in the Euclidean norm here, token by token, and
the smaller of both bounds is taken.  Sums of a token are charged by the terms of the memory without
cancellation, which are those of code that solves a triangular system for a chunk.
"""
import numpy as np

from hopref.check.tolerance.derivation import (
    REGROUPED,
    by_running_error,
    rule,
    running,
    stored,
)
from hopref.check.tolerance.models import given
from hopref.check.tolerance.toleranced import Toleranced, exactly, implements, value_of
from hopref.maps import default_scale
from hopref.models.gated import column, decays, memory

__all__ = []

CHUNK = 64


@implements(decays)
def by_chunks(K, log_decay, log_gates):
    plain = exactly(decays.__wrapped__(K, log_decay, log_gates), K.profile)
    logs = logs_of_chunks(*map(value_of, (K, log_decay, log_gates)))
    return Toleranced(plain.value, plain.radius + 2 * logs * K.profile.u * plain.sizes, K.profile)


@rule("gated.linear_attention")
def of_gated_attention(op, args, kwargs, exact, profile):
    it = given(op, args, kwargs)
    scale = default_scale(it["scale"], it["K"])
    found = by_running_error(op, args, kwargs, exact, profile)
    found = tuple(map(np.fmax, found, of_scaled_queries(op, args, kwargs, scale, exact, profile)))
    if not it["rule"].erased or it["V"].shape[-2] == 0:
        return found
    columns = by_columns(it, scale, profile.regrouped(REGROUPED))
    rounded = (profile.u_o * np.abs(y).astype(float) for y in exact)
    return tuple(np.fmin(a, b + c) for a, b, c in zip(found, columns, rounded, strict=True))


def of_scaled_queries(op, args, kwargs, scale, exact, profile):
    """The running error where the scale is a factor of the queries, as in fused code."""
    Q = exactly(np.asarray(args[0]).astype(np.longdouble), profile.regrouped(REGROUPED)) * scale
    found = running(op, (Q, *args[1:]), kwargs | {"scale": 1.0}, profile)
    return tuple(stored(y, e, profile) for y, e in zip(found, exact, strict=True))


def lengths(S):
    """Euclidean norms of the columns."""
    return np.sqrt(np.sum(S * S, axis=-2))


def by_columns(it, scale, profile):
    """The errors of the results and of the memory."""
    Q, K, V = (it[k].astype(float) for k in ("Q", "K", "V"))
    decay = decays(it["K"], it["log_decay"], it["log_gates"]).astype(float)
    write = column(it["K"], it["beta"]).astype(float)
    S = memory(it["K"], it["V"], it["S"]).astype(float)
    terms, error, u, g = np.abs(S), 0.0 * lengths(S), profile.u, profile.g(K.shape[-1] + CHUNK)
    logs, rows = logs_of_chunks(it["K"], it["log_decay"], it["log_gates"]), []
    for t in range(V.shape[-2]):
        q, k, v, a, b = (x[..., t, :] for x in (Q, K, V, decay, write))
        S, terms = a[..., None] * S, a[..., None] * terms
        longest, own = np.max(a, axis=-1, keepdims=True, initial=0), lengths(k[..., None])
        error = longest * error + (8 + 2 * logs[..., t, :]) * u * lengths(S)
        error = error * np.maximum(1.0, np.abs(1 - b * own**2))
        new = v - read(S, k)
        charged = g * read(terms, np.abs(k)) + 4 * u * (np.abs(v) + np.abs(new))
        S, terms = S + pair(k, b * new), terms + pair(np.abs(k), np.abs(b * new))
        error = error + own * np.abs(b) * charged + 4 * u * lengths(S) + profile.eta
        asked = np.sqrt(np.sum(q * q, axis=-1, keepdims=True))
        rows.append(scale * (asked * error + (g + 4 * u) * read(terms, np.abs(q))) + profile.eta)
    return np.stack(rows, axis=-2), np.broadcast_to(error[..., None, :], S.shape)


def read(S, k):
    return (k[..., None, :] @ S)[..., 0, :]


def pair(k, v):
    return k[..., :, None] * v[..., None, :]


def logs_of_chunks(K, log_decay, log_gates):
    """The sizes of the logs of decays (..., l, 1), added over the tokens of a chunk so far."""
    size = np.abs(column(K, log_decay) + log_gates + 0 * K)
    size = np.where(np.isfinite(size), size, 0).astype(float)
    size = np.max(size, axis=-1, keepdims=True, initial=0)
    before = np.concatenate([np.zeros_like(size[..., :1, :]), np.cumsum(size, axis=-2)], axis=-2)
    tokens = np.arange(size.shape[-2])
    return before[..., 1:, :] - before[..., np.maximum(tokens + 1 - CHUNK, 0), :]
