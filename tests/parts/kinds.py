"""The kinds of parts as one table: what each is tried on, and the formula of its value."""
from collections.abc import Callable
from functools import partial
from typing import NamedTuple

import numpy as np
from hypothesis import strategies as st

from hopref import attention, maps, modern, sparse, storage
from hopref.check.tolerance.arithmetic import PROFILES
from hopref.check.tolerance.expected import expected
from hopref.parts.supports import at_most
from tests.draw import arrays, betas, eighths, small
from tests.rounding import close, g, softmax_rule
from tests.test_storage import spanned

bits = st.sampled_from([0.0, 1.0])


class Kind(NamedTuple):
    """Verbs come first in each: those of the library, or with a mutant among them.

    ``judge(value, case, merges)`` raises where the value is not the formula's.
    """
    cases: Callable         # (n) -> strategy of cases with n rows
    of: Callable            # (verbs, case, rows) -> state
    none: Callable          # (verbs, case) -> state
    value: Callable         # (verbs, state, case)
    judge: Callable
    commutes: bool = True


def operation(op, call):
    """Judge by an operation: a merge does to each term once more what the formula did to it."""
    def judge(got, case, merges):
        args, kwargs = call(case)
        want = expected(op, args, kwargs, PROFILES["float64"])
        pairs = zip(got, want, strict=True) if isinstance(want, tuple) else [(got, want)]
        for a, ball in pairs:
            within(a, ball.value.astype(float), (merges + 1) * ball.radius)
    return judge


def within(got, want, allowed):
    """-inf is the log of nothing, and only that."""
    same = got == want
    close(np.where(same, 0.0, got), np.where(same, 0.0, want), allowed)


@st.composite
def records(draw, n, **shapes):
    """Arrays of eighths; "n" in a shape is the number of rows."""
    sizes = {"m": draw(st.integers(1, 3)), "d": draw(st.integers(1, 3)), "v": 2, "r": 3, "n": n}
    return {k: draw(arrays(*(sizes[s] for s in dims.split()), elements=elements))
            for k, (dims, elements) in shapes.items()}


# -- softmax ------------------------------------------------------------------------------------

@st.composite
def scored(draw, n):
    """Scores of which some are hidden, often a whole stretch of them."""
    case = draw(records(n, z=("m n", eighths), V=("n v", eighths)))
    hidden = draw(arrays(*case["z"].shape, elements=bits)) > 0
    hidden |= np.arange(n) < draw(st.integers(0, n))
    return case | {"z": np.where(hidden, -np.inf, 64 * case["z"]), "beta": draw(betas)}


def judge_softmax(got, case, merges):
    z, V, beta = case["z"], case["V"], case["beta"]
    some = np.max(z, -1) > -np.inf
    assert np.all(got.drawn[~some] == 0) and np.all(got.lse[~some] == -np.inf)
    z = z[some]
    close(got.drawn[some], maps.softmax(z, beta=beta) @ V,
          (merges + 1) * softmax_rule(z, np.zeros_like(z), V, beta))
    operation("maps.logsumexp", lambda case: ((z,), {"beta": beta}))(got.lse[some], case, merges)


# -- linear, causal -------------------------------------------------------------------------------

@st.composite
def logs(draw, n, queries="m"):
    """Logs of features as norms of 1 to 10^6 give them."""
    case = draw(records(n, log_q=(f"{queries} r", eighths), log_k=("n r", eighths),
                        V=("n v", eighths)))
    size = draw(st.sampled_from([1.0, 400.0, 1e6]))
    return case | {"log_q": size * case["log_q"], "log_k": size * case["log_k"]}


def cut(case, rows, *names):
    return [case[k][rows] for k in names]


def segment(case, rows):
    log_q, log_k, V = cut(case, rows, "log_q", "log_k", "V")
    return (log_q, np.ones_like(log_q)), (log_k, np.ones_like(log_k)), V


def queries(case):
    return case["log_q"], np.ones_like(case["log_q"])


def by_name(*names, **how):
    """The call of an operation from a case."""
    return lambda case: ([case[k] for k in names], {k: case[k] for k in how})


# -- sums of squares ------------------------------------------------------------------------------

def judge_covariance(got, case, merges):
    """n products of two differences of at most 2 max|x|, each of a mean of n numbers."""
    X = case["X"]
    n, d = X.shape
    close(got, storage.covariance(X, activity=case["p"]),
          g(8 * (n + merges) + d) * 4 * n * max(1.0, np.abs(X).max()) ** 2)


def judge_gram(got, case, merges):
    """As if the patterns were rounded d times by n + merges d of them, a reflection each; their
    span moves by |E| / s_min (Wedin)."""
    X = case["X"] / np.maximum(np.abs(case["X"]).max(-1, keepdims=True), 1)
    want, rank = spanned(case["X"])
    s = np.linalg.svd(X, compute_uv=False)
    d, condition = len(want), s[0] / s[rank - 1] if rank else 1.0
    close(got, want, g(8 * d * (len(X) + merges * d)) * condition)


def exactly(formula):
    def judge(got, case, merges):
        assert np.all(got == formula(case))
    return judge


# -- supports and the best ------------------------------------------------------------------------

SPARSE = {
    "entmax": (partial(maps.entmax.formula, beta=1.0, alpha=1.5), sparse.update, {"alpha": 1.5}),
    "sparsemax": (partial(maps.entmax.formula, beta=1.0, alpha=2.0), sparse.update, {"alpha": 2.0}),
    "cubic": (partial(maps.entmax.formula, beta=1.0, alpha=3.0), sparse.update, {"alpha": 3.0}),
    "normmax": (partial(maps.normmax.formula, beta=1.0, gamma=2.0), sparse.normmax_update, {}),
    "subsets": (partial(at_most, k=2, beta=1.0), sparse.k_subsets_update, {"k": 2}),
}


@st.composite
def sparse_cases(draw, n):
    case = draw(records(n, xi=("m d", eighths), X=("n d", eighths)))
    names = sorted(SPARSE) if n >= 2 else ["entmax", "sparsemax", "cubic", "normmax"]
    return case | {"map": draw(st.sampled_from(names))}


def of_candidates(verbs, case, rows):
    X = case["X"][rows]
    return verbs.of(case["xi"] @ X.T, X, SPARSE[case["map"]][0])


def judge_supports(got, case, merges):
    _, op, how = SPARSE[case["map"]]
    operation(op, lambda case: ((case["xi"], case["X"]), how))(got, case, merges)


@st.composite
def ranked(draw, n):
    """Few different scores, so that most are tied."""
    case = draw(records(n, z=("m n", st.sampled_from([-1.0, 0.0, 1.0])), V=("n v", eighths)))
    return case | {"k": draw(st.integers(1, n)), "beta": draw(betas)}


def best(case):
    """Places of the k best of each row: larger scores first, of equals lower indices; rising."""
    return np.array([sorted(sorted(range(len(z)), key=lambda i: (-z[i], i))[:case["k"]])
                     for z in case["z"]])


def judge_top_k(got, case, merges):
    state, answer = got
    i = best(case)
    assert np.all(state.index == i)
    assert np.all(state.score == np.take_along_axis(case["z"], i, -1))
    assert np.all(state.drawn == case["V"][i])
    z = np.full_like(case["z"], -np.inf)
    np.put_along_axis(z, i, state.score, -1)
    close(answer, maps.softmax(z, beta=case["beta"]) @ case["V"],
          softmax_rule(z, np.zeros_like(z), case["V"], case["beta"]))


KINDS = {
    "softmax": Kind(
        scored,
        lambda verbs, it, rows: verbs.of(it["z"][:, rows], it["V"][rows], beta=it["beta"]),
        lambda verbs, it: verbs.none(it["z"], it["V"], beta=it["beta"]),
        lambda verbs, state, it: verbs.value(state), judge_softmax),
    "energy": Kind(
        lambda n: st.builds(lambda a, beta: a | {"beta": beta},
                            records(n, xi=("m d", eighths), X=("n d", eighths)), betas),
        lambda verbs, it, rows: verbs.of(it["xi"], it["X"][rows], beta=it["beta"]),
        lambda verbs, it: verbs.none(it["xi"], it["X"], beta=it["beta"]),
        lambda verbs, state, it: verbs.value(state, it["xi"]),
        operation(modern.energy, by_name("xi", "X", beta=1.0))),
    "linear": Kind(
        logs,
        lambda verbs, it, rows: verbs.of(*cut(it, rows, "log_k", "V")),
        lambda verbs, it: verbs.none(it["log_k"], it["V"]),
        lambda verbs, state, it: verbs.value(state, queries(it)),
        operation(attention.log_linear_attention, by_name("log_q", "log_k", "V"))),
    "causal": Kind(
        lambda n: logs(n, queries="n"),
        lambda verbs, it, rows: verbs.of(*segment(it, rows)),
        lambda verbs, it: verbs.none(*segment(it, slice(None))),
        lambda verbs, state, it: verbs.value(state),
        operation(attention.log_causal_linear_attention, by_name("log_q", "log_k", "V")),
        commutes=False),
    "sums": Kind(
        lambda n: records(n, X=("n d", small), Y=("n v", small)),
        lambda verbs, it, rows: verbs.of(*cut(it, rows, "Y", "X")),
        lambda verbs, it: verbs.none(it["Y"], it["X"]),
        lambda verbs, state, it: verbs.value(state),
        exactly(lambda it: storage.bam(it["X"], it["Y"]))),
    "covariance": Kind(
        lambda n: st.builds(lambda a, p: a | {"p": p}, records(n, X=("n d", small)),
                            st.sampled_from([None, 0.5])),
        lambda verbs, it, rows: verbs.of(it["X"][rows]),
        lambda verbs, it: verbs.none(it["X"]),
        lambda verbs, state, it: verbs.value(state, activity=it["p"]), judge_covariance),
    "gram": Kind(
        lambda n: records(n, X=("n d", small)),
        lambda verbs, it, rows: verbs.of(it["X"][rows]),
        lambda verbs, it: verbs.none(it["X"]),
        lambda verbs, state, it: verbs.value(state), judge_gram),
    "clipped": Kind(
        lambda n: records(n, X=("n d", bits), Y=("n v", bits)),
        lambda verbs, it, rows: verbs.of(*cut(it, rows, "X", "Y")),
        lambda verbs, it: verbs.none(it["X"], it["Y"]),
        lambda verbs, state, it: verbs.value(state),
        exactly(lambda it: storage.willshaw_pairs(it["X"], it["Y"]))),
    "supports": Kind(
        sparse_cases, of_candidates,
        lambda verbs, it: verbs.none(it["xi"] @ it["X"].T, it["X"], SPARSE[it["map"]][0]),
        lambda verbs, state, it: verbs.value(state), judge_supports),
    "top_k": Kind(
        ranked,
        lambda verbs, it, rows: verbs.of(it["z"][:, rows], it["V"][rows], k=it["k"]),
        lambda verbs, it: verbs.none(it["z"], it["V"], k=it["k"]),
        lambda verbs, state, it: (state, verbs.value(state, beta=it["beta"])), judge_top_k,
        commutes=False),
}
