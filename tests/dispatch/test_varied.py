"""Numbers that differ between leading indices: the results are those of calls with each number."""
import numpy as np
import pytest
from hypothesis import strategies as st

import hopref
from hopref import attention, certify, modern, parts, sparse
from hopref.errors import DomainError, DTypeError, ShapeError
from tests.dispatch.calling import OPS, each_of, look_at_refusal, run, same
from tests.dispatch.calling import parts as results_of
from tests.doubles import cupy as device

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


def test_other_paths_and_namespaces_have_it_too():
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
