"""Laws of the memory of random features: what is stored, the exact decrease, symmetries."""
import numpy as np

from hopref.check.cases.draws import arrays, composed, eighths, integers, sampled
from hopref.check.laws import equal, law
from hopref.check.laws.modern import square

__all__ = []

betas = sampled([0.0625, 0.25, 1.0, 4.0])         # whose roots are exact


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


@law("feature_memory.log_sums", id="PE-1, DR-2", over=stores(),
     kills=("log m missing", "log m twice", "the other kernel", "features of beta x"))
def one_pattern_is_stored_as_the_log_of_its_features(f, X, Y, omega, beta, kernel):
    """log T_j = sqrt(beta) w_j.x - c beta |x|^2 - ln m for a single pattern x."""
    x, share = X[:1], {"exponential": 0.5, "gaussian": 1.0}[kernel]
    want = np.sqrt(beta) * np.sum(omega * x, axis=-1) - share * beta * square(x)
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
