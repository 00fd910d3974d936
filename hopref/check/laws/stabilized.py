"""Laws of the Performer as published: stabilisers, guards and kernel epsilons."""
import numpy as np

from hopref.check.cases.draws import sampled
from hopref.check.cases.projected import projected, projected_heads
from hopref.check.laws import equal, law
from hopref.check.laws.linear_attention import weighed
from hopref.check.laws.performer import features_of, kernel, root_of, square

ACTIVATIONS = {"relu": lambda u: np.maximum(u, 0.0), "abs": np.abs, "identity": lambda u: u,
               "sigmoid": lambda u: 1 / (1 + np.exp(-u))}
POSITIVE = ("positive",)
EPSILONS = sampled([0.0, 2.0**-20, 0.5])


def published(x, omega, beta, eps, axis):
    """(exp(u - |x|^2/2 - max u) + eps) / sqrt(m) for u = sqrt(beta) omega x."""
    x = np.sqrt(np.longdouble(beta)) * x
    u = x @ omega.T
    top = np.max(u, axis=axis, keepdims=True)
    return (np.exp(u - square(x) / 2 - top) + eps) / np.sqrt(np.longdouble(len(omega)))


@law("performer.stabilized_features", id="PF-1",
     over=projected(POSITIVE, eps=EPSILONS, over=sampled(["row", "all"])),
     kills=("maximum taken after the norm is subtracted", "1/sqrt(m) missing",
            "maximum over the rows, not the features", "eps in the exponent", "eps ignored"))
def stabilised_features_take_the_maximum_before_the_norm_and_add_eps_last(
        f, xi, X, omega, beta, features, eps, over):
    """phi(x) = (exp(u - beta |x|^2 / 2 - max u) + eps) / sqrt(m)."""
    axis = -1 if over == "row" else (-2, -1)
    yield equal(f(X, omega, beta=beta, eps=eps, over=over), published(X, omega, beta, eps, axis))


@law("performer.stabilized_features", id="PF-1", over=projected(POSITIVE, eps=EPSILONS),
     kills=("maximum taken after the norm is subtracted", "1/sqrt(m) missing"))
def the_largest_feature_of_a_row_depends_on_its_norm_alone(
        f, xi, X, omega, beta, features, eps):
    """max sqrt(m) phi - eps = exp(-beta |x|^2 / 2), whatever the draw."""
    phi = f(X, omega, beta=beta, eps=eps)
    largest = np.exp(-np.longdouble(beta) * square(X)[:, 0] / 2) + eps
    yield equal(np.max(phi, axis=-1), largest / np.sqrt(np.longdouble(len(omega))))


@law("performer.stabilized_attention", id="PF-1", over=projected_heads(POSITIVE),
     kills=("stabiliser per key", "scale applied twice", "scale missing", "padding masks V only",
            "scale argument ignored", "scale 1/d in place of 1/sqrt(d)"))
def without_eps_every_shift_cancels(f, Q, K, V, omega, features, mask, scale):
    """At eps = 0 it is attention by positive features."""
    estimate = kernel("positive", Q, K, omega, root_of(K) if scale is None else scale)
    Z = f(Q, K, V, omega, scale=scale, mask=mask, eps=0.0)
    yield equal(Z, weighed(np.where(mask, estimate, 0.0), V))


@law("performer.stabilized_attention", id="PF-1", over=projected_heads(POSITIVE, eps=EPSILONS),
     kills=("maximum over hidden keys too", "padding masks V only"))
def a_hidden_key_has_no_effect_on_the_stabiliser(f, Q, K, V, omega, features, mask, scale, eps):
    """Z(K; mask) = Z(visible K), for hidden keys of any length."""
    longer = np.where(mask[:, None], K, 64 * K)
    yield equal(f(Q, longer, V, omega, scale=scale, mask=mask, eps=eps),
                f(Q, K[mask], V[mask], omega, scale=scale, eps=eps))


@law("performer.stabilized_attention", id="PF-1", over=projected_heads(
    POSITIVE, (0.25, 2.0), eps=sampled([4.0, 2.0**30])),
    kills=("eps ignored", "eps in the denominator only"))
def eps_draws_every_row_to_the_mean_of_the_values(f, Q, K, V, omega, features, mask, scale, eps):
    """sqrt(m) phi lies in [eps, 1 + eps], so that no weight differs from another by a factor above
    (1 + 1/eps)^2: |Z - mean| <= ((1 + 1/eps)^2 - 1) max |v - mean|."""
    mean = np.mean(V, axis=0)
    spread = np.max(np.abs(V - mean), axis=0)
    away = np.abs(f(Q, K, V, omega, scale=scale, eps=eps) - mean)
    bound = ((1 + 1 / np.longdouble(eps)) ** 2 - 1) * spread
    yield equal(np.maximum(away, bound), bound)


@law("performer.stabilized_attention", id="PF-2", over=projected_heads(
    POSITIVE, (0.25, 2.0), eps=sampled([0.0, 0.5]), factor=sampled([0.75, 1.5, 4.0])),
    kills=("guard added once", "guard added to every denominator", "guard ignored"))
def a_guard_counts_twice_where_the_denominator_is_within_it(
        f, Q, K, V, omega, features, mask, scale, eps, factor):
    """D grows by twice the guard where |D| <= guard, and nowhere else."""
    q, k = published(Q, omega, scale, eps, -1), published(K, omega, scale, eps, (-2, -1))
    A = q @ k.T
    D = np.sum(A, axis=-1, keepdims=True)
    guard = factor * float(np.sort(D.value, axis=None)[len(D) // 2])
    if np.all(np.abs(D.value - guard) > 1e-3 * D.value):        # else rounding may decide
        Z = f(Q, K, V, omega, scale=scale, eps=eps, guard=guard)
        yield equal(Z, A @ V / np.where(D.value <= guard, D + 2 * guard, D))


@law("performer.generalized_attention", id="PF-3", over=projected_heads(
    POSITIVE, eps=sampled([2.0**-10, 0.5]), activation=sampled(["relu", "abs", "sigmoid"])),
    kills=("eps inside the activation", "1/sqrt(m) before eps is added", "eps ignored",
           "activation ignored, always relu", "scale d^(-1/2) in place of d^(-1/4)",
           "padding masks V only", "a sigmoid for ReLU"))
def generalised_attention_weighs_by_activations_of_projections(
        f, Q, K, V, omega, features, mask, scale, eps, activation):
    """phi(x) = f(s omega x) + eps, s = d^(-1/4) by default."""
    s = np.sqrt(root_of(K)) if scale is None else scale
    q, k = (ACTIVATIONS[activation](s * (x @ omega.T)) + eps for x in (Q, K))
    Z = f(Q, K, V, omega, activation=activation, scale=scale, eps=eps, mask=mask)
    yield equal(Z, weighed(np.where(mask, q @ k.T, 0.0), V))


@law("performer.generalized_attention", id="PF-3", over=projected_heads(POSITIVE),
     kills=("eps 1e-3 where 0 is given", "a sigmoid for ReLU"))
def without_eps_generalised_relu_attention_has_no_temperature(
        f, Q, K, V, omega, features, mask, scale):
    """It is attention by ReLU features, at every scale."""
    estimate = features_of("relu", Q, omega, 1.0) @ features_of("relu", K, omega, 1.0).T
    Z = f(Q, K, V, omega, scale=scale, eps=0.0, mask=mask)
    yield equal(Z, weighed(np.where(mask, estimate, 0.0), V))
