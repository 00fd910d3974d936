"""Structured networks: retrieval over a support, from pairs, among the k best, their energies."""
import itertools

import numpy as np
import pytest
from hypothesis import strategies as st

from hopref import modern, performer, retrieve, structured
from hopref.errors import CallError, DomainError
from tests import rounding
from tests.draw import pairings, problems, projected, supported, windows
from tests.laws import law
from tests.rounding import close, dot, g


def log_weights(xi, X, beta):
    s = beta * (xi @ X.T)
    s = s - s.max(-1, keepdims=True)
    return s - np.log(np.exp(s).sum(-1, keepdims=True))


def longest(X):
    return np.sqrt((X * X).sum(-1).max())


def step_room(x, M, beta):
    """What an update of one state and its counterpart here may differ by."""
    return 2 * rounding.modern_update(x[None], M, beta)[0]


def weight_room(x, M, beta):
    return 2 * rounding.modern_weights(x[None], M, beta)[0]


def kl_room(xi, after, X, beta):
    """Of KL(p | p') over beta, and of one lse: four scores that err, a mean of log quotients."""
    reach = (dot(xi, X) + dot(after, X)).max(-1)
    apart = np.abs(xi - after) @ np.abs(X).max(0) * 2
    return 4 * reach + g(len(X) + 12) * (apart + (2 + np.log(len(X))) / beta)


@st.composite
def chosen(draw):
    """A problem with how many patterns to look at."""
    case = draw(problems())
    return {**case, "k": draw(st.integers(1, len(case["X"])))}


# -- a fixed support ----------------------------------------------------------------------------

@law("structured.update", "structured.weights", "structured.pair_update", id="NP-3",
     over=supported(),
     kills=["support_hides_by_zero_scores", "support_applied_after", "support_ignored",
            "support_true_is_hidden", "scores_become_signs", "weights_hide_by_zero_scores",
            "pairs_ignore_support"])
def test_a_support_is_the_modern_network_of_its_patterns(rules, xi, X, support, beta):
    it = rules.structured
    steps = [f(xi, X, support, beta=beta) for f in (it.update, it.pair_update)]
    p = it.weights(xi, X, support, beta=beta)
    assert not np.any(p[~support])
    for i, seen in enumerate(support):
        if not seen.any():
            assert not any(step[i].any() for step in steps)
            continue
        M = X[seen]
        for step in steps:
            close(step[i], modern.update(xi[i], M, beta=beta), step_room(xi[i], M, beta))
        close(p[i, seen], modern.weights(xi[i], M, beta=beta), weight_room(xi[i], M, beta))


@law("structured.update", "structured.pair_update", "structured.weights", "structured.energy",
     id="NP-2", over=problems(),
     kills=["support_applied_after", "structured_energy_of_scores", "pairs_over_sqrt_d"])
def test_without_a_support_and_without_delta_it_is_the_modern_network(rules, xi, X, beta):
    it, none = rules.structured, np.zeros_like(X)
    want, all_seen = modern.update(xi, X, beta=beta), np.ones((len(xi), len(X)), bool)
    assert np.all(it.update(xi, X, beta=beta) == want)
    assert np.all(it.update(xi, X, all_seen, beta=beta) == want)
    assert np.all(it.pair_update(xi, X, delta=none, beta=beta) == want)
    assert np.all(it.weights(xi, X, beta=beta) == modern.weights(xi, X, beta=beta))
    assert np.all(it.energy(xi, X, beta=beta) == modern.energy(xi, X, beta=beta))


@law("structured.energy", id="NP-3", over=supported(),
     kills=["structured_energy_with_all_patterns", "structured_energy_log_n_of_all",
            "structured_energy_m2_of_all", "structured_energy_of_scores"])
def test_the_energy_of_a_support_is_that_of_its_patterns(rules, xi, X, support, beta):
    E = rules.structured.energy(xi, X, support, beta=beta)
    for i, seen in enumerate(support):
        if not seen.any():                      # the lone pattern 0
            close(E[i], xi[i] @ xi[i] / 2, g(len(xi[i]) + 1) * (xi[i] @ xi[i]))
            continue
        close(E[i], modern.energy(xi[i], X[seen], beta=beta),
              2 * rounding.modern_energy(xi[i], X[seen], beta))


@law("structured.energy", "structured.update", id="MH-4", over=supported(),
     kills=["support_hides_by_zero_scores", "support_applied_after", "support_ignored",
            "structured_energy_with_all_patterns"])
def test_a_step_in_a_support_pays_half_its_square_and_the_divergence(rules, xi, X, support, beta):
    """E - E' = |dxi|^2/2 + KL(p | p')/beta, each state by the energy of its own support."""
    it = rules.structured
    after = it.update(xi, X, support, beta=beta)
    step = after - xi
    fall = it.energy(xi, X, support, beta=beta) - it.energy(after, X, support, beta=beta)
    E_room = sum(rounding.of(structured.energy, x, X, support, beta=beta)[1] for x in (xi, after))
    f_room = rounding.of(structured.update, xi, X, support, beta=beta)[1]
    for i, seen in enumerate(support):
        kl, room = 0.0, 0.0
        if seen.any():
            M = X[seen]
            log_p, log_q = log_weights(xi[i], M, beta), log_weights(after[i], M, beta)
            kl = np.exp(log_p) @ (log_p - log_q) / beta
            room = kl_room(xi[i], after[i], M, beta)
        square = step[i] @ step[i]
        close(fall[i], square / 2 + kl, E_room[i] + room + 2 * f_room[i] @ np.abs(step[i])
              + g(X.shape[1] + 3) * square)


# -- query-memory pairs -------------------------------------------------------------------------

@law("structured.pair_update", "structured.weights", id="NP-1", over=pairings(),
     kills=["pairs_read_out_their_queries", "pairs_ask_by_the_memory", "pairs_subtract_delta",
            "weights_ask_by_the_memory"])
def test_pairs_are_asked_by_their_queries_and_answer_by_their_memories(
        rules, xi, X, support, delta, beta):
    """As attention with keys x + delta and values x; sums of eighths are exact."""
    it = rules.structured
    got = it.pair_update(xi, X, support, delta=delta, beta=beta)
    p = it.weights(xi, X, support, delta=delta, beta=beta)
    for i, seen in enumerate(support):
        if seen.any():
            keys, values = (X + delta)[seen], X[seen]
            want = np.exp(log_weights(xi[i], keys, beta))
            asked = xi[i:i + 1]
            room = rounding.softmax_rule(asked @ keys.T, dot(asked, keys), values, beta)[0]
            close(got[i], want @ values, 2 * room)
            close(p[i, seen], want, weight_room(xi[i], keys, beta))


@law("structured.pair_update", id="NP-1", over=pairings(),
     kills=["pairs_read_out_their_queries", "pairs_subtract_nothing_but_norms"])
def test_the_same_delta_for_every_pattern_changes_nothing(rules, xi, X, support, delta, beta):
    """All scores move by delta.xi; exact in eighths."""
    common = np.broadcast_to(delta[0], X.shape)
    got = rules.structured.pair_update(xi, X, support, delta=common, beta=beta)
    room = sum(rounding.of(structured.pair_update, xi, X, support, delta=d, beta=beta)[1]
               for d in (common, np.zeros_like(X)))
    close(got, structured.update(xi, X, support, beta=beta), room)


@law("structured.pair_update", "structured.weights", id="NP-3", over=pairings(),
     kills=["pairs_always_renormalise", "weights_always_renormalise"])
def test_without_renormalising_a_support_answers_by_its_share(rules, xi, X, support, delta, beta):
    """Softmax over all, cut: the update of the support times the weight that the support has."""
    it = rules.structured
    p = structured.weights(xi, X, delta=delta, beta=beta)
    got = it.weights(xi, X, support, delta=delta, beta=beta, renormalise=False)
    assert np.all(got == np.where(support, p, 0))
    share = np.where(support, p, 0).sum(-1, keepdims=True)
    inside = structured.pair_update(xi, X, support, delta=delta, beta=beta)
    room = sum(rounding.of(structured.pair_update, xi, X, support, delta=delta, beta=beta,
                           renormalise=how)[1] for how in (True, False))
    error = rounding.of(structured.weights, xi, X, delta=delta, beta=beta)[1].sum(-1, keepdims=True)
    size = np.abs(X).max(0)
    close(it.pair_update(xi, X, support, delta=delta, beta=beta, renormalise=False),
          share * inside, room + (error + g(len(X) + 2)) * size)


# -- the k best ---------------------------------------------------------------------------------

@law("structured.top_k_update", id="NP-3", over=chosen(),
     kills=["top_k_filled_with_zeros", "top_k_by_size", "top_k_smallest", "top_k_ties_all",
            "top_k_is_dense"])
def test_top_k_looks_at_the_k_largest_scores_the_first_of_equals(rules, xi, X, k, beta):
    got = rules.structured.top_k_update(xi, X, k=k, beta=beta)
    for x, y in zip(xi, got, strict=True):
        z = x @ X.T                             # exact in eighths
        M = X[sorted(range(len(X)), key=lambda i: (-z[i], i))[:k]]
        close(y, modern.update(x, M, beta=beta), step_room(x, M, beta))


@law("structured.top_k_energy", id="NP-3", over=chosen(),
     kills=["top_k_energy_of_all", "top_k_energy_without_log_k", "top_k_energy_without_m2",
            "top_k_energy_m2_of_the_best"])
def test_the_top_k_energy_is_the_least_over_all_sets_of_k(rules, xi, X, k, beta):
    """-lse over each set of k, |xi|^2/2, log k/beta and M^2/2 over all patterns."""
    got = rules.structured.top_k_energy(xi, X, k=k, beta=beta)
    room = rounding.of(structured.top_k_energy, xi, X, k=k, beta=beta)[1]
    for i, x in enumerate(xi):
        sets = [X[list(M)] for M in itertools.combinations(range(len(X)), k)]
        E = [modern.energy(x, M, beta=beta) + (longest(X)**2 - longest(M)**2) / 2 for M in sets]
        own = 2 * max(rounding.modern_energy(x, M, beta) for M in sets)
        close(got[i], min(E), room[i] + own + g(8) * longest(X)**2)


@law("structured.top_k_energy", "structured.top_k_update", id="NP-3", over=chosen(),
     kills=["top_k_filled_with_zeros", "top_k_smallest", "top_k_is_dense", "top_k_energy_of_all"])
def test_a_top_k_step_pays_what_the_moving_support_gains_as_well(rules, xi, X, k, beta):
    """E - E' = |dxi|^2/2 + KL(p | p')/beta over the old support + lse of the new support at xi' -
    lse of the old one there; every term is >= 0."""
    it = rules.structured
    after = it.top_k_update(xi, X, k=k, beta=beta)
    fall = it.top_k_energy(xi, X, k=k, beta=beta) - it.top_k_energy(after, X, k=k, beta=beta)
    E_room = sum(rounding.of(structured.top_k_energy, x, X, k=k, beta=beta)[1] for x in (xi, after))
    for i, (x, y) in enumerate(zip(xi, after, strict=True)):
        z, w = x @ X.T, y @ X.T
        old = np.lexsort((np.arange(len(z)), -z))[:k]
        log_p, log_q = log_weights(x, X[old], beta), log_weights(y, X[old], beta)
        kl = np.exp(log_p) @ (log_p - log_q) / beta
        top = w.max()
        new, here = (np.exp(beta * (s - top)).sum() for s in (np.sort(w)[-k:], w[old]))
        gain = np.log(new / here) / beta if here > 0 else np.inf
        if gain == np.inf:                      # underflow: the largest of the old ones alone
            best = w[old].max()
            gain = top - best + np.log(new / np.exp(beta * (w[old] - best)).sum()) / beta
        square = (y - x) @ (y - x)
        f_room = step_room(x, X[old], beta)
        close(fall[i], square / 2 + kl + gain, E_room[i] + 2 * kl_room(x, y, X, beta)
              + 2 * f_room @ np.abs(y - x) + g(X.shape[1] + 3) * square)
        assert fall[i] >= square / 2 - E_room[i] - 2 * f_room @ np.abs(y - x) - g(9) * square


# -- windows ------------------------------------------------------------------------------------

@st.composite
def windowed(draw):
    return {**draw(problems(max_m=6)), "how": draw(windows)}


@law("structured.window_update", id="NP-3", over=windowed(),
     kills=["window_one_too_wide", "window_counts_steps_as_distance", "window_sees_ahead",
            "window_aligned_at_the_start", "window_wraps_around"])
def test_a_window_update_is_the_update_with_that_support(rules, xi, X, beta, how):
    l, n = len(xi), len(X)
    shift = n - l if how["align"] == "end" else 0
    support = np.zeros((l, n), bool)
    for i, o in itertools.product(range(l), range(-how["width"], how["width"] + 1)):
        j = i + shift + how["dilation"] * o
        if 0 <= j < n and not (how["causal"] and o > 0):
            support[i, j] = True
    got = rules.structured.window_update(xi, X, beta=beta, **how)
    close(got, structured.update(xi, X, support, beta=beta),
          2 * rounding.of(structured.update, xi, X, support, beta=beta)[1])


# -- kernels ------------------------------------------------------------------------------------

KERNELS = {
    "elu": lambda x: np.where(x > 0, x + 1, np.exp(np.minimum(x, 0))),
    "relu": lambda x: np.maximum(x, 0), "exponential": np.exp, "identity": lambda x: x,
    "quadratic": lambda x: np.einsum("...k,...l->...kl", x, x).reshape(*x.shape[:-1], -1)}


@law("structured.linear_update", id="NP-4", over=pairings(),
     kills=["linear_without_the_one", "linear_without_denominator", "linear_features_come_back",
            "linear_ignores_delta"])
def test_linear_retrieval_weighs_patterns_by_the_kernel_of_its_features(
        rules, xi, X, support, delta, beta):
    for name, phi in KERNELS.items():
        K = phi(xi) @ phi(X + delta).T
        total = K.sum(-1, keepdims=True)
        got = rules.structured.linear_update(xi, X, delta=delta, features=name)
        room = rounding.of(structured.linear_update, xi, X, delta=delta, features=name)[1]
        with np.errstate(invalid="ignore", divide="ignore"):
            want = K @ X / total
        known = np.isfinite(room) & (total != 0)
        r = phi(xi).shape[-1]
        size = (np.abs(phi(xi)) @ np.abs(phi(X + delta)).T)
        own = g(r + len(X) + 12) * (size @ np.abs(X) + size.sum(-1, keepdims=True) * np.abs(want))
        close(np.where(known, got, 0), np.where(known, want, 0),
              np.where(known, room + own / np.abs(np.where(total == 0, 1, total)), 0))


@st.composite
def estimated(draw):
    case = draw(projected())
    n, d = case["X"].shape
    near = st.integers(-8, 8).map(lambda k: k / 8)
    return {**case, "delta": np.array(draw(st.lists(near, min_size=n * d, max_size=n * d)))
            .reshape(n, d)}


@law("structured.random_feature_update", id="NP-6", over=estimated(),
     kills=["random_features_of_the_memory", "random_features_read_out_queries",
            "random_features_without_root_beta"])
def test_random_features_estimate_the_kernel_of_the_queries(rules, xi, X, omega, delta, beta):
    """Kernels sum_r exp(u_r - |a|^2/2) with u = sqrt(beta) omega a; the performer at delta = 0."""
    f = rules.structured.random_feature_update
    one, room = rounding.of(performer.update, xi, X, omega, beta=beta)
    close(f(xi, X, omega, beta=beta), one, room)

    def logs(x):
        x = np.sqrt(beta) * x
        return x @ omega.T - (x * x).sum(-1, keepdims=True) / 2
    K = np.exp(logs(xi)[:, None] + logs(X + delta)).sum(-1)
    room = rounding.of(structured.random_feature_update, xi, X, omega, delta=delta, beta=beta)[1]
    close(f(xi, X, omega, delta=delta, beta=beta), K @ X / K.sum(-1, keepdims=True), 2 * room)


# -- through time, and where there is no energy -------------------------------------------------

def test_retrieval_runs_with_a_support_of_one_state_and_among_the_k_best():
    X = np.array([[1.0, 0.0], [0.0, 1.0], [4.0, 4.0]])
    run = retrieve(structured.update, [0.9, 0.1], X, [True, True, False], beta=9.0)
    assert np.abs(run.states - X[0]).max() < 1e-2 and run.converged
    assert np.all(np.diff(run.energies) <= 1e-15)
    many = retrieve(structured.top_k_update, X + 0.25, X, k=2, beta=9.0)
    assert many.converged.all() and np.all(np.diff(many.energies, axis=0) <= 1e-13)
    with pytest.raises(CallError, match="support must be the same for all states"):
        retrieve(structured.update, X, X, np.ones((3, 3), bool))


@pytest.mark.parametrize("update", [structured.window_update, structured.listed_update])
def test_states_in_order_are_not_run_one_by_one(update):
    with pytest.raises(CallError, match="must map states to states"):
        retrieve(update, np.ones((2, 2)), np.eye(2))


@pytest.mark.parametrize("op, options", [
    (structured.pair_update, {"delta": [[0.0, 2.0], [1.0, 0.0], [0.0, -1.0]]}),
    (structured.pair_update, {"support": [True, True, False], "renormalise": False}),
    (structured.linear_update, {}),
    (structured.random_feature_update, {"omega": [[1.0, 0.5], [-0.5, 1.0]]}),
])
def test_these_have_no_energy_for_their_jacobian_is_not_symmetric(op, options):
    """By symmetric differences; their error is h^2 + u/h, both below 1e-9."""
    assert op.lowers is None
    X, xi, h = np.array([[1.0, 0.5], [-0.5, 1.0], [0.25, -1.0]]), np.array([0.3, -0.2]), 2.0**-18
    operands = [options.pop(k) for k in ("support", "omega") if k in options]
    f = lambda x: op(x, X, *operands, **options)
    J = np.stack([(f(xi + h * e) - f(xi - h * e)) / (2 * h) for e in np.eye(2)], -1)
    assert abs(J[0, 1] - J[1, 0]) > 1e-3


def test_a_support_drawn_anew_at_every_step_has_no_energy():
    """Two supports in turn lead from a to b and from b to a: nothing falls at every step."""
    X = np.array([[1.0, 0.0], [0.0, 1.0]])
    b = structured.update(X[0], X, [False, True])
    assert np.all(b == X[1]) and np.all(structured.update(b, X, [True, False]) == X[0])


def test_without_renormalising_the_answer_leaves_the_hull():
    y = structured.pair_update([0.0], [[1.0], [2.0]], [True, False], renormalise=False)
    assert y.tolist() == [0.5]


def test_an_empty_support_is_answered_as_asked():
    X, none = np.eye(2), [False, False]
    assert np.isnan(structured.update([1.0, 0.0], X, none, empty_row="nan")).all()
    with pytest.raises(DomainError, match="every state must attend to a pattern; got an empty row"):
        structured.update([1.0, 0.0], X, none, empty_row="raise")
    assert structured.energy([2.0, 0.0], X, none) == 2.0


def test_large_numbers_and_extreme_temperatures_stay_finite():
    X = np.array([[1e150, 0.0], [-1e150, 1.0], [0.0, 1e150]])
    seen = np.array([True, False, True])
    for beta in (1e-300, 1e300):
        for y in (structured.update(X[1], X, seen, beta=beta),
                  structured.top_k_update(X[1], X, k=2, beta=beta),
                  structured.window_update(X, X, width=1, beta=beta),
                  structured.listed_update(X, X, [0, 0, 2], [1, 2, 1], beta=beta)):
            assert np.isfinite(y).all()
    assert np.isfinite(structured.energy(X[1] / 1e10, X / 1e10, seen, beta=1e-300))
