r"""
Capacity of a classical network
===============================

Random polar patterns are stored with zero diagonal, and one synchronous step is made from each
stored pattern. The field is the signal plus the crosstalk of the other patterns, which is nearly
Gaussian. A bit is then wrong with probability :math:`Q(1/\sqrt\alpha)`, :math:`\alpha = N/d`; the
points are measured.
"""

import matplotlib.pyplot as plt
import numpy as np
from scipy.special import ndtr

from hopref import classical

rng = np.random.default_rng(0)
loads = np.array([0.06, 0.08, 0.1, 0.138, 0.18, 0.25, 0.35, 0.5])

fig, ax = plt.subplots()
for d, marker in ((128, "o"), (1024, "s")):
    wrong = []
    for load in loads:
        sets = rng.choice([-1.0, 1.0], (4096 // d, round(load * d), d))
        steps = [classical.low_rank_update(X, X, zero_diagonal=True) for X in sets]
        wrong.append(np.mean(np.array(steps) != sets))
    ax.plot(loads, np.where(np.array(wrong) > 0, wrong, np.nan), marker, label=f"measured, d = {d}")
fine = np.linspace(0.05, 0.5, 200)
ax.plot(fine, ndtr(-1 / np.sqrt(fine)), color="0.3", zorder=0, label=r"$Q(1/\sqrt{\alpha})$")
ax.axvline(0.138, color="C1", lw=1, ls=":")
ax.text(0.141, 2e-5, r"$\alpha = 0.138$: no fixed points near the patterns above", color="C1")
ax.set(yscale="log", ylim=(1e-5, 0.3),
       xlabel=r"load $\alpha = N/d$", ylabel="bits wrong after one step")
ax.legend(loc="lower right", bbox_to_anchor=(1, 0.14))

# %%
# The often quoted value 0.72 of Palm is another quantity, bits per synapse: see the errata.
