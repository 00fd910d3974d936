"""Laws of separation maps: softmax and its potential, the sparse maps, the k largest."""
import itertools

import numpy as np

from hopref import maps
from hopref.check.cases.draws import betas, sampled
from hopref.check.cases.scores import alphas, chosen, gammas, led, scores
from hopref.check.laws import at_most, equal, holds, law

CLEAR = 0.05        # an entry far enough from 0 for its slope to be known
LEVEL = 2.0**40     # a shift of scores in eighths that float64 holds exactly
SHORT = 15 / 16     # of a margin
SPARSE = ("maps.sparsemax", "maps.entmax", "maps.normmax")


def options_of(f, alpha, gamma=2.0):
    """The option that the judged map has."""
    return {"maps.entmax": {"alpha": alpha}, "maps.normmax": {"gamma": gamma}}.get(f.subject, {})


# -- thresholds ------------------------------------------------------------------------------------

@law("maps.entmax_threshold", "maps.sparsemax", "maps.entmax", id="FY-1",
     over=scores(beta=betas, alpha=alphas),
     kills=("beta ignored", "threshold of beta z", "threshold of the lowest entry"))
def entries_are_powers_of_their_distance_from_the_threshold(f, z, beta, alpha):
    """p_i^(alpha - 1) = (alpha - 1) beta z_i - tau inside the support, and <= 0 outside of it."""
    alpha = 2.0 if f.subject == "maps.sparsemax" else alpha
    tau = f.maps.entmax_threshold(z, beta=beta, alpha=alpha)
    p = f(z, beta=beta, **options_of(f, alpha)) if f.subject in SPARSE \
        else f.maps.entmax(z, beta=beta, alpha=alpha)
    height = (alpha - 1) * (beta * z) - tau[..., None]
    for i in np.ndindex(p.shape):
        if p.value[i] > CLEAR:
            yield equal(np.exp((alpha - 1) * np.log(p[i])), height[i], "inside")
        elif p.value[i] == 0:
            yield at_most(height[i], 0.0, "outside")


# -- softmax --------------------------------------------------------------------------------------

@law("maps.softmax", id="MH-2", over=scores(beta=betas),
     kills=("beta ignored", "beta applied twice", "beta outside the softmax",
            "softmax of z without normalisation", "softmax over the first axis"))
def softmax_is_the_normalised_exponential(f, z, beta):
    """p_i = exp(beta (z_i - max z)) / sum_j exp(beta (z_j - max z))."""
    e = np.exp(beta * (z - np.max(z, axis=-1, keepdims=True)))
    yield equal(f(z, beta=beta), e / np.sum(e, axis=-1, keepdims=True))


@law("maps.softmax", id="MH-2", over=scores(beta=betas),
     kills=("exponentials without subtracting the maximum", "beta ignored"))
def a_shift_of_the_scores_changes_no_weight_and_beta_may_be_anything(f, z, beta):
    """softmax(z + c) = softmax(z); at 1e300 all weight is on the largest scores, equally."""
    yield equal(f(z.value + LEVEL, beta=beta), f(z, beta=beta), "shifted")
    best = 1.0 * (z.value == np.max(z.value, axis=-1, keepdims=True))
    yield equal(f(z, beta=1e300), best / np.sum(best, axis=-1, keepdims=True), "beta 1e300")
    even = np.full_like(z.value, 1 / z.value.dtype.type(z.shape[-1]))
    yield equal(f(z * 2.0**500, beta=1e-300), f(z * 2.0**500 * 1e-300), "beta 1e-300")
    yield equal(f(z, beta=1e-300), even, "beta 1e-300 of moderate scores")


@law("maps.logsumexp", "maps.softmax", id="MH-1", over=scores(beta=betas),
     kills=("log sum exp not divided by beta", "maximum subtracted and not added again",
            "beta ignored"))
def softmax_is_the_gradient_of_log_sum_exp(f, z, beta):
    """max z <= lse(z) <= max z + log(n)/beta, and lse(z) - lse(z') lies between p'.(z - z') and
    p.(z - z'), as the values of a convex function with the gradient p do."""
    lse, top, n = f.maps.logsumexp(z, beta=beta), np.max(z, axis=-1), float(z.shape[-1])
    yield at_most(top, lse)
    yield at_most(lse, top + np.log(np.longdouble(n)) / beta)
    p, other = f.maps.softmax(z, beta=beta), z[::-1]
    rise = lse - f.maps.logsumexp(other, beta=beta)
    yield at_most(rise, np.sum(p * (z - other), axis=-1), "above")
    yield at_most(np.sum(p[::-1] * (z - other), axis=-1), rise, "below")


@law("maps.softmax", "maps.logsumexp", *SPARSE, id="AT-1, FY-1", over=scores(beta=betas),
     kills=("hidden entries zeroed after the softmax", "hidden entries zeroed after the map",
            "maximum subtracted and not added again"))
def a_hidden_score_is_a_deleted_one(f, z, beta):
    """Weights without the first score are those of the others; -inf hides as a mask does."""
    shown, n = np.broadcast_to(np.arange(z.shape[-1]) != 0, z.shape).copy(), z.shape[-1]
    gone = np.where(shown, z, -np.inf)
    if f.subject == "maps.logsumexp":
        yield equal(f(gone, beta=beta), f(z[:, 1:], beta=beta) if n > 1 else -np.inf)
        return
    p = f(z, beta=beta, where=shown)
    yield equal(p[:, 0], 0.0)
    yield equal(f(gone, beta=beta), p)
    if n > 1:
        yield equal(p[:, 1:], f(z[:, 1:], beta=beta))


# -- sparse maps ----------------------------------------------------------------------------------

@law(*SPARSE, "sparse.weights", id="FY-1",
     kills=("bisection stopped early and not normalised", "beta outside the map",
            "weights of norm 1, not of sum 1"))
def sparse_weights_sum_to_one(f, *arrays, where=True, **options):
    """sum_i p_i = 1, and p_i >= 0, where nothing is hidden."""
    if where is True:
        p = f(*arrays, **options)
        yield equal(np.sum(p, axis=-1), 1.0)
        yield at_most(0.0, p)


@law(*SPARSE, id="FY-1", over=scores(beta=betas, alpha=alphas, gamma=gammas),
     kills=("map over the first axis",))
def a_larger_score_has_no_smaller_weight(f, z, beta, alpha, gamma):
    """p_i >= p_j where z_i > z_j."""
    p = f(z, beta=beta, **options_of(f, alpha, gamma))
    larger = z.value[..., :, None] > z.value[..., None, :]
    yield at_most(np.where(larger, p[..., None, :], 0.0), np.where(larger, p[..., :, None], 0.0))


@law("maps.sparsemax", id="FY-1", over=scores(beta=betas),
     kills=("a sparse mode that runs softmax", "beta outside the map",
            "clipped scores divided by their sum"))
def sparsemax_is_the_nearest_point_of_the_simplex(f, z, beta):
    """(beta z - p).(e_i - p) <= 0 for every vertex e_i."""
    p = f(z, beta=beta)
    away = beta * z - p
    yield at_most(away, np.sum(away * p, axis=-1)[..., None])


@law("maps.sparsemax", "maps.entmax", id="FY-1",
     kills=("a sparse mode that runs softmax", "alpha ignored", "beta ignored",
            "scores not multiplied by alpha - 1", "beta outside the map"))
def scores_are_the_slopes_of_the_regulariser(f, z, *, beta=1.0, alpha=1.5, where=True, **options):
    """p_i^(alpha-1) - p_j^(alpha-1) = (alpha - 1) beta (z_i - z_j) for entries above 0."""
    given = options_of(f, alpha)
    a = given.get("alpha", 2.0) - 1
    if where is not True or not z.size or a == 0:
        return
    p = f(z, beta=beta, **given, **options)
    clear, top = p.value > CLEAR, np.argmax(p.value, axis=-1)[..., None]
    level = a * beta * z - np.where(clear, p, 1.0) ** a
    highest = np.take_along_axis(level, top, axis=-1)
    yield equal(np.where(clear, level, highest), highest)


@law("maps.normmax", id="FY-1", over=scores(beta=betas),
     kills=("sparsemax in place of normmax", "beta outside the map", "beta ignored"))
def normmax_has_its_scores_for_gradient_of_the_norm(f, z, beta):
    """beta z_i - p_i / |p| is the same tau on the support, and beta z_i <= tau elsewhere."""
    p = f(z, beta=beta)
    height = p / np.sqrt(np.sum(p * p, axis=-1, keepdims=True))
    level, clear = beta * z - height, p.value > CLEAR
    top = np.argmax(p.value, axis=-1)[..., None]
    tau = np.take_along_axis(level, top, axis=-1)
    yield equal(np.where(clear, level, tau), tau)
    yield at_most(np.where(p.value > 0, tau, beta * z), tau)


@law("maps.entmax", id="FY-1", over=scores(beta=betas),
     kills=("uniform weights at alpha = 1", "alpha ignored"))
def entmax_of_alpha_one_is_softmax(f, z, beta):
    """entmax_1 = softmax; and entmax of 1 + 2^-40 differs from it by its first order at most.

    The logarithms of both differ by (alpha - 1) (log p_i)^2 and its mean, to first order.
    """
    p = f.exact(maps.softmax, z, beta=beta)
    yield equal(f(z, beta=beta, alpha=1.0), p)
    near, p = 2.0**-40, f.exact(maps.softmax, z)
    if 1 / near > f.profile.most:           # the exponent of the map, 1 / (alpha - 1)
        return
    depth = np.max(z, axis=-1, keepdims=True) - z + np.log(np.longdouble(z.shape[-1]))
    away = np.abs(f(z, alpha=1 + near) - p)
    yield at_most(away, p * (2 * near * (1 + depth) ** 2))


@law("maps.entmax", "maps.sparsemax", id="FY-1", over=scores(beta=betas, alpha=alphas),
     kills=("scores in single precision before the largest is subtracted",))
def the_level_of_the_scores_is_irrelevant(f, z, beta, alpha):
    """A map of z + c is that of z, where the format holds both."""
    if f.profile.u * LEVEL > 0.125:
        return
    how = {"beta": beta} | options_of(f, alpha)
    yield equal(f(z.value + LEVEL, **how), f(z, **how))


@law(*SPARSE, id="FY-1", over=scores(beta=betas, alpha=alphas, gamma=gammas),
     kills=("beta outside the map", "beta ignored", "alpha ignored", "gamma ignored"))
def beta_multiplies_the_scores(f, z, beta, alpha, gamma):
    """The map of 4 z at beta is that of z at 4 beta, and of the given alpha or gamma."""
    how = options_of(f, alpha, gamma)
    yield equal(f(4 * z, beta=beta, **how), f(z, beta=4 * beta, **how))
    own = {"maps.entmax": maps.entmax, "maps.normmax": maps.normmax}
    if how:
        yield equal(f(z, beta=beta, **how), f.exact(own[f.subject], beta * z, **how))


@law(*SPARSE, id="FY-5", over=led(),
     kills=("a sparse mode that runs softmax", "scores not multiplied by alpha - 1",
            "alpha ignored"))
def a_margin_makes_a_vertex_and_less_does_not(f, z, beta, alpha, i):
    """The largest score has the weight 1 if it leads by m/beta, and less at 15/16 of it.

    m = 1/(alpha - 1) for entmax, 1 for sparsemax and normmax; all of these are powers of two.
    """
    how = {"beta": beta} | options_of(f, alpha)
    m = 1 / ((alpha if "alpha" in how else 2.0) - 1) / beta
    vertex = 1.0 * (np.arange(z.shape[-1]) == i)
    yield equal(f(z.value + m * vertex, **how), vertex + 0 * z)
    yield holds(f(z.value + SHORT * m * vertex, **how)[:, i] < 1, "less than the margin")


# -- k of n ---------------------------------------------------------------------------------------

@law("maps.k_subsets", "sparse.k_subsets_weights", id="FY-1",
     kills=("k times the map of one",))
def no_entry_is_chosen_more_than_once(f, *arrays, k, where=True, **options):
    """0 <= mu_i <= 1."""
    mu = f(*arrays, k=k, **options, **({} if where is True else {"where": where}))
    yield at_most(mu, 1.0)
    yield at_most(0.0, mu)


@law("maps.k_subsets", id="FY-1", over=chosen(),
     kills=("k times the map of one", "indicator of the k largest"))
def k_subsets_is_the_nearest_mean_of_subsets(f, z, beta, k):
    """(beta z - mu).(s - mu) <= 0 for the indicator s of every k entries; sum_i mu_i = k."""
    mu = f(z, beta=beta, k=k)
    yield equal(np.sum(mu, axis=-1), float(k))
    away = beta * z - mu
    reached = np.sum(away * mu, axis=-1)
    for subset in itertools.combinations(range(z.shape[-1]), k):
        yield at_most(np.sum(away[:, list(subset)], axis=-1), reached)


@law("maps.k_subsets", id="FY-1", over=chosen(), kills=("indicator of the k largest",
                                                        "beta ignored"))
def subsets_of_one_are_sparsemax(f, z, beta, k):
    """The hypersimplex of k = 1 is the simplex."""
    yield equal(f(z, beta=beta, k=1), f.exact(maps.sparsemax, z, beta=beta))


@law("maps.k_subsets", id="FY-5", over=chosen(), kills=("k times the map of one",))
def a_margin_of_one_chooses_the_k_best(f, z, beta, k):
    """Where k scores lead all others by 1/beta, these have the weight 1 and the others 0."""
    best = np.argsort(-z.value, axis=-1, kind="stable")[:, :k]
    led = np.zeros(z.shape)
    np.put_along_axis(led, best, 2.0 * np.arange(k, 0, -1) / beta, -1)
    yield equal(f(led, beta=beta, k=k), 1.0 * (led > 0))


@law("maps.top_k", id="NP-3", over=chosen(elements=sampled([-1.0, 0.0, 0.5, 2.0])),
     kills=("0 for the scores left out", "all scores that tie with the k-th", "k ignored",
            "of equal scores the last", "beta ignored"))
def top_k_is_the_softmax_of_the_k_largest_and_the_first_of_equals(f, z, beta, k):
    """p = softmax(beta z) over the first k scores in descending order, those of lower index first.
    """
    best = np.argsort(-z.value, axis=-1, kind="stable")[:, :k]
    kept = np.zeros(z.shape, bool)
    np.put_along_axis(kept, best, True, -1)
    yield equal(f(z, beta=beta, k=k), f.exact(maps.softmax, z, beta=beta, where=kept))


@law("maps.top_k", "maps.k_subsets", id="NP-3", over=chosen(),
     kills=("0 for the scores left out", "k times the map of one",
            "hidden entries zeroed after the map"))
def where_no_more_than_k_are_visible_all_are_chosen(f, z, beta, k):
    """k-subsets give each visible entry 1, the k largest of them are their softmax."""
    shown = np.broadcast_to(np.arange(z.shape[-1]) < k, z.shape).copy()
    hidden = np.where(shown, z, -np.inf)
    want = f.exact(maps.softmax, hidden, beta=beta) if f.subject == "maps.top_k" else 1.0 * shown
    yield equal(f(hidden, beta=beta, k=k), want, "-inf")
    yield equal(f(z, beta=beta, k=k, where=shown), want, "masked")
