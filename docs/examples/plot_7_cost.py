"""
Memory of exact attention and of the Performer
==============================================

The peak memory is measured by :func:`hopref.check.scaling`, as that of any function is. The slope
in this double logarithmic plot is the exponent: 2 for the matrix of all pairs, 1 for the features.
"""

import matplotlib.pyplot as plt
import numpy as np

from hopref import attention, performer, projections
from hopref.check import scaling

d, lengths = 8, 2 ** np.arange(7, 12)
omega = projections.orthogonal(32, d, rng=0)


def heads(length):
    return tuple(np.random.default_rng(0).normal(size=(3, length, d)))


def favor(Q, K, V):
    return performer.attention(Q, K, V, omega)


fig, ax = plt.subplots()
functions = {"exact": attention.softmax_attention, "Performer, 32 features": favor}
for name, function in functions.items():
    memory = scaling(function, inputs=heads, sizes=lengths, seconds=1).measures["memory"]
    ax.plot(lengths, np.array(memory.costs) / 2**20, "o-",
            label=f"{name}: exponent {memory.exponent.value:.2f}, {memory.verdict}")
ax.set(xscale="log", yscale="log", xticks=lengths, xticklabels=lengths,
       xlabel="tokens", ylabel="peak memory, MiB")
ax.minorticks_off()
ax.legend()
