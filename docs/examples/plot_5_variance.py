r"""
Errors of random features
=========================

Three maps estimate the same kernel :math:`e^{x^T y}` without bias. Their errors differ by orders of
magnitude, and the best map depends on the angle between :math:`x` and :math:`y`: trigonometric
features are exact if the two are equal and have large errors if they are opposite; for positive
features it is the opposite. Lines are the closed forms, points the mean over 4000 draws.
"""

import matplotlib.pyplot as plt
import numpy as np

from hopref import features, projections

norm, m, draws = 0.7, 8, 4000
angles = np.linspace(0, np.pi, 13)
x = norm * np.array([1.0, 0.0])
y = norm * np.stack([np.cos(angles), np.sin(angles)], axis=1)


def closed_forms(angle):
    inner = norm**2 * np.cos(angle)
    s, gap = 2 * norm**2 + 2 * inner, 2 * norm**2 - 2 * inner
    positive = np.exp(s + 2 * inner) * -np.expm1(-s)
    return {"trigonometric": np.exp(s - 2 * inner) * np.expm1(-gap) ** 2 / 2,
            "positive": positive, "hyperbolic": positive * -np.expm1(-s) / 2}


omega = projections.iid(m * draws, 2, rng=0).reshape(draws, m, 2)
fine = np.linspace(0, np.pi, 400)
fig, ax = plt.subplots()
for name, colour in (("trigonometric", "C0"), ("positive", "C1"), ("hyperbolic", "C2")):
    phi = getattr(features, name)
    estimates = np.array([phi(y, w) @ phi(x, w) for w in omega])
    mse = ((estimates - np.exp(y @ x)) ** 2).mean(axis=0)
    ax.plot(np.degrees(fine), closed_forms(fine)[name] / m, color=colour, label=name)
    ax.plot(np.degrees(angles), np.maximum(mse, 1e-6), "o", color=colour)
ax.set(yscale="log", ylim=(3e-5, 5), xticks=range(0, 181, 30),
       xlabel="angle between x and y, degrees", ylabel=f"mean squared error, m = {m}")
ax.legend()
