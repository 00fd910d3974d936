r"""
Convergence of the Performer to the modern update
=================================================

The distance between one Performer step, Eq. (23) of the blog, and the modern update, Eq. (21),
decreases as :math:`1/\sqrt m` in the number of features if :math:`\beta\|\xi + x\|^2` is small. At
:math:`\beta = 25` with unit patterns, as in the blog, it does not: the relative variance of one
feature is :math:`e^{100}`.
"""

import matplotlib.pyplot as plt
import numpy as np

from hopref import modern, performer, projections

rng = np.random.default_rng(1)
d, draws = 16, 40
X = rng.normal(size=(6, d))
X /= np.linalg.norm(X, axis=1, keepdims=True)
xi = 0.8 * X[0] + 0.2 * X[1]
counts = 2 ** np.arange(3, 12)

fig, ax = plt.subplots()
for beta in (0.1, 0.5, 2.0, 25.0):
    exact = modern.update(xi, X, beta=beta)
    errors = []
    for m in counts:
        omegas = (projections.orthogonal(int(m), d, rng=rng) for _ in range(draws))
        steps = np.array([performer.update(xi, X, omega, beta=beta) for omega in omegas])
        errors.append(np.sqrt(np.mean(np.sum((steps - exact) ** 2, axis=-1))))
    ax.plot(counts, errors, "o-", label=rf"$\beta = {beta:g}$")
ax.plot(counts, 0.35 / np.sqrt(counts), color="0.5", ls=":", label=r"$\propto 1/\sqrt{m}$")
ax.set(xscale="log", yscale="log", xticks=counts, xticklabels=counts,
       xlabel="random features m", ylabel="distance to the modern update")
ax.minorticks_off()
ax.legend(ncols=2)
