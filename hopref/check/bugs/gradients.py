"""Bugs of vector-Jacobian products: of any rule, of maps, of continuous and dense networks."""
import numpy as np

from hopref import maps
from hopref.check.bugs import bug, named, run, wrong_call
from hopref.check.tolerance.differences import differentiated
from hopref.dispatch.operation import gradient_of, load
from hopref.gradients import maps as gradients
from hopref.gradients import modern
from hopref.maps import outer
from hopref.models import modern as rules

__all__ = []


# -- a derivative that is left out, of every rule -------------------------------------------------

NONE = {("epanechnikov.update", "beta")}        # rules that are piecewise constant in an argument


def gradients_by_argument():
    """{argument: the gradients that hold a derivative with respect to it}."""
    found = {}
    for rule in load().values():
        for k in differentiated(rule) if gradient_of(rule) else ():
            if (rule.name, k) in NONE:
                continue
            found.setdefault(k, []).append(gradient_of(rule).name)
    return found


def treated_as_a_constant(k, subjects):
    """Declare the bug that the derivative with respect to one argument is 0."""
    @wrong_call(f"{k} treated as a constant", *subjects)
    def constant(op, given):
        found, rule = run(op, given), load()[op.name.removeprefix("gradients.")]
        if not isinstance(found, tuple):
            return np.zeros_like(found)
        return tuple(np.zeros_like(d) if name == k else d
                     for name, d in zip(differentiated(rule), found, strict=True))
    return constant


CONSTANTS = [treated_as_a_constant(k, subjects) for k, subjects in gradients_by_argument().items()]


# -- maps -----------------------------------------------------------------------------------------

def by_scores(w, z, p, beta):
    """The derivatives with respect to scores and beta, from that with respect to their product."""
    return beta * w, np.sum(w * np.where(p > 0, z, 0))


@bug("diag(p) without - p p^T", "gradients.maps.softmax")
def softmax_without_the_mean(g, z, /, *, beta=1.0, bias=0.0, **options):
    p = maps.softmax.formula(z, beta=beta, bias=bias, **options)
    dz, dbeta = by_scores(p * g, z, p, beta)
    return dz, p * g, dbeta


@wrong_call("beta in the derivative with respect to the bias", "gradients.maps.softmax")
def bias_scaled_by_beta(op, given):
    dz, dbias, dbeta = run(op, given)
    return dz, given["beta"] * dbias, dbeta


@bug("mean over all entries, not over the support", "gradients.maps.sparsemax")
def mean_over_everything(g, z, /, *, beta=1.0, **options):
    p = maps.sparsemax.formula(z, beta=beta, **options)
    return by_scores((p > 0) * (g - np.mean(g, axis=-1, keepdims=True)), z, p, beta)


@wrong_call("Jacobian of softmax, whatever alpha", "gradients.maps.entmax")
def entmax_as_softmax(op, given):
    rest = {k: x for k, x in given.items() if k not in ("g", "z")}
    p = maps.entmax.formula(given["z"], **rest)
    w = p * (given["g"] - np.sum(p * given["g"], axis=-1, keepdims=True))
    return *by_scores(w, given["z"], p, given["beta"]), run(op, given)[2]


@wrong_call("d/dalpha of powers that are not normalised", "gradients.maps.entmax")
def alpha_not_normalised(op, given):
    rest = {k: x for k, x in given.items() if k not in ("g", "z")}
    p = maps.entmax.formula(given["z"], **rest)
    slope = gradients.power_remainder(p, 1, given["alpha"] - 1)
    return *run(op, given)[:2], -np.sum(given["g"] * slope)


@bug("Jacobian of sparsemax on the support of normmax", "gradients.maps.normmax")
def normmax_as_sparsemax(g, z, /, *, beta=1.0, gamma=2.0, **options):
    p = maps.normmax.formula(z, beta=beta, gamma=gamma, **options)
    return *by_scores(gradients.jacobian_product(1.0 * (p > 0), g), z, p, beta), np.zeros(())


@bug("entries that are clipped to 1 take part", "gradients.maps.k_subsets")
def k_subsets_through_the_bounds(g, z, /, *, k, beta=1.0, **options):
    mu = maps.k_subsets.formula(z, k=k, beta=beta, **options)
    return by_scores(gradients.jacobian_product(1.0 * (mu > 0), g), z, mu, beta)


@bug("gradient of the softmax of all scores", "gradients.maps.top_k")
def top_k_through_all_scores(g, z, /, *, k, beta=1.0, **options):
    dz, _, dbeta = gradients.softmax.formula(g, z, beta=beta, **options)
    return dz, dbeta


# -- modern networks ------------------------------------------------------------------------------

def terms(g, xi, X, beta):
    """The weights p, the cotangents w of beta times the scores, and the derivative in beta."""
    p = maps.softmax.formula(xi @ X.T, beta=beta)
    w = gradients.jacobian_product(p, g @ X.T)
    return p, w, np.sum(w * (xi @ X.T))


@bug("no beta before the Jacobian", "gradients.modern.update")
def without_beta(g, xi, X, /, *, beta=1.0):
    p, w, dbeta = terms(g, xi, X, beta)
    return w @ X, outer(p, g) + outer(w, xi), dbeta


@bug("X^T diag(p) X without - p p^T", "gradients.modern.update")
def without_p_p(g, xi, X, /, *, beta=1.0):
    p = maps.softmax.formula(xi @ X.T, beta=beta)
    w = p * (g @ X.T)
    return beta * w @ X, outer(p, g) + beta * outer(w, xi), np.sum(w * (xi @ X.T))


@bug("1/sqrt(d) of attention on top of beta", "gradients.modern.update")
def over_root_d(g, xi, X, /, *, beta=1.0):
    p, w, dbeta = terms(g, xi, X, beta)
    c = beta / np.sqrt(X.shape[1])
    return c * w @ X, outer(p, g) + c * outer(w, xi), dbeta


@bug("patterns as values, not as keys", "gradients.modern.update")
def patterns_as_values(g, xi, X, /, *, beta=1.0):
    p, w, dbeta = terms(g, xi, X, beta)
    return beta * w @ X, outer(p, g), dbeta


@bug("patterns as keys, not as values", "gradients.modern.update")
def patterns_as_keys(g, xi, X, /, *, beta=1.0):
    p, w, dbeta = terms(g, xi, X, beta)
    return beta * w @ X, beta * outer(w, xi), dbeta


@bug("state and cotangent exchanged in the outer products", "gradients.modern.update")
def outer_products_exchanged(g, xi, X, /, *, beta=1.0):
    p, w, dbeta = terms(g, xi, X, beta)
    return beta * w @ X, outer(p, xi) + beta * outer(w, g), dbeta


@wrong_call("f - xi in place of xi - f", "gradients.modern.energy")
def step_for_the_slope(op, given):
    dxi, *rest = run(op, given)
    return -dxi, *rest


@wrong_call("M treated as a constant", "gradients.modern.energy")
def longest_as_a_constant(op, given):
    p = rules.weights.formula(given["xi"], given["X"], beta=given["beta"])
    dxi, _, dbeta = run(op, given)
    return dxi, -outer(p, given["g"][..., None] * given["xi"]), dbeta


@wrong_call("gradient through components of the state that are cut",
            "gradients.modern.thresholded_update")
def state_straight_through(op, given):
    side, _ = named(op, "side", given)
    xi, X = side(given["xi"], given["theta"]), side(given["X"], given["theta"])
    p = maps.softmax.formula(xi @ X.T, beta=given["beta"])
    w = gradients.jacobian_product(p, given["g"] @ given["X"].T)
    return given["beta"] * w @ X, *run(op, given)[1:]


RULES = ("modern.update", "modern.weights", "sparse.update", "sparse.normmax_update",
         "structured.update")
READ = ("sparse.update", "sparse.normmax_update", "sparse.k_subsets_update", "structured.update",
        "performer.update")


@wrong_call("beta missing in the gradient of the state", *(f"gradients.{k}" for k in RULES))
def state_without_beta(op, given):
    dxi, *rest = run(op, given)
    return dxi / given["beta"], *rest


def by_values(op, given):
    """The part of the gradient of the patterns that they have as values."""
    name = op.name.removeprefix("gradients.").replace("update", "weights")
    rest = {k: x for k, x in given.items() if k != "g"}
    return outer(run(load()[name], rest), given["g"])


@wrong_call("patterns as values, not as keys", *(f"gradients.{k}" for k in READ))
def values_alone(op, given):
    dxi, _, *rest = run(op, given)
    return dxi, by_values(op, given), *rest


@wrong_call("patterns as keys, not as values", *(f"gradients.{k}" for k in READ))
def keys_alone(op, given):
    dxi, dX, *rest = run(op, given)
    return dxi, dX - by_values(op, given), *rest


@bug("last step only, the state before it a constant", "gradients.modern.fixed_point")
def fixed_point_by_one_step(g, xi, X, /, *, beta=1.0):
    return modern.update.formula(g, xi, X, beta=beta)[1:]


@bug("I + J in place of I - J", "gradients.modern.fixed_point")
def fixed_point_of_another_sign(g, xi, X, /, *, beta=1.0):
    J = rules.jacobian.formula(xi, X, beta=beta).astype(float)
    lam = np.linalg.solve(np.eye(X.shape[1]) + J, np.asarray(g, float)[..., None])[..., 0]
    return modern.update.formula(lam, xi, X, beta=beta)[1:]


# -- the other networks ---------------------------------------------------------------------------

@wrong_call("threshold added, not subtracted", "gradients.graded.update")
def threshold_added(op, given):
    dxi, dW, db, *rest = run(op, given)
    return dxi, dW, -db, *rest


@wrong_call("z^(n-1) without the n", "gradients.dense.energy")
def without_the_degree(op, given):
    return tuple(d / given["n"] for d in run(op, given))


@bug("gradient of the softmax rule", "gradients.sparse.update")
def sparse_update_by_softmax(g, xi, X, /, *, beta=1.0, alpha=1.5):
    return *modern.update.formula(g, xi, X, beta=beta), np.zeros(())


@wrong_call("xi - f of the softmax rule", "gradients.sparse.energy")
def sparse_energy_by_softmax(op, given):
    f = rules.update.formula(given["xi"], given["X"], beta=given["beta"])
    return given["g"][..., None] * (given["xi"] - f), *run(op, given)[1:]


# -- digits ---------------------------------------------------------------------------------------

@bug("p (a - p.a) for the entry of most weight too", "gradients.modern.update",
     benign="automatic differentiation computes it so")
def by_a_difference(g, xi, X, /, *, beta=1.0):
    g, xi, X = (np.asarray(a, float) for a in (g, xi, X))
    p, a = maps.softmax.formula(xi @ X.T, beta=beta), g @ X.T
    w = p * (a - np.sum(p * a, axis=-1, keepdims=True))
    return beta * w @ X, outer(p, g) + beta * outer(w, xi), np.sum(w * (xi @ X.T))


@wrong_call("d/dalpha by a quotient that cancels near 1", "gradients.maps.entmax")
def alpha_by_a_quotient(op, given):
    """(p - q)/(alpha - 1)^2 - (p ln p - q sum p ln p)/(alpha - 1), in float64."""
    a = given["alpha"] - 1
    if a == 0:
        return None
    rest = {k: x for k, x in given.items() if k not in ("g", "z")}
    p = np.asarray(maps.entmax.formula(np.asarray(given["z"], float), **rest), float)
    q, plogp = maps.raised(p, 1 - a), maps.raised_log(p, 1)
    q = q / np.sum(q, axis=-1, keepdims=True)
    dp = (p - q) / a**2 - (plogp - q * np.sum(plogp, axis=-1, keepdims=True)) / a
    return *run(op, given)[:2], np.sum(given["g"] * dp)
