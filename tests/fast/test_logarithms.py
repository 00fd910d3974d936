"""Linear attention of features given by their logarithms: scales, steep keys, states, signs."""
import numpy as np
import pytest

from hopref import attention, performer
from tests.fast.agreement import agrees

pytest.importorskip("numba")
precisions = pytest.mark.parametrize("dtype", ["float32", "float64"])
kinds = pytest.mark.parametrize("features", ["positive", "hyperbolic", "trigonometric", "relu"])
causal, linear = attention.log_causal_linear_attention, attention.log_linear_attention
inf = np.inf


def draw(length, r, v, dtype, lead=(), size=3.0):
    rng = np.random.default_rng(0)
    log_q, log_k = size * rng.standard_normal((2, *lead, length, r)).astype(dtype)
    return log_q, log_k, rng.standard_normal((*lead, length, v)).astype(dtype)


@precisions
@pytest.mark.parametrize("length, r, v", [(1, 1, 1), (50, 3, 2), (33, 70, 3)])
def test_every_remainder_of_blocks(dtype, length, r, v, monkeypatch):
    monkeypatch.setattr("hopref.fast.numba.attention.FORMED", 20)
    log_q, log_k, V = args = draw(length, r, v, dtype, lead=(2,))
    for signs in {}, {"sign_q": np.sign(log_k), "sign_k": np.sign(log_q)}:
        agrees(causal, args, signs, dtype)
        agrees(linear, args, signs, dtype)
    log_k[:, 3:10, :2], log_q[:, 5:6] = -inf, -inf
    mask = np.arange(2 * length).reshape(2, length) % 3 > 0
    agrees(causal, args, {"empty_row": "nan"}, dtype)
    agrees(linear, args, {"mask": mask, "empty_row": "nan"}, dtype)


@precisions
@pytest.mark.parametrize("slope", [1.0, 30.0, 700.0, -700.0])
def test_keys_may_grow_or_decay_without_limit(dtype, slope):
    """The past is divided by more than the format holds, and may not be lost before that."""
    log_q, log_k, V = args = draw(40, 4, 3, dtype)
    log_k += slope * np.arange(40, dtype=dtype)[:, None]
    agrees(causal, args, {}, dtype)
    agrees(linear, args, {}, dtype)
    log_k[:, 1] = np.where(np.arange(40) < 9, -inf, 0)
    agrees(causal, args, {}, dtype)


@precisions
def test_states_are_passed_with_their_scale(dtype):
    log_q, log_k, V = args = draw(50, 4, 3, dtype, lead=(2,), size=10.0)
    first, rest = ([a[:, rows] for a in args] for rows in (slice(0, 20), slice(20, 50)))
    _, S, z, c = agrees(causal, first, {}, dtype)
    assert np.array_equal(c, first[1].max(axis=1))
    agrees(causal, rest, {"S": S, "z": z, "c": c}, dtype)
    empty = [a[:, :0] for a in args]
    _, *state = causal(*empty, S=S, z=z, c=c, backend="numba")
    assert all(np.array_equal(a, b) for a, b in zip(state, (S, z, c)))


def test_results_do_not_depend_on_later_positions():
    """Nor do their bits, unless a later key exceeds all earlier ones by far."""
    log_q, log_k, V = draw(60, 4, 3, "float64")
    Z = causal(log_q, log_k, V, backend="numba")[0]
    log_k[40:] += 20
    changed = causal(log_q, log_k, V, backend="numba")[0]
    assert np.array_equal(Z[:40], changed[:40]) and not np.array_equal(Z[40:], changed[40:])
    log_k[40:] += 2000
    changed = causal(log_q, log_k, V, backend="numba")[0]
    assert np.allclose(Z[:40], changed[:40], rtol=1e-12, atol=1e-14)


@pytest.mark.parametrize("attend", [causal, linear], ids=lambda op: op.name)
@pytest.mark.parametrize("log, value", [(1e6, 1.0), (2e38, 1.0), (0.0, 1e-38), (0.0, 1e37)])
def test_extreme_logarithms_and_values(attend, log, value):
    log_q, log_k, V = draw(40, 4, 3, "float32", size=1.0)
    args = log_q + np.float32(log), log_k + np.float32(log), V * np.float32(value)
    got, want = (attend(*args, backend=path) for path in ("numba", "formula"))
    got, want = (y[0] if type(y) is tuple else y for y in (got, want))
    assert np.all(np.abs(got - want) <= (0.5 if log else 1e-5) * np.max(np.abs(want)))


@precisions
@kinds
def test_the_causal_performer_passes_its_state(dtype, features):
    rng = np.random.default_rng(0)
    Q, K = (rng.standard_normal((2, 40, 3)).astype(dtype) for _ in range(2))
    V, omega = rng.standard_normal((2, 40, 2)).astype(dtype), rng.standard_normal((9, 3))
    omega, how = omega.astype(dtype), {"features": features, "scale": 0.5}
    _, S, z, c = agrees(performer.causal_attention, (Q, K, V, omega), how, dtype)
    state = {"S": S, "z": z, "c": c}
    agrees(performer.causal_attention, (K, Q, V, omega), {**how, **state}, dtype)


@pytest.mark.parametrize("features", ["positive", "hyperbolic"])
def test_the_causal_performer_takes_large_norms_in_single_precision(features):
    """Whose logarithms are beyond its range."""
    rng = np.random.default_rng(0)
    Q, K, V = (rng.standard_normal((20, 3)).astype("float32") for _ in range(3))
    K[7] *= np.float32(1e20)
    Z, *_ = performer.causal_attention(Q, K, V, Q[:5], features=features, backend="numba")
    want, *_ = performer.causal_attention(Q, K, V, Q[:5], features=features)
    assert np.all(np.abs(Z - want) <= 1e-5)
