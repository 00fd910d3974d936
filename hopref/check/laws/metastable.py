"""Laws of groups of similar patterns, and of the number of patterns that a state mixes."""
import numpy as np

from hopref.check.cases.adversaries import crowds, groups, metastable, norms
from hopref.check.laws import at_most, equal, law
from hopref.check.laws.retrieval import spectral


@law("theory.group_error_bound", id="MH-11", over=groups(),
     kills=("gamma M in place of 2 gamma M", "the weight of the others dropped",
            "half the distance of the first member"))
def one_update_ends_near_the_mean_of_a_group(f, xi, X, others, beta):
    """|f(xi) - mean| <= m_max + 2 gamma M, with equality for x against -x."""
    every, mean = np.concatenate([X, others], axis=0), np.mean(X, axis=0)
    miss = norms(f.modern.update(xi, every, beta=beta) - mean)
    yield at_most(miss, f(xi, X, others, beta=beta))
    x = X[:1]
    new = f.modern.update(xi, np.concatenate([x, -x], axis=0), beta=beta)
    yield equal(f(xi, x, -x, beta=beta), norms(new - x), "attained")


@law("theory.group_jacobian_bound", id="MH-11", over=groups(),
     kills=("gamma M^2 in place of 2 gamma (2 - gamma) M^2", "the weight of the others dropped"))
def the_slope_where_a_group_leads_is_within_the_bound(f, xi, X, others, beta):
    """|J| <= beta ((1 - gamma) m_max^2 + 2 gamma (2 - gamma) M^2)."""
    J = f.modern.jacobian(xi, np.concatenate([X, others], axis=0), beta=beta)
    yield at_most(spectral(J), f(xi, X, others, beta=beta))


@law("theory.group_separation", id="MH-11", over=groups(),
     kills=("the first member in place of the mean",))
def a_group_is_separated_by_its_mean(f, xi, X, others, beta):
    """mean.mean - max_j mean.o_j."""
    mean = np.mean(X, axis=0)
    yield equal(f(X, others), np.sum(mean * mean) - np.max(others @ mean))


@law("theory.group_sphere", id="MH-11", over=metastable(),
     kills=("the logarithm dropped", "radius 1 / m_max"))
def the_sphere_of_a_separated_group_is_mapped_into_itself_without_expansion(f, xi, X, others, beta):
    """Radius 1/(beta m_max); where the group is separated f maps the sphere into itself and does
    not part two states of it."""
    radius, required = f(X, others, beta=beta)
    mean, every = np.mean(X, axis=0), np.concatenate([X, others], axis=0)
    spread, M = np.max(norms(X - mean)), np.max(norms(every))
    yield equal(radius * beta * spread, 1.0, "radius")
    size = 2 * beta * len(others) * M * np.maximum(spread, 2 * M)
    log = np.log((1 - beta * spread * spread) / size)
    yield equal(required, 2 * M * radius - log / beta, "required separation")
    apart = f.theory.group_separation(X, others)
    if float(apart.value) < float(required.value) or float(np.max(
            norms(xi - mean)).value) > float(radius.value):
        return
    after = f.modern.update(xi, every, beta=beta)
    yield at_most(norms(after - mean), radius, "kept")
    yield at_most(norms(after[0] - after), norms(xi[0] - xi), "together")


@law("theory.effective_patterns", id="MH-11", over=crowds(),
     kills=("1 / sum p^2", "2 to the entropy in nats", "beta ignored"))
def the_effective_number_is_the_exponential_of_the_entropy(f, xi, X, beta):
    """exp(-sum p log p), from 1 to n."""
    z = beta * (xi @ X.T)
    z = z - np.max(z, axis=-1, keepdims=True)
    log_p = z - np.log(np.sum(np.exp(z), axis=-1, keepdims=True))
    number = f(xi, X, beta=beta)
    yield equal(number, np.exp(-np.sum(np.exp(log_p) * log_p, axis=-1)))
    yield at_most(1.0, number)
    yield at_most(number, float(len(X)))
