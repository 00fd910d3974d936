"""Gated linear attention and its gradients: remainders of panels and blocks, every gate, cuts of a
sequence, and ranges."""
import numpy as np
import pytest

from hopref import gated
from hopref.gradients import gated as gradients
from tests.fast.agreement import agrees, agrees_in_double

pytest.importorskip("numba")
precisions = pytest.mark.parametrize("dtype", ["float32", "float64"])
rules = pytest.mark.parametrize("rule", ["linear", "delta"])
attend, pull_back = gated.linear_attention, gradients.linear_attention


def draw(l, d, v, dtype, lead=()):
    rng = np.random.default_rng(0)
    Q, K = rng.standard_normal((2, *lead, l, d)).astype(dtype) / max(1, d)
    return Q, K, rng.standard_normal((*lead, l, v)).astype(dtype)


def cotangents(Q, K, V):
    rng = np.random.default_rng(2)
    g_S = rng.standard_normal((*V.shape[:-2], K.shape[-1], V.shape[-1]))
    return rng.standard_normal(V.shape).astype(V.dtype), g_S.astype(V.dtype)


def gates(l, d, v, dtype, lead=()):
    """Decays, some of which erase the memory, strengths of writes, and a memory."""
    rng = np.random.default_rng(1)
    decay, entries = -rng.random((*lead, l)), -rng.random((*lead, l, d))
    decay[..., 2::7], entries[..., 3::5, :1] = -np.inf, -np.inf
    options = {"log_decay": decay, "log_gates": entries, "beta": rng.random((*lead, l)),
               "S": rng.standard_normal((*lead, d, v))}
    return {k: x.astype(dtype) for k, x in options.items()}


@precisions
@rules
@pytest.mark.parametrize("l, d, v", [(0, 2, 3), (1, 1, 1), (40, 3, 65), (9, 17, 32), (5, 2, 0)])
def test_every_remainder_of_panels_with_every_gate(dtype, rule, l, d, v):
    args, given = draw(l, d, v, dtype), gates(l, d, v, dtype)
    for names in (), ("log_decay",), ("log_gates", "S"), ("beta", "S"), tuple(given):
        options = {"rule": rule, **{k: given[k] for k in names}}
        agrees(attend, args, options, dtype)
        agrees(pull_back, (*cotangents(*args), *args), options, dtype)


@precisions
@rules
def test_gradients_of_blocks_with_decays_from_none_to_a_thousand_powers_of_two(dtype, rule):
    """The memories of three blocks of tokens are recomputed; factors reach 2^-1000 and 0."""
    args, given = draw(70, 3, 5, dtype, lead=(2,)), gates(70, 3, 5, dtype, lead=(2,))
    given["log_decay"][..., ::3], given["log_gates"][..., ::4, 0] = -0.0, -1e-30
    given["log_decay"][..., 30:34], given["log_gates"][..., 31, :] = -346.0, -346.0
    agrees(pull_back, (*cotangents(*args), *args), {"rule": rule, **given}, dtype)


@precisions
@rules
def test_heads_are_independent_and_a_cut_changes_no_bit(dtype, rule):
    (Q, K, V), given = draw(50, 4, 3, dtype, lead=(2,)), gates(50, 4, 3, dtype, lead=(2,))
    whole, end = agrees(attend, (Q, K, V), {"rule": rule, **given}, dtype)
    S, parts = given.pop("S"), []
    for rows in slice(0, 1), slice(1, 18), slice(18, 50):
        part, S = attend(Q[:, rows], K[:, rows], V[:, rows], rule=rule, S=S, backend="numba",
                         **{k: x[:, rows] for k, x in given.items()})
        parts.append(part)
    assert np.array_equal(np.concatenate(parts, axis=1), whole) and np.array_equal(S, end)


@precisions
@rules
def test_a_cut_changes_no_bit_of_the_gradients(dtype, rule):
    """The cotangent of the memory is passed back; the scale alone sums over the sequence."""
    args, given = draw(80, 4, 19, dtype), gates(80, 4, 19, dtype)
    g, D = cotangents(*args)
    *whole, _ = pull_back(g, D, *args, rule=rule, **given, backend="numba")
    S, starts, parts = given.pop("S"), [], []
    cuts = slice(0, 1), slice(1, 33), slice(33, 50), slice(50, 80)
    for rows in cuts:
        starts.append(S)
        _, S = attend(*(a[rows] for a in args), rule=rule, S=S, backend="numba",
                      **{k: x[rows] for k, x in given.items()})
    for rows, S in zip(reversed(cuts), reversed(starts)):
        *part, D, _ = pull_back(g[rows], D, *(a[rows] for a in args), rule=rule, S=S,
                                backend="numba", **{k: x[rows] for k, x in given.items()})
        parts.append(part)
    found = *map(np.concatenate, zip(*reversed(parts))), D
    assert all(np.array_equal(a, b) for a, b in zip(found, whole, strict=True))


@rules
@pytest.mark.parametrize("q, k, v", [(1e-30, 1e25, 1e20), (1e30, 1e5, 1e10), (1e20, 1e-20, 1e20)])
def test_products_beyond_single_precision_are_computed_in_double(rule, q, k, v):
    args = [np.float32(factor) * a for factor, a in zip((q, k, v), draw(20, 4, 3, "float32"))]
    write = np.full(20, min(1.0, k**-2), np.float32)
    agrees_in_double(attend, args, {"rule": rule, "beta": write, "scale": 2.0**-120})


@rules
def test_products_beyond_double_precision_are_those_of_the_formula(rule):
    Q, K, V = draw(20, 4, 3, "float64")
    for args, scale in ((1e200 * Q, K, 1e200 * V), 1.0), ((1e300 * Q, K, V), 2.0**-950):
        got, want = (attend(*args, rule=rule, scale=scale, nonfinite="propagate", backend=path)
                     for path in ("numba", "formula"))
        assert all(np.array_equal(a, b, equal_nan=True) for a, b in zip(got, want))


@rules
def test_gradients_beyond_single_precision_are_computed_in_double(rule):
    """The cotangent of the memory leaves the range, and the memory is below it."""
    Q, K, V = (np.float32(x) * a for x, a in zip((1e20, 1e-30, 1e-30), draw(40, 4, 3, "float32")))
    g, g_S = cotangents(Q, K, V)
    erased = np.full(40, -0.125, np.float32)
    erased[0] = -np.inf                                     # no gradient of the earlier memory
    agrees_in_double(pull_back, (1e30 * g, 0 * g_S, Q, K, V), {"rule": rule, "log_decay": erased})


@rules
def test_gradients_beyond_double_precision_are_those_of_the_formula(rule):
    Q, K, V = draw(20, 4, 3, "float64")
    for args, scale in ((1e200 * Q, K, 1e200 * V), 1.0), ((1e300 * Q, K, V), 2.0**-950):
        g, g_S = cotangents(Q, K, V)
        got, want = (pull_back(1e10 * g, g_S, *args, rule=rule, scale=scale, nonfinite="propagate",
                               backend=path) for path in ("numba", "formula"))
        assert all(np.array_equal(a, b, equal_nan=True) for a, b in zip(got, want, strict=True))


@precisions
def test_keys_without_entries_store_nothing(dtype):
    args, options = draw(3, 0, 2, dtype), {"rule": "delta", "beta": np.ones(3, dtype)}
    O, S = agrees(attend, args, options, dtype)
    assert not O.any() and S.shape == (0, 2)
    agrees(pull_back, (*cotangents(*args), *args), options, dtype)
