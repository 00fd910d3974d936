"""The kinds of parts as one table: their cases, how their verbs are called, and the formula that
their value must equal."""
from collections.abc import Callable
from functools import partial
from typing import NamedTuple

import numpy as np

from hopref import attention, gated, maps, modern, sparse, storage
from hopref.check.cases.draws import arrays, betas, composed, eighths, integers, sampled, small
from hopref.check.laws import equal, holds, toleranced
from hopref.check.tolerance.expected import honest
from hopref.check.tolerance.toleranced import Toleranced
from hopref.parts.supports import at_most

__all__ = ["KINDS", "SPARSE", "Kind"]

U = 2.0**-53
bits = sampled([0.0, 1.0])
logs_of_decays = integers(-16, 0).map(lambda k: k / 8)
shares = integers(0, 8).map(lambda k: k / 8)


class Kind(NamedTuple):
    """How one kind of parts is tried.  ``verbs`` are the candidate's, or those of hopref."""
    cases: Callable         # n -> draw of a case with n rows
    of: Callable            # (verbs, case, rows) -> state
    none: Callable          # (verbs, case) -> state
    value: Callable         # (verbs, state, case) -> value
    claims: Callable        # (value, case, merges) -> claims that it is the formula's
    commutes: bool = True


def formula(op, call):
    """Claims by an operation: a merge does to each term once more what the formula did to it."""
    def claims(got, case, merges):
        args, kwargs = call(case)
        want = honest(op, *args, **kwargs)
        for a, b in zip(got, want) if isinstance(want, tuple) else [(got, want)]:
            yield equal(a, Toleranced(b.value, (merges + 1) * b.radius, b.profile))
    return claims


@composed
def tables(draw, n, **shapes):
    """Arrays by name; "n" in a shape is the number of rows."""
    sizes = {"m": draw(integers(1, 3)), "d": draw(integers(1, 3)), "v": 2, "r": 3, "n": n}
    return {k: draw(arrays(*(sizes[s] for s in dims.split()), elements=elements))
            for k, (dims, elements) in shapes.items()}


@composed
def extended(draw, n, shapes, **more):
    """A table with further draws."""
    return draw(tables(n, **shapes)) | {k: draw(value) for k, value in more.items()}


def cut(case, rows, *names):
    return [case[k][rows] for k in names]


# -- softmax --------------------------------------------------------------------------------------

@composed
def scored(draw, n):
    """Scores of which some are hidden, often a whole stretch of them."""
    case = draw(tables(n, z=("m n", eighths), V=("n v", eighths)))
    hidden = draw(arrays(*case["z"].shape, elements=bits)) > 0
    hidden |= np.arange(n) < draw(integers(0, n))
    return case | {"z": np.where(hidden, -np.inf, 64 * case["z"]), "beta": draw(betas)}


def claims_of_softmax(got, case, merges):
    z, V, beta = case["z"], case["V"], case["beta"]
    some = np.max(z, axis=-1) > -np.inf
    yield equal(got.mean[~some], 0.0, "nothing drawn where nothing was seen")
    yield equal(got.lse[~some], -np.inf, "the log of nothing")
    z = z[some]
    if not len(z):
        return
    p = honest(maps.softmax, z, beta=beta)
    mean = np.matmul(p.value, V)
    away = np.abs(V[None] - mean[:, None].astype(float))
    off = np.sum(p.radius[..., None] * (away + np.abs(V)), axis=-2)
    size = 8 * (len(V) + merges) * U * (np.matmul(p.value, np.abs(V)).astype(float) + 2.0**-1000)
    yield equal(got.mean[some], toleranced(mean, (merges + 1) * (off + size)), "drawn")
    yield from formula(maps.logsumexp, lambda case: ((z,), {"beta": beta}))(
        got.lse[some], case, merges)


# -- linear, causal -------------------------------------------------------------------------------

@composed
def logs(draw, n, queries="m"):
    """Logs of features as norms of 1 to 10^6 give them."""
    case = draw(tables(n, log_q=(f"{queries} r", eighths), log_k=("n r", eighths),
                       V=("n v", eighths)))
    size = draw(sampled([1.0, 400.0, 1e6]))
    return case | {"log_q": size * case["log_q"], "log_k": size * case["log_k"]}


def segment(case, rows):
    log_q, log_k, V = cut(case, rows, "log_q", "log_k", "V")
    return (log_q, np.ones_like(log_q)), (log_k, np.ones_like(log_k)), V


def queries(case):
    return case["log_q"], np.ones_like(case["log_q"])


def by_name(*names, **how):
    """The call of an operation from a case."""
    return lambda case: ([case[k] for k in names], {k: case[k] for k in how})


def tokens(case, rows):
    """A rule, and the tokens of a sequence with their decays and strengths of writes."""
    Q, K, V, gates, beta = cut(case, rows, "Q", "K", "V", "log_gates", "beta")
    return (Q / np.sqrt(Q.shape[-1]), K, V, np.exp(gates), beta[:, None]), \
        {"rule": gated.rules.resolve(case["rule"])}


# -- sums over patterns ---------------------------------------------------------------------------

def claims_of_covariance(got, case, merges):
    """n products of two differences of at most 2 max|x|, each of a mean of n numbers."""
    X = case["X"]
    n, d = X.shape
    radius = (8 * (n + merges) + d) * U * 4 * n * max(1.0, np.max(np.abs(X))) ** 2
    yield equal(got, toleranced(storage.covariance(X, activity=case["p"]), radius))


def claims_of_gram(got, case, merges):
    """As if the patterns were rounded d times by n + merges d of them, a reflection each; their
    span moves by |E| / s_min (Wedin).  The patterns are integers, so their rank is known."""
    X = case["X"] / np.maximum(np.max(np.abs(case["X"]), axis=-1, keepdims=True), 1)
    _, s, Vt = np.linalg.svd(X, full_matrices=False)
    rank = np.linalg.matrix_rank(X)
    d, condition = X.shape[1], s[0] / s[rank - 1] if rank else 1.0
    radius = 8 * d * (len(X) + merges * d + d) * U * condition
    yield equal(got, toleranced(Vt[:rank].T @ Vt[:rank], radius))


def exactly(right):
    def claims(got, case, merges):
        yield equal(got, right(case))
    return claims


# -- supports and the best ------------------------------------------------------------------------

SPARSE = {
    "entmax": (partial(maps.entmax.formula, beta=1.0, alpha=1.5), sparse.update, {"alpha": 1.5}),
    "sparsemax": (partial(maps.entmax.formula, beta=1.0, alpha=2.0), sparse.update, {"alpha": 2.0}),
    "cubic": (partial(maps.entmax.formula, beta=1.0, alpha=3.0), sparse.update, {"alpha": 3.0}),
    "normmax": (partial(maps.normmax.formula, beta=1.0, gamma=2.0), sparse.normmax_update, {}),
    "subsets": (partial(at_most, k=2, beta=1.0), sparse.k_subsets_update, {"k": 2}),
}


@composed
def sparse_cases(draw, n):
    case = draw(tables(n, xi=("m d", eighths), X=("n d", eighths)))
    names = [name for name in sorted(SPARSE) if n >= 2 or name != "subsets"]
    return case | {"map": draw(sampled(names))}


def of_candidates(verbs, case, rows):
    X = case["X"][rows]
    return verbs.from_chunk(case["xi"] @ X.T, X, SPARSE[case["map"]][0])


def claims_of_supports(got, case, merges):
    _, op, how = SPARSE[case["map"]]
    yield from formula(op, lambda case: ((case["xi"], case["X"]), how))(got, case, merges)


@composed
def ranked(draw, n):
    """Few different scores, so that most are tied."""
    case = draw(tables(n, z=("m n", sampled([-1.0, 0.0, 1.0])), V=("n v", eighths)))
    return case | {"k": draw(integers(1, n)), "beta": draw(betas)}


def best(case):
    """Places of the k best of each row: larger scores first, of equals lower indices; rising."""
    return np.array([sorted(sorted(range(len(z)), key=lambda i: (-z[i], i))[:case["k"]])
                     for z in case["z"]])


def claims_of_top_k(got, case, merges):
    state, answer = got
    i = best(case)
    yield holds(np.shape(state.index) == i.shape, "k of them")
    if np.shape(state.index) != i.shape:
        return
    yield equal(state.index, i, "indices")
    yield equal(state.score, np.take_along_axis(case["z"], i, axis=-1), "scores")
    yield equal(state.values, case["V"][i], "values")
    p = honest(maps.softmax, np.take_along_axis(case["z"], i, axis=-1), beta=case["beta"])
    V = case["V"][i]
    mean = np.einsum("mk,mkv->mv", p.value, V)
    off = np.einsum("mk,mkv->mv", 2 * p.radius + 8 * case["k"] * U * p.value.astype(float),
                    np.abs(V) + np.abs(mean)[:, None].astype(float))
    yield equal(answer, toleranced(mean, off), "answer")


KINDS = {
    "softmax": Kind(
        scored,
        lambda verbs, it, rows: verbs.from_chunk(it["z"][:, rows], it["V"][rows], beta=it["beta"]),
        lambda verbs, it: verbs.empty(it["z"], it["V"], beta=it["beta"]),
        lambda verbs, state, it: verbs.value(state), claims_of_softmax),
    "energy": Kind(
        lambda n: extended(n, {"xi": ("m d", eighths), "X": ("n d", eighths)}, beta=betas),
        lambda verbs, it, rows: verbs.from_chunk(it["xi"], it["X"][rows], beta=it["beta"]),
        lambda verbs, it: verbs.empty(it["xi"], it["X"], beta=it["beta"]),
        lambda verbs, state, it: verbs.value(state, it["xi"]),
        formula(modern.energy, by_name("xi", "X", beta=1.0))),
    "linear": Kind(
        logs,
        lambda verbs, it, rows: verbs.from_chunk(*cut(it, rows, "log_k", "V")),
        lambda verbs, it: verbs.empty(it["log_k"], it["V"]),
        lambda verbs, state, it: verbs.value(state, queries(it)),
        formula(attention.log_linear_attention, by_name("log_q", "log_k", "V"))),
    "causal": Kind(
        lambda n: logs(n, queries="n"),
        lambda verbs, it, rows: verbs.from_chunk(*segment(it, rows)),
        lambda verbs, it: verbs.empty(*segment(it, slice(None))),
        lambda verbs, state, it: verbs.value(state),
        formula(attention.log_causal_linear_attention, by_name("log_q", "log_k", "V")),
        commutes=False),
    "gated": Kind(
        lambda n: extended(n, {"Q": ("n d", eighths), "K": ("n d", eighths), "V": ("n v", eighths),
                               "log_gates": ("n d", logs_of_decays), "beta": ("n", shares),
                               "S": ("d v", eighths)}, rule=sampled(["linear", "delta"])),
        lambda verbs, it, rows: verbs.from_chunk(*tokens(it, rows)[0], **tokens(it, rows)[1]),
        lambda verbs, it: verbs.empty(*tokens(it, slice(None))[0], **tokens(it, slice(None))[1]),
        lambda verbs, state, it: verbs.value(state, S=it["S"]),
        formula(gated.linear_attention,
                by_name("Q", "K", "V", log_gates=1, beta=1, S=1, rule=1)),
        commutes=False),
    "sums": Kind(
        lambda n: tables(n, X=("n d", small), Y=("n v", small)),
        lambda verbs, it, rows: verbs.from_chunk(*cut(it, rows, "Y", "X")),
        lambda verbs, it: verbs.empty(it["Y"], it["X"]),
        lambda verbs, state, it: verbs.value(state),
        exactly(lambda it: storage.bam(it["X"], it["Y"]))),
    "covariance": Kind(
        lambda n: extended(n, {"X": ("n d", small)}, p=sampled([None, 0.5])),
        lambda verbs, it, rows: verbs.from_chunk(it["X"][rows]),
        lambda verbs, it: verbs.empty(it["X"]),
        lambda verbs, state, it: verbs.value(state, activity=it["p"]), claims_of_covariance),
    "gram": Kind(
        lambda n: tables(n, X=("n d", small)),
        lambda verbs, it, rows: verbs.from_chunk(it["X"][rows]),
        lambda verbs, it: verbs.empty(it["X"]),
        lambda verbs, state, it: verbs.value(state), claims_of_gram),
    "clipped": Kind(
        lambda n: tables(n, X=("n d", bits), Y=("n v", bits)),
        lambda verbs, it, rows: verbs.from_chunk(*cut(it, rows, "X", "Y")),
        lambda verbs, it: verbs.empty(it["X"], it["Y"]),
        lambda verbs, state, it: verbs.value(state),
        exactly(lambda it: storage.willshaw_pairs(it["X"], it["Y"]))),
    "supports": Kind(
        sparse_cases, of_candidates,
        lambda verbs, it: verbs.empty(it["xi"] @ it["X"].T, it["X"], SPARSE[it["map"]][0]),
        lambda verbs, state, it: verbs.value(state), claims_of_supports),
    "top_k": Kind(
        ranked,
        lambda verbs, it, rows: verbs.from_chunk(it["z"][:, rows], it["V"][rows], k=it["k"]),
        lambda verbs, it: verbs.empty(it["z"], it["V"], k=it["k"]),
        lambda verbs, state, it: (state, verbs.value(state, beta=it["beta"])), claims_of_top_k,
        commutes=False),
}
