"""Laws of retrieval over a support, from pairs, among the k best, by kernels (Hu et al. 2025)."""
import itertools

import numpy as np

from hopref import maps
from hopref.check.cases.problems import problems
from hopref.check.cases.supports import estimated, in_order, limited, listed, paired, supported
from hopref.check.laws import equal, holds, law
from hopref.check.laws.modern import square
from hopref.check.tolerance.expected import expected
from hopref.models import modern, performer, structured

DENSE = {"structured.update": modern.update, "structured.pair_update": modern.update,
         "structured.weights": modern.weights, "structured.energy": modern.energy}
BY_PAIRS = ("structured.pair_update", "structured.weights")


def read_out(f, p, X):
    """The result of the judged operation for weights p."""
    return p if f.subject == "structured.weights" else p @ X


# -- a fixed support ------------------------------------------------------------------------------

@law("structured.update", "structured.pair_update", "structured.weights", id="NP-3",
     over=supported(),
     kills=("hidden scores filled with 0", "softmax over all, then cut to the support",
            "weights dropped and rescaled as by dropout", "support ignored", "support inverted",
            "scores replaced by their signs", "1/sqrt(d) of attention on top of beta",
            "beta ignored"))
def a_support_is_the_modern_network_of_its_patterns(f, xi, X, support, beta):
    """Patterns outside a support have no effect; for an empty support the state is 0."""
    whole = f(xi, X, support, beta=beta)
    for i, seen in enumerate(support):
        got, want = whole[i], 0.0
        if f.subject == "structured.weights":
            yield equal(got[~seen], 0.0, "outside")
            got = got[seen]
        if seen.any():
            want = f.exact(DENSE[f.subject], xi[i], X[seen], beta=beta)
        yield equal(got, want)


@law(*DENSE, id="NP-2", over=problems(),
     kills=("beta ignored", "|xi|^2 in place of |xi|^2/2", "1/sqrt(d) of attention on top of beta",
            "scores replaced by their signs"))
def without_a_support_and_without_delta_it_is_the_modern_network(f, xi, X, beta):
    """The support is omitted, or a mask of True, or delta is 0."""
    want = f.exact(DENSE[f.subject], xi, X, beta=beta)
    yield equal(f(xi, X, beta=beta), want)
    yield equal(f(xi, X, np.ones((len(xi), len(X)), bool), beta=beta), want, "a mask")
    if f.subject in BY_PAIRS:
        yield equal(f(xi, X, delta=np.zeros(X.shape), beta=beta), want, "delta = 0")


@law("structured.energy", id="NP-3", over=supported(),
     kills=("energy of all patterns", "log N of all patterns", "M^2 of all patterns",
            "|xi|^2 in place of |xi|^2/2", "beta ignored"))
def the_energy_of_a_support_is_that_of_its_patterns(f, xi, X, support, beta):
    """E of a support M is the modern energy of the patterns in M, and |xi|^2/2 where M is empty."""
    E = f(xi, X, support, beta=beta)
    for i, seen in enumerate(support):
        want = f.exact(modern.energy, xi[i], X[seen], beta=beta) if seen.any() else \
            square(xi[i]) / 2
        yield equal(E[i], want)


@law("structured.energy", "structured.update", id="MH-4", over=supported(),
     kills=("hidden scores filled with 0", "weights dropped and rescaled as by dropout",
            "softmax over all, then cut to the support", "support ignored",
            "energy of all patterns"))
def a_step_in_a_support_lowers_its_energy_by_an_exact_amount(f, xi, X, support, beta):
    """E(xi) - E(xi') = |xi' - xi|^2/2 + KL(p || p')/beta, for each support its own energy."""
    some = np.any(support, axis=-1)
    if not some.any():
        return
    xi, seen = xi[some], support[some]
    new = f.structured.update(xi, X, seen, beta=beta)
    stored = f.machine(new)
    step, p = stored - xi, f.exact(structured.weights, xi, X, seen, beta=beta)
    before, after = (f.exact(maps.logsumexp, np.where(seen, x @ X.T, -np.inf), beta=beta)
                     for x in (xi, stored))
    kl = after - before - np.sum(p * (step @ X.T), axis=-1)         # over beta
    E, E_new = (f.structured.energy(x, X, seen, beta=beta) for x in (xi, stored))
    yield equal(E - E_new, square(step) / 2 + kl + np.sum((new - stored) * step, axis=-1))


# -- query-memory pairs ---------------------------------------------------------------------------

@law(*BY_PAIRS, id="NP-1", over=paired(),
     kills=("the queries x + delta are returned", "delta ignored", "delta subtracted",
            "support ignored"))
def pairs_are_found_by_their_queries_and_return_their_memories(f, xi, X, support, delta, beta):
    """As attention with keys x + delta and values x."""
    p = f.exact(maps.softmax, xi @ (X + delta).T, beta=beta, where=support)
    yield equal(f(xi, X, support, delta=delta, beta=beta), read_out(f, p, X))


@law("structured.pair_update", id="NP-1", over=paired(),
     kills=("the queries x + delta are returned", "scores by the distance from the query"))
def the_same_delta_for_every_pattern_changes_nothing(f, xi, X, support, delta, beta):
    """All scores change by delta.xi."""
    common = np.broadcast_to(delta[0].value, X.shape).copy()
    yield equal(f(xi, X, support, delta=common, beta=beta),
                f.exact(structured.update, xi, X, support, beta=beta))


@law(*BY_PAIRS, id="NP-3", over=paired(), kills=("renormalise=False ignored", "delta ignored"))
def without_renormalising_weights_outside_a_support_are_zero(f, xi, X, support, delta, beta):
    """p = softmax over all patterns, then 0 outside the support."""
    p = f.exact(maps.softmax, xi @ (X + delta).T, beta=beta)
    p = np.where(support, p, 0.0)
    yield equal(f(xi, X, support, delta=delta, beta=beta, renormalise=False), read_out(f, p, X))


# -- the k best -----------------------------------------------------------------------------------

@law("structured.top_k_update", id="NP-3", over=limited(),
     kills=("hidden scores filled with 0", "k ignored", "the k largest |scores|",
            "the k smallest scores", "all scores that tie with the k-th", "beta ignored"))
def top_k_retrieves_from_the_k_largest_scores_and_the_first_of_equals(f, xi, X, k, beta):
    """The modern network of the k patterns of largest score, those of lower index first."""
    got = f(xi, X, k=k, beta=beta)
    for i, x in enumerate(xi):
        best = np.argsort(-(X @ x).value, kind="stable")[:k]       # exact in eighths
        yield equal(got[i], f.exact(modern.update, x, X[np.sort(best)], beta=beta))


@law("structured.top_k_weights", id="NP-3", over=limited(),
     kills=("k ignored", "beta ignored", "hidden scores filled with 0",
            "all scores that tie with the k-th"))
def top_k_weights_read_out_the_update(f, xi, X, k, beta):
    """No more than k are positive, their sum is 1, and the mean of the patterns is the update."""
    p = f(xi, X, k=k, beta=beta)
    for row in p:
        yield holds(np.count_nonzero(row.value) <= k, "no more than k are positive")
    yield equal(np.sum(p, axis=-1), 1.0, "sum")
    yield equal(p @ X, f.exact(structured.top_k_update, xi, X, k=k, beta=beta), "update")


@law("structured.top_k_energy", id="NP-3", over=limited(),
     kills=("k ignored", "energy without log k", "energy without M^2/2",
            "M of the pattern of largest score", "beta ignored"))
def the_top_k_energy_is_the_least_over_all_sets_of_k(f, xi, X, k, beta):
    """-lse over each set of k, |xi|^2/2, log(k)/beta and M^2/2 over all patterns."""
    sets, longest = list(itertools.combinations(range(len(X)), k)), np.max(square(X))
    E = [f.exact(modern.energy, xi, X[list(M)], beta=beta)
         + (longest - np.max(square(X[list(M)]))) / 2 for M in sets]
    yield equal(f(xi, X, k=k, beta=beta), np.min(np.stack(E), axis=0))


@law("structured.top_k_energy", "structured.top_k_update", id="NP-3", over=limited(),
     kills=("hidden scores filled with 0", "the k smallest scores", "k ignored"))
def a_top_k_step_lowers_the_energy_although_the_support_moves(f, xi, X, k, beta):
    """E(xi) - E(xi') = |xi' - xi|^2/2 + D(z', z), D the Bregman divergence of the logarithm of
    the sum over the k largest, which is convex.  With the old support's p as gradient, it holds
    KL(p || p')/beta and what the new support gains on the old.
    """
    own = f.structured
    new = own.top_k_update(xi, X, k=k, beta=beta)
    stored, z = f.machine(new), f.array((xi @ X.T).value)          # exact in eighths
    step, p = stored - xi, f.exact(maps.top_k, z, k=k, beta=beta)
    before, after = (f.exact(maps.logsumexp, np.sort(s, axis=-1)[..., -k:], beta=beta)
                     for s in (z, stored @ X.T))
    divergence = after - before - np.sum(p * (step @ X.T), axis=-1)
    E, E_new = (own.top_k_energy(x, X, k=k, beta=beta) for x in (xi, stored))
    yield equal(E - E_new, square(step) / 2 + divergence + np.sum((new - stored) * step, axis=-1))


# -- windows and lists ----------------------------------------------------------------------------

@law("structured.window_update", id="NP-3", over=in_order(),
     kills=("window one step too wide", "width as a distance, whatever the dilation",
            "causal ignored", "align ignored", "window wraps around", "beta ignored"))
def a_window_update_is_the_update_with_that_support(f, xi, X, beta, width, dilation, causal, align):
    """State i sees i + a o for |o| <= w, counted from the own position, and o <= 0 if causal."""
    own = np.arange(len(xi))[:, None] + (len(X) - len(xi)) * (align == "end")
    gap = np.arange(len(X)) - own
    support = (gap % dilation == 0) & (np.abs(gap) <= width * dilation)
    support &= (gap <= 0) | (not causal)
    how = {"width": width, "dilation": dilation, "causal": causal, "align": align}
    yield equal(f(xi, X, beta=beta, **how), f.exact(structured.update, xi, X, support, beta=beta))


@law("structured.listed_update", id="NP-3", over=listed(),
     kills=("a repeated pair counts twice", "rows taken for sorted", "one maximum for all rows",
            "rows and columns exchanged", "beta ignored"))
def a_list_of_pairs_is_its_mask(f, xi, X, rows, columns, beta):
    """The pairs may have any order, and a repeated pair counts once."""
    mask = np.zeros((len(xi), len(X)), bool)
    mask[rows, columns] = True
    yield equal(f(xi, X, rows, columns, beta=beta),
                f.exact(structured.update, xi, X, mask, beta=beta))


def held_sparse(form, rows, columns, held, shape):
    """A scipy.sparse matrix that keeps duplicates, their order and stored False."""
    import scipy.sparse
    name, make = form[:3], getattr(scipy.sparse, form)
    if name == "coo":
        return make((held, (rows, columns)), shape=shape)
    outer, inner = (rows, columns) if name == "csr" else (columns, rows)
    order = np.argsort(outer, kind="stable")
    pointers = np.searchsorted(outer[order], np.arange(shape[name == "csc"] + 1))
    return make((held[order], inner[order], pointers), shape=shape)


@law("structured.csr_update", id="NP-3", over=listed(stored=True),
     kills=("a stored False taken for a pair", "what is stored twice counts twice",
            "read as the other compressed format"))
def a_sparse_support_is_the_pairs_stored_as_true(f, xi, X, rows, columns, held, form, beta):
    """A pair stored as True and as False is a pair; the matrix is not modified."""
    mask = np.zeros((len(xi), len(X)), bool)
    mask[rows[held], columns[held]] = True
    S = held_sparse(form, rows, columns, held, mask.shape)
    data = S.data.copy()
    got = f(xi, X, S, beta=beta)
    yield equal(got, expected(structured.update, (xi, X, mask), {"beta": beta}, f.profile))
    yield holds(S.nnz == len(rows) and np.array_equal(S.data, data), "the matrix is unchanged")


# -- kernels --------------------------------------------------------------------------------------

KERNELS = {
    "elu": lambda x: np.where(x > 0, x + 1, np.exp(np.minimum(x, 0.0))),
    "relu": lambda x: np.maximum(x, 0.0), "exponential": np.exp, "identity": lambda x: x,
    "quadratic": lambda x: np.reshape(x[..., :, None] * x[..., None, :], (*x.shape[:-1], -1))}


@law("structured.linear_update", id="NP-4", over=paired(),
     kills=("elu without the 1", "not divided by the sum of the kernels",
            "the queries x + delta are returned", "delta ignored"))
def linear_retrieval_weighs_patterns_by_kernels_of_their_features(f, xi, X, support, delta, beta):
    """f sum_i K_i = sum_i K_i x_i with K_i = phi(xi).phi(x_i + delta_i)."""
    for name, phi in KERNELS.items():
        K = phi(xi) @ phi(X + delta).T
        total = np.sum(K, axis=-1, keepdims=True)
        got = f(xi, X, delta=delta, features=name)
        yield equal(np.where(total.value != 0, got * total, K @ X), K @ X, name)


@law("structured.random_feature_update", id="NP-6", over=estimated(),
     kills=("delta ignored", "the queries x + delta are returned", "features of beta x",
            "beta ignored"))
def random_features_estimate_the_kernel_of_the_queries(f, xi, X, omega, delta, beta):
    """K = sum_r exp(u_r(xi) + u_r(x + delta)), u = sqrt(beta) omega a - beta |a|^2/2; the
    Performer at delta = 0."""
    yield equal(f(xi, X, omega, beta=beta), f.exact(performer.update, xi, X, omega, beta=beta))
    scale = np.sqrt(np.longdouble(beta))

    def logs(x):
        return scale * (x @ omega.T) - beta * square(x)[..., None] / 2
    K = np.sum(np.exp(logs(xi)[:, None] + logs(X + delta)), axis=-1)
    want = K @ X / np.sum(K, axis=-1, keepdims=True)
    yield equal(f(xi, X, omega, delta=delta, beta=beta), want)
