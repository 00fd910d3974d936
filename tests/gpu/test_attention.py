"""Attention on CuPy arrays by tiles: what is hidden, what is not copied, and what a call costs."""
import math

import numpy as np
import pytest

from hopref import attention
from hopref.check.tolerance.arithmetic import PROFILES
from hopref.check.tolerance.expected import expected
from hopref.dispatch.operation import load
from hopref.fast.cupy import _tiles
from tests.doubles import cupy as double
from tests.fast.agreement import agrees, agrees_with

precisions = pytest.mark.parametrize("dtype", ["float32", "float64"])
OPS = load()


@pytest.fixture(autouse=True)
def device(monkeypatch, in_tiles):
    monkeypatch.setattr(_tiles, "SCORES", 0)
    with double.installed() as cupy:
        yield cupy


def draw(l, s, d=5, v=3, dtype="float32", heads=(), seed=0):
    rng = np.random.default_rng(seed)
    return [rng.standard_normal((*heads, n, m)).astype(dtype) for n, m in ((l, d), (s, d), (s, v))]


def compared(given, dtype="float32", **options):
    return agrees(OPS["attention.softmax_attention"], given, options, dtype, "cupy",
                  double.asarray, double.asnumpy)


def cost(given, op=attention.softmax_attention, **options):
    """The counters of the device after one call."""
    given = [double.asarray(a) for a in given]
    double.stats.reset()
    op(*given, **options, backend="cupy")
    assert double.stats.quiet
    return double.stats


# ---- what is hidden -----------------------------------------------------------------------------

@precisions
@pytest.mark.parametrize("align", ["start", "end"])
@pytest.mark.parametrize("l, s", [(70, 70), (33, 100), (100, 33), (1, 65), (40, 1)])
def test_tiles_under_a_causal_mask(dtype, align, l, s):
    compared(draw(l, s, dtype=dtype), dtype, causal=True, align=align)


@precisions
@pytest.mark.parametrize("causal", [False, True])
def test_masks_and_biases_that_hide_whole_tiles_and_rows(dtype, causal):
    rng, given = np.random.default_rng(1), draw(20, 100, dtype=dtype, heads=(2,))
    mask, bias = rng.random((2, 20, 100)) < 0.5, rng.standard_normal((2, 20, 100)).astype(dtype)
    mask[:, 3:9, :64], mask[:, 5], bias[:, 10:15, 32:], bias[:, 12] = False, False, -np.inf, -np.inf
    for options in {"mask": mask}, {"bias": bias}, {"mask": mask, "bias": bias}:
        compared(given, dtype, causal=causal, **options)


@pytest.mark.parametrize("low", [-1e9, float(np.finfo(np.float32).min)])
def test_biases_that_stand_for_a_mask(low):
    """Also in a row in which every key has the lowest number."""
    given, bias = draw(4, 70), np.zeros((4, 70), np.float32)
    bias[:, 40:], bias[2] = low, low
    compared(given, bias=bias)


@pytest.mark.parametrize("empty_row", ["zeros", "nan"])
def test_queries_without_a_visible_key(empty_row):
    Q, K, V = map(double.asarray, draw(50, 40))
    Z = attention.softmax_attention(Q, K, V, causal=True, empty_row=empty_row, backend="cupy")
    want = 0.0 if empty_row == "zeros" else math.nan
    assert np.array_equal(Z.get()[:10], np.full((10, 3), want), equal_nan=True)
    assert np.isfinite(Z.get()[10:]).all()


@pytest.mark.parametrize("sign", [1, -1])
@pytest.mark.parametrize("option", ["mask", "bias", "causal"])
def test_a_score_that_overflows_gives_nan_and_no_empty_row(option, sign):
    """A sum of -inf is no hidden key; a hidden key, however large, has no effect."""
    Q, K, V = (np.ones((4, 2), np.float32) for _ in range(3))
    Q[0] *= np.float32(1e30)
    K *= np.float32(sign * 1e30)
    K[3] = 0
    seen = np.tile(np.arange(4) < 3, (4, 1))
    options = {"mask": {"mask": seen}, "causal": {"causal": True},
               "bias": {"bias": np.where(seen, 0, -np.inf).astype("f4")}}[option]
    given = {k: double.asarray(v) if isinstance(v, np.ndarray) else v for k, v in options.items()}
    Z = attention.softmax_attention(*map(double.asarray, (Q, K, V)), **given, backend="cupy").get()
    assert np.isnan(Z[0]).all() and np.isfinite(Z[1:]).all()


def test_hidden_keys_that_overflow_have_no_effect():
    Q, K, V = draw(3, 40)
    K[5], hidden = 3e38, np.arange(40) == 5
    Q *= 10
    mask, bias = np.tile(~hidden, (3, 1)), np.where(hidden, -np.inf, 0).astype("f4") + np.zeros(
        (3, 1), "f4")
    keys = np.where(hidden[:, None], np.float32(0), K)
    want = expected("attention.softmax_attention", (Q, keys, V), {"mask": mask},
                    PROFILES["float32"])
    for options in {"mask": mask}, {"bias": bias}:
        given = {k: double.asarray(v) for k, v in options.items()}
        Z = attention.softmax_attention(*map(double.asarray, (Q, K, V)), **given, backend="cupy")
        agrees_with(Z.get(), want)


# ---- launches and memory ------------------------------------------------------------------------

@precisions
def test_a_tile_takes_sixteen_launches_and_those_of_what_restricts_it(dtype):
    given = draw(20, 96, dtype=dtype)
    mask, bias = double.ones((20, 96), dtype=bool), double.zeros((20, 96), dtype=dtype)
    counted = {frozenset(options): cost(given, **options).launches - cost(given).launches
               for options in ({"mask": mask}, {"bias": bias}, {"mask": mask, "bias": bias})}
    assert cost(given).launches == 4 + 3 * 16
    assert counted == {frozenset({"mask"}): 3 * 4 + 3, frozenset({"bias"}): 3 * 4 + 3,
                       frozenset({"mask", "bias"}): 3 * 6 + 3}


def test_tiles_and_queries_without_a_visible_key_are_left_out():
    """Of four tiles the causal mask hides two from all queries, and restricts one."""
    few, all_keys = draw(64, 128), cost(draw(64, 128)).launches
    assert cost(few, causal=True, align="start").launches < all_keys / 2 + 20


@precisions
@pytest.mark.parametrize("heads", [(), (3,)])
@pytest.mark.parametrize("s", [64, 640])
def test_memory_is_that_of_one_tile_whatever_the_number_of_keys(dtype, heads, s):
    given, rows = draw(20, s, dtype=dtype, heads=heads), 20 * math.prod(heads)
    grown = cost(given).grown
    tile = np.dtype(dtype).itemsize * (rows * (32 + 2 * 3 + 6) + math.prod(heads) * 32 * (5 + 3))
    assert grown <= tile


@precisions
@pytest.mark.parametrize("s", [64, 640])
def test_masks_and_biases_that_are_broadcast_are_not_copied(dtype, s):
    """Beside the scores of a tile, three truth values for each."""
    given, item = draw(20, s, dtype=dtype, heads=(3,)), np.dtype(dtype).itemsize
    mask = double.broadcast_to(double.ones((1, 1, s), dtype=bool), (3, 20, s))
    bias = double.broadcast_to(double.zeros((1, 20, s), dtype=dtype), (3, 20, s))
    for options in {"mask": mask}, {"bias": bias}, {"mask": mask, "bias": bias}, {"causal": True}:
        assert cost(given, **options).grown <= (
            item * 60 * (32 + 3 * 3 + 6) + 3 * 60 * 32 + 8 * (20 + 32) + item * 3 * 32 * 8)


def test_leading_axes_and_strides_change_no_bit():
    Q, K, V = map(double.asarray, draw(6, 70, heads=(2, 2)))
    want = attention.softmax_attention(Q, K, V, backend="cupy").get()
    turned = [double.asarray(np.asfortranarray(a.get())) for a in (Q, K, V)]
    assert np.array_equal(attention.softmax_attention(*turned, backend="cupy").get(), want)
    one = [double.asarray(a.get()[1, 0]) for a in (Q, K, V)]
    assert np.array_equal(attention.softmax_attention(*one, backend="cupy").get(), want[1, 0])
