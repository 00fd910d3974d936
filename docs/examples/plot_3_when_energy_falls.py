"""
Descent of the energy
=====================

The same weights, with zero diagonal, are used for both kinds of updates. If one site is updated at
a time, the energy cannot increase, and the network converges. If all sites are updated together,
the energy may increase, and the network may end in a cycle of length 2; the energy of two
successive states does not increase.
"""

import matplotlib.pyplot as plt
import numpy as np

from hopref import classical, graded, storage
from hopref.dynamics import trace

d, n = 64, 24
rng = np.random.default_rng(5)
patterns = rng.choice([-1.0, 1.0], (n, d))
W = -storage.hebbian(patterns, scale=1 / d, zero_diagonal=True)
start = rng.choice([-1.0, 1.0], d)

at_once = trace(classical.update, start, W, steps=14)
in_turn = trace(classical.asynchronous_update, start, W, order=range(d), steps=14)
pairs = classical.two_step_energy(at_once.states[1:], at_once.states[:-1], W)

fig, ax = plt.subplots()
ax.plot(in_turn.energies, "o-", label="one site at a time")
ax.plot(at_once.energies, "o-", label="all at once")
ax.plot(range(1, 15), pairs / 2, "--", label="all at once: half the two-step energy")
ax.set(xlabel="sweep", ylabel="energy")
ax.legend()

# %%
# For continuous neurons the condition is sharp: the energy decreases under synchronous updates if
# the smallest eigenvalue of the weights is at least :math:`-1/\\beta`. Here it is :math:`-1`, and
# gain 1 is the largest for which this holds for every state.

W2 = np.array([[0.0, -1.0], [-1.0, 0.0]])
fig, ax = plt.subplots()
for beta, colour in ((1.0, "C0"), (1.5, "C2"), (3.0, "C1")):
    run = trace(graded.update, [0.9, 0.75], W2, beta=beta, steps=14)
    ax.plot(run.energies - run.energies[0], "o-", color=colour, label=rf"$\beta = {beta:g}$")
ax.set(title="two neurons that inhibit each other", xlabel="step", ylabel="energy gained")
ax.legend()
