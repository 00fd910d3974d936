"""Laws of supports: masks against their definitions, entry by entry, and draws of them."""
import itertools

import numpy as np

from hopref.check.cases.draws import integers, records, sampled, seeds
from hopref.check.cases.scores import chosen
from hopref.check.cases.supports import windows
from hopref.check.laws import at_most, equal, holds, law

SIDES = {"l": integers(1, 6), "n": integers(1, 6)}
ALIGNED = SIDES | {"align": sampled(["end", "start"])}
FAR = 12            # beyond every side
DRAWS, ERRORS = 6000, 6     # rows that are drawn, standard errors that are allowed


def gaps(l, n, align):
    """The number of positions by which pattern j is ahead of state i."""
    return np.arange(n) - np.arange(l)[:, None] - (n - l) * (align == "end")


def same(got, want):
    """The claim that two masks are equal."""
    return equal(1.0 * np.asarray(got), 1.0 * want)


@law("supports.window", id="NP-3", over=records(**SIDES, how=windows),
     kills=("window one step too wide", "width as a distance, whatever the dilation",
            "causal ignored", "align ignored"))
def a_window_is_so_many_steps_to_both_sides_of_the_own_position(f, l, n, how):
    """j = i + a o for |o| <= w, and o <= 0 if causal."""
    steps, rest = np.divmod(gaps(l, n, how["align"]), how["dilation"])
    near = (rest == 0) & (np.abs(steps) <= how["width"])
    yield same(f(l, n, **how), near & ((steps <= 0) | (not how["causal"])))


@law("supports.causal", "supports.window", id="AT-3", over=records(**ALIGNED),
     kills=("own position hidden", "align ignored", "causal ignored"))
def a_causal_support_is_the_past_with_the_present_and_a_wide_causal_window(f, l, n, align):
    """j <= i, the positions counted from the start or from the end."""
    past = gaps(l, n, align) <= 0
    yield same(f.supports.causal(l, n, align=align), past)
    yield same(f.supports.window(l, n, width=FAR, causal=True, align=align), past)


@law("supports.global_tokens", id="NP-3", over=records(**ALIGNED, tokens=integers(1, 6)),
     kills=("global tokens see all and are not seen", "align ignored",
            "global tokens are seen and do not see all"))
def global_tokens_see_all_and_are_seen_by_all(f, l, n, align, tokens):
    """i < g or j < g."""
    tokens = min(tokens, n)
    j = np.arange(n)
    i = j - gaps(l, n, align)
    yield same(f(l, n, tokens=tokens, align=align), (i < tokens) | (j < tokens))


@law("supports.random", id="NP-5", kills=("k draws with replacement", "one draw for all rows"))
def random_supports_are_sets_of_k_all_equally_likely(f):
    """Each of the 10 pairs out of 5, and equality of two rows, has the probability p = 1/10.

    Their counts in 6000 rows are binomial: within six standard errors of l p.
    """
    n, k = 5, 2
    mask = np.asarray(f(DRAWS, n, k=k, rng=5))
    yield equal(1.0 * np.sum(mask, axis=-1), float(k), "patterns a row")
    sets = list(itertools.combinations(range(n), k))
    counts = np.array([np.sum(np.all(mask[:, list(s)], axis=-1)) for s in sets])
    alike = np.sum(np.all(mask[0::2] == mask[1::2], axis=-1))
    p = 1 / len(sets)
    for found, rows in ((counts, DRAWS), (alike, DRAWS // 2)):
        yield at_most(np.abs(found - rows * p), ERRORS * np.sqrt(rows * p * (1 - p)))


@law("supports.random", id="NP-5", over=records(seed=seeds()), kills=("seed ignored",))
def a_random_support_is_that_of_its_seed(f, seed):
    """Equal seeds give equal supports, and different seeds different ones, for 99 rows."""
    first, again, other = (np.asarray(f(99, 5, k=2, rng=s)) for s in (seed, seed, seed + 1))
    yield same(first, again)
    yield holds(np.any(first != other), "another seed")


@law("supports.big_bird", id="NP-3",
     over=records(l=integers(1, 6), n=integers(2, 6), rng=seeds(), align=sampled(["end", "start"])),
     kills=("no window", "no global tokens", "no random patterns", "align ignored"))
def big_bird_is_the_union_of_window_global_and_random(f, l, n, rng, align):
    """Each part is the support of its own function."""
    it, sides = f.supports, {"align": align}
    parts = (it.window(l, n, width=1, **sides), it.global_tokens(l, n, tokens=1, **sides),
             it.random(l, n, k=2, rng=rng))
    yield same(f(l, n, width=1, tokens=1, k=2, rng=rng, **sides), np.any(parts, axis=0))


@law("supports.largest", id="NP-3", over=chosen(elements=integers(-2, 2).map(float)),
     kills=("all scores that tie with the k-th", "of equal scores the last",
            "the k smallest scores"))
def the_largest_are_k_and_the_first_of_equals(f, z, beta, k):
    """The first k scores in descending order, of equal ones those of lower index."""
    want = np.zeros(z.shape, bool)
    np.put_along_axis(want, np.argsort(-z.value, axis=-1, kind="stable")[..., :k], True, -1)
    yield equal(f(z, k=k), 1.0 * want)
