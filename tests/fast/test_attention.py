"""Linear attention, causal and bidirectional: remainders of chunks, states, ranges, empty rows."""
import numpy as np
import pytest

from hopref import attention
from hopref.gradients import attention as gradients
from tests.fast.agreement import agrees, agrees_in_double

pytest.importorskip("numba")
precisions = pytest.mark.parametrize("dtype", ["float32", "float64"])
causal, linear = attention.causal_linear_attention, attention.linear_attention
both = pytest.mark.parametrize("attend", [causal, linear], ids=lambda op: op.name)


def draw(length, r, v, dtype, lead=()):
    rng = np.random.default_rng(0)
    phi_q, phi_k = rng.random((2, *lead, length, r)).astype(dtype)
    return phi_q, phi_k, rng.standard_normal((*lead, length, v)).astype(dtype)


@precisions
@both
@pytest.mark.parametrize("length", [1, 31, 33, 50, 100])
@pytest.mark.parametrize("r, v", [(1, 1), (3, 64), (4, 65), (9, 2)])
def test_every_remainder_of_chunks_panels_and_registers(dtype, attend, length, r, v):
    rng = np.random.default_rng(1)
    state = {"S": rng.standard_normal((r, v)).astype(dtype), "z": rng.random(r).astype(dtype)}
    agrees(attend, draw(length, r, v, dtype), {}, dtype)
    agrees(attend, draw(length, r, v, dtype), {**state, "eps": 0.5}, dtype)


@precisions
@pytest.mark.parametrize("length, r, v", [(1, 1, 1), (49, 3, 64), (100, 20, 5)])
def test_gradients_for_every_remainder_and_with_hidden_keys(dtype, length, r, v):
    phi_q, phi_k, V = args = draw(length, r, v, dtype)
    g, S = np.ascontiguousarray(V[::-1]), np.ones((r, v), dtype)
    mask = np.arange(length) % 3 > 0
    agrees(gradients.association, (g, *args), {}, dtype)
    agrees(gradients.linear_attention, (g, *args), {"eps": 0.5}, dtype)
    agrees(gradients.linear_attention, (g, *args), {"mask": mask, "S": S, "z": S[:, 0]}, dtype)
    agrees(gradients.key_state, (S, S[:, 0], phi_k, V), {"mask": mask}, dtype)


@pytest.mark.parametrize("q, k, v", [(1e-30, 1e-20, 1.0), (1e25, 1e25, 1.0), (1.0, 1e-44, 1.0)])
def test_gradients_beyond_single_precision_are_computed_in_double(q, k, v):
    phi_q, phi_k, V = draw(40, 4, 3, "float64")
    phi_q, phi_k, V = (np.float32(factor * a) for factor, a in ((q, phi_q), (k, phi_k), (v, V)))
    agrees_in_double(gradients.association, (V * np.float32(q), phi_q, phi_k, V), {})


@precisions
def test_states_are_sums_over_the_visible_keys(dtype):
    _, phi_k, V = draw(100, 5, 3, dtype, lead=(2,))
    state = {"S": V[:, :5], "z": phi_k[:, 0]}
    mask = np.arange(200).reshape(2, 100) % 3 > 0
    agrees(attention.key_state, (phi_k, V), {**state, "mask": mask}, dtype)
    want = linear(phi_k, phi_k, V, mask=mask, backend="numba")
    phi_k[~mask], V[~mask] = np.inf, np.nan
    got = linear(np.abs(phi_k[:, 1:2]), phi_k, V, mask=mask, nonfinite="propagate", backend="numba")
    assert np.array_equal(got, want[:, 1:2])


@precisions
def test_groups_of_keys_are_added(dtype, monkeypatch):
    monkeypatch.setattr("hopref.fast.numba._linear.GROUP", 30)
    agrees(linear, draw(100, 5, 3, dtype), {}, dtype)
    agrees(attention.association, draw(100, 5, 3, dtype), {}, dtype)


@both
@pytest.mark.parametrize("q, k, v", [
    (1e-25, 1e-25, 1.0), (1e-30, 1.0, 1e-20), (1e25, 1e25, 1.0), (1.0, 1e-44, 1.0),
    (1e-44, 1.0, 1.0), (1e10, 1.0, 1e30), (1.0, 1e-10, 1e-38)])
def test_products_beyond_single_precision_are_computed_in_double(attend, q, k, v):
    phi_q, phi_k, V = draw(40, 4, 3, "float64")
    phi_q[:, 1], phi_k[:, 2], V[:, 0] = 0, 0, 0
    args = [(factor * a).astype("float32") for factor, a in ((q, phi_q), (k, phi_k), (v, V))]
    agrees_in_double(attend, args, {})


@both
def test_products_beyond_double_precision_are_those_of_the_formula(attend):
    phi_q, phi_k, V = draw(40, 4, 3, "float64")
    for q, k in (1e-200, 1e-200), (1e200, 1e200):
        got, want = (attend(q * phi_q, k * phi_k, V, backend=path)
                     for path in ("numba", "formula"))
        got, want = (y if type(y) is tuple else (y,) for y in (got, want))
        assert all(np.array_equal(a, b) for a, b in zip(got, want))


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
    """Also next to a denominator that is 0 only in single precision."""
    phi_q, phi_k, V = draw(80, 3, 2, dtype)
    phi_k[:70] = 0
    assert not causal(phi_q, phi_k, V, eps=1e-60, empty_row="nan", backend="numba")[0][:70].any()
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
