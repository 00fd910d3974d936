"""Attention of many queries by the kernel of tiles: shapes, what is hidden, bits, and costs.

The kernels are compiled by NVRTC, and their PTX runs in an interpreter; no GPU takes part.
"""
import math

import numpy as np
import pytest

from hopref import attention, modern, structured
from hopref.check.cases.generator import Case, cases
from hopref.dispatch.operation import load
from hopref.fast.cupy import _attend as path
from hopref.fast.cupy._tiles import Tiles
from tests.doubles import cupy as double
from tests.gpu import nvrtc, raw
from tests.gpu.comparison import compared, compared_in_half, draw, in_steps

pytestmark = nvrtc.required()
precisions = pytest.mark.parametrize("dtype", ["float32", "float64"])
slow = pytest.mark.slow
softmax_attention = "attention.softmax_attention"


@pytest.fixture(autouse=True)
def device(for_many):
    with double.installed() as cupy:
        yield cupy


def given(l, s, d, v, dtype, heads=()):
    return draw(*((*heads, *shape) for shape in ((l, d), (s, d), (s, v))), dtype=dtype)


def hidden(shape, dtype):
    """A mask and a bias that hide keys, a whole row, and a whole tile of keys from a row."""
    rng = np.random.default_rng(1)
    mask, bias = rng.random(shape) < 0.6, rng.standard_normal(shape).astype(dtype)
    mask[..., 0, :], bias[..., -1, :32] = False, -np.inf
    return {"mask": mask, "bias": bias}


@in_steps(18, 6)
@pytest.mark.parametrize("dtype, first", [("float32", 3), ("float64", 1)])
def test_hard_cases_agree_within_the_derived_tolerance(dtype, first, step):
    """Others for each type; they take half a second each."""
    tried = 0
    for case in list(cases(load()[softmax_attention], dtype))[first::step]:
        *heads, s, d = case.args[1].shape
        if len(heads) < 2 and math.prod(heads) * s <= 40 and 0 < d <= 20:
            compared(softmax_attention, case.args, dtype, **case.kwargs)
            tried += 1
    assert tried >= 48 / step


@precisions
def test_every_remainder_of_tiles_and_packs(dtype):
    """Of 64 or 32 queries, 32 keys, and packs of 4 or 2 numbers; and of parts of 128 keys."""
    rows = path.rows_of(np.dtype(dtype), 64)
    for shape in ((1, 1, 1, 1), (rows - 1, 33, 3, 2), (rows + 1, 31, 4, 33), (rows, 32, 5, 1),
                  (3, 129, 1, 2)):
        compared(softmax_attention, given(*shape, dtype), dtype)


@pytest.mark.parametrize("shape", [(3, 5, 65, 2), (33, 2, 2, 65)])
def test_more_than_64_components_of_queries_or_of_values(shape):
    """In a kernel of 128 for float32."""
    compared(softmax_attention, given(*shape, "float32"), "float32")


@pytest.mark.parametrize("dtype, axes", [
    ("float64", ()), ("float32", (0, 2)), pytest.param("float32", (), marks=slow),
    pytest.param("float32", (1,), marks=slow)])
def test_masks_and_biases_are_read_by_strides(axes, dtype):
    """Those that are broadcast have the bits of whole ones, and are not copied."""
    heads, l, s, shape = (2,), 3, 34, [2, 3, 34]
    for axis in axes:
        shape[axis] = 1
    options = {k: v[tuple(slice(n) for n in shape)] for k, v in hidden((2, l, s), dtype).items()}
    options["mask"] = options["mask"] if not axes else ~options["mask"]
    whole = {k: np.ascontiguousarray(np.broadcast_to(v, (2, l, s))) for k, v in options.items()}
    arrays = given(l, s, 3, 2, dtype, heads)
    want = compared(softmax_attention, arrays, dtype, **whole).get()
    wide = {k: double.broadcast_to(double.asarray(np.ascontiguousarray(v)), (2, l, s))
            for k, v in options.items()}
    arrays = [double.asarray(a) for a in arrays]
    double.stats.reset()
    Z = attention.softmax_attention(*arrays, **wide, backend="cupy").get()
    assert np.array_equal(Z, want, equal_nan=True) and double.stats.launches == 2
    if axes:
        assert double.stats.grown <= np.dtype(dtype).itemsize * 2 * l * (2 + 2 + 2)


@pytest.mark.parametrize("dtype, align", [
    ("float32", "end"), ("float64", "start"), pytest.param("float32", "start", marks=slow),
    pytest.param("float64", "end", marks=slow)])
def test_causal_masks_and_queries_without_a_visible_key(dtype, align, monkeypatch):
    """Also where a part, or all keys, are hidden from a tile of queries."""
    monkeypatch.setattr(path, "PART", 32)
    rows = path.rows_of(np.dtype(dtype), 64)
    for l, s in ((3, 3), (rows + 2, 2), (2, 33)):
        compared(softmax_attention, given(l, s, 2, 2, dtype), dtype, causal=True, align=align)
    Q, K, V = map(double.asarray, given(5, 2, 2, 3, dtype))
    for empty_row, value in ("zeros", 0.0), ("nan", np.nan):
        Z = attention.softmax_attention(Q, K, V, causal=True, empty_row=empty_row, backend="cupy")
        assert np.array_equal(Z.get()[:3], np.full((3, 3), value), equal_nan=True)


def test_scores_that_rise_or_fall_over_tiles_and_parts_are_rescaled(monkeypatch):
    monkeypatch.setattr(path, "PART", 64)
    for order in 1, -1:
        X = draw((100, 2))[0]
        X[:, 0] = np.linspace(-400, 400, 100)[::order]
        compared("modern.update", (np.ones((2, 2), "f4"), X), "float32", beta=1.0)


def test_a_score_that_overflows_gives_nan_and_a_hidden_one_has_no_effect():
    Q, K, V = given(3, 20, 2, 2, "float32")
    Q[:], K[5], seen = 10, -3e38, np.arange(20) != 5
    arrays, mask = [double.asarray(a) for a in (Q, K, V)], np.tile(seen, (3, 1))
    for options in ({}, {"mask": np.ones((3, 20), bool)}, {"bias": np.zeros((3, 20), "f4")}):
        given_ = {k: double.asarray(v) for k, v in options.items()}
        Z = attention.softmax_attention(*arrays, **given_, backend="cupy").get()
        assert np.isnan(Z).all()
    K[5] = 0
    want = attention.softmax_attention(double.asarray(Q), double.asarray(K), arrays[2],
                                       mask=double.asarray(mask), backend="cupy").get()
    for options in {"mask": mask}, {"bias": np.where(mask, 0, -np.inf).astype("f4")}:
        given_ = {k: double.asarray(v) for k, v in options.items()}
        Z = attention.softmax_attention(*arrays, **given_, backend="cupy").get()
        assert np.isfinite(Z).all() and np.allclose(Z, want, atol=1e-6)


@pytest.mark.parametrize("dtype, s", [("float32", 33), ("float64", 5)])
def test_the_bits_are_those_of_every_order_of_threads_and_blocks(dtype, s, every_order):
    """Of two heads and two tiles, a mask, a bias and causal attention; warps run one by one, which
    takes seconds."""
    compared(softmax_attention, given(3, s, 2, 2, dtype, (2,)), dtype, causal=True,
             **hidden((2, 3, s), dtype))


@pytest.mark.parametrize("name", ["float16", "bfloat16"])
def test_keys_and_values_of_half_precision_are_read_as_they_are(name):
    """Launches convert the queries, a bias and the result."""
    dtype = np.dtype(name) if name == "float16" else pytest.importorskip(
        "ml_dtypes", reason="ml_dtypes is not installed").bfloat16
    options = hidden((3, 40), "float32")
    options["bias"] = options["bias"].astype(dtype).astype(float)
    case = Case("half", [a.astype(dtype).astype(float) for a in given(3, 40, 5, 3, "float32")],
                options)
    double.stats.reset()
    compared_in_half(load()[softmax_attention], case, dtype, double.asarray, double.asnumpy)
    assert double.stats.launches == 2 + 3


@pytest.mark.parametrize("dtype", ["float32", pytest.param("float64", marks=slow)])
def test_layout_and_leading_axes_change_no_bit(dtype):
    arrays = given(3, 7, 3, 2, dtype, (2, 2))
    want = attention.softmax_attention(*map(double.asarray, arrays), backend="cupy").get()
    turned = [double.asarray(np.asfortranarray(a)) for a in arrays]
    assert np.array_equal(attention.softmax_attention(*turned, backend="cupy").get(), want)
    one = [double.asarray(a[1, 0]) for a in arrays]
    assert np.array_equal(attention.softmax_attention(*one, backend="cupy").get(), want[1, 0])


@precisions
def test_two_launches_and_the_memory_of_the_parts(dtype, monkeypatch):
    """Three parts; two thresholds take two launches each."""
    monkeypatch.setattr(path, "PART", 32)
    monkeypatch.setattr(raw, "launch", lambda *args, **kwargs: None)
    xi, X = map(double.asarray, draw((9, 6), (65, 6), dtype=dtype))
    seen = double.ones((9, 65), dtype=bool)
    for op, more, launches in ((structured.update, (seen,), 2),
                               (modern.thresholded_update, (), 2 + 4), (modern.update, (), 2)):
        double.stats.reset()
        op(xi, X, *more, backend="cupy")
        assert double.stats.quiet and double.stats.launches == launches, op
    assert double.stats.grown == np.dtype(dtype).itemsize * 9 * (6 + 3 * (6 + 2)) + 1


def test_which_kernel_takes_a_call(monkeypatch):
    """Many queries of up to 128 or 64 components, few of more, and none without shared memory."""
    monkeypatch.undo()

    def width(l, d, dtype="f4", heads=(), mask=True, **shapes):
        Q, K, V = (double.empty((*heads, n, m), dtype=dtype) for n, m in (
            (l, d), (5, d), (shapes.get("s", 5), shapes.get("v", d))))
        return path._width(Tiles(double, Q, K, 1.0, mask), V)
    assert [width(l, 5) for l in (1, 3, 4, 100)] == [0, 0, 64, 64]
    assert [width(20, d) for d in (64, 65, 128, 129)] == [64, 128, 128, None]
    assert [width(20, d, "f8") for d in (64, 65)] == [64, None] and width(15, 129) == 0
    assert width(20, 5, v=70) == 128 and width(3, 3000) is None
    assert width(20, 5, v=0) is width(0, 5) is width(20, 5, s=0) is None
    assert width(20, 5, heads=(2, 2)) == 64
    assert width(20, 5, heads=(2, 2), mask=double.ones((2, 2, 20, 5), dtype=bool)) is None
    assert width(2**22 + 64, 1, "f4", v=1) is None
