"""Attention and retrieval with sinks: one more column, or a factor of the usual result."""
import numpy as np

from tests.check.honest import honest, on_rows, weights_of
from tests.check.honest.attention import scores


def beside(r, s, sink):
    """Scores with the sink as the last column."""
    return np.concatenate([s, np.broadcast_to(r(sink), (*s.shape[:-1], 1)).astype(s.dtype)],
                          axis=-1)


def share(r, s, sink):
    """1 / (1 + e^(s - lse)), the factor of the usual result."""
    top = np.max(s, axis=-1, keepdims=True)
    shown = np.where(np.isfinite(top), top, 0)
    total = r.add(r(np.exp(r(s - shown))))
    lse = r(shown + r(np.log(np.where(total > 0, total, 1))))
    return np.where(total > 0, r(1 / r(1 + r(np.exp(r(r(sink) - lse))))), 0)


def shown_scores(r, Q, K, scale, mask, bias, causal, align):
    s = scores(r, Q, K, scale)
    s = r(s + r.given(bias)) if np.ndim(bias) else s
    if causal:
        shift = K.shape[-2] - Q.shape[-2] if align == "end" else 0
        mask = mask & np.tril(np.ones(s.shape[-2:], bool), shift)
    return np.where(mask, s, -np.inf).astype(s.dtype)


@honest("sinks.attention")
def one_more_column(r):
    def attention(Q, K, V, sink, *, scale=None, mask=True, bias=0.0, causal=False, align="end"):
        Q, K, V, sink = map(r.given, (Q, K, V, sink))
        s = shown_scores(r, Q, K, scale, mask, bias, causal, align)
        return r.mul(weights_of(r, beside(r, s, sink[..., None, None]))[..., :-1], V)
    return attention


@honest("sinks.attention")
def a_factor_of_the_usual_result(r):
    def attention(Q, K, V, sink, *, scale=None, mask=True, bias=0.0):
        Q, K, V, sink = map(r.given, (Q, K, V, sink))
        s = shown_scores(r, Q, K, scale, mask, bias, False, "end")
        return r(share(r, s, sink[..., None, None]) * r.mul(weights_of(r, s), V))
    return attention


@honest("sinks.update")
def a_pattern_of_zeros(r):
    def update(xi, X, beta=1.0, sink=0.0):
        X = r.given(X)
        s = r(r.mul(on_rows(r, xi), X.T) * r(beta))
        return r.mul(weights_of(r, beside(r, s, sink))[..., :-1], X)[..., 0, :]
    return update


@honest("sinks.energy")
def four_terms(r):
    def energy(xi, X, beta=1.0, sink=0.0):
        xi, X, beta, sink = on_rows(r, xi), r.given(X), r(beta), r(sink)
        s = beside(r, r(r.mul(xi, X.T) * beta), sink)
        top = np.max(s, axis=-1, keepdims=True)
        lse = r(top + r(np.log(r.add(r(np.exp(r(s - top)))))))
        count = r(np.logaddexp(r(np.log(r(len(X)))), sink))
        own, longest = (r(r.add(r(x * x)) / 2) for x in (xi, X))
        E = r(r(r(own - r(lse / beta)) + r(count / beta)) + np.max(longest))
        return E[..., 0, 0]
    return energy


@honest("maps.sink_softmax")
def exponentials_beside_one(r):
    """The largest of scores and sink is subtracted from both."""
    def sink_softmax(z, sink, beta=1.0):
        z, sink = r(r.given(z) * r(beta)), r.given(sink)[..., None]
        top = np.maximum(np.max(z, axis=-1, keepdims=True), sink)
        e = r(np.exp(r(z - top)))
        return r(e / r(r.add(e) + r(np.exp(r(sink - top)))))
    return sink_softmax
