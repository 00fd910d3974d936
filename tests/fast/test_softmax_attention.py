"""Fused softmax attention: every remainder of its tiles, every option, hidden tiles and rows."""
import itertools

import numpy as np
import pytest

from hopref import attention
from hopref.gradients import attention as gradients
from hopref.gradients import sinks
from tests.fast.agreement import agrees

pytest.importorskip("numba")

from hopref.fast.numba import _softmax_gradient as kernel  # noqa: E402

precisions = pytest.mark.parametrize("dtype", ["float32", "float64"])
attend = attention.softmax_attention


def draw(l, s, d, v, dtype, heads=2):
    rng = np.random.default_rng(0)
    return [rng.standard_normal((heads, n, m)).astype(dtype) for n, m in ((l, d), (s, d), (s, v))]


def hidden(l, s, dtype, heads=2):
    """A mask and a bias that hide a third of the keys, and all of them from one query."""
    rng = np.random.default_rng(1)
    mask, bias = rng.random((heads, l, s)) < 0.7, rng.standard_normal((heads, l, s)).astype(dtype)
    mask[:, l // 2:l // 2 + 1] = False
    bias[rng.random(bias.shape) < 0.3] = -np.inf
    return mask, bias


@precisions
@pytest.mark.parametrize("l, s, d, v", [
    (1, 40, 1, 1), (3, 300, 5, 33), (17, 30, 8, 4), (40, 7, 2, 3), (70, 70, 17, 2),
    (20, 400, 70, 1), (0, 4, 2, 2), (17, 4, 0, 3), (2, 4, 3, 0)])
def test_every_remainder_with_every_option(dtype, l, s, d, v):
    args, (mask, bias) = draw(l, s, d, v, dtype), hidden(l, s, dtype)
    places = [{}, {"causal": True}, {"causal": True, "align": "start"}]
    for m, b, place in itertools.product([{}, {"mask": mask}], [{}, {"bias": bias}], places):
        agrees(attend, args, {**m, **b, **place, "empty_row": "nan"}, dtype)


@precisions
@pytest.mark.parametrize("l", [3, 50])
def test_a_window_leaves_whole_tiles_hidden(dtype, l):
    args = draw(l, 2000, 16, 4, dtype, heads=1)
    middle = 40 * np.arange(l)[:, None]
    mask = (abs(np.arange(2000) - middle) <= 10)[None]
    agrees(attend, args, {"mask": mask}, dtype)
    agrees(attend, args, {"bias": np.where(mask, 0.0, -np.inf).astype(dtype)}, dtype)


@precisions
@pytest.mark.parametrize("l", [3, 20])
def test_hard_scores(dtype, l):
    """Ties; scores that differ by more than weights can; a maximum in every tile; one key seen."""
    Q, K, V = draw(l, 500, 4, 3, dtype, heads=1)
    rising = np.sort(K, axis=1)
    mask, bias = hidden(l, 500, dtype, heads=1)
    for keys in 0 * K, 1000 * K, rising, rising[:, ::-1].copy():
        agrees(attend, (Q, keys, V), {}, dtype)
        agrees(attend, (Q, keys, V), {"mask": mask, "scale": 30.0}, dtype)
        agrees(attend, (Q, keys, V), {"bias": 100 * bias}, dtype)
    one = np.arange(500)[None, None] == 7 * np.arange(l)[:, None]
    assert np.array_equal(attend(Q, K, V, mask=one, backend="numba"), V[:, 7 * np.arange(l)])


@pytest.mark.parametrize("l", [2, 20])
def test_scores_beyond_the_range_are_computed_in_a_wider_one(l):
    """Also where all scores of a row overflow downwards, which is no empty row."""
    Q, K, V = draw(l, 40, 4, 3, "float32", heads=1)
    mask = np.ones((1, l, 40), bool)
    mask[:, 1] = False
    for queries, keys in (1e20 * Q, 1e20 * K), (-1e25 * np.abs(Q), 1e15 * np.abs(K)):
        for scale in 1.0, 2.0**-120:
            narrow = [a.astype("float32") for a in (queries, keys)]
            got = attend(*narrow, V, mask=mask, scale=scale, backend="numba")
            want = attend(*narrow, V, mask=mask, scale=scale)
            assert np.all(np.abs(got - want) <= 2 * np.finfo("float32").eps)
            assert not got[:, 1].any() and got[:, 0].any()
    far = [a.astype("float64") * 1e160 for a in (Q, K)]
    got = attend(*far, V, mask=mask, backend="numba")
    assert np.array_equal(got, attend(*far, V, mask=mask)) and np.isfinite(got).all()


@precisions
def test_the_layout_of_the_arguments_is_irrelevant(dtype):
    args, (mask, bias) = draw(20, 30, 4, 3, dtype), hidden(20, 30, dtype)
    want = attend(*args, mask=mask, bias=bias, backend="numba")
    turned = [np.asfortranarray(a) for a in (*args, mask, bias)]
    for a in turned:
        a.flags.writeable = False
    got = attend(*turned[:3], mask=turned[3], bias=turned[4], backend="numba")
    assert np.array_equal(got, want) and got.dtype == dtype


@precisions
@pytest.mark.parametrize("l", [4, 20])
def test_hidden_keys_and_values_have_no_effect(dtype, l):
    """The bits are unchanged, also if the hidden numbers are not finite."""
    Q, K, V = draw(l, 600, 5, 3, dtype, heads=1)
    mask = np.ones((1, l, 600), bool)
    mask[:, :, 100:450] = False
    want = attend(Q, K, V, mask=mask, backend="numba")
    K[:, 150:400], V[:, 150:400] = 1e3, -1e3
    assert np.array_equal(attend(Q, K, V, mask=mask, backend="numba"), want)


@precisions
def test_queries_do_not_affect_each_other(dtype):
    """Masks of other queries decide which tiles are computed, but no bit."""
    Q, K, V = draw(40, 500, 5, 3, dtype, heads=1)
    mask, _ = hidden(40, 500, dtype, heads=1)
    mask[:, :3, 100:] = False
    whole = attend(Q, K, V, mask=mask, backend="numba")
    for first in 0, 3, 20:
        rows = slice(first, first + 20)
        part = attend(Q[:, rows], K, V, mask=mask[:, rows], backend="numba")
        assert np.array_equal(part, whole[:, rows])


@precisions
def test_gradients_with_a_bias_on_many_tiles(dtype):
    """A bias that is larger than the scores must not cost the gradient in the scale its digits."""
    Q, K, V = draw(20, 300, 60, 3, dtype, heads=1)
    mask, bias = hidden(20, 300, dtype, heads=1)
    for factor in 1, 1000:
        options = {"bias": factor * bias, "mask": mask, "causal": True}
        agrees(gradients.softmax_attention, (V[:, :20], Q, K, V), options, dtype)


@precisions
@pytest.mark.parametrize("kept", [True, False])
def test_gradients_of_several_blocks_of_queries(monkeypatch, dtype, kept):
    """Remainders of blocks and tiles, panels that see no key of a tile, and queries that see none;
    with weights that are kept, and with weights that are computed again."""
    monkeypatch.setattr(kernel, "KEYS", kernel.KEYS if kept else 0)
    Q, K, V = draw(150, 300, 60, 3, dtype, heads=1)
    mask, bias = hidden(150, 300, dtype, heads=1)
    mask[:, :48, :200], mask[:, 64:80, 100:], mask[:, 80:, :20] = False, False, False
    operands, seen, sink = (V[:, :150], Q, K, V), {"mask": mask}, np.full(1, 6.0, dtype)
    agrees(gradients.softmax_attention, operands, {**seen, "causal": True}, dtype)
    agrees(gradients.softcapped_attention, operands, {"bias": 40 * bias, "softcap": 0.75}, dtype)
    agrees(sinks.attention, (*operands, sink), {**seen, "bias": bias}, dtype)


def test_heads_beyond_single_precision_are_computed_in_double_alone():
    Q, K, V = draw(20, 40, 4, 3, "float32")
    alone = gradients.softmax_attention(V[1:, :20], Q[1:], K[1:], V[1:], backend="numba")
    Q[0], K[0] = Q[0] * np.float32(1e25), K[0] / np.float32(1e25)
    both = agrees(gradients.softmax_attention, (V[:, :20].copy(), Q, K, V), {}, "float32")
    for one, whole in list(zip(alone, both))[:4]:               # the last is a sum over heads
        assert np.array_equal(one, whole[1:])
