"""Attention of few queries by kernels: what is hidden, strides of masks, and what a call costs.

The kernels are compiled by NVRTC, and their PTX runs in an interpreter; no GPU takes part.
"""
import math

import numpy as np
import pytest

from hopref import attention
from hopref.dispatch.operation import load
from hopref.fast.cupy import _attend as path
from tests.doubles import cupy as double
from tests.fast.agreement import agrees
from tests.gpu import nvrtc

pytestmark = nvrtc.required()
precisions = pytest.mark.parametrize("dtype", ["float32", "float64"])
OPS = load()


@pytest.fixture(autouse=True)
def device(for_few):
    with double.installed() as cupy:
        yield cupy


def draw(l, s, d=5, v=3, dtype="float32", heads=(), seed=0):
    rng = np.random.default_rng(seed)
    return [rng.standard_normal((*heads, n, m)).astype(dtype) for n, m in ((l, d), (s, d), (s, v))]


def hidden(shape, dtype, seed=1):
    """A mask and a bias that hide keys, and whole rows."""
    rng = np.random.default_rng(seed)
    mask, bias = rng.random(shape) < 0.6, rng.standard_normal(shape).astype(dtype)
    mask[..., 0, :], bias[..., -1, : shape[-1] // 2] = False, -np.inf
    return {"mask": mask, "bias": bias}


def compared(given, dtype, **options):
    return agrees(OPS["attention.softmax_attention"], given, options, dtype, "cupy",
                  double.asarray, double.asnumpy)


@precisions
@pytest.mark.parametrize("heads", [(), (2,)])
@pytest.mark.parametrize("names", [[], ["mask"], ["bias"], ["mask", "bias"]])
def test_masks_and_biases_of_every_head(names, heads, dtype):
    options = hidden((*heads, 2, 40), dtype)
    compared(draw(2, 40, dtype=dtype, heads=heads), dtype, **{n: options[n] for n in names})


@pytest.mark.parametrize("align", ["start", "end"])
@pytest.mark.parametrize("l, s", [(3, 3), (1, 40), (4, 1), (2, 130)])
def test_causal_masks(align, l, s):
    compared(draw(l, s), "float32", causal=True, align=align)
    compared(draw(l, s), "float32", causal=True, align=align, mask=np.ones((l, s), bool))


@pytest.mark.parametrize("v", [1, 32, 129])
def test_values_with_more_or_fewer_components_than_keys(v):
    compared(draw(1, 40, 7, v), "float32")


def test_leading_axes_without_a_mask():
    compared(draw(1, 5, heads=(2, 2)), "float32")


@pytest.mark.parametrize("lead, used", [((1,), True), ((2, 2), False)])
def test_a_mask_of_several_leading_axes_is_left_to_the_tiles(lead, used):
    given, options = draw(2, 5, heads=lead), hidden((*lead, 2, 5), "float32")
    arrays = [double.asarray(a) for a in given]
    double.stats.reset()
    attention.softmax_attention(*arrays, mask=double.asarray(options["mask"]), backend="cupy")
    assert (double.stats.launches == 2) == used


@pytest.mark.parametrize("axes", [(0,), (1,), (2,), (0, 1), (0, 1, 2)])
@pytest.mark.parametrize("dtype", ["float32", pytest.param("float64", marks=pytest.mark.slow)])
def test_masks_and_biases_that_are_broadcast_are_read_by_strides(axes, dtype):
    """The results are those of whole ones; two launches, and no array of their size."""
    given, shape = draw(2, 40, dtype=dtype, heads=(2,)), [2, 2, 40]
    for axis in axes:
        shape[axis] = 1
    options = {k: np.ascontiguousarray(v) for k, v in hidden((2, 2, 40), dtype).items()}
    options = {k: v[tuple(slice(n) for n in shape)] for k, v in options.items()}
    options["mask"] = ~options["mask"]
    whole = {k: np.ascontiguousarray(np.broadcast_to(v, (2, 2, 40))) for k, v in options.items()}
    want = compared(given, dtype, **whole).get()
    wide = {k: double.broadcast_to(double.asarray(np.ascontiguousarray(v)), (2, 2, 40))
            for k, v in options.items()}
    arrays = [double.asarray(a) for a in given]
    double.stats.reset()
    Z = attention.softmax_attention(*arrays, **wide, backend="cupy")
    assert np.array_equal(Z.get(), want, equal_nan=True)
    parts, scratch = 1, 3 + 2
    assert double.stats.grown <= np.dtype(dtype).itemsize * 4 * (3 + parts * scratch)


@pytest.mark.parametrize("empty_row", ["zeros", "nan"])
def test_queries_without_a_visible_key(empty_row):
    Q, K, V = map(double.asarray, draw(3, 1))
    Z = attention.softmax_attention(Q, K, V, causal=True, empty_row=empty_row, backend="cupy").get()
    want = 0.0 if empty_row == "zeros" else math.nan
    assert np.array_equal(Z[:2], np.full((2, 3), want), equal_nan=True)
    assert np.isfinite(Z[2]).all()


@precisions
def test_the_bits_are_those_of_every_order_of_threads_and_blocks(dtype, every_order, monkeypatch):
    """With a mask and a bias, which the substitute for RawKernel passes as they are."""
    monkeypatch.setattr(path, "BLOCKS", 2)
    compared(draw(1, 140, dtype=dtype), dtype, **hidden((1, 140), dtype))


@precisions
def test_two_launches_whatever_hides_the_keys(dtype):
    given = [double.asarray(a) for a in draw(2, 20, dtype=dtype)]
    options = {k: double.asarray(v) for k, v in hidden((2, 20), dtype).items()}
    for more in {}, {"causal": True}, options, options | {"causal": True}:
        double.stats.reset()
        attention.softmax_attention(*given, **more, backend="cupy")
        assert double.stats.launches == 2 and double.stats.quiet
