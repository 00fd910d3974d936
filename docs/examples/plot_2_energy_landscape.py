r"""
One energy, three kinds of fixed points
=======================================

Five patterns in the plane, two of them close together. The energy of the modern network is drawn
for three inverse temperatures, with retrievals from a ring of states. At small :math:`\beta` every
state converges to a mean of all patterns, at medium :math:`\beta` the close pair has a common fixed
point, and at large :math:`\beta` each pattern has its own fixed point.
"""

import matplotlib.pyplot as plt
import numpy as np

from hopref import modern
from hopref.dynamics import trace

angles = np.array([0.25, 0.75, 2.3, 3.9, 5.1])
X = np.stack([np.cos(angles), np.sin(angles)], axis=1)
side = np.linspace(-1.4, 1.4, 141)
plane = np.stack(np.meshgrid(side, side), axis=-1)
ring = 1.3 * np.stack([np.cos(t := np.arange(0, 2 * np.pi, np.pi / 8)), np.sin(t)], axis=1)

fig, axes = plt.subplots(1, 3, figsize=(7.6, 2.8), sharey=True)
for ax, beta in zip(axes, (1.0, 6.0, 60.0), strict=True):
    E = modern.energy(plane, X, beta=beta)
    ax.contourf(side, side, E, levels=24, cmap="Blues_r", alpha=0.75)
    paths = trace(modern.update, ring, X, beta=beta, steps=60).states
    ax.plot(paths[:, :, 0], paths[:, :, 1], color="0.25", lw=0.7, alpha=0.6)
    ax.plot(*X.T, "*", color="white", mec="k", mew=0.6, ms=11, label="stored pattern")
    ax.plot(*paths[-1].T, "o", color="C1", ms=4.5, label="where a retrieval ends")
    ax.set(title=rf"$\beta = {beta:g}$", aspect="equal", xticks=[-1, 0, 1], yticks=[-1, 0, 1])
    ax.grid(False)
marks = axes[0].get_legend_handles_labels()
fig.legend(*marks, loc="lower center", ncols=2, bbox_to_anchor=(0.5, -0.08))

# %%
# Along each of these paths the energy decreases by exactly
# :math:`\frac12\|\xi^{new} - \xi\|^2 + \beta^{-1} \mathrm{KL}(p \,\|\, p^{new})` in every step.

run = trace(modern.update, ring, X, beta=6.0, steps=60)
print("largest increase of the energy in any step:", np.diff(run.energies, axis=0).max())
