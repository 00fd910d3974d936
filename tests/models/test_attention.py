"""Softmax attention and kernel attention, blog eqs. (14)-(18): examples; laws are the kit's."""
import numpy as np
import pytest

from hopref import attention, certify, performer
from hopref.errors import RangeError, ShapeError


def test_a_scale_for_each_key_does_not_cancel():
    phi_q, phi_k, V = np.ones((1, 1)), np.array([[1.0], [1.0]]), np.array([[0.0], [1.0]])
    assert attention.linear_attention(phi_q, phi_k, V) == 0.5
    assert attention.linear_attention(phi_q, phi_k * [[1.0], [3.0]], V) == 0.75


def test_with_features_of_both_signs_the_answer_leaves_the_values():
    """So the denominator bounds nothing by itself; the blog says that it does."""
    phi_q, phi_k = np.array([[1.0]]), np.array([[1.0], [-0.875]])
    assert attention.linear_attention(phi_q, phi_k, [[1.0], [0.0]]) == 8.0
    assert attention.linear_attention(phi_q, -phi_k[::-1], [[1.0], [0.0]]) < 0


@pytest.mark.parametrize("backend", ["formula", pytest.param("numba", marks=pytest.mark.slow)])
@pytest.mark.parametrize("size", [1e9, 800.0, 50.0])
def test_a_denominator_lost_beside_terms_that_cancel_is_not_taken_for_zero(size, backend):
    """The third feature or key alone is left, and the result is its value, 4 (see `certify`)."""
    sign, V = np.array([[1.0, -1.0, 1.0]]), np.array([[3.0], [3.0], [4.0]])
    one, logs = np.zeros((1, 1)), np.array([[size, size, -size]])
    rule = attention.log_linear_attention
    for given, signs in (((0 * logs, logs, V[2:]), {"sign_q": sign}),
                         ((one, logs.T, V), {"sign_k": sign.T})):
        kept = rule(*given, nonfinite="propagate", backend=backend, **signs)
        assert np.isnan(kept) or kept == 4.0
        if size > 50.0:
            with pytest.raises(RangeError, match="rescale"):
                rule(*given, backend=backend, **signs)


@pytest.mark.parametrize("rest", [-np.inf, 0.0])
def test_terms_that_cancel_exactly_leave_an_empty_row(rest):
    """Also beside features of size zero, and beside those whose sign is zero."""
    signs = {"sign_q": np.array([[1.0, -1.0, 0.0 if rest == 0 else 1.0]])}
    given = np.array([[1e9, 1e9, rest]]), np.array([[1e9, 1e9, -1e9]]), np.array([[3.0]])
    assert attention.log_linear_attention(*given, **signs) == 0.0
    assert np.isnan(attention.log_linear_attention(*given, empty_row="nan", **signs))


def test_an_eps_on_request_joins_the_denominator_and_pulls_small_kernels_to_nothing():
    phi_q, phi_k, V = np.eye(2), np.array([[1.0, 2.0], [3.0, 2.0]]), np.array([[6.0], [10.0]])
    assert attention.linear_attention(phi_q, phi_k, V, eps=2.0).tolist() == [[6.0], [32 / 6]]
    Z = attention.causal_linear_attention(phi_q, phi_k, V, eps=2.0)[0]
    assert Z.tolist() == [[2.0], [32 / 6]]
    phi, V = np.full((2, 1), 1e-3), np.ones((2, 1))
    biased = attention.linear_attention(phi, phi, V, eps=1e-4)
    assert np.all(biased < 0.05)


@pytest.mark.parametrize("norm", [1e3, 1e100])
def test_the_largest_scores_are_weighed_without_overflow(norm):
    Q = np.array([[norm, 0.0], [0.0, -norm]])
    K = np.array([[norm, norm], [norm, -norm]])
    assert attention.softmax_attention(Q, K, [[1.0], [3.0]]).tolist() == [[2.0], [3.0]]


def test_a_state_without_its_scale_is_refused():
    q, V = np.zeros((2, 1)), np.ones((2, 1))
    _, S, z, c = attention.log_causal_linear_attention(q, q + 3, V)
    with pytest.raises(ShapeError, match="c must come with S and z, .* got no c"):
        attention.log_causal_linear_attention(q, q, V, S=S, z=z)
    with pytest.raises(ShapeError, match="c must come with S and z"):
        performer.causal_attention(q, q, V, [[1.0]], S=S, z=z)
    assert np.all(attention.log_causal_linear_attention(q, q, 0 * V, S=S, z=z, c=c)[0] > 0.9)


def test_early_rows_do_not_depend_on_later_keys_of_any_size():
    """Their certified values are plain means; the state may be passed on at any row."""
    pytest.importorskip("flint", reason="certified values need python-flint (hopref[certify])")
    phi_k = np.repeat([2.0**-1000, 2.0**1000], 3)[:, None]
    phi_q, V = np.ones((6, 1)), np.arange(1.0, 7.0)[:, None]
    Z, S, z = attention.causal_linear_attention(phi_q, phi_k, V)
    found = certify("attention.causal_linear_attention", phi_q, phi_k, V)
    assert np.array_equal(found.value[0][:3], [[1.0], [1.5], [2.0]])
    for got, value, bound in zip((Z, S, z), found.value, found.bound, strict=True):
        assert np.all(np.abs(got - value) <= bound)
    for rows in (2, 3, 4):
        first, *state = attention.causal_linear_attention(phi_q[:rows], phi_k[:rows], V[:rows])
        rest = attention.causal_linear_attention(phi_q[rows:], phi_k[rows:], V[rows:],
                                                 S=state[0], z=state[1])[0]
        assert np.array_equal(np.concatenate([first, rest]), Z)


@pytest.mark.parametrize("size", [1.0, 2.0**901, -2.0**1000])
def test_values_of_any_size_are_read_out_of_associations_and_states(size):
    V = size * np.array([[1.0, 0.5], [0.25, -1.0]])
    phi = np.array([[1.0, 0.5], [0.0, 2.0]])
    assert np.array_equal(attention.association(phi, phi, V), phi @ phi.T @ V)
    Z, S, z = attention.causal_linear_attention(phi, phi, V)
    assert np.array_equal(S, phi.T @ V) and np.array_equal(z, phi.sum(axis=0))
    assert np.array_equal(Z[0], V[0])
    later = attention.causal_linear_attention(phi, phi, V, S=2 * V, z=np.ones(2))
    assert np.array_equal(later[1], 2 * V + phi.T @ V)
    assert np.array_equal(attention.linear_attention(phi[:1], phi[:1], V[:1]), V[:1])
