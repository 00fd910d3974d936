"""Numbers that differ between leading indices: the results are those of calls with each number."""
import itertools
import math

import numpy as np
import pytest
from hypothesis import strategies as st

import hopref
from hopref import attention, certify, modern, parts, sparse
from hopref.check.tolerance.arithmetic import PROFILES
from hopref.check.tolerance.expected import expected
from hopref.errors import DomainError, DTypeError, ShapeError
from hopref.fast.cupy import _attend
from tests.dispatch.calling import OPS, each_of, look_at_refusal, run, same
from tests.dispatch.calling import parts as results_of
from tests.doubles import cupy as device
from tests.rounding import close

NUMBERS = [(name, k) for name, op in OPS.items() for k in sorted(op.by_row)]
rng = np.random.default_rng(0)
XI, X = rng.standard_normal((2, 3, 4)), rng.standard_normal((5, 4))


def at(op, given, rows):
    """The arguments at some of the leading indices, of which there is one axis."""
    own = {k: given[k][rows] for k, dims in op.arrays.items()
           if dims[:1] == ("...",) and isinstance(given.get(k), np.ndarray)}
    return given | own


@each_of(NUMBERS, examples=2, leading=st.just((3,)))
def test_numbers_that_differ_give_the_bits_of_calls_with_each(op, parameter, given):
    holds, own = op.domains[parameter].holds, given.get(parameter)
    near = own if own is not None else 1.0
    values = [v for v in (near, near / 2, 1.5 * near, 0.5, 1.0, 1.25, 2.0) if holds(v)][:3]
    numbers = np.resize(np.array(values[::-1]), 3)
    if len(set(numbers)) < 3:
        return
    whole = results_of(run(op, given | {parameter: numbers}))
    for i in range(3):
        alone = run(op, at(op, given, slice(i, i + 1)) | {parameter: float(numbers[i])})
        for y, one in zip(whole, results_of(alone), strict=True):
            np.testing.assert_array_equal(y[i:i + 1], one)


BY_QUERY = [(name, k) for name, k in NUMBERS if OPS[name].by_query]


@each_of(BY_QUERY, examples=1, leading=st.just((2,)))
def test_numbers_that_differ_between_queries_give_the_rows_of_calls_with_each(op, parameter, given):
    holds, own = op.domains[parameter].holds, given.get(parameter)
    near = own if own is not None else 1.0
    pair = [v for v in (near, near / 2, 0.5, 1.25) if holds(v)][:2]
    l = next(given[k].shape[1] for k, dims in op.arrays.items() if dims[:2] == ("...", "l"))
    first = np.arange(2 * l).reshape(2, l) % 3 == 0         # other queries for each head
    got = results_of(run(op, given | {parameter: np.where(first, *pair)}))
    args = {k: v for k, v in given.items() if k in op.operands}
    for mine, number in (first, pair[0]), (~first, pair[1]):
        rest = {k: v for k, v in given.items() if k not in args} | {parameter: number}
        want = expected(op, tuple(args.values()), rest, PROFILES["float64"])
        for y, one in zip(got, results_of(want), strict=True):
            here = mine.reshape(*mine.shape, *[1] * (y.ndim - 2))
            with np.errstate(invalid="ignore"):
                off = np.abs(y - one.value) > one.radius
            assert not np.any(here & off & (y != one.value)), (parameter, pair)


def test_the_operations_with_such_numbers_are_those_whose_results_have_leading_axes():
    assert OPS["modern.update"].by_row == {"beta"} and OPS["sparse.energy"].by_row == \
        {"alpha", "beta"} and OPS["attention.softmax_attention"].by_row == {"scale"}
    assert not any(op.by_row for name, op in OPS.items() if name.startswith("gradients"))
    assert not OPS["structured.window_update"].by_row and not OPS["modern.update"].prepare(
        XI, X).kwargs.keys() - {"beta"}


def test_numbers_are_broadcast_and_equal_ones_are_computed_together():
    beta, alpha = np.array([0.5, 2.0, 0.5]), [[1.5], [2]]
    got = sparse.update(XI, X, beta=beta, alpha=alpha)
    for i, j in np.ndindex(2, 3):
        pair = [[0, 2], [1], [0, 2]][j]
        want = sparse.update(XI[i, pair], X, beta=float(beta[j]), alpha=float(alpha[i][0]))
        np.testing.assert_array_equal(got[i, pair], want)
    same(modern.update(XI, X, beta=[[[1]]][0]), modern.update(XI.reshape(6, 4), X).reshape(2, 3, 4))
    for lead in (0,), (2, 0):
        assert modern.energy(np.zeros((*lead, 4)), X, beta=np.zeros(lead)).shape == lead


def test_other_paths_and_namespaces_have_it_too(monkeypatch):
    """That of CuPy arrays by products of matrices; its kernels need a compiler."""
    monkeypatch.setattr(_attend, "MANY", math.inf)
    mask, scale = rng.random((3, 20, 5)) < 0.7, [0.5, 1.0, 2.0]
    arrays = rng.standard_normal((3, 20, 2)), *rng.standard_normal((2, 3, 5, 2))

    def agree(place, read, backend):
        def attend(heads, scale):
            return read(attention.softmax_attention(
                *(place(a[heads]) for a in arrays), scale=scale, mask=place(mask[heads]),
                causal=True, backend=backend))
        got = attend(slice(0, 3), scale)
        for h in range(3):
            np.testing.assert_array_equal(got[h:h + 1], attend(slice(h, h + 1), scale[h]))
    agree(np.asarray, np.asarray, "numba")
    with device.installed():
        agree(device.asarray, device.asnumpy, "cupy")
        on_device = [device.asarray(np.tile(a, (1, 2, 1))) for a in arrays]
        own = np.tile(np.repeat([0.5, 2.0], 20), (3, 1))            # of 20 queries each
        got = device.asnumpy(attention.softmax_attention(*on_device, scale=own, backend="cupy"))
    for rows, number in (slice(20), 0.5), (slice(20, 40), 2.0):
        one = expected(attention.softmax_attention, arrays, {"scale": number}, PROFILES["float64"])
        close(got[:, rows], one.value, one.radius)


def test_queries_with_numbers_of_their_own_are_those_of_calls_with_each():
    """With a causal mask, and certified."""
    Q, K, V, mask = *(rng.standard_normal((2, n, 3)) for n in (4, 6, 6)), rng.random((2, 4, 6)) < .8
    scale, mask[..., 0] = np.array([[0.5, 1.0, 2.0, 0.5], [1.0, 1.0, 0.5, 2.0]]), True
    for op, align in itertools.product((attention.softmax_attention, attention.softmax_logsumexp),
                                       ("start", "end")):
        arrays, how = (Q, K, V)[:len(op.operands)], dict(mask=mask, causal=True, align=align)
        found = certify(op, *arrays, scale=scale, **how)
        for backend in {*op.paths} - {"cupy"}:
            got = op(*arrays, scale=scale, backend=backend, **how)
            for i, j in np.ndindex(2, 4):
                one = expected(op, arrays, how | {"scale": float(scale[i, j])}, PROFILES["float64"])
                close(got[i, j], one.value[i, j], one.radius[i, j])
                close(found.value[i, j], one.value[i, j], one.radius[i, j])
    wide = attention.softmax_attention(Q, K, V, scale=scale[:, :1])        # a head, with its axis
    same(wide, attention.softmax_attention(Q, K, V, scale=scale[:, 0]))
    none = attention.softmax_attention(Q[:, :0], K, V, scale=scale[:, :0])
    assert none.shape == (2, 0, 3)
    for wrong in scale[0], scale[:, :3], scale[..., None]:
        with pytest.raises(ShapeError, match="one more axis to these and the queries"):
            attention.softmax_attention(Q, K, V, scale=wrong)


def test_certified_values_are_those_of_calls_with_each_number():
    for op, given in (modern.energy, {"beta": [0.5, 1.0, 2.0]}), \
            (sparse.update, {"beta": 2.0, "alpha": np.array([1.0, 1.5, 2.0])}):
        found = certify(op, XI[0], X, **given)
        for i in range(3):
            own = {k: v if np.ndim(v) == 0 else float(v[i]) for k, v in given.items()}
            one = certify(op, XI[0, i], X, **own)
            assert np.all(found.value[i] == one.value)
    alike, one = (certify(sparse.update, XI[0], X, alpha=alpha) for alpha in ([2.0] * 3, 2.0))
    assert alike.method == one.method


@pytest.mark.parametrize("wrong, error, words", [
    ([1.0, 2.0], ShapeError, "broadcast to the leading axes (2, 3) of xi; got beta of shape (2,)"),
    (np.ones((1, 2, 3)), ShapeError, "got beta of shape (1, 2, 3)"),
    ([], ShapeError, "got beta of shape (0,)"),
    ([1, -1, 2], DomainError, "beta[1] must be a finite number >= 1e-300; got beta[1]=-1"),
    ([[1.0], [np.nan]], DomainError, "beta[1, 0]"),
    ([1.0, np.inf, 1.0], DomainError, "beta[1]"),
    ([True] * 3, DTypeError, "hold real numbers; got bool"), (["1"] * 3, DTypeError, "got <U1"),
    ([[1.0], [2.0, 3.0]], ShapeError, "rectangular"), ([1j] * 3, DTypeError, "complex128"),
    ([None] * 3, DTypeError, "object"), (np.ma.ones(3), DTypeError, "plain array"),
    (device.asarray([1.0] * 3), DomainError, "a finite number"), ({}, DomainError, "a finite"),
])
def test_wrong_numbers_are_refused(wrong, error, words):
    with pytest.raises(error) as caught:
        modern.update(XI, X, beta=wrong)
    look_at_refusal(caught, error, "modern.update", words)


def test_a_single_state_and_prepared_calls_take_a_number():
    for refused in (lambda: modern.update(XI[0, 0], X, beta=[1.0]),):
        with pytest.raises(ShapeError, match="leading axes"):
            refused()
    for refused in (lambda: modern.update.prepare(XI, X, beta=[1.0] * 3),
                    lambda: hopref.retrieve(modern.update, XI, X, beta=[1.0] * 3),
                    lambda: parts.stream(modern.update, XI, [X], beta=[1.0] * 3)):
        with pytest.raises(DomainError, match="beta must be a finite number"):
            refused()
