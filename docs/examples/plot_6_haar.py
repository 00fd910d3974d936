r"""
Bias from uncorrected signs of a QR decomposition
=================================================

Orthogonal random features are computed by a QR decomposition. The factor of LAPACK is not uniformly
(Haar) distributed, because it determines the signs of the columns; published Performer codes use it
without correction. Positive features with such rows are biased: the estimates are too small along
:math:`(1, \dots, 1)` and too large against it. Multiplication by the signs of the diagonal of R
removes the bias.
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
    """Mean estimate over the exact kernel for x = y of norm 1/2."""
    x = direction * np.full(d, 0.5 / np.sqrt(d))
    phi = features.positive(x, np.concatenate([draw(d, rng) for _ in range(draws)]))
    return phi @ phi / np.exp(x @ x)


def corrected(d, rng):
    return projections.orthogonal(d, d, rng=rng)


rng = np.random.default_rng(0)
fig, ax = plt.subplots()
for direction, word in ((1, "along (1, ..., 1)"), (-1, "against it")):
    bad = [mean_ratio(uncorrected, direction, d, rng) for d in sizes]
    good = [mean_ratio(corrected, direction, d, rng) for d in sizes]
    line = "o-" if direction > 0 else "s--"
    ax.plot(sizes, bad, line, color="C1", label=f"QR as it comes, {word}")
    ax.plot(sizes, good, line, color="C0", label=f"signs corrected, {word}")
ax.axhline(1, color="0.6", lw=0.8, zorder=0)
ax.set(xscale="log", xticks=sizes, xticklabels=sizes, ylim=(0.78, 1.34),
       xlabel="dimension d", ylabel="mean estimate / exact kernel")
ax.minorticks_off()
ax.legend(loc="upper right", ncols=2)
