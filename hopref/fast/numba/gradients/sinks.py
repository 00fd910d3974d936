"""`hopref.gradients.sinks`: the kernels without a sink, with its share of the weight."""
import numpy as np

from hopref.fast.numba._softmax_gradient import gradient_of_heads, gradient_of_states
from hopref.fast.numba.gradients import by_formula
from hopref.gradients import sinks

__all__ = ["update", "attention"]


def update(g, xi, X, /, *, beta=1.0, sink=0.0):
    found = gradient_of_states(g, xi, X, X, beta, sink)
    if found is None:
        return by_formula(sinks.update.formula, g, xi, X, beta=beta, sink=sink)
    dxi, dX, _, *of_numbers = found
    return dxi, dX, *of_numbers


def attention(g, Q, K, V, sink, /, *, scale=None, mask=True, bias=0.0, causal=False, align="end"):
    found = gradient_of_heads(g, Q, K, V, scale, mask, bias, causal, align, sink)
    if found is None:
        return by_formula(sinks.attention.formula, g, Q, K, V, sink, scale=scale, mask=mask,
                          bias=np.float64(bias), causal=causal, align=align)
    dQ, dK, dV, dbias, dscale, dsink, _ = found
    return dQ, dK, dV, dsink, dbias, dscale
