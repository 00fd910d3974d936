"""Every operation with parts answers the same in one piece and in chunks."""
import functools
import json
import pickle
import tracemalloc

import array_api_strict
import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

import hopref
from hopref import attention, dense, maps, modern, parts, performer, sparse, storage
from hopref.check.cases.parts import KINDS
from hopref.check.tolerance.arithmetic import PROFILES
from hopref.check.tolerance.expected import expected
from hopref.cli import main
from hopref.errors import DomainError, ResourceError
from tests import rounding
from tests.dispatch.calling import parts as results
from tests.doubles import cupy as device
from tests.groups import each
from tests.parts.chunked import CUTS, OPS, in_chunks, streamable, streamed

every_op = pytest.mark.parametrize("name", OPS)
few = settings(max_examples=max(4, settings.default.max_examples // 3))
rng = np.random.default_rng
X = np.arange(12.0).reshape(4, 3)


def near(got, want, allowed):
    """Within what is allowed, and where the answer is not finite the same."""
    same = (got == want) | (np.isnan(got) & np.isnan(want))
    rounding.close(np.where(same, 0.0, got), np.where(same, 0.0, want), allowed)


@every_op
def test_a_stream_answers_as_the_operation_does(name):
    """A merge does to each term once more what the formula did to it: it shifts, multiplies by an
    exponential and adds.  So each merge may cost the tolerance of the formula, once."""
    op = OPS[name]

    @few
    @given(streamable(op), CUTS)
    def same(call, cuts):
        args, kwargs = call
        got, whole = results(streamed(op, call, cuts)), results(op(*args, **kwargs))
        allowed = results(expected(op, args, kwargs, PROFILES["float64"]))
        for a, b, right in zip(got, whole, allowed, strict=True):
            assert type(a) is type(b) and a.dtype == b.dtype and a.shape == b.shape
            near(a, b, (len(cuts) + 2) * (right.radius + of_means(op, args)))

    same()


def of_means(op, args):
    """The rounding of the means of chunks, which are quotients where whole sums are exact: eight
    roundings of each of n products of numbers up to 2 max|x|."""
    if op.name != "storage.covariance":
        return 0.0
    X, = args
    return rounding.g(8) * len(X) * (2 * np.max(np.abs(X), initial=1.0)) ** 2


@every_op
def test_a_stream_gives_the_same_bits_wherever_its_chunks_live(name):
    """And no value is looked at on a device, but for the size of a support."""
    op = OPS[name]

    @few
    @given(streamable(op, empty=False), CUTS)
    def same(call, cuts):
        ours = results(streamed(op, call, cuts))
        strict = results(streamed(op, call, cuts, array_api_strict.asarray))
        with device.installed():
            theirs = results(streamed(op, call, cuts, device.asarray))
            assert op.parts == "supports" or device.stats.synchronised == 0
            for a, b, c in zip(ours, strict, theirs, strict=True):
                np.testing.assert_array_equal(np.asarray(b), a)
                np.testing.assert_array_equal(c.get(), a)

    same()


def test_every_kind_of_parts_serves_an_operation_and_is_in_the_table_of_laws():
    kinds = {name for name in parts.__all__ if hasattr(getattr(parts, name), "merge")}
    assert {op.parts for op in OPS.values()} == kinds == set(KINDS)


@pytest.mark.parametrize("kind", KINDS)
def test_the_table_of_kinds_is_what_the_kinds_serve(kind):
    table = getattr(parts, kind).OPERATIONS
    assert set(parts.KINDS[kind]) == set(table) == {
        name for name, op in OPS.items() if op.parts == kind}
    assert all(set(table[name].axis) & {"n", "s", "l"} for name in table)


def test_the_operations_are_listed_with_their_kind_of_parts(capsys):
    assert main(["ops", "--json"]) == 0
    listed = {row["name"]: row["parts"] for row in json.loads(capsys.readouterr().out)["ops"]}
    assert {name: kind for name, kind in listed.items() if kind} == {
        name: op.parts for name, op in OPS.items()}
    assert listed["storage.storkey"] is None


@pytest.mark.parametrize("chunks", range(1, 20))
@pytest.mark.parametrize("split_every", [2, 3, 8])
def test_a_tree_is_grown_level_by_level(chunks, split_every):
    """As text, which shows every bracket."""
    def level(found):
        groups = [found[i:i + split_every] for i in range(0, len(found), split_every)]
        return [functools.reduce("({}{})".format, group) for group in groups]
    want = level([*"abcdefghijklmnopqrstu"[:chunks]])
    while len(want) > 1:
        want = level(want)
    leaves = iter("abcdefghijklmnopqrstu"[:chunks])
    assert parts.merge_all(leaves, split_every=split_every, merge="({}{})".format) == want[0]


def test_a_stream_is_the_tree_of_its_chunks():
    X, xi = rng(4).standard_normal((40, 3)), rng(5).standard_normal((2, 3))
    each = (parts.from_chunk(modern.update, xi, chunk) for chunk in parts.chunks_of(X, 3))
    got = parts.stream(modern.update, xi, parts.chunks_of(X, 3))
    assert np.array_equal(got, parts.value(parts.merge_all(each)))


def test_a_scan_hands_on_the_state_bit_for_bit():
    call = [np.abs(rng(0).standard_normal((9, r))) for r in (3, 3, 2)]
    whole = attention.causal_linear_attention(*call, eps=0.5)
    chunks = list(parts.scan(attention.causal_linear_attention,
                             *(parts.chunks_of(a, 4) for a in call), eps=0.5))
    assert [len(Z) for Z, S, z in chunks] == [4, 4, 1]
    assert np.array_equal(np.concatenate([Z for Z, S, z in chunks]), whole[0])
    for end, all_of_it in zip(chunks[-1][1:], whole[1:], strict=True):
        assert np.array_equal(end, all_of_it)


# -- one pass, bounded memory -------------------------------------------------------------------

def test_chunks_are_asked_for_one_after_the_other_and_once():
    asked = []

    def loader():
        for i in range(4):
            asked.append(i)
            yield np.full((2, 3), float(i))

    part = parts.from_chunk(modern.update, np.ones(3), next(loader()))
    W = parts.stream(storage.hebbian, loader())
    assert asked == [0, 0, 1, 2, 3] and W[0, 0] == 2 * (1 + 4 + 9) and part.rows == 2


def test_empty_chunks_change_nothing():
    X = rng(1).standard_normal((5, 3))
    none = X[:0]
    for op, before in [(modern.update, [X[0]]), (modern.energy, [X[0]]), (sparse.update, [X[0]]),
                       (storage.projection, []), (storage.covariance, [])]:
        plain = parts.stream(op, *before, [X[:2], X[2:]])
        assert np.array_equal(parts.stream(op, *before, [none, X[:2], none, X[2:], none]), plain)


STREAMS = {
    "modern.update": lambda X: (np.ones((4, 16)), X),
    "modern.energy": lambda X: (np.ones((4, 16)), X),
    "sparse.update": lambda X: (np.ones((4, 16)), X),
    "performer.update": lambda X: (np.ones((4, 16)), X, np.ones((4, 16))),
    "storage.hebbian": lambda X: (X,),
    "storage.covariance": lambda X: (X,),
    "storage.projection": lambda X: (X,),
    "storage.willshaw": lambda X: (X,),
    "attention.softmax_attention": lambda X: (np.ones((4, 16)), X, X),
    "attention.linear_attention": lambda X: (np.ones((4, 16)), X, X),
}


@each("name", STREAMS, size=1, share=3)
def test_memory_is_that_of_a_chunk_however_long_the_file(name, tmp_path):
    """A chunk in float64 is 256 kB.  Two of each stream, their masks of finite numbers and as much
    again for features or scores make eight; the files are 32 and 128 of them."""
    def peak(chunks):
        X = np.memmap(tmp_path / "X", np.float32, "w+", shape=(2048 * chunks, 16))
        X[:] = rng(chunks).standard_normal(X.shape, np.float32)
        X[:] = X > 1 if name == "storage.willshaw" else X
        args = [parts.chunks_of(a, 2048) if a is X else a for a in STREAMS[name](X)]
        tracemalloc.start()
        try:
            parts.stream(OPS[name], *args)
            return tracemalloc.get_traced_memory()[1]
        finally:
            tracemalloc.stop()

    short, long = peak(32), peak(128)
    assert long <= 1.05 * short and long <= 8 * 2048 * 16 * 8


def test_what_does_not_fit_names_the_stream_and_the_stream_fits(monkeypatch):
    X, xi = rng(2).standard_normal((64, 3)), np.ones(3)
    whole = sparse.update(xi, X)
    monkeypatch.setattr(hopref, "memory_limit", 8 * 16)
    with pytest.raises(ResourceError, match="GiB: hopref.parts.stream takes chunks"):
        dense.log_energy(xi, np.sign(X))
    with pytest.raises(ResourceError, match="numba.* and hopref.parts.stream takes chunks"):
        modern.update(xi, X)
    got = parts.stream(sparse.update, xi, parts.chunks_of(X, 16))
    rounding.close(got, whole, 5 * rounding.of(sparse.update, xi, X)[1])
    with pytest.raises(ResourceError, match=r"ask for less at once\.$"):
        storage.hebbian(np.ones((1, 64)))


# -- what only the whole can tell ---------------------------------------------------------------

def test_a_row_is_empty_only_if_no_chunk_holds_anything_for_it():
    op, K = attention.softmax_attention, np.ones((4, 2))
    seen, unseen = np.array([[False, False, True, True]]), np.zeros((1, 4), bool)

    def answer(mask, empty_row):
        return parts.stream(op, [[1.0, 2.0]], parts.chunks_of(K, 2), parts.chunks_of(K, 2),
                            mask=parts.chunks_of(mask, 2, axis=-1), empty_row=empty_row)

    assert np.array_equal(answer(seen, "raise"), [[1.0, 1.0]])
    assert np.array_equal(answer(unseen, "zeros"), [[0.0, 0.0]])
    assert np.all(np.isnan(answer(unseen, "nan")))
    with pytest.raises(DomainError, match=r"softmax_attention: every row must see .*; got a fully"):
        answer(unseen, "raise")


def test_k_may_exceed_a_chunk_but_not_the_whole():
    X, xi = np.eye(4), np.array([3.0, 2.0, 1.0, 0.0])
    got = parts.stream(sparse.k_subsets_update, xi, parts.chunks_of(X, 1), k=3)
    assert np.array_equal(got, [1.0, 1.0, 1.0, 0.0])
    with pytest.raises(DomainError, match="k_subsets_update: k must be at most 4, .*; got k=5"):
        parts.stream(sparse.k_subsets_update, xi, parts.chunks_of(X, 3), k=5)


@pytest.mark.parametrize("name", [name for name in OPS if name != "structured.update"])
def test_nan_reaches_what_it_reaches_in_one_piece(name):
    """But for structured.update, which gives a state that looks at nothing its own NaN.

    Features and a state z are nonnegative: otherwise the rounding of a sum that cancels decides
    whether a row is empty.
    """
    op = OPS[name]

    @few
    @given(streamable(op, empty=False), CUTS, st.integers(0, 2**32))
    def same(call, cuts, seed):
        args = [np.abs(a) if k in ("phi_q", "phi_k") else a for k, a in zip(op.operands, call[0])]
        kwargs = {k: np.abs(v) if k == "z" else v for k, v in call[1].items()}
        i = seed % len([k for k in op.arrays if op.domains[k].kind == "real"][:len(args)])
        args[i] = args[i].copy()
        args[i].flat[seed % args[i].size] = np.nan
        chunked, how = in_chunks(op, (args, kwargs), cuts)
        got = results(parts.stream(op, *chunked, **how, nonfinite="propagate"))
        whole = results(op(*args, **kwargs, nonfinite="propagate"))
        for a, b in zip(got, whole, strict=True):
            assert np.array_equal(np.isnan(a), np.isnan(b))

    same()


def test_a_chunk_of_nan_stays_in_its_rows_where_it_may():
    z = np.array([[0.0, 1.0], [np.nan, 1.0]])
    got = parts.stream(maps.logsumexp, parts.chunks_of(z, 1, axis=-1), nonfinite="propagate")
    assert np.array_equal(np.isnan(got), [False, True])
    with pytest.raises(DomainError, match="at chunk 0"):
        parts.stream(maps.logsumexp, parts.chunks_of(z, 1, axis=-1))


def test_parts_pickle_and_are_never_written_into():
    a = parts.from_chunk(performer.update, np.ones(3), X, np.eye(3), features="hyperbolic")
    b = parts.from_chunk(performer.update, np.ones(3), X + 1, np.eye(3), features="hyperbolic")
    before = parts.value(a)
    there = parts.value(parts.merge(*map(pickle.loads, map(pickle.dumps, (a, b)))))
    assert np.array_equal(there, parts.value(parts.merge(a, b)))
    assert np.array_equal(parts.value(a), before)


def test_chunks_are_views():
    assert all(np.shares_memory(chunk, X) for chunk in parts.chunks_of(X, 3))
    assert [c.tolist() for c in parts.chunks_of([1, 2, 3], 2, axis=-1)] == [[1, 2], [3]]
    strict = parts.chunks_of(array_api_strict.asarray(X), 3)
    assert [np.asarray(c).tolist() for c in strict] == [X[:3].tolist(), X[3:].tolist()]
