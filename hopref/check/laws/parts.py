"""Laws of mergeable partial results: any cut, order and bracketing gives the formula's result.

The empty state is neutral.  Each kind of `hopref.check.cases.parts` has one law of either kind.

The candidate is one of the functions `VERBS`; the others are those of hopref.
"""
import random
from operator import attrgetter

import numpy as np

from hopref import modern, parts
from hopref.check.cases.draws import arrays, composed, integers, lists, records, small
from hopref.check.cases.parts import KINDS, SPARSE
from hopref.check.laws import at_most, equal, holds, law, toleranced
from hopref.check.tolerance.expected import honest

VERBS, U = ("empty", "from_chunk", "merge", "value"), 2.0**-53


@composed
def cut_up(draw, kind):
    """A case of a kind, the cuts of its rows into chunks, some empty; and a seed of the order."""
    n = draw(integers(1, 6))
    cuts = sorted(draw(lists(integers(0, n), most=4)))
    return {"case": draw(KINDS[kind].cases(n)), "ends": [0, *cuts, n],
            "seed": draw(integers(0, 99))}


def declare(kind, id, chunking, neutral):
    """The two laws of a kind."""
    it, subjects = KINDS[kind], [f"parts.{kind}.{verb}" for verb in VERBS]
    verbs_of = attrgetter(f"parts.{kind}")

    def any_chunking(f, case, ends, seed):
        """The value of parts, merged in any order and bracketing that the kind allows."""
        verbs, chance = verbs_of(f), random.Random(seed)
        states = [it.of(verbs, case, slice(*pair)) for pair in zip(ends, ends[1:])]
        states.insert(chance.randint(0, len(states)), it.none(verbs, case))
        if it.commutes:
            chance.shuffle(states)
        merges = len(states)
        while len(states) > 1:
            i = chance.randrange(len(states) - 1)
            states[i:i + 2] = [verbs.merge(*states[i:i + 2])]
        yield from it.claims(it.value(verbs, states[0], case), case, merges)

    def nothing(f, case, ends, seed):
        """Merging with the empty state, on either side, does not change the value of a part."""
        verbs = verbs_of(f)
        whole, none = it.of(verbs, case, slice(0, ends[-1])), it.none(verbs, case)
        alone = it.value(verbs, whole, case)
        for state in (verbs.merge(none, whole), verbs.merge(whole, none)):
            yield from alike(it.value(verbs, state, case), alone)

    how = "any_cut_order_and_bracketing" if it.commutes else "any_cut_and_bracketing"
    any_chunking.__name__ = f"{how}_of_{kind}_parts_is_the_formula"
    nothing.__name__ = f"nothing_is_neutral_for_{kind}_parts"
    law(*subjects, id=id, over=cut_up(kind), kills=chunking)(any_chunking)
    law(*subjects, id=id, over=cut_up(kind), kills=neutral)(nothing)


def alike(a, b):
    """Claims of equality, record by record."""
    if isinstance(a, tuple):
        for x, y in zip(a, b, strict=True):
            yield from alike(x, y)
    else:
        yield holds(np.shape(a) == np.shape(b), "shape")
        if np.shape(a) == np.shape(b):
            yield equal(a, b)


SOFTMAX = declare("softmax", "MO-1",
        ("totals added without rescaling", "rescaled by the first maximum",
         "beta left out of the rescaling", "NaN where both are empty",
         "values rescaled and totals not", "one maximum for the whole batch", "log2 in place of ln",
         "log of the total not divided by beta", "the maximum not added to the logsumexp"),
        ("nothing with the maximum 0", "nothing with the total 1"))
ENERGY = declare("energy", "MO-7",
        ("M^2 added", "patterns of one part counted", "the leader of the first part kept",
         "expm1 sums rescaled like sums of exp", "log2 in place of ln", "M^2 of the last part"),
        ("nothing as a pattern at the origin",))
LINEAR = declare("linear", "MO-2",
        ("totals added without rescaling", "one scale for all features",
         "rescaled by the smaller scale", "the largest scale of all features for each",
         "NaN where both are empty", "the scale left out of the query",
         "values rescaled and z not"),
        ("NaN where both are empty", "nothing with the scale 1"))
CAUSAL = declare("causal", "MO-3",
        ("each chunk sees itself alone", "positions see their whole chunk",
         "own position left out", "results depend on later positions",
         "state without the last chunk"),
        ("nothing as one position",))
GATED = declare("gated", "GD-5",
        ("maps composed in the wrong order", "memory of the later part alone",
         "results of the later part alone", "prediction of the memory before its decay"),
        ("nothing erases the memory",))
SUMS = declare("sums", "MO-5",
        ("weights averaged", "the later part alone", "A and B exchanged"),
        ("weights averaged", "nothing as the identity"))
COVARIANCE = declare("covariance", "CB-12",
        ("scatters added", "means averaged", "n_1 n_2 without 1/(n_1 + n_2)"),
        ("means averaged", "nothing as a pattern of zeros"))
GRAM = declare("gram", "MO-5",
        ("a ridge in place of the rank", "the outer product of the sum", "Hebb's rule",
         "the later part alone"),
        ("the later part alone", "nothing as a pattern of ones"))
CLIPPED = declare("clipped", "CB-13",
        ("sums in place of OR", "AND in place of OR", "XOR in place of OR"),
        ("AND in place of OR", "nothing as all ones"))
SUPPORTS = declare("supports", "MO-4",
        ("only the strongest kept", "values halved", "the later part alone",
         "supports cut before they merge"),
        ("the later part alone", "nothing as a pattern at zero"))
TOP_K = declare("top_k", "MO-6",
        ("ties to the last index", "every chunk counted from 0", "merged the other way round",
         "k + 1 kept"),
        ("nothing with an index",))


@law("parts.linear.from_chunk", "parts.linear.merge", "parts.linear.read", id="MO-2",
     over=cut_up("linear"),
     kills=("one scale for all features", "the largest scale of all features for each",
            "rescaled by the smaller scale"))
def whatever_the_norms_no_denominator_is_below_one(f, case, ends, seed):
    """The largest scaled key of the feature of the largest query is 1."""
    verbs, it = f.parts.linear, KINDS["linear"]
    state = it.none(parts.linear, case)
    for pair in zip(ends, ends[1:]):
        state = verbs.merge(state, it.of(verbs, case, slice(*pair)))
    query = case["log_q"], np.ones_like(case["log_q"])
    yield at_most(1.0, verbs.read(state, query).total)


@law("parts.energy.value", "parts.energy.merge", "parts.softmax.value", id="MO-7",
     over=cut_up("energy"),
     kills=("M^2 added", "patterns of one part counted", "log2 in place of ln",
            "log of the total not divided by beta"))
def the_energy_of_chunks_follows_from_their_lse_number_and_largest_norm(f, case, ends, seed):
    """E = -lse + |xi|^2/2 + ln N / beta + M^2/2; the radius counts every term of that sum."""
    xi, X, beta = case["xi"], case["X"], case["beta"]
    energies, sums = f.parts.energy, f.parts.softmax
    E, lse = parts.energy.empty(xi, X, beta=beta), parts.softmax.empty(xi @ X.T, X, beta=beta)
    for i, j in zip(ends, ends[1:]):
        E = energies.merge(E, parts.energy.from_chunk(xi, X[i:j], beta=beta))
        lse = parts.softmax.merge(lse, parts.softmax.from_chunk(xi @ X[i:j].T, X[i:j], beta=beta))
    lse, M2, n = sums.value(lse).lse, np.max(np.sum(X * X, axis=-1)), len(X)
    own = np.sum(xi * xi, axis=-1) / 2
    terms = np.abs(lse) + own + (np.log(n) + n) / beta + M2
    radius = len(ends) * honest(modern.energy, xi, X, beta=beta).radius
    radius = radius + 8 * (len(ends) + n) * U * terms
    yield equal(energies.value(E, xi), toleranced(-lse + own + np.log(n) / beta + M2 / 2, radius))


@law("parts.causal.from_chunk", "parts.causal.merge", id="MO-3", over=cut_up("causal"),
     kills=("positions see their whole chunk", "results depend on later positions"))
def what_comes_later_changes_no_earlier_position(f, case, ends, seed):
    """Exactly: a merge does not change the results of the earlier part."""
    verbs, it = f.parts.causal, KINDS["causal"]
    first, last = (it.of(verbs, case, rows) for rows in (slice(ends[1]), slice(ends[1], None)))
    Z = parts.causal.value(verbs.merge(first, last))[0]
    alone = parts.causal.value(it.of(parts.causal, case, slice(ends[1])))[0]
    yield from alike(Z[:ends[1]], alone)


@law("parts.clipped.merge", id="CB-13", over=cut_up("clipped"),
     kills=("sums in place of OR", "XOR in place of OR"))
def a_clipped_part_merged_with_itself_is_itself(f, case, ends, seed):
    """W or W = W."""
    W = parts.clipped.from_chunk(case["X"], case["Y"])
    yield from alike(f(W, W), W)


@law("parts.supports.from_chunk", "parts.supports.merge", id="MO-4", over=cut_up("supports"),
     kills=("only the strongest kept", "the later part alone", "supports cut before they merge"))
def the_support_of_a_union_lies_within_the_union_of_supports(f, case, ends, seed):
    """Scores are sums of a few eighths, hence exact, so that only the support is tested."""
    verbs, it = f.parts.supports, KINDS["supports"]
    state = it.none(parts.supports, case)
    for pair in zip(ends, ends[1:]):
        state = verbs.merge(state, it.of(verbs, case, slice(*pair)))
    z = case["xi"] @ case["X"].T
    p = SPARSE[case["map"]][0](z)
    needed = z[:, np.any(p > 8 * len(z.T) * U, axis=0)]
    kept = state.scores.T.tolist()
    yield holds(all(column in kept for column in needed.T.tolist()))


@law("parts.gram.merge", "parts.gram.from_chunk", id="CB-10",
     over=records(X=arrays(2, 4, elements=small), k=integers(20, 40)),
     kills=("Gram matrices in place of their roots", "the later part alone"))
def patterns_that_nearly_agree_are_distinguished(f, X, k):
    """x_2 - x_1 is only 2^-k of them, and 2^-2k of a Gram matrix: as the formula, W keeps x_1 and
    x_2, where W errs by roundings / 2^-k but along the patterns by roundings alone."""
    X = np.stack([X[0], X[0] + 2.0**-k * X[1]])
    verbs = f.parts.gram
    W = parts.gram.value(verbs.merge(*(verbs.from_chunk(X[i:i + 1]) for i in (0, 1))))
    yield equal(W @ X.T, toleranced(X.T, 64 * X.size * U * np.max(np.abs(X))))
