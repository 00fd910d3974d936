"""Bugs of parts that are maps of a memory."""
import numpy as np

from hopref.check.bugs import bug
from hopref.parts import gated

__all__ = []


@bug("maps composed in the wrong order", "parts.gated.merge")
def maps_in_the_wrong_order(a, b, /):
    return gated.merge(a, b)._replace(M=gated.applied(a.M, b.M))


@bug("memory of the later part alone", "parts.gated.merge")
def memory_of_the_last(a, b, /):
    return gated.merge(a, b)._replace(M=b.M, B=b.B)


@bug("results of the later part alone", "parts.gated.merge")
def results_without_what_was_before(a, b, /):
    return gated.merge(a, b)._replace(P=np.concatenate([a.P, b.P], axis=-2))


@bug("prediction of the memory before its decay", "parts.gated.from_chunk")
def undecayed_prediction(Q, K, V, decay, write, /, *, rule):
    """The decay is applied after the erasure."""
    if not rule.erased:
        return gated.from_chunk(Q, K, V, decay, write, rule=rule)
    found = gated.empty(Q, K, V, decay, write, rule=rule)
    for t in range(V.shape[-2]):
        q, k, v, a, b = (x[..., t:t + 1, :] for x in (Q, K, V, decay, write))
        key = np.swapaxes(b * k, -1, -2)
        M, B = np.swapaxes(a, -1, -2) * (np.eye(K.shape[-1]) - key @ k), key @ v
        found = gated.merge(found, gated.Segment(M, B, q @ M, q @ B))
    return found


@bug("nothing erases the memory", "parts.gated.empty")
def nothing_erases(Q, K, V, decay, write, /, *, rule):
    found = gated.empty(Q, K, V, decay, write, rule=rule)
    return found._replace(M=0 * found.M)
