"""The algebra of parts: associative, commutative where it is said, neutral, and the formula."""
import random

import numpy as np
from hypothesis import strategies as st

from hopref import attention, maps, modern, parts, storage
from tests import rounding
from tests.draw import arrays, records, small
from tests.laws import law
from tests.parts.kinds import KINDS, SPARSE
from tests.rounding import close

VERBS = ("none", "of", "merge", "value")


@st.composite
def cut_up(draw, kind):
    """A case of a kind, the cuts of its rows into chunks, some empty; and a seed of the order."""
    n = draw(st.integers(1, 6))
    cuts = sorted(draw(st.lists(st.integers(0, n), max_size=4)))
    return {"case": draw(KINDS[kind].cases(n)), "ends": [0, *cuts, n],
            "seed": draw(st.integers(0, 99))}


def declare(kind, id, chunking, neutral):
    """Two laws of a kind: any cut, order and bracketing is the formula; nothing is neutral."""
    it, ops = KINDS[kind], [f"parts.{kind}.{verb}" for verb in VERBS]

    def any_chunking(rules, case, ends, seed):
        verbs, chance = getattr(rules.parts, kind), random.Random(seed)
        states = [it.of(verbs, case, slice(*pair)) for pair in zip(ends, ends[1:])]
        states.insert(chance.randint(0, len(states)), it.none(verbs, case))
        if it.commutes:
            chance.shuffle(states)
        merges = len(states)
        while len(states) > 1:
            i = chance.randrange(len(states) - 1)
            states[i:i + 2] = [verbs.merge(*states[i:i + 2])]
        it.judge(it.value(verbs, states[0], case), case, merges)

    def nothing(rules, case, ends, seed):
        verbs = getattr(rules.parts, kind)
        whole, none = it.of(verbs, case, slice(0, ends[-1])), it.none(verbs, case)
        plain = it.value(verbs, whole, case)
        for state in (verbs.merge(none, whole), verbs.merge(whole, none)):
            alike(it.value(verbs, state, case), plain)

    how = "any_cut_order_and_bracketing" if it.commutes else "any_cut_and_bracketing"
    for statement, name, kills in ((any_chunking, f"test_{how}_of_{kind}_is_the_formula", chunking),
                                   (nothing, f"test_nothing_is_neutral_for_{kind}", neutral)):
        statement.__name__ = statement.__qualname__ = name
        globals()[name] = law(*ops, id=id, over=cut_up(kind), kills=kills)(statement)


def alike(a, b):
    """Equal bits, record by record."""
    if isinstance(a, tuple):
        for x, y in zip(a, b, strict=True):
            alike(x, y)
    else:
        assert np.shape(a) == np.shape(b) and np.all(a == b)


declare("softmax", "MO-1",
        ["totals_added_as_they_are", "brought_to_the_first_maximum", "beta_left_out_of_the_rescale",
         "empty_parts_meet_in_nan", "values_rescaled_and_totals_not", "one_maximum_for_all_rows",
         "sums_lse_to_the_base_two", "sums_lse_without_beta", "sums_forget_their_maximum"],
        ["nothing_has_the_maximum_zero", "nothing_counts_as_one"])
declare("energy", "MO-7",
        ["longest_added", "patterns_not_counted", "first_leader_kept", "lack_added_as_it_is",
         "energy_lse_to_the_base_two", "longest_of_the_last_part"],
        ["nothing_is_a_pattern_at_the_origin"])
declare("linear", "MO-2",
        ["linear_totals_added_as_they_are", "one_scale_for_all_features",
         "brought_to_the_smaller_scale", "merged_by_one_scale", "linear_parts_meet_in_nan",
         "query_ignores_the_scale", "values_rescaled_and_z_not"],
        ["linear_parts_meet_in_nan", "nothing_has_the_scale_one"])
declare("causal", "MO-3",
        ["chunks_forget_the_past", "positions_see_their_whole_chunk", "own_position_left_out",
         "the_past_lies_behind", "state_without_the_last_chunk"],
        ["nothing_has_a_position"])
declare("sums", "MO-5", ["sums_averaged", "sum_of_the_last", "pairs_the_wrong_way_round"],
        ["sums_averaged", "nothing_is_the_identity_matrix"])
declare("covariance", "CB-12",
        ["scatters_added", "means_averaged", "scatter_without_its_share"],
        ["means_averaged", "nothing_is_a_pattern_of_zeros"])
declare("gram", "MO-5",
        ["a_ridge_for_the_rank", "gram_of_the_sums", "gram_is_the_weight", "gram_of_the_last"],
        ["gram_of_the_last", "nothing_is_one_direction"])
declare("clipped", "CB-13", ["bits_added", "bits_both_have", "bits_one_has"],
        ["bits_both_have", "nothing_is_everything"])
declare("supports", "MO-4",
        ["only_the_strongest_kept", "answers_averaged", "candidates_of_the_last",
         "cut_before_they_merge"],
        ["candidates_of_the_last", "nothing_is_a_pattern_at_zero"])
declare("top_k", "MO-6",
        ["ties_to_the_last_index", "indices_begin_anew", "the_last_come_first", "one_too_many"],
        ["nothing_has_an_index"])


@law("parts.linear.of", "parts.linear.merge", "parts.linear.read", id="MO-2",
     over=cut_up("linear"),
     kills=["one_scale_for_all_features", "merged_by_one_scale", "brought_to_the_smaller_scale"])
def test_whatever_the_norms_no_denominator_is_below_one(rules, case, ends, seed):
    """The largest key of the feature that a query weighs most counts 1, before and after."""
    verbs, it = rules.parts.linear, KINDS["linear"]
    state = it.none(parts.linear, case)
    for pair in zip(ends, ends[1:]):
        state = verbs.merge(state, it.of(verbs, case, slice(*pair)))
    assert np.all(verbs.read(state, (case["log_q"], np.ones_like(case["log_q"]))).total >= 1)


@law("parts.energy.value", "parts.energy.merge", "parts.softmax.value", id="MO-7",
     over=cut_up("energy"),
     kills=["longest_added", "patterns_not_counted", "energy_lse_to_the_base_two",
            "sums_lse_to_the_base_two", "sums_lse_without_beta"])
def test_the_energy_of_shards_is_their_lse_their_number_and_their_longest(rules, case, ends, seed):
    """E = -lse + |xi|^2/2 + ln N / beta + M^2/2; the tolerance counts every term of that sum."""
    xi, X, beta = case["xi"], case["X"], case["beta"]
    energies, sums = rules.parts.energy, rules.parts.softmax
    E, lse = parts.energy.none(xi, X, beta=beta), parts.softmax.none(xi @ X.T, X, beta=beta)
    for i, j in zip(ends, ends[1:]):
        E = energies.merge(E, parts.energy.of(xi, X[i:j], beta=beta))
        lse = parts.softmax.merge(lse, parts.softmax.of(xi @ X[i:j].T, X[i:j], beta=beta))
    lse, M2, n = sums.value(lse).lse, (X * X).sum(-1).max(), len(X)
    direct = -lse + (xi * xi).sum(-1) / 2 + np.log(n) / beta + M2 / 2
    terms = np.abs(lse) + (xi * xi).sum(-1) / 2 + (np.log(n) + n) / beta + M2
    room = len(ends) * rounding.of(modern.energy, xi, X, beta=beta)[1]
    close(energies.value(E, xi), direct, room + rounding.g(8 * (len(ends) + n)) * terms)


@law("parts.causal.of", "parts.causal.merge", id="MO-3", over=cut_up("causal"),
     kills=["positions_see_their_whole_chunk", "the_past_lies_behind"])
def test_what_comes_later_changes_no_earlier_position(rules, case, ends, seed):
    """To the last bit: what a merge gives the later part leaves the earlier as it was."""
    verbs, it = rules.parts.causal, KINDS["causal"]
    first, last = (it.of(verbs, case, rows) for rows in (slice(ends[1]), slice(ends[1], None)))
    Z = parts.causal.value(verbs.merge(first, last))[0]
    alike(Z[:ends[1]], parts.causal.value(it.of(parts.causal, case, slice(ends[1])))[0])


@law("parts.clipped.merge", id="CB-13", over=cut_up("clipped"),
     kills=["bits_added", "bits_one_has"])
def test_a_clipped_part_merged_with_itself_is_itself(rules, case, ends, seed):
    W = parts.clipped.of(case["X"], case["Y"])
    alike(rules.parts.clipped.merge(W, W), W)


@law("parts.supports.of", "parts.supports.merge", id="MO-4", over=cut_up("supports"),
     kills=["only_the_strongest_kept", "candidates_of_the_last", "cut_before_they_merge"])
def test_the_support_of_a_union_lies_within_the_union_of_supports(rules, case, ends, seed):
    """Scores are sums of a few eighths, hence exact, so that only the support itself is tried."""
    verbs, it = rules.parts.supports, KINDS["supports"]
    state = it.none(parts.supports, case)
    for pair in zip(ends, ends[1:]):
        state = verbs.merge(state, it.of(verbs, case, slice(*pair)))
    z = case["xi"] @ case["X"].T
    p = SPARSE[case["map"]][0](z)
    needed = z[:, np.any(p > 8 * len(z.T) * rounding.u, axis=0)]
    kept = state.scores.T.tolist()
    assert all(column in kept for column in needed.T.tolist())


@law("parts.gram.merge", "parts.gram.of", id="CB-10",
     over=records(X=arrays(2, 4, elements=small), k=st.integers(20, 40)),
     kills=["gram_itself_kept", "gram_of_the_last"])
def test_patterns_that_nearly_agree_are_told_apart(rules, X, k):
    """x_2 - x_1 is only 2^-k of them, and 2^-2k of a Gram matrix: as the formula, W keeps x_1 and
    x_2, where W errs by roundings / 2^-k but along the patterns by roundings alone."""
    X = np.vstack([X[0], X[0] + 2.0**-k * X[1]])
    verbs = rules.parts.gram
    W = parts.gram.value(verbs.merge(*(verbs.of(X[i:i + 1]) for i in (0, 1))))
    close(W @ X.T, X.T, rounding.g(64 * X.size) * np.abs(X).max())


# -- what does not hold -------------------------------------------------------------------------

def test_causal_parts_do_not_commute():
    one = np.ones((1, 1))
    one, two = (parts.causal.of((one,), (one,), v * one) for v in (1.0, 3.0))
    there, back = parts.causal.merge(one, two), parts.causal.merge(two, one)
    assert parts.causal.value(there)[0].tolist() == [[1.0], [2.0]]
    assert parts.causal.value(back)[0].tolist() == [[3.0], [2.0]]


def test_a_softmax_has_no_support_to_keep():
    """The strongest half of each chunk is not enough: everything has a weight."""
    z, V = np.array([[0.0, 0.0, 0.0, 0.0]]), np.arange(4.0)[:, None]
    assert (maps.softmax(z) @ V).tolist() == [[1.5]]
    assert (maps.softmax(z[:, ::2]) @ V[::2]).tolist() == [[1.0]]


def test_a_gram_matrix_holds_half_the_digits_that_its_root_has():
    """Two patterns 2^-30 of their length apart: their Gram matrix has the rank 1."""
    X = np.array([[1.0, 1.0], [1.0, 1 + 2.0**-30]])
    part = parts.gram.merge(*(parts.gram.of(X[i:i + 1]) for i in (0, 1)))
    assert np.linalg.matrix_rank(X.T @ X) == 1 and np.linalg.det(X.T @ X) == 0
    close(parts.gram.value(part), np.eye(2), rounding.g(8 * 4) * 2.0**31)
    close(parts.gram.value(part), storage.projection(X), rounding.g(8 * 4) * 2.0**31)


def test_one_scale_for_all_features_loses_what_is_small_beside_the_largest():
    """A query that weighs the small feature only: with one scale its denominator would be 0."""
    log_k = np.array([[0.0, -2000.0], [-2000.0, 0.0]])
    V, q = np.array([[1.0], [3.0]]), (np.array([[-5000.0, 0.0]]), np.ones((1, 2)))
    state = parts.linear.merge(*(parts.linear.of(log_k[i:i + 1], V[i:i + 1]) for i in (0, 1)))
    assert parts.linear.value(state, q).tolist() == [[3.0]]
    assert attention.log_linear_attention(q[0], log_k, V).tolist() == [[3.0]]
