"""Sparse separation maps against exact solutions, optimality conditions and hand-made cases."""
import itertools

import numpy as np
import pytest
from hypothesis import strategies as st

from hopref import maps
from hopref.dispatch.operation import load
from hopref.dispatch.preconditions import k_of_n
from hopref.errors import DomainError, ShapeError
from tests import exact_sparse as exact
from tests.doubles import cupy as device
from tests.draw import arrays, betas, records
from tests.laws import law
from tests.rounding import close, g, u

alphas = st.sampled_from([1.0625, 1.25, 1.5, 1.75, 2.0, 3.0, 4.5, 10.0])
gammas = st.sampled_from([1.25, 1.5, 2.0, 3.0, 5.0])
scores = st.integers(1, 6).flatmap(lambda n: arrays(2, n))
rows_of = records(z=scores, beta=betas, alpha=alphas)


@st.composite
def chosen(draw):
    """Scores with how many of them to choose."""
    z = draw(scores)
    return {"z": z, "beta": draw(betas), "k": draw(st.integers(1, z.shape[-1]))}


def solved(p, z, exactly):
    """Each row is the exact solution to 4 ulp of its largest entry, and has its support."""
    for got, row in zip(p, z, strict=True):
        want = exactly(row)
        assert want.supports(got) and want.ulps(got) <= 4


@law("maps.entmax", id="FY-1", over=rows_of,
     kills=["entmax_halved_twenty_times", "entmax_always_15", "entmax_not_scaled",
            "entmax_over_columns"])
def test_entmax_is_the_exact_solution_with_its_exact_support(rules, z, beta, alpha):
    solved(rules.maps.entmax(z, beta=beta, alpha=alpha), z,
           lambda row: exact.entmax(row, alpha, beta))


@law("maps.normmax", id="FY-1", over=records(z=scores, beta=betas, gamma=gammas),
     kills=["normmax_unnormalised", "normmax_is_sparsemax", "normmax_always_2"])
def test_normmax_is_the_exact_solution_with_its_exact_support(rules, z, beta, gamma):
    solved(rules.maps.normmax(z, beta=beta, gamma=gamma), z,
           lambda row: exact.normmax(row, gamma, beta))


@law("maps.sparsemax", "maps.k_subsets", id="FY-1", over=chosen(),
     kills=["sparsemax_beta_outside", "k_subsets_k_times_sparsemax", "k_subsets_hard"])
def test_projections_are_the_rationals_that_they_are(rules, z, beta, k):
    solved(rules.maps.sparsemax(z, beta=beta), z, lambda row: exact.sparsemax(row, beta))
    solved(rules.maps.k_subsets(z, beta=beta, k=k), z, lambda row: exact.k_subsets(row, k, beta))


@law("maps.sparsemax", id="FY-1", over=rows_of,
     kills=["sparsemax_is_softmax", "sparsemax_beta_outside", "sparsemax_clipped"])
def test_no_vertex_lies_on_the_far_side_of_the_projection(rules, z, beta, alpha):
    """(beta z - p).(e_i - p) <= 0 for every i: p is the nearest point of the simplex."""
    p = rules.maps.sparsemax(z, beta=beta)
    away = beta * z - p
    slack = g(2 * z.shape[-1] + 8) * (beta * np.abs(z).max(-1) + 1)
    assert np.all(away.max(-1) - (away * p).sum(-1) <= 2 * slack)
    close(p.sum(-1), 1.0, g(z.shape[-1] + 8))


@law("maps.entmax", "maps.sparsemax", "maps.normmax", id="FY-1", over=rows_of,
     kills=["entmax_halved_twenty_times", "sparsemax_beta_outside", "normmax_unnormalised"])
def test_weights_are_probabilities_in_the_order_of_the_scores_here_too(rules, z, beta, alpha):
    for p in (rules.maps.entmax(z, beta=beta, alpha=alpha),
              rules.maps.sparsemax(z, beta=beta), rules.maps.normmax(z, beta=beta)):
        assert np.all(p >= 0)
        close(p.sum(-1), 1.0, g(z.shape[-1] + 2))
        assert np.all((z[..., :, None] > z[..., None, :]) <= (p[..., :, None] >= p[..., None, :]))


@law("maps.entmax", id="FY-1", over=rows_of, kills=["entmax_uniform_at_one"])
def test_alpha_one_is_softmax(rules, z, beta, alpha):
    p = rules.maps.softmax(z, beta=beta)
    assert np.all(rules.maps.entmax(z, beta=beta, alpha=1.0) == p)


@law("maps.entmax", id="FY-1", over=records(z=scores), kills=["entmax_always_15"])
def test_alpha_near_one_is_nearly_softmax(rules, z):
    """The logs of both differ by (alpha - 1)(lse^2 + depth^2) at most, to first order."""
    near = 2.0**-40
    p = rules.maps.softmax(z)
    depth = z.max(-1, keepdims=True) - z + np.log(z.shape[-1])
    close(rules.maps.entmax(z, alpha=1 + near), p,
          p * (2 * near * (1 + depth) ** 2) + 16 * u)


@law("maps.entmax", "maps.sparsemax", id="FY-1", over=rows_of,
     kills=["entmax_unshifted"])
def test_the_level_of_the_scores_is_not_seen(rules, z, beta, alpha):
    assert np.all(rules.maps.entmax(z + 2.0**40, beta=beta, alpha=alpha)
                  == rules.maps.entmax(z, beta=beta, alpha=alpha))


@law("maps.sparsemax", "maps.entmax", "maps.normmax", id="FY-1", over=rows_of,
     kills=["sparsemax_beta_outside", "entmax_not_scaled"])
def test_beta_multiplies_the_scores(rules, z, beta, alpha):
    """Times four, so to the last bit; and what alpha - 1 multiplies is one with beta."""
    it = rules.maps
    assert np.all(it.sparsemax(4 * z, beta=beta) == it.sparsemax(z, beta=4 * beta))
    assert np.all(it.normmax(4 * z, beta=beta) == it.normmax(z, beta=4 * beta))
    lead = np.array([[1 / (alpha - 1) / beta, 0.0]])
    close(it.entmax(lead, beta=beta, alpha=alpha)[:, 1], 0.0, (4 * u) ** min(1, 1 / (alpha - 1)))


@st.composite
def leading(draw):
    """One score far enough ahead of all others, and its place; powers of two throughout."""
    z, alpha = draw(scores), draw(st.sampled_from([1.25, 1.5, 2.0, 3.0]))
    beta = draw(st.sampled_from([0.25, 1.0, 64.0]))
    i = draw(st.integers(0, z.shape[-1] - 1))
    others = np.delete(z, i, -1)
    z[:, i] = others.max(-1, initial=-4.0)
    return {"z": z, "beta": beta, "alpha": alpha, "i": i}


@law("maps.entmax", "maps.sparsemax", "maps.normmax", id="FY-5",
     over=leading(), kills=["sparsemax_is_softmax", "entmax_always_15", "entmax_not_scaled"])
def test_a_margin_makes_a_vertex_and_less_does_not(rules, z, beta, alpha, i):
    """From 1/((alpha - 1) beta) on, 1/beta for sparsemax and normmax; 1/16 less is too little."""
    it, vertex = rules.maps, np.eye(z.shape[-1])[i]
    for f, margin in ((lambda z: it.entmax(z, beta=beta, alpha=alpha), 1 / (alpha - 1)),
                      (lambda z: it.sparsemax(z, beta=beta), 1.0),
                      (lambda z: it.normmax(z, beta=beta), 1.0)):
        assert np.all(f(z + margin / beta * vertex) == vertex)
        near = f(z + margin / beta * 15 / 16 * vertex)[:, i]
        tied = np.delete(z, i, -1).max(-1, initial=-np.inf) == z[:, i]
        assert np.all((near < 1) == tied)


@law("maps.entmax", id="FY-1", over=rows_of, kills=["entmax_masked_after"])
def test_a_hidden_score_is_a_deleted_one(rules, z, beta, alpha):
    shown = np.broadcast_to(np.arange(z.shape[-1]) != 0, z.shape)
    p = rules.maps.entmax(z, beta=beta, alpha=alpha, where=shown)
    assert np.all(p[:, 0] == 0)
    if z.shape[-1] > 1:
        rest = rules.maps.entmax(z[:, 1:], beta=beta, alpha=alpha)
        close(p[:, 1:], rest, 16 * u * rest.max(-1, keepdims=True))     # 4 ulp each
        gone = rules.maps.entmax(np.where(shown, z, -np.inf), beta=beta, alpha=alpha)
        assert np.all(gone == p)


# -- normmax, k-subsets, top-k ------------------------------------------------------------------

@law("maps.normmax", id="FY-1", over=rows_of,
     kills=["normmax_is_sparsemax"])
def test_normmax_has_its_scores_for_gradient_of_the_norm(rules, z, beta, alpha):
    """beta z_i - p_i / |p| is the same tau on the support, and beta z_i <= tau elsewhere."""
    p = rules.maps.normmax(z, beta=beta)
    height = p / np.sqrt((p * p).sum(-1, keepdims=True))
    level = beta * z - height
    tau = np.where(p > 0, level, -np.inf).max(-1, keepdims=True)
    slack = g(2 * z.shape[-1] + 16) * (beta * np.abs(z).max(-1, keepdims=True) + 1)
    assert np.all(np.where(p > 0, np.abs(level - tau), 0) <= slack)
    assert np.all((p > 0) | (beta * z <= tau + slack))


@law("maps.k_subsets", id="FY-1", over=chosen(),
     kills=["k_subsets_k_times_sparsemax", "k_subsets_hard"])
def test_no_subset_lies_on_the_far_side_of_the_mean(rules, z, beta, k):
    """(beta z - mu).(s - mu) <= 0 for the indicator s of every k entries; 0 <= mu <= 1."""
    mu = rules.maps.k_subsets(z, beta=beta, k=k)
    n = z.shape[-1]
    assert np.all((mu >= 0) & (mu <= 1))
    close(mu.sum(-1), k, g(2 * n + 8) * n)
    away, slack = beta * z - mu, g(4 * n + 8) * n * (beta * np.abs(z).max(-1) + 1)
    for subset in itertools.combinations(range(n), k):
        assert np.all(away[:, subset].sum(-1) - (away * mu).sum(-1) <= slack)


@law("maps.k_subsets", id="FY-1", over=chosen(), kills=["k_subsets_hard"])
def test_subsets_of_one_are_sparsemax(rules, z, beta, k):
    close(rules.maps.k_subsets(z, beta=beta, k=1),
          rules.maps.sparsemax(z, beta=beta), g(4 * z.shape[-1] + 16))


@law("maps.k_subsets", id="FY-5", over=chosen(), kills=["k_subsets_k_times_sparsemax"])
def test_a_margin_of_one_chooses_the_k_best_exactly(rules, z, beta, k):
    best = np.argsort(-z, axis=-1, kind="stable")[:, :k]
    z = 0 * z
    np.put_along_axis(z, best, np.arange(k, 0, -1.0) / beta, -1)
    z = z * (1 + 2.0**-20)
    assert np.all(rules.maps.k_subsets(z, beta=beta, k=k) == (z > 0))


@law("maps.top_k", id="NP-3", over=chosen(),
     kills=["top_k_fills_zeros", "top_k_keeps_all_ties", "top_k_prefers_the_last"])
def test_top_k_is_softmax_of_the_best_and_of_equals_the_first(rules, z, beta, k):
    best = np.argsort(-z, axis=-1, kind="stable")[:, :k]
    kept = np.zeros(z.shape, bool)
    np.put_along_axis(kept, best, True, -1)
    p = rules.maps.top_k(z, beta=beta, k=k)
    assert np.all(p == rules.maps.softmax(z, beta=beta, where=kept))


@law("maps.top_k", "maps.k_subsets", id="NP-3", over=chosen(),
     kills=["top_k_fills_zeros", "k_subsets_k_times_sparsemax"])
def test_where_few_are_seen_all_of_them_are_chosen(rules, z, beta, k):
    shown = np.broadcast_to(np.arange(z.shape[-1]) < k, z.shape)
    z = np.where(shown, z, -np.inf)
    assert np.all(rules.maps.k_subsets(z, beta=beta, k=k) == shown)
    assert np.all(rules.maps.top_k(z, beta=beta, k=k) == rules.maps.softmax(z, beta=beta))


@pytest.mark.parametrize("name", ["sparsemax", "entmax", "normmax", "k_subsets", "top_k"])
def test_an_empty_row_is_what_was_asked_for(name):
    f, hidden = getattr(maps, name), np.full(3, -np.inf)
    k = {"k": 2} if "k" in f.signature.parameters else {}
    assert f(hidden, **k).tolist() == [0.0, 0.0, 0.0]
    assert np.isnan(f(hidden, empty_row="nan", **k)).all()
    with pytest.raises(DomainError, match="fully masked"):
        f(np.zeros(3), where=np.zeros(3, bool), empty_row="raise", **k)


@pytest.mark.parametrize("name", [name for name, it in load().items()
                                  if it.shape_rule is k_of_n])
def test_more_than_there_are_cannot_be_chosen_and_no_value_is_looked_at(name):
    """A matter of shapes: refused on the device too, and when values are not to be looked at."""
    it = load()[name]
    with device.installed():
        arrays = [device.asarray(np.ones([2] * len(dims)))
                  for k, dims in it.arrays.items() if k not in it.optional]
        device.stats.reset()
        with pytest.raises(ShapeError, match="k must be at most 2, the number there is; got k=3"):
            it(*arrays, k=3, nonfinite="propagate")
        assert device.stats.quiet
