r"""
Errors of all estimators at equal cost
======================================

All estimators approximate :math:`e^{x^T y}` with 64 features in :math:`d = 16`; maps with two
features for each random row have 32 rows. Lines are the exact errors of `hopref.theory`, points the
errors measured over 300 draws. No exact error is known for Hadamard rows and scrambled Sobol
points.

Orthogonal rows reduce the error little at large norms, the rows of a simplex more, and a quadratic
exponent with the best parameter A (GERF) most among positive features. Rows of one length have a
small variance and a bias, which does not decrease with the number of features. Trigonometric
features are the best for angles below 90 degrees, and the worst for larger angles at large norms;
they are the only ones that may be negative. For norms above about 0.7 the tails are so heavy that
single draws determine the measured error; the exact error is then more reliable.
"""

import matplotlib.pyplot as plt
import numpy as np

from hopref import features, projections, theory

d, r, draws = 16, 64, 300
norms, fine = np.linspace(0.2, 1.3, 7), np.linspace(0.15, 1.35, 60)
compared = [         # map, draw of its rows, colour, line
    ("positive", "iid", "0.55", "-"), ("positive", "orthogonal", "C0", "-"),
    ("positive", "simplex", "C0", "--"), ("positive", "regularized", "C4", "-"),
    ("gerf", "orthogonal", "C1", "-"), ("gerf", "simplex", "C1", "--"),
    ("hyperbolic", "orthogonal", "C2", "-"), ("trigonometric", "orthogonal", "C3", "-"),
    ("positive", "hadamard", "C4", ""), ("positive", "qmc", "C5", ""), ("gerf", "qmc", "C1", "")]


def pair(norm, degrees):
    """Two states of this norm and angle; only the distribution of Hadamard rows has an axis."""
    turn = projections.regularized(2, d, rng=3) / np.sqrt(d)
    angle = np.radians(degrees)
    return norm * turn[0], norm * (np.cos(angle) * turn[0] + np.sin(angle) * turn[1])


def best(kind, x, y):
    """The parameter A for this pair; positive features have A = 0."""
    return theory.gerf_parameter(float((x + y) @ (x + y)), d=d) if kind == "gerf" else 0.0


def exact(kind, draw, m, x, y):
    A, kind = best(kind, x, y), "positive" if kind == "gerf" else kind
    error = theory.log_relative_mse(x, y, m=m, features=kind, draw=draw, A=A)
    return np.exp(error / 2)


def measured(kind, rows, x, y):
    """Errors for states x and y (k, d); A is that of each pair."""
    if kind == "gerf" and x.ndim > 1:
        return [measured(kind, rows, *states) for states in zip(x, y, strict=True)]
    more = {"A": best(kind, x, y)} if kind == "gerf" else {}
    found = [getattr(features, kind)(np.stack([x, y]), omega, **more) for omega in rows]
    estimates = np.array([np.sum(phi_x * phi_y, axis=-1) for phi_x, phi_y in found])
    return np.sqrt(np.mean((estimates / np.exp(np.sum(x * y, axis=-1)) - 1) ** 2, axis=0))


fig, axes = plt.subplots(1, 2, figsize=(9, 4.8), sharey=True, layout="constrained")
for kind, draw, colour, line in compared:
    m = r // 2 if kind in ("hyperbolic", "trigonometric") else r
    rows = [getattr(projections, draw)(m, d, rng=seed) for seed in range(draws)]
    for ax, degrees in zip(axes, (60, 120), strict=True):
        states = np.stack([pair(norm, degrees) for norm in norms], axis=1)
        points = measured(kind, rows, *states)
        if line:
            curve = [exact(kind, draw, m, *pair(norm, degrees)) for norm in fine]
            ax.plot(fine, curve, line, color=colour, label=f"{kind}, {draw}")
        label = {"label": f"{kind}, {draw}"} if not line else {}
        ax.plot(norms, points, "." if line else "s", color=colour, mfc=colour if line else "none",
                ms=6 if line else 5, **label)
for ax, degrees in zip(axes, (60, 120), strict=True):
    ax.set(yscale="log", ylim=(4e-4, 3), title=f"{degrees} degrees apart",
           xlabel="norm of x and of y")
axes[0].set_ylabel("root mean squared error / kernel")
fig.legend(*axes[0].get_legend_handles_labels(), loc="outside lower center", ncols=3, fontsize=8)
