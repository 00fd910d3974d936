"""Chunks of causal linear attention: every remainder, the state, signs, empty rows."""
import numpy as np
import pytest

from hopref import attention
from tests.fast.agreement import agrees

pytest.importorskip("numba")
precisions = pytest.mark.parametrize("dtype", ["float32", "float64"])
causal = attention.causal_linear_attention


def draw(length, r, v, dtype, lead=()):
    rng = np.random.default_rng(0)
    phi_q, phi_k = rng.random((2, *lead, length, r)).astype(dtype)
    return phi_q, phi_k, rng.standard_normal((*lead, length, v)).astype(dtype)


@precisions
@pytest.mark.parametrize("length", [1, 63, 64, 65, 130])
@pytest.mark.parametrize("r, v", [(1, 1), (3, 64), (4, 65), (9, 2)])
def test_every_remainder_of_chunks_panels_and_registers(dtype, length, r, v):
    rng = np.random.default_rng(1)
    state = {"S": rng.standard_normal((r, v)).astype(dtype), "z": rng.random(r).astype(dtype)}
    agrees(causal, draw(length, r, v, dtype), {}, dtype)
    agrees(causal, draw(length, r, v, dtype), {**state, "eps": 0.5}, dtype)


@precisions
def test_heads_are_independent_and_states_are_passed(dtype):
    phi_q, phi_k, V = draw(150, 4, 3, dtype, lead=(2, 3))
    agrees(causal, (phi_q, phi_k, V), {}, dtype)
    Z, S, z = agrees(causal, (phi_q[..., :70, :], phi_k[..., :70, :], V[..., :70, :]), {}, dtype)
    rest = (phi_q[..., 70:, :], phi_k[..., 70:, :], V[..., 70:, :])
    agrees(causal, rest, {"S": S, "z": z}, dtype)


def test_the_state_passed_in_is_not_written():
    args = draw(5, 2, 2, "float64")
    S, z = np.ones((2, 2)), np.ones(2)
    _, S_new, z_new = causal(*args, S=S, z=z, backend="numba")
    assert np.all(S == 1) and np.all(z == 1) and np.all(S_new != 1) and np.all(z_new != 1)


@precisions
def test_a_zero_denominator_gives_the_requested_value(dtype):
    phi_q, phi_k, V = draw(80, 3, 2, dtype)
    phi_k[:70] = 0
    for empty_row, answer in ("zeros", 0.0), ("nan", np.nan):
        Z, _, _ = causal(phi_q, phi_k, V, empty_row=empty_row, backend="numba")
        assert np.array_equal(Z[:70], np.full((70, 2), answer), equal_nan=True)
        assert np.all(np.isfinite(Z[70:]))


def test_results_do_not_depend_on_later_positions():
    """The bits of earlier positions are unchanged."""
    phi_q, phi_k, V = draw(100, 4, 3, "float64")
    Z, _, _ = causal(phi_q, phi_k, V, backend="numba")
    phi_k[60:], V[60:] = 1e9, -1e9
    changed, _, _ = causal(phi_q, phi_k, V, backend="numba")
    assert np.array_equal(Z[:60], changed[:60]) and not np.array_equal(Z[60:], changed[60:])
