"""The tolerances of attention and retrieval with a sink: those of one more key, of zeros."""
import math

import numpy as np

from hopref.check.tolerance.derivation import by_running_error, retrieved, rule, weighed
from hopref.check.tolerance.models import direct_energy, given, of_queries, patterns

__all__ = []


def joined(scores, sizes, sink):
    """Scores and their sizes, with those of the sink as the last column."""
    sink = np.broadcast_to(sink, (*scores.shape[:-1], 1))
    return np.concatenate([scores, sink], axis=-1), np.concatenate([sizes, np.abs(sink)], axis=-1)


def with_zero(V):
    return np.concatenate([V, np.zeros_like(V[..., :1, :])], axis=-2)


@rule("sinks.update")
def of_retrieval(op, args, kwargs, exact, profile):
    it = given(op, args, kwargs)
    scores = joined(*patterns(it["xi"], it["X"], it["beta"]), it["sink"])
    X = with_zero(it["X"])
    return retrieved(*scores, X, exact[..., None, :], X.shape[-1], profile)[..., 0, :]


@rule("sinks.energy")
def of_energy(op, args, kwargs, exact, profile):
    """The larger of the errors of the formula and of the sum of the four terms."""
    it = given(op, args, kwargs)
    scores, sizes = (s[..., 0, :] for s in joined(*patterns(it["xi"], it["X"], it["beta"]),
                                                  it["sink"]))
    direct = direct_energy(it | {"X": with_zero(it["X"])}, scores, sizes, exact, profile)
    uniform = np.logaddexp(math.log(len(it["X"])), it["sink"]) / it["beta"]
    direct = direct + (8 * profile.u * abs(uniform))
    formula = by_running_error(op, args, kwargs, exact, profile)
    return np.where(np.isfinite(formula), np.maximum(direct, formula), direct)


@rule("sinks.attention")
def of_attention(op, args, kwargs, exact, profile):
    it = given(op, args, kwargs)
    scores = joined(*of_queries(it), it["sink"][..., None, None])
    return retrieved(*scores, with_zero(it["V"]), exact, it["K"].shape[-1], profile)


@rule("sinks.attention_weights")
def of_attention_weights(op, args, kwargs, exact, profile):
    it = given(op, args, kwargs)
    scores = joined(*of_queries(it), it["sink"][..., None, None])
    p = np.concatenate([exact, 1 - np.sum(exact, axis=-1, keepdims=True)], axis=-1)
    return weighed(*scores, np.maximum(p, 0), it["K"].shape[-1], profile)[..., :-1]
