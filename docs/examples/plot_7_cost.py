"""
Memory of exact attention and of the Performer
==============================================

The peak memory is measured by ``tracemalloc``, which is deterministic. The slope in this double
logarithmic plot is the exponent: nearly 2 for the matrix of all pairs, nearly 1 for the features.
"""

import tracemalloc

import matplotlib.pyplot as plt
import numpy as np

from hopref import attention, performer, projections


def peak(function, *arrays):
    tracemalloc.start()
    function(*arrays)
    most = tracemalloc.get_traced_memory()[1]
    tracemalloc.stop()
    return most


d, lengths = 8, 2 ** np.arange(7, 12)
omega = projections.orthogonal(32, d, rng=0)
rng = np.random.default_rng(0)
bytes_of = {"exact": [], "Performer, 32 features": []}
for length in lengths:
    Q, K, V = rng.normal(size=(3, length, d))
    bytes_of["exact"].append(peak(attention.softmax_attention, Q, K, V))
    bytes_of["Performer, 32 features"].append(peak(performer.attention, Q, K, V, omega))

fig, ax = plt.subplots()
for name, sizes in bytes_of.items():
    exponent = np.polyfit(np.log(lengths), np.log(sizes), 1)[0]
    ax.plot(lengths, np.array(sizes) / 2**20, "o-", label=f"{name}: exponent {exponent:.2f}")
ax.set(xscale="log", yscale="log", xticks=lengths, xticklabels=lengths,
       xlabel="tokens", ylabel="peak memory, MiB")
ax.minorticks_off()
ax.legend()
