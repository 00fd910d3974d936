"""What streams refuse: in the one form, and at which chunk."""
import re

import array_api_strict
import numpy as np
import pytest

from hopref import attention, modern, parts, sigmoid, sparse, storage, structured
from hopref.errors import BackendError, CallError, DomainError, DTypeError, RangeError, ShapeError
from hopref.parts import streaming
from tests.rounding import within

X = np.arange(12.0).reshape(4, 3)


@pytest.mark.parametrize("error, message, call", [
    (ShapeError, "modern.update: d must be the same in xi and X of .*; got 3 and 2 at chunk 2.",
     lambda s: s(modern.update, np.ones(3), [X, X, X[:, :2]])),
    (ShapeError, "modern.update: d must be the same in xi and X of .*; got 3 and 2 at chunk 1.",
     lambda s: s(modern.update, np.ones(3), [X, X[:0, :2]])),
    (ShapeError, r"storage.hebbian: X must have shape \(n, d\); got \(3,\) at chunk 0.",
     lambda s: s(storage.hebbian, X)),
    (DomainError, r"storage.hebbian: X must be finite; got X\[1, 0\] = nan at chunk 1.",
     lambda s: s(storage.hebbian, [X, np.where(X == 3, np.nan, X)])),
    (DomainError, r"storage.willshaw: X must be 0 or 1; got X\[0, 2\] = 2.0 at chunk 0.",
     lambda s: s(storage.willshaw, [X])),
    (DTypeError, "modern.energy: X must hold real numbers; got complex128 at chunk 1.",
     lambda s: s(modern.energy, np.ones(3), [X, 1j * X])),
    (DomainError, "modern.update: beta must be .*; got beta=-1.0 at chunk 0.",
     lambda s: s(modern.update, np.ones(3), [X], beta=-1.0)),
    (DomainError, "sparse.update: alpha must be above 1 where .*; got alpha=1 at chunk 0.",
     lambda s: s(sparse.update, np.ones(3), [X], alpha=1)),
    (DomainError, "softmax_attention: causal must be False where .*; got causal=True at chunk 0.",
     lambda s: s(attention.softmax_attention, X, [X], [X], causal=True)),
    (DomainError, 'projection: sequence must be "none" where .*; got sequence=.loop. at chunk 0.',
     lambda s: s(storage.projection, [X], sequence="loop")),
    (ShapeError, "softmax_attention: s must be the same in K and V of .*; got 4 and 2 at chunk 0.",
     lambda s: s(attention.softmax_attention, X, [X], [X[:2]])),
    (ShapeError, "softmax_attention: s must be at least 1; got K of shape .* at chunk 1.",
     lambda s: s(attention.softmax_attention, X, [X, X[:0]], [X, X[:1]])),
    (DomainError, "parts.merge: xi must be the same in both parts of modern.update; got two.",
     lambda s: parts.merge(*(parts.from_chunk(modern.update, asarray(X[0]), asarray(X))
                             for asarray in (np.asarray, array_api_strict.asarray)))),
    (ShapeError, "softmax_attention: K, V must come in equally many chunks; got no chunk 1 of V.",
     lambda s: s(attention.softmax_attention, X, [X, X], [X])),
    (CallError, "modern.update: X must be an iterable of chunks; got float.",
     lambda s: s(modern.update, np.ones(3), 1.0)),
    (CallError, "modern.update: must be called as .*; got no argument 'X'.",
     lambda s: s(modern.update, np.ones(3))),
    (BackendError, "parts.stream: backend must be one of formula, cupy for .*; got 'numba'.",
     lambda s: s(modern.update, np.ones(3), [X], backend="numba")),
    (ShapeError, "storage.hebbian: n must be at least 1; got no chunk.",
     lambda s: s(storage.hebbian, [])),
    (ShapeError, "storage.hebbian: n must be at least 1; got no row in any chunk.",
     lambda s: s(storage.hebbian, [X[:0], X[:0]])),
    (CallError, "parts.stream: op must have mergeable parts .*; got storage.storkey.",
     lambda s: s(storage.storkey, [X])),
    (CallError, "parts.stream: op must be an operation of hopref; got <built-in",
     lambda s: s(len, [X])),
    (CallError, "parts.scan: op must be causal attention; got 'modern.update'.",
     lambda s: parts.scan(modern.update, np.ones(3), [X])),
    (CallError, "parts.merge_all: parts must hold at least one part; got none.",
     lambda s: parts.merge_all([])),
    (DomainError, "parts.merge_all: split_every must be an integer >= 2; got split_every=1.",
     lambda s: parts.merge_all([1], split_every=1)),
    (DomainError, "parts.chunks_of: size must be an integer >= 1; got size=0.",
     lambda s: parts.chunks_of(X, 0)),
    (ShapeError, r"parts.chunks_of: X must have an axis -2; got shape \(3,\).",
     lambda s: parts.chunks_of(X[0], 2)),
    (CallError, "parts.value: part must be a part; got int.", lambda s: parts.value(3)),
    (CallError, "parts.merge: a and b must be parts; got Part and int.",
     lambda s: parts.merge(parts.from_chunk(storage.hebbian, X), 3)),
    (CallError, "parts.merge: a and b must be parts of one op.*; got storage.hebbian and",
     lambda s: parts.merge(parts.from_chunk(storage.hebbian, X),
                           parts.from_chunk(storage.bam, X, X))),
    (DomainError, "parts.merge: xi must be the same in both parts of modern.update; got two.",
     lambda s: parts.merge(*(parts.from_chunk(modern.update, v * np.ones(3), X) for v in (1, 2)))),
    (DomainError, "parts.merge: scale must be the same in both parts of storage.hebbian; got two.",
     lambda s: parts.merge(*(parts.from_chunk(storage.hebbian, X, scale=v) for v in (1, 2)))),
])
def test_refusals_say_what_and_at_which_chunk(error, message, call):
    with pytest.raises(error) as caught:
        call(parts.stream)
    assert type(caught.value) is error
    assert re.match(rf"hopref\.(\w+\.)?{message}", str(caught.value))
    assert re.fullmatch(r"hopref\.[\w.]+: \S.*; got \S.*[^.]\.", str(caught.value))


@pytest.mark.parametrize("axis", [2, -3, 5])
def test_an_axis_that_an_array_does_not_have_is_refused(axis):
    assert [chunk.shape for chunk in parts.chunks_of(X, 2, axis=-2)] == [(2, 3), (2, 3)]
    with pytest.raises(ShapeError, match=rf"X must have an axis {axis}; got shape \(4, 3\)"):
        parts.chunks_of(X, 2, axis=axis)


def test_kinds_and_functions_are_imported_by_name_and_no_others():
    assert parts.__getattr__("softmax") is parts.softmax
    assert parts.__getattr__("stream") is parts.stream
    assert parts.__getattr__("chunks_of") is parts.chunks_of
    with pytest.raises(AttributeError, match="module 'hopref.parts' has no attribute 'of'"):
        parts.__getattr__("of")


@pytest.mark.parametrize("size", [1e6, 2.0**511])
def test_large_scores_are_merged_and_those_from_2_to_1023_are_refused(size):
    patterns = size * np.array([[1.0], [-1.0], [0.5]])
    got = parts.stream(modern.update, np.array([size]), parts.chunks_of(patterns, 2))
    assert got.tolist() == [size]
    if size > 1e100:
        with pytest.raises(RangeError, match=r"must stay below 2\^1023"):
            parts.stream(modern.update, np.array([2 * size]), parts.chunks_of(patterns, 2))
        below = np.array([np.nextafter(2 * size, 0)])
        assert parts.stream(modern.update, below, parts.chunks_of(patterns, 2)).tolist() == [size]


def test_a_stream_of_features_begins_with_the_state_of_earlier_keys():
    rng = np.random.default_rng(0)
    q, k, V = rng.random((2, 3)), rng.random((4, 3)), rng.random((4, 2))
    earlier = {"S": rng.random((3, 2)), "z": rng.random(3)}
    got = parts.stream(attention.linear_attention, q, parts.chunks_of(k, 2), parts.chunks_of(V, 2),
                       **earlier)
    within(got, attention.linear_attention, q, k, V, **earlier)


def test_a_stream_of_supported_patterns_has_its_beta_and_its_empty_rows():
    xi, support = np.array([[0.5, 0.2, -0.1], [0.1, 0.2, 0.3]]), np.eye(2, 4, dtype=bool)
    support[0] = True
    for beta in (0.25, 4.0):
        chunks = parts.chunks_of(X / 10, 3), parts.chunks_of(support, 3, axis=-1)
        within(parts.stream(structured.update, xi, *chunks, beta=beta),
               structured.update, xi, X / 10, support, beta=beta)
    support[1] = False
    for empty_row, found in (("zeros", 0.0), ("nan", np.nan)):
        chunks = parts.chunks_of(X / 10, 3), parts.chunks_of(support, 3, axis=-1)
        got = parts.stream(structured.update, xi, *chunks, empty_row=empty_row)
        assert np.array_equal(got[1], [found] * 3, equal_nan=True) and np.all(np.isfinite(got[0]))
    with pytest.raises(DomainError, match="every row must see"):
        parts.stream(structured.update, xi, parts.chunks_of(X / 10, 3),
                     parts.chunks_of(support, 3, axis=-1), empty_row="raise")


def test_the_logsumexp_of_hidden_keys_is_minus_infinity():
    mask = np.array([[True, False, True, False], [False] * 4])
    got = parts.stream(attention.softmax_logsumexp, X[:2], parts.chunks_of(X / 9, 3),
                       mask=parts.chunks_of(mask, 3, axis=-1))
    assert got[1] == -np.inf
    within(got[:1], attention.softmax_logsumexp, X[:1], X / 9, mask=mask[:1])


def test_scores_beyond_2_to_1023_are_refused_by_the_chunk_that_has_them():
    with pytest.raises(RangeError, match=r"chunks are to be merged; got .* at chunk 1\.$"):
        parts.stream(modern.update, np.array([1e200]), [np.ones((2, 1)), 1e200 * np.ones((1, 1))])


def test_causal_attention_with_sigmoids_is_refused_where_keys_come_in_chunks():
    with pytest.raises(DomainError, match="causal must be False where keys come in chunks"):
        parts.stream(sigmoid.attention, X, [X], [X], causal=True)


def test_numbers_that_are_no_numbers_are_equal_arguments_of_two_parts():
    assert streaming._equal(float("nan"), float("nan")) and streaming._equal(2.0, 2.0)
    for a, b in ((np.nan, 2.0), (2.0, np.nan), (2.0, 3.0), (2, 2.0)):
        assert not streaming._equal(a, b)
    assert streaming._equal(np.array([1.0, np.nan]), np.array([1.0, np.nan]))
    assert not streaming._equal(np.array([1.0, np.nan]), np.array([1.0, 2.0]))
    assert parts.softmax.empty(X, X.T).beta == 1.0
