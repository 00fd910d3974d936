"""Laws of the memory of random features: what is stored, the exact decrease, symmetries."""
import numpy as np

from hopref.check.cases.draws import arrays, composed, eighths, integers, records, sampled
from hopref.check.cases.quadrature import gaussian_rows
from hopref.check.laws import at_most, equal, law
from hopref.check.laws.modern import square

__all__ = []

betas = sampled([0.0625, 0.25, 1.0, 4.0])         # whose roots are exact
near = integers(-8, 8).map(lambda k: k / 8)       # sums of two, times a draw, within the grid
SHARES = {"exponential": 0.5, "gaussian": 1.0}    # of beta |x|^2 in the log of a feature


@composed
def memories(draw, max_m=6):
    """States, a draw of directions, sums, an inverse temperature and a step."""
    n, m, d = draw(integers(1, 3)), draw(integers(1, max_m)), draw(integers(1, 3))
    return {"xi": draw(arrays(n, d)), "omega": draw(arrays(m, d)),
            "log_sums": draw(arrays(m, elements=eighths)), "beta": draw(betas),
            "step": draw(sampled([0.125, 0.5, 1.0, 1.5]))}


@composed
def stores(draw):
    """Two sets of patterns, a draw of directions, an inverse temperature and a kernel."""
    n, m, d = draw(integers(1, 3)), draw(integers(1, 4)), draw(integers(1, 3))
    return {"X": draw(arrays(n, d)), "Y": draw(arrays(n + 1, d)), "omega": draw(arrays(m, d)),
            "beta": draw(betas), "kernel": draw(sampled(["exponential", "gaussian"]))}


def divergence(z, after):
    """KL(p || p') of the softmax of two arrays of scores, in its direct form."""
    def log_weights(z):
        z = z - np.max(z, axis=-1, keepdims=True)
        return z - np.log(np.sum(np.exp(z), axis=-1, keepdims=True))
    log_p = log_weights(z)
    return np.sum(np.exp(log_p) * (log_p - log_weights(after)), axis=-1)


def weights(z):
    """Softmax of scores along the last axis."""
    e = np.exp(z - np.max(z, axis=-1, keepdims=True))
    return e / np.sum(e, axis=-1, keepdims=True)


@law("feature_memory.log_sums", id="PE-1, DR-2", over=stores(),
     kills=("log m missing", "log m twice", "the other kernel", "features of beta x"))
def one_pattern_is_stored_as_the_log_of_its_features(f, X, Y, omega, beta, kernel):
    """log T_j = sqrt(beta) w_j.x - c beta |x|^2 - ln m for a single pattern x."""
    x = X[:1]
    want = np.sqrt(beta) * np.sum(omega * x, axis=-1) - SHARES[kernel] * beta * square(x)
    yield equal(f(x, omega, beta=beta, kernel=kernel), want - np.log(np.longdouble(len(omega))))


@law("feature_memory.log_sums", id="PE-6", over=stores(),
     kills=("sums of logs", "mean of features"))
def memories_of_two_sets_are_added(f, X, Y, omega, beta, kernel):
    """log T(X and Y) = ln(T(X) + T(Y)); each pattern twice adds ln 2."""
    one, two, both = (f(x, omega, beta=beta, kernel=kernel)
                      for x in (X, Y, np.concatenate([X, Y])))
    top = np.maximum(one, two)
    yield equal(both, top + np.log(np.exp(one - top) + np.exp(two - top)), "two sets")
    twice = f(np.concatenate([X, X]), omega, beta=beta, kernel=kernel)
    yield equal(twice, one + np.log(np.longdouble(2.0)), "twice")


@law("feature_memory.update", "feature_memory.energy", id="PE-2, PE-3", over=memories(),
     kills=("half of the square", "full step without the state", "step without 1/sqrt(beta)",
            "features of beta x", "energy without 1/beta", "step ignored", "sums ignored"))
def a_step_lowers_the_energy_by_an_exact_amount(f, xi, omega, log_sums, beta, step):
    """E(xi) - E(xi') = (1/step - 1) |xi' - xi|^2 + KL(p || p')/beta, for every step."""
    answer = f.feature_memory.update(xi, omega, log_sums, beta=beta, step=step)
    new = f.machine(answer)
    E = [f.feature_memory.energy(x, omega, log_sums, beta=beta) for x in (xi, new)]
    z = [np.sqrt(beta) * (x @ omega.T) + log_sums for x in (xi, new)]
    moved = np.sum((answer - xi) * (new - xi), axis=-1) / step - square(new - xi)
    yield equal(E[0] - E[1], moved + divergence(*z) / beta)


@law("feature_memory.update", id="PE-3", over=memories(max_m=1),
     kills=("full step without the state", "step without 1/sqrt(beta)", "step ignored"))
def a_single_feature_returns_each_state_after_two_full_steps(f, xi, omega, log_sums, beta, step):
    """m = 1, step = 1: F(xi) = w/sqrt(beta) - xi, and F(F(xi)) = xi."""
    once = f(xi, omega, log_sums, beta=beta, step=1.0)
    yield equal(once + xi, omega[0] / np.sqrt(beta), "w/sqrt(beta)")
    yield equal(f(once, omega, log_sums, beta=beta, step=1.0), xi, "after two steps")


@law("feature_memory.update", "feature_memory.energy", id="PE-7", over=memories(),
     kills=("features of beta x", "energy without 1/beta"))
def states_scale_with_the_temperature(f, xi, omega, log_sums, beta, step):
    """E(2 xi; beta/4) = 4 E(xi; beta), f(2 xi; beta/4) = 2 f(xi; beta), and logs of sums that are
    larger by 1/2 lower E by 1/(2 beta)."""
    def both(x, log_sums, beta):
        return (f.feature_memory.update(x, omega, log_sums, beta=beta, step=step),
                f.feature_memory.energy(x, omega, log_sums, beta=beta))
    new, E = both(xi, log_sums, beta)
    new_2, E_4 = both(2 * xi, log_sums, beta / 4)
    yield equal(new_2, 2 * new, "states")
    yield equal(E_4, 4 * E, "energies")
    yield equal(f.feature_memory.energy(xi, omega, log_sums + 0.5, beta=beta), E - 0.5 / beta,
                "sums")


@law("feature_memory.update", "feature_memory.energy", id="PE-9", over=memories(),
     kills=("one sign of the features",))
def hyperbolic_features_are_those_of_both_signs(f, xi, omega, log_sums, beta, step):
    """With the rows W and -W and equal sums, E is even and the half step is odd."""
    both, sums = np.concatenate([omega, -omega]), np.concatenate([log_sums, log_sums])
    E = [f.feature_memory.energy(x, both, sums, beta=beta) for x in (xi, -xi)]
    new = [f.feature_memory.update(x, both, sums, beta=beta, step=step) for x in (xi, -xi)]
    yield equal(E[0], E[1], "energies")
    yield equal(new[0], -new[1], "steps")


@law("feature_memory.energy", id="PE-5, PE-8", over=memories(),
     kills=("half of the square", "energy without 1/beta", "features of beta x", "sums ignored"))
def the_energy_is_a_distance_from_the_draw_of_most_weight(f, xi, omega, log_sums, beta, step):
    """With t the largest of z: E = |xi - w_t/(2 sqrt(beta))|^2 - (|w_t|^2/4 + log T_t)/beta
    - ln(sum_j e^(z_j - z_t))/beta, which is at least -(max_j(|w_j|^2/4 + log T_j) + ln m)/beta."""
    z = np.sqrt(beta) * (xi @ omega.T) + log_sums
    t, depths = np.argmax(z.value, axis=-1), square(omega) / 4 + log_sums
    apart = z - np.take_along_axis(z, t[:, None], axis=-1)
    E = f(xi, omega, log_sums, beta=beta)
    yield equal(E, square(xi - omega[t] / (2 * np.sqrt(beta)))
                - (depths[t] + np.log(np.sum(np.exp(apart), axis=-1))) / beta)
    yield at_most(-(np.max(depths) + np.log(np.longdouble(len(omega)))) / beta, E, "bound")


@law("feature_memory.energy", "feature_memory.update", "feature_memory.log_sums",
     id="PE-10, PE-11, DR-1",
     over=records(xi=arrays(3, 1, elements=near), X=arrays(3, 1, elements=near),
                  beta=sampled([0.0625, 0.25, 1.0]), kernel=sampled(["exponential", "gaussian"])),
     kills=("half of the square", "energy without 1/beta", "step without 1/sqrt(beta)",
            "features of beta x", "the other kernel", "mean of features"))
def all_features_give_the_modern_network_or_that_of_gaussian_kernels(f, xi, X, beta, kernel):
    """An integral in place of draws, with z_i = beta x_i.xi, less beta |x_i|^2/2 for the Gaussian
    kernel: E = |xi|^2/2 - lse(z)/beta, and the full step softmax(z) X, is also that of the means
    c_j of the patterns by their features, sum_j p_j c_j (Stein)."""
    omega, p = gaussian_rows(1)
    sums = f.feature_memory.log_sums(X, omega, beta=beta, kernel=kernel) + np.log(len(p) * p)
    z = beta * (xi @ X.T) - (2 * SHARES[kernel] - 1) * beta * square(X) / 2
    top = np.max(z, axis=-1)
    E = square(xi) / 2 - (top + np.log(np.sum(np.exp(z - top[:, None]), axis=-1))) / beta
    yield equal(f.feature_memory.energy(xi, omega, sums, beta=beta), E, "energy")
    new = f.feature_memory.update(xi, omega, sums, beta=beta, step=1.0)
    yield equal(new, weights(z) @ X, "full step")
    root = np.sqrt(beta)
    centroids = weights(root * (omega @ X.T) - SHARES[kernel] * beta * square(X)) @ X
    shares = weights(root * (xi @ omega.T) + sums)
    yield equal(shares @ centroids, new, "means by features")


@law("feature_memory.update", "performer.update", id="PE-12", over=stores(),
     kills=("full step without the state", "step without 1/sqrt(beta)", "beta ignored",
            "beta applied twice", "sums ignored"))
def the_performer_weighs_means_of_patterns_and_the_memory_draws(f, X, Y, omega, beta, kernel):
    """With the same p: sum_j p_j c_j for the means c_j of the patterns by feature j, which has no
    energy, and xi' + xi = sum_j p_j w_j/sqrt(beta), the step of an energy."""
    logs = np.sqrt(beta) * (omega @ X.T) - beta * square(X) / 2
    sums = np.log(np.sum(np.exp(logs), axis=-1))
    p = weights(np.sqrt(beta) * (Y @ omega.T) + sums)
    yield equal(f.performer.update(Y, X, omega, beta=beta), p @ (weights(logs) @ X), "means")
    new = f.feature_memory.update(Y, omega, sums, beta=beta, step=1.0)
    yield equal(new + Y, p @ omega / np.sqrt(beta), "draws")


@law("feature_memory.log_sums", "feature_memory.energy", id="PE-13", over=stores(),
     kills=("log m missing", "log m twice"))
def the_energy_of_several_draws_is_at_most_their_mean(f, X, Y, omega, beta, kernel):
    """The kernel is a mean over draws, so that the energy is too high on average: E(w_1, ..., w_m)
    <= mean of E(w_j), and equal draws count as one."""
    def energy(omega):
        sums = f.feature_memory.log_sums(X, omega, beta=beta, kernel=kernel)
        return f.feature_memory.energy(Y, omega, sums, beta=beta)
    single = [energy(w[None]) for w in omega]
    yield at_most(energy(omega), sum(single) / len(single), "mean")
    yield equal(energy(omega[[0, 0, 0]]), single[0], "equal draws")
