"""Other functions of scores in the fused kernels: sums, caps, sinks and logistic weights.

Remainders with every option, ranges, and rows without visible keys.
"""
import itertools

import numpy as np
import pytest

from hopref import attention, feature_memory, gradients, sigmoid, sinks
from tests.fast.agreement import agrees, agrees_in_double
from tests.fast.test_softmax_attention import draw, hidden

pytest.importorskip("numba")
precisions = pytest.mark.parametrize("dtype", ["float32", "float64"])
RULES = {
    "log sums": (attention.softmax_logsumexp, lambda Q, K, V: (Q, K), {}),
    "capped": (attention.softcapped_attention, lambda Q, K, V: (Q, K, V), {"softcap": 0.75}),
    "with sinks": (sinks.attention, lambda Q, K, V: (Q, K, V, V[..., 0, 0].copy()), {}),
    "logistic": (sigmoid.attention, lambda Q, K, V: (Q, K, V), {"offset": -1.5})}
rules = pytest.mark.parametrize("rule", RULES)


@precisions
@rules
@pytest.mark.parametrize("l, s, d, v", [
    (3, 300, 5, 33), (17, 30, 8, 4), (70, 70, 17, 2), (0, 4, 2, 2), (17, 4, 0, 3)])
def test_every_remainder_with_every_option(dtype, rule, l, s, d, v):
    op, operands, given = RULES[rule]
    args, (mask, bias) = operands(*draw(l, s, d, v, dtype)), hidden(l, s, dtype)
    for m, b in itertools.product([{}, {"mask": mask}], [{}, {"bias": bias}]):
        agrees(op, args, {**given, **m, **b, "causal": bool(m)}, dtype)


@precisions
@rules
@pytest.mark.parametrize("l", [3, 20])
def test_a_hidden_row_and_scores_of_every_size(dtype, rule, l):
    """The largest score is in every tile; the cap is far above and far below the scores."""
    op, operands, given = RULES[rule]
    Q, K, V = draw(l, 500, 4, 3, dtype, heads=1)
    mask = np.arange(l)[:, None] != 1 + 0 * np.arange(500)
    for factor, cap in (1, 1e9), (1e3, 1e-3), (1e-6, 1e3), (1e3, 20.0):
        own = given | ({"softcap": float(np.dtype(dtype).type(cap))} if "softcap" in given else {})
        keys = np.dtype(dtype).type(factor) * np.sort(K, axis=1)
        got = agrees(op, operands(Q, keys, V), {**own, "mask": mask[None]}, dtype)
        assert np.array_equal(got[:, 1], np.full_like(got[:, 1], -np.inf if got.ndim == 2 else 0))


@precisions
@pytest.mark.parametrize("cap", [1e-50, 1e50])
def test_caps_beyond_single_precision_are_caps(dtype, cap):
    """1e-50 is 0 there, which is no cap: all weights are equal."""
    Q, K, V = draw(20, 40, 4, 3, dtype)
    agrees(attention.softcapped_attention, (Q, K, V), {"softcap": cap}, dtype)
    g = np.ascontiguousarray(V[:, :20])
    agrees(gradients.attention.softcapped_attention, (g, Q, K, V), {"softcap": cap}, dtype)


@rules
@pytest.mark.parametrize("l", [2, 20])
def test_scores_beyond_the_range_are_computed_in_a_wider_one(rule, l):
    op, operands, given = RULES[rule]
    Q, K, V = draw(l, 40, 4, 3, "float32", heads=1)
    mask = np.ones((1, l, 40), bool)
    mask[:, 1] = False
    for scale in 2.0**-130, 2.0**-66:
        args = operands(np.float32(1e20) * Q, np.float32(1e20) * K, V)
        agrees_in_double(op, args, {**given, "mask": mask, "scale": scale})


@rules
def test_scores_beyond_double_precision_are_those_of_the_formula(rule):
    op, operands, given = RULES[rule]
    Q, K, V = (np.abs(a[0]) for a in draw(1, 40, 4, 3, "float64", heads=1))
    args = operands(1e160 * Q, 1e160 * K, V)
    got, want = (op(*args, **given, nonfinite="propagate", backend=path)
                 for path in ("numba", "formula"))
    assert np.array_equal(got, want, equal_nan=True)


@precisions
@pytest.mark.parametrize("op", [sinks.update, sinks.energy], ids=lambda op: op.name)
@pytest.mark.parametrize("M, N, d", [(1, 1, 1), (17, 129, 3), (3, 300, 8), (0, 3, 2)])
def test_retrieval_with_a_sink_above_and_below_the_scores(dtype, op, M, N, d):
    rng = np.random.default_rng(0)
    xi, X = (rng.standard_normal((n, d)).astype(dtype) for n in (M, N))
    for patterns, sink in itertools.product((X, 30 * X, -np.abs(X), 0 * X), (-40.0, 0.0, 9.0)):
        for beta in 2.0**-6, 4.0:
            agrees(op, (np.abs(xi), patterns), {"beta": beta, "sink": sink}, dtype)


@precisions
@pytest.mark.parametrize("M, N, d", [(1, 1, 1), (17, 129, 3), (3, 300, 8), (0, 3, 2)])
def test_retrieval_by_logistic_weights_for_every_remainder(dtype, M, N, d):
    rng = np.random.default_rng(0)
    xi, X = (rng.standard_normal((n, d)).astype(dtype) for n in (M, N))
    for patterns, offset in itertools.product((X, 30 * X, 0 * X), (-40.0, 0.0, 9.0)):
        agrees(sigmoid.update, (xi, patterns), {"beta": 2.0, "offset": offset}, dtype)


@precisions
@pytest.mark.parametrize("op", [feature_memory.update, feature_memory.energy],
                         ids=lambda op: op.name)
@pytest.mark.parametrize("M, m, d", [(1, 1, 1), (17, 129, 3), (3, 300, 8), (0, 3, 2)])
def test_feature_memories_of_every_remainder(dtype, op, M, m, d):
    rng = np.random.default_rng(0)
    xi, omega, logs = (rng.standard_normal(n).astype(dtype) for n in ((M, d), (m, d), m))
    for factor, beta in (1, 1.0), (30, 0.25), (0, 4.0):
        agrees(op, (xi, omega, np.dtype(dtype).type(factor) * logs), {"beta": beta}, dtype)


def test_an_offset_or_a_bias_beyond_all_scores_is_that_of_the_formula():
    Q, K, V = (np.float32([[x]]) for x in (1e20, -1e20, 1.0))
    for options in {"offset": 2.0e9}, {"bias": np.float32([[2e9]])}:
        got = sigmoid.attention(Q, K, V, scale=1e-31, **options, backend="numba")
        assert got == sigmoid.attention(Q, K, V, scale=1e-31, **options) == 1


def test_energies_of_one_precision_do_not_depend_on_the_batch():
    rng = np.random.default_rng(0)
    xi, X = rng.standard_normal((20, 4)), rng.standard_normal((90, 4))
    whole = sinks.energy(xi, X, sink=1.0, backend="numba")
    assert np.array_equal(sinks.energy(xi[2:19], X, sink=1.0, backend="numba"), whole[2:19])
