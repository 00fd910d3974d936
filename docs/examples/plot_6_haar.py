r"""
A missing sign, and biased attention
====================================

Orthogonal random features come from a QR decomposition. LAPACK's QR fixes signs as it goes, so
its factor is not uniformly (Haar) distributed; the published Performer codes use it as it is.
Positive features of such rows are biased, and the bias has a direction: along
:math:`(1, \dots, 1)` too low, against it too high. One line mends it.
"""

import matplotlib.pyplot as plt
import numpy as np

from hopref import features, projections

draws, sizes = 2000, (2, 4, 8, 16, 32)


def uncorrected(d, rng):
    """Rows as the published codes draw them."""
    q, _ = np.linalg.qr(rng.standard_normal((d, d)))
    return q.T * np.sqrt(rng.chisquare(d, (d, 1)))


def mean_ratio(draw, direction, d, rng):
    """Mean estimate over exact kernel for x = y of half a unit norm."""
    x = direction * np.full(d, 0.5 / np.sqrt(d))
    phi = [features.positive(x, draw(d, rng)) for _ in range(draws)]
    return np.mean([f @ f for f in phi]) / np.exp(x @ x)


def mended(d, rng):
    return projections.orthogonal(d, d, rng=rng)


rng = np.random.default_rng(0)
fig, ax = plt.subplots()
for direction, word in ((1, "along (1, ..., 1)"), (-1, "against it")):
    bad = [mean_ratio(uncorrected, direction, d, rng) for d in sizes]
    good = [mean_ratio(mended, direction, d, rng) for d in sizes]
    line = "o-" if direction > 0 else "s--"
    ax.plot(sizes, bad, line, color="C1", label=f"QR as it comes, {word}")
    ax.plot(sizes, good, line, color="C0", label=f"signs mended, {word}")
ax.axhline(1, color="0.6", lw=0.8, zorder=0)
ax.set(xscale="log", xticks=sizes, xticklabels=sizes, ylim=(0.78, 1.34),
       xlabel="dimension d", ylabel="mean estimate / exact kernel")
ax.minorticks_off()
ax.legend(loc="upper right", ncols=2)
