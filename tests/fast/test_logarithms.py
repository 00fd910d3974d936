"""Linear attention of features given by their logarithms: scales, steep keys, states, signs."""
import numpy as np
import pytest

from hopref import attention, performer
from hopref.check.engine.judge import parts
from tests.fast.agreement import agrees, agrees_in_double

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
    Z = agrees(causal, (log_q, log_k, V), {}, "float64")[0]
    log_k[40:] += 20
    changed = causal(log_q, log_k, V, backend="numba")[0]
    assert np.array_equal(Z[:40], changed[:40]) and not np.array_equal(Z[40:], changed[40:])
    log_k[40:] += 2000
    agrees(causal, (log_q, log_k, V), {}, "float64")    # earlier rows have the same exact values


attends = pytest.mark.parametrize("attend", [causal, linear], ids=lambda op: op.name)


@attends
def test_large_and_subnormal_values(attend):
    log_q, log_k, V = draw(40, 4, 3, "float32", size=1.0)
    agrees(attend, (log_q, log_k, V * np.float32(1e37)), {}, "float32")
    agrees_in_double(attend, (log_q, log_k, V * np.float32(1e-38)), {})


@attends
def test_large_logarithms(attend):
    """The sum of two is rounded, so that weights of features are wrong by a factor; their means
    move by no more than that part of the range of the values."""
    log_q, log_k, V = draw(40, 4, 3, "float32", size=1.0)
    args = log_q + np.float32(1e6), log_k + np.float32(1e6), V
    got, want = (np.asarray(parts(attend(*args, backend=path))[0]) for path in ("numba", "formula"))
    assert np.all(np.abs(got - want) <= np.expm1(np.spacing(np.float32(2e6))) * np.ptp(V, axis=0))


@attends
def test_logarithms_so_large_that_they_are_equal(attend):
    """The results are plain means, which have two roundings for each key."""
    log_q, log_k, V = draw(40, 4, 3, "float32", size=1.0)
    far = np.full_like(log_q, 2e38)
    got = np.asarray(parts(attend(log_q + far, log_k + far, V, backend="numba"))[0])
    means = np.cumsum(V, axis=0, dtype=float) / np.arange(1, 41)[:, None]
    want = means if attend is causal else np.broadcast_to(means[-1], V.shape)
    assert np.all(np.abs(got - want) <= (2 * len(V) + 1) * 2.0**-24 * np.max(np.abs(V)))


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
    agrees_in_double(performer.causal_attention, (Q, K, V, Q[:5]), {"features": features})
