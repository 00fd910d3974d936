"""Laws of the modern continuous network (Ramsauer et al. 2021)."""
import numpy as np

from hopref import maps
from hopref.check.laws import at_most, equal, law
from hopref.models import modern

SHIFT = 2.0


@law("modern.update", id="MH-12", kills=("first pattern counted twice",))
def order_of_patterns_is_irrelevant(f, xi, X, *, beta=1.0):
    """f(P X, xi) = f(X, xi) for every permutation P."""
    yield equal(f(xi, X[::-1], beta=beta), f(xi, X, beta=beta))


@law("modern.update", id="MH-12", kills=("beta applied twice",))
def scaling_states_and_patterns_is_scaling_beta(f, xi, X, *, beta=1.0):
    """f(2 X, 2 xi; beta / 4) = 2 f(X, xi; beta)."""
    yield equal(f(2 * xi, 2 * X, beta=beta / 4), 2 * f(xi, X, beta=beta))


@law("modern.update", id="MH-12", kills=("beta outside the softmax",))
def patterns_shifted_together_shift_the_answer(f, xi, X, *, beta=1.0):
    """f(X + t, xi) = f(X, xi) + t."""
    yield equal(f(xi, X + SHIFT, beta=beta), f(xi, X, beta=beta) + SHIFT)


@law("modern.update", id="MH-12", kills=("softmax not normalised",))
def repeating_every_pattern_changes_nothing(f, xi, X, *, beta=1.0):
    """f is that of every pattern stored twice."""
    yield equal(f(xi, np.concatenate([X, X]), beta=beta), f(xi, X, beta=beta))


@law("modern.update", id="MH-12", kills=("beta outside the softmax", "softmax not normalised"))
def the_new_state_lies_among_the_patterns(f, xi, X, *, beta=1.0):
    """Every component of f(xi) lies between the smallest and the largest of the patterns."""
    new = f(xi, X, beta=beta)
    yield at_most(new, np.max(X, axis=0), "below the largest")
    yield at_most(np.min(X, axis=0), new, "above the smallest")


@law("modern.weights", id="MH-2", kills=("softmax not normalised",))
def weights_sum_to_one(f, xi, X, *, beta=1.0):
    """sum_i p_i = 1, and p_i >= 0."""
    p = f(xi, X, beta=beta)
    yield equal(np.sum(p, axis=-1), 1.0)
    yield at_most(0.0, p)


@law("modern.energy", id="MH-4", kills=("energy without 1/beta", "energy without the half"))
def one_step_lowers_the_energy_by_an_exact_amount(f, xi, X, *, beta=1.0):
    """E(xi) - E(xi') = |xi' - xi|^2 / 2 + KL(p || p') / beta for xi' = f(xi)."""
    p, new = f.exact(modern.weights, xi, X, beta=beta), f.exact(modern.update, xi, X, beta=beta)
    stored = f.machine(new)                 # what E is asked for; the identity holds for any xi'
    step = stored - xi
    before, after = (f.exact(maps.logsumexp, x @ X.T, beta=beta) for x in (xi, stored))
    kl = after - before - np.sum(p * (step @ X.T), axis=-1)         # over beta
    fall = np.sum(step * step, axis=-1) / 2 + kl + np.sum((new - stored) * step, axis=-1)
    yield equal(f(xi, X, beta=beta) - f(stored, X, beta=beta), fall)


@law("modern.energy", id="MH-12", kills=("energy without 1/beta",))
def scaling_everything_scales_the_energy(f, xi, X, *, beta=1.0):
    """E(2 X, 2 xi; beta / 4) = 4 E(X, xi; beta)."""
    yield equal(f(2 * xi, 2 * X, beta=beta / 4), 4 * f(xi, X, beta=beta))


@law("modern.energy", id="MH-3", kills=("energy without M^2/2",))
def the_energy_is_never_below_its_bound(f, xi, X, *, beta=1.0):
    """E(xi) >= (M - |xi|)^2 / 2 >= 0."""
    longest = np.sqrt(np.max(np.sum(X * X, axis=-1)))
    yield at_most((longest - np.sqrt(np.sum(xi * xi, axis=-1))) ** 2 / 2, f(xi, X, beta=beta))


@law("modern.energy", id="MH-1", kills=("energy without the half", "energy without M^2/2"))
def a_lone_pattern_has_the_energy_of_a_spring(f, xi, X, *, beta=1.0):
    """E(xi; {x}) = |xi - x|^2 / 2."""
    away = xi - X[0]
    yield equal(f(xi, X[:1], beta=beta), np.sum(away * away, axis=-1) / 2)


@law("modern.jacobian", id="MH-6", kills=("jacobian without beta",))
def the_jacobian_is_symmetric_and_shrinks_with_its_patterns(f, xi, X, *, beta=1.0):
    """J = J^T, and J(2 X, 2 xi; beta / 4) = J(X, xi; beta)."""
    J = f(xi, X, beta=beta)
    yield equal(J, np.swapaxes(J, -1, -2), "symmetric")
    yield equal(f(2 * xi, 2 * X, beta=beta / 4), J, "scale")
