"""Supports against their definitions, entry by entry; draws against their law."""
import itertools

import numpy as np
import pytest
from hypothesis import strategies as st

from hopref import supports
from hopref.errors import DomainError
from tests.draw import arrays, records, windows
from tests.laws import law

sides = {"l": st.integers(1, 6), "n": st.integers(1, 6)}


def position(i, l, n, align):
    """Where state i stands among the patterns."""
    return i + (n - l if align == "end" else 0)


def by_entries(l, n, sees):
    return np.array([[sees(i, j) for j in range(n)] for i in range(l)])


@law("supports.window", id="NP-3", over=records(**sides, how=windows),
     kills=["support_window_one_too_wide", "support_window_by_distance",
            "support_window_sees_ahead", "support_window_from_the_start"])
def test_a_window_is_so_many_steps_to_both_sides_of_the_own_position(rules, l, n, how):
    def sees(i, j):
        steps, rest = divmod(j - position(i, l, n, how["align"]), how["dilation"])
        return rest == 0 and abs(steps) <= how["width"] and not (how["causal"] and steps > 0)
    assert np.array_equal(rules.supports.window(l, n, **how), by_entries(l, n, sees))


@law("supports.causal", "supports.window", id="AT-3",
     over=records(**sides, align=st.sampled_from(["end", "start"])),
     kills=["causal_hides_the_present", "causal_support_from_the_start",
            "support_window_sees_ahead"])
def test_causal_is_the_past_and_the_present_and_a_wide_causal_window(rules, l, n, align):
    want = by_entries(l, n, lambda i, j: j <= position(i, l, n, align))
    assert np.array_equal(rules.supports.causal(l, n, align=align), want)
    assert np.array_equal(
        rules.supports.window(l, n, width=12, causal=True, align=align), want)


@law("supports.global_tokens", id="NP-3",
     over=records(**sides, align=st.sampled_from(["end", "start"]), tokens=st.integers(1, 6)),
     kills=["global_tokens_are_not_seen", "global_tokens_do_not_see",
            "global_tokens_from_the_start"])
def test_global_tokens_see_all_and_are_seen_by_all(rules, l, n, align, tokens):
    tokens = min(tokens, n)
    got = rules.supports.global_tokens(l, n, tokens=tokens, align=align)
    assert np.array_equal(got, by_entries(
        l, n, lambda i, j: j < tokens or position(i, l, n, align) < tokens))


@law("supports.random", id="NP-5", kills=["random_with_replacement", "random_same_for_all_rows",
                                          "random_deaf_to_seeds"])
def test_random_supports_are_sets_of_k_all_equally_likely(rules):
    """The 10 pairs out of 5: counts of 6000 rows, each binomial with p = 1/10, within six standard
    errors; so are the pairs of sets of two rows that are equal."""
    l, n, k, rng = 6000, 5, 2, np.random.default_rng(5)
    mask = rules.supports.random(l, n, k=k, rng=rng)
    assert np.all(mask.sum(-1) == k)
    sets = list(itertools.combinations(range(n), k))
    counts = np.array([np.all(mask[:, list(s)], axis=-1).sum() for s in sets])
    p = 1 / len(sets)
    assert np.all(np.abs(counts - l * p) <= 6 * np.sqrt(l * p * (1 - p)))
    alike = np.all(mask[0::2] == mask[1::2], axis=-1).sum()
    assert abs(alike - l / 2 * p) <= 6 * np.sqrt(l / 2 * p * (1 - p))
    assert not np.array_equal(rules.supports.random(99, n, k=k, rng=rng), mask[:99])
    first, second = (rules.supports.random(99, n, k=k, rng=seed) for seed in (1, 2))
    assert np.array_equal(first, rules.supports.random(99, n, k=k, rng=1))
    assert not np.array_equal(first, second)


@law("supports.big_bird", id="NP-3",
     over=records(l=st.integers(1, 6), n=st.integers(2, 6), rng=st.integers(0, 9),
                  align=st.sampled_from(["end", "start"])),
     kills=["big_bird_without_window", "big_bird_without_tokens", "big_bird_without_random"])
def test_big_bird_is_window_and_global_and_random(rules, l, n, rng, align):
    got = rules.supports.big_bird(l, n, width=1, tokens=1, k=2, rng=rng, align=align)
    assert np.array_equal(got, supports.window(l, n, width=1, align=align)
                          | supports.global_tokens(l, n, tokens=1, align=align)
                          | supports.random(l, n, k=2, rng=rng))


@st.composite
def ranked(draw):
    z = draw(st.integers(1, 6).flatmap(lambda n: arrays(3, n, elements=st.integers(-2, 2).map(
        float))))
    return {"z": z, "k": draw(st.integers(1, z.shape[-1]))}


@law("supports.largest", id="NP-3", over=ranked(),
     kills=["largest_takes_all_ties", "largest_takes_the_last_of_equals"])
def test_the_largest_are_k_and_the_first_of_equals(rules, z, k):
    want = np.zeros(z.shape, bool)
    for row, seen in zip(z, want, strict=True):
        seen[sorted(range(len(row)), key=lambda i: (-row[i], i))[:k]] = True
    assert np.array_equal(rules.supports.largest(z, k=k), want)


def test_supports_are_joined_and_cut_like_any_mask():
    past = supports.causal(4, 4)
    near = supports.window(4, 4, width=1) | supports.global_tokens(4, 4, tokens=1)
    assert np.array_equal((near & past).sum(-1), [1, 2, 3, 3])


def test_no_more_can_be_seen_than_there_are():
    for call in (lambda: supports.random(2, 3, k=4, rng=0),
                 lambda: supports.big_bird(2, 3, width=1, tokens=1, k=4, rng=0)):
        with pytest.raises(DomainError, match="k must be at most n = 3; got k=4"):
            call()
    with pytest.raises(DomainError, match="tokens must be at most n = 3; got tokens=5"):
        supports.global_tokens(2, 3, tokens=5)
