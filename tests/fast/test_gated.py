"""Gated linear attention: remainders of panels, every gate, cuts of a sequence, and ranges."""
import numpy as np
import pytest

from hopref import gated
from tests.fast.agreement import agrees, agrees_in_double

pytest.importorskip("numba")
precisions = pytest.mark.parametrize("dtype", ["float32", "float64"])
rules = pytest.mark.parametrize("rule", ["linear", "delta"])
attend = gated.linear_attention


def draw(l, d, v, dtype, lead=()):
    rng = np.random.default_rng(0)
    Q, K = rng.standard_normal((2, *lead, l, d)).astype(dtype) / max(1, d)
    return Q, K, rng.standard_normal((*lead, l, v)).astype(dtype)


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
        agrees(attend, args, {"rule": rule, **{k: given[k] for k in names}}, dtype)


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


@precisions
def test_keys_without_entries_store_nothing(dtype):
    args, write = draw(3, 0, 2, dtype), np.ones(3, dtype)
    O, S = agrees(attend, args, {"rule": "delta", "beta": write}, dtype)
    assert not O.any() and S.shape == (0, 2)
