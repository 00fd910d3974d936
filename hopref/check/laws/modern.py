"""Laws of the modern continuous network (Ramsauer et al. 2021)."""
import numpy as np

from hopref import maps
from hopref.check.cases.draws import constant
from hopref.check.cases.problems import planes, problems, separated, thresholded
from hopref.check.laws import at_most, equal, law, toleranced
from hopref.models import modern

SHIFT = 2.0


def log_weights(xi, X, beta):
    s = beta * (xi @ X.T)
    s = s - np.max(s, axis=-1, keepdims=True)
    return s - np.log(np.sum(np.exp(s), axis=-1, keepdims=True))


def square(x):
    return np.sum(x * x, axis=-1)


# -- identities -----------------------------------------------------------------------------------

@law("modern.update", "modern.weights", id="MH-2", over=problems(),
     kills=("beta applied twice", "beta outside the softmax", "softmax over the batch of states",
            "1/sqrt(d) of attention on top of beta",
            "beta halved, as in exp(-beta |x - xi|^2 / 4)"))
def the_new_state_is_the_softmax_weighted_mean_of_the_patterns(f, xi, X, beta):
    """f(xi) = sum_i p_i x_i with p = softmax(beta X xi)."""
    p = np.exp(log_weights(xi, X, beta))
    yield equal(f.modern.weights(xi, X, beta=beta), p, "weights")
    yield equal(f.modern.update(xi, X, beta=beta), p @ X, "update")


@law("modern.weights", id="MH-2",
     kills=("softmax not normalised", "softmax over the batch of states"))
def weights_sum_to_one(f, xi, X, *, beta=1.0):
    """sum_i p_i = 1, and p_i >= 0."""
    p = f(xi, X, beta=beta)
    yield equal(np.sum(p, axis=-1), 1.0)
    yield at_most(0.0, p)


@law("modern.energy", id="MH-1, MH-5", over=problems(),
     kills=("energy without 1/beta", "log N with the wrong sign", "energy without M^2/2",
            "energy without log N", "energy without the half", "M^2 of the mean length"))
def the_energy_is_the_density_of_the_patterns_seen_from_the_state(f, xi, X, beta):
    """E = -1/beta log mean_i exp(-beta/2 (|x_i - xi|^2 + M^2 - |x_i|^2))."""
    cost = square(X - xi[:, None]) + np.max(square(X)) - square(X)
    least = np.min(cost, axis=-1, keepdims=True)
    mean = np.mean(np.exp(-beta / 2 * (cost - least)), axis=-1)
    yield equal(f(xi, X, beta=beta), least[:, 0] / 2 - np.log(mean) / beta)


@law("modern.energy", "modern.update", id="MH-4",
     kills=("energy without 1/beta", "energy without the half", "beta outside the softmax",
            "divided by the number of patterns"))
def one_step_lowers_the_energy_by_an_exact_amount(f, xi, X, *, beta=1.0):
    """E(xi) - E(xi') = |xi' - xi|^2 / 2 + KL(p || p') / beta for xi' = f(xi)."""
    p, new = f.exact(modern.weights, xi, X, beta=beta), f.modern.update(xi, X, beta=beta)
    stored = f.machine(new)                 # what E is asked for; the identity holds for any xi'
    step = stored - xi
    before, after = (f.exact(maps.logsumexp, x @ X.T, beta=beta) for x in (xi, stored))
    kl = after - before - np.sum(p * (step @ X.T), axis=-1)         # over beta
    fall = square(step) / 2 + kl + np.sum((new - stored) * step, axis=-1)
    yield equal(f.modern.energy(xi, X, beta=beta) - f.modern.energy(stored, X, beta=beta), fall)


@law("modern.jacobian", id="MH-6", over=problems(),
     kills=("jacobian without beta", "X^T diag(p) X without - p p^T", "beta ignored"))
def the_jacobian_is_the_covariance_of_the_patterns(f, xi, X, beta):
    """J = beta sum_i p_i (x_i - f)(x_i - f)^T."""
    p = np.exp(log_weights(xi, X, beta))
    away = X - (p @ X)[:, None]
    J = beta * np.swapaxes(p[..., None] * away, -1, -2) @ away
    yield equal(f(xi, X, beta=beta), J)


@law("modern.jacobian", id="MH-6", kills=("jacobian without beta",))
def the_jacobian_is_symmetric_and_shrinks_with_its_patterns(f, xi, X, *, beta=1.0):
    """J = J^T, and J(2 X, 2 xi; beta / 4) = J(X, xi; beta)."""
    J = f(xi, X, beta=beta)
    yield equal(J, np.swapaxes(J, -1, -2), "symmetric")
    yield equal(f(2 * xi, 2 * X, beta=beta / 4), J, "scale")


@law("modern.jacobian", id="MH-6", over=problems(),
     kills=("jacobian without beta", "X^T diag(p) X without - p p^T"))
def the_jacobian_is_semidefinite_and_bounded_by_the_diameter(f, xi, X, beta):
    """0 <= J <= beta diam^2 min(1/4, 1 - p_max).

    Weyl: eigenvalues move by no more than the norm of J~ - J; LAPACK's are those of a matrix that
    is off by d roundings of the norm.
    """
    J, p = f(xi, X, beta=beta), np.exp(log_weights(xi, X, beta))
    J_64 = J.value.astype(float)
    off = np.linalg.norm(J.radius, axis=(-2, -1)) + len(X.T) * 2.0**-53 * np.linalg.norm(
        J_64, axis=(-2, -1))
    values = toleranced(np.linalg.eigvalsh(J_64), off[:, None])
    diameter = np.max(square(X[:, None] - X))
    top = 1 - np.max(p, axis=-1, keepdims=True)
    yield at_most(0.0, values)
    yield at_most(values, beta * diameter * np.minimum(0.25, top))


# -- bounds ---------------------------------------------------------------------------------------

@law("modern.energy", id="MH-3", kills=("energy without M^2/2",))
def the_energy_is_never_below_its_bound(f, xi, X, *, beta=1.0):
    """(M - |xi|)^2 / 2 <= E; and E <= 2 M^2 where |xi| <= M."""
    longest, own = np.sqrt(np.max(square(X))), np.sqrt(square(xi))
    E = f(xi, X, beta=beta)
    yield at_most((longest - own) ** 2 / 2, E)
    yield at_most(np.where(own.value <= longest.value, E, 0.0), 2 * longest ** 2)


@law("modern.energy", id="MH-3", over=problems(), kills=("energy without 1/beta",))
def on_the_hull_the_energy_is_below_the_uniform_one(f, xi, X, beta):
    """E <= min(2 M^2, log(N)/beta + M^2/2) where the state is a mean of patterns."""
    inside, longest = f.modern.update(xi, X, beta=beta), np.max(square(X))
    uniform = np.log(float(len(X))) / beta + longest / 2
    yield at_most(f(inside, X, beta=beta), np.minimum(2 * longest, uniform))


@law("modern.update", id="MH-12",
     kills=("beta outside the softmax", "softmax not normalised", "state added to the answer"))
def the_new_state_lies_among_the_patterns(f, xi, X, *, beta=1.0):
    """Every component of f(xi) lies between the smallest and the largest of the patterns."""
    new = f(xi, X, beta=beta)
    yield at_most(new, np.max(X, axis=0), "below the largest")
    yield at_most(np.min(X, axis=0), new, "above the smallest")


@law("modern.update", id="MH-9", over=problems(),
     kills=("beta halved, as in exp(-beta |x - xi|^2 / 4)", "beta outside the softmax"))
def the_error_is_at_most_the_diameter_times_the_missing_weight(f, xi, X, beta):
    """|f(xi) - x_i| <= diam (1 - p_i) for every pattern."""
    new, p = f(xi, X, beta=beta), np.exp(log_weights(xi, X, beta))
    diameter = np.sqrt(np.max(square(X[:, None] - X)))
    for i in range(len(X)):
        others = np.sum(np.concatenate([p[:, :i], p[:, i + 1:]], axis=-1), axis=-1)
        yield at_most(np.sqrt(square(new - X[i])), diameter * others)


@law("modern.update", id="MH-8", over=problems(max_m=2), kills=("state added to the answer",))
def two_states_come_closer_when_the_patterns_are_close(f, xi, X, beta):
    """|f(xi) - f(eta)| <= beta diam^2 / 4 |xi - eta|."""
    new, diameter = f(xi, X, beta=beta), np.max(square(X[:, None] - X))
    yield at_most(np.sqrt(square(new[-1] - new[0])),
                  beta * diameter / 4 * np.sqrt(square(xi[-1] - xi[0])))


# -- symmetries -----------------------------------------------------------------------------------

@law("modern.update", "modern.energy", id="MH-12",
     kills=("first pattern counted twice", "M^2 of the first pattern", "last pattern dropped"))
def order_of_patterns_is_irrelevant(f, xi, X, *, beta=1.0):
    """f(P X, xi) = f(X, xi), and E likewise, for every permutation P."""
    yield equal(f(xi, X[::-1], beta=beta), f(xi, X, beta=beta))


@law("modern.update", "modern.energy", id="MH-12", over=planes(),
     kills=("negative components of the state dropped",
            "scores -sum |x_l - xi_l| in place of x.xi"))
def a_rotation_of_everything_rotates_the_answer(f, xi, X, beta):
    """f(X R, xi R) = f(X, xi) R, and E is unchanged."""
    turn = np.array([[3.0, -4.0], [4.0, 3.0]])
    turned = xi @ turn / 5, X @ turn / 5
    yield equal(f.modern.update(*turned, beta=beta), f.modern.update(xi, X, beta=beta) @ turn / 5)
    yield equal(f.modern.energy(*turned, beta=beta), f.modern.energy(xi, X, beta=beta))


@law("modern.update", id="MH-12",
     kills=("beta outside the softmax", "divided by the number of patterns"))
def patterns_shifted_together_shift_the_answer(f, xi, X, *, beta=1.0):
    """f(X + t, xi) = f(X, xi) + t."""
    yield equal(f(xi, X + SHIFT, beta=beta), f(xi, X, beta=beta) + SHIFT)


@law("modern.update", "modern.energy", id="MH-12",
     kills=("beta applied twice", "energy without 1/beta", "state scaled to length 1"))
def scaling_states_and_patterns_is_scaling_beta(f, xi, X, *, beta=1.0):
    """f(2 X, 2 xi; beta / 4) = 2 f(X, xi; beta), and E(2 X, 2 xi; beta / 4) = 4 E(X, xi; beta)."""
    scaled = 2 * xi, 2 * X
    yield equal(f.modern.update(*scaled, beta=beta / 4), 2 * f.modern.update(xi, X, beta=beta))
    yield equal(f.modern.energy(*scaled, beta=beta / 4), 4 * f.modern.energy(xi, X, beta=beta))


@law("modern.update", "modern.energy", id="MH-12",
     kills=("softmax not normalised", "energy without log N", "log N with the wrong sign",
            "divided by the number of patterns"))
def repeating_every_pattern_changes_nothing(f, xi, X, *, beta=1.0):
    """f and E do not change if every pattern is stored twice."""
    yield equal(f(xi, np.concatenate([X, X]), beta=beta), f(xi, X, beta=beta))


@law("modern.update", id="MH-12", kills=("negative components of the state dropped",))
def the_mirror_image_is_retrieved_from_the_mirror_image(f, xi, X, *, beta=1.0):
    """f(-X, -xi) = -f(X, xi)."""
    yield equal(f(-xi, -X, beta=beta), -f(xi, X, beta=beta))


@law("modern.update", "modern.energy", "modern.weights", id="MH-2", over=problems(),
     kills=("softmax over the batch of states", "one maximum subtracted from the whole batch"))
def a_batch_is_its_rows(f, xi, X, beta):
    """Row i of the result is the result of row i."""
    far = xi * np.where(np.arange(len(xi)) == 0, 1024.0, 1.0)[:, None]
    for states in (xi, far):
        together = f(states, X, beta=beta)
        for i in range(len(xi)):
            yield equal(together[i], f(states[i], X, beta=beta))


# -- limits and retrieval -------------------------------------------------------------------------

@law("modern.update", id="MH-12", over=problems(betas=constant(2.0**-60)),
     kills=("beta ignored", "divided by the number of patterns"))
def at_a_small_beta_the_mean_is_retrieved(f, xi, X, beta):
    """|f - mean| <= max|x| (e^{2 beta max|z|} - 1)."""
    drift = np.expm1(2 * beta * np.max(np.abs(xi @ X.T))) * np.max(np.abs(X))
    away = np.abs(f(xi, X, beta=beta) - np.mean(X, axis=0))
    yield at_most(away, drift)


@law("modern.update", "modern.weights", id="MH-12", over=problems(betas=constant(2.0**80)),
     kills=("beta ignored", "scores -|x - xi|^2/2 in place of x.xi",
            "argmax of the scores at a large beta, the first of ties"))
def at_a_large_beta_the_best_match_is_retrieved_and_ties_are_averaged(f, xi, X, beta):
    """p is uniform over the largest scores.

    Eighths and a power of two make scores exact in any order, so that only the quotient rounds.
    """
    for patterns in (X, np.concatenate([X, X])):
        z = (xi @ patterns.T).value
        best = 1.0 * (z == np.max(z, axis=-1, keepdims=True))
        p = best / np.sum(best, axis=-1, keepdims=True)
        weights = f.modern.weights(xi, patterns, beta=beta).value
        yield equal(toleranced(weights, 2 * len(patterns) * f.profile.u), p)
        yield equal(f.modern.update(xi, patterns, beta=beta), p @ patterns)


@law("modern.update", "modern.energy", id="MH-1, MH-2",
     kills=("state added to the answer", "energy without the half", "energy without M^2/2"))
def a_single_pattern_is_retrieved_and_has_a_quadratic_energy(f, xi, X, *, beta=1.0):
    """f(xi; {x}) = x and E(xi; {x}) = |xi - x|^2 / 2."""
    x = X[:1]
    yield equal(f.modern.update(xi, x, beta=beta), x[0] + 0 * xi)
    yield equal(f.modern.energy(xi, x, beta=beta), square(xi - x[0]) / 2)


@law("modern.update", id="MH-9", over=separated(),
     kills=("beta halved, as in exp(-beta |x - xi|^2 / 4)", "state added to the answer",
            "divided by the number of patterns"))
def a_well_separated_pattern_is_retrieved_in_one_step(f, xi, X, beta):
    """Theorem 5 with Lemma A4: |f(xi) - x_i| <= 2 (N-1) M exp(-beta (D_i - 2 |xi - x_i| M)), and f
    maps the sphere of radius 1/(beta N M) into itself."""
    n, M, separation = len(X), 8.0, 64.0
    away = np.sqrt(square(xi - X[0]))
    error = np.sqrt(square(f(xi, X, beta=beta) - X[0]))
    yield at_most(away, 1 / (beta * n * M))
    yield at_most(error, 2 * (n - 1) * M * np.exp(-beta * (separation - 2 * away * M)))
    yield at_most(error, 1 / (beta * n * M))


@law("modern.update", "modern.energy", id="MH-4", over=problems(max_m=1),
     kills=("state added to the answer",))
def all_steps_together_cost_no_more_than_the_first_energy(f, xi, X, beta):
    """sum_t |xi(t+1) - xi(t)|^2 <= 2 E(xi(0))."""
    budget, spent = 2 * f.modern.energy(xi, X, beta=beta), 0.0
    for _ in range(6):
        after = f.modern.update(xi, X, beta=beta)
        spent, xi = spent + square(after - xi), after
    yield at_most(spent, budget)


# -- the thresholded rule -------------------------------------------------------------------------

def kept(x, theta, side):
    """S_theta(x): the components beyond theta are 0."""
    return np.where(x.value <= theta if side == "above" else x.value >= theta, x, 0.0)


@law("modern.thresholded_update", id="MH-14", over=thresholded(),
     kills=("thresholded patterns in the outer product too", "threshold on the wrong side",
            "theta itself dropped"))
def what_exceeds_theta_is_not_compared_and_whole_patterns_are_returned(f, xi, X, beta, theta, side):
    """f = X^T softmax(beta S(X) S(xi)), S_theta with the components beyond theta set to 0."""
    p = np.exp(log_weights(kept(xi, theta, side), kept(X, theta, side), beta))
    yield equal(f(xi, X, beta=beta, theta=theta, side=side), p @ X)
