"""Deterministic feature maps: their values, and the kernels that they make."""
import mpmath
import numpy as np
from hypothesis import strategies as st

from hopref import attention, maps
from hopref.features import deterministic
from tests.draw import arrays, heads, records
from tests.laws import law
from tests.rounding import close, g, u

some = st.integers(1, 5).flatmap(lambda d: arrays(3, d))
signs = records(x=some)


@law("features.deterministic.elu", "features.deterministic.exponential", id="AT-5", over=signs,
     kills=["elu_without_the_one", "elu_of_the_other_sign", "exponential_of_minus_x"])
def test_elu_and_exponential_are_what_exact_arithmetic_says(rules, x):
    """exp is charged 4 u; x + 1 is exact in eighths."""
    want = np.array([[float(mpmath.exp(v)) for v in row] for row in x])
    close(rules.features.deterministic.exponential(x), want, 8 * u * want)
    close(rules.features.deterministic.elu(x), np.where(x > 0, x + 1, want), 8 * u)
    assert np.all(rules.features.deterministic.elu(x) > 0)


@law("features.deterministic.relu", "features.deterministic.identity", id="AT-5", over=signs,
     kills=["relu_leaks", "identity_normalises"])
def test_relu_is_half_of_the_sum_with_the_size_and_identity_the_features(rules, x):
    assert np.all(rules.features.deterministic.identity(x) == x)
    assert np.all(rules.features.deterministic.relu(x) == (x + np.abs(x)) / 2)
    assert np.all(rules.features.deterministic.relu(x, eps=0.25) == (x + np.abs(x)) / 2 + 0.25)


@law("features.deterministic.quadratic", "features.deterministic.identity", id="AT-5", over=signs,
     kills=["quadratic_of_the_squares", "identity_normalises"])
def test_the_quadratic_kernel_is_the_square_of_the_linear_one(rules, x):
    """Integers over 4096: exact."""
    phi, plain = rules.features.deterministic.quadratic(x), rules.features.deterministic.identity(x)
    assert phi.shape == (3, x.shape[1] ** 2)
    assert np.all(phi @ phi.T == (plain @ plain.T) ** 2)


@law("features.deterministic.softmax_keys", id="AT-5", over=heads(),
     kills=["softmax_keys_over_features", "softmax_keys_unnormalised"])
def test_every_denominator_of_efficient_attention_is_one(rules, Q, K, V):
    """So that Z = softmax(Q) (softmax_keys(K)^T V), an average of values."""
    phi_q, phi_k = maps.softmax(Q), rules.features.deterministic.softmax_keys(K)
    n, d = K.shape
    close(phi_k.sum(-2), 1.0, g(n + 8))
    close((phi_q @ phi_k.T).sum(-1), 1.0, g(2 * n + 2 * d + 16))
    close(attention.linear_attention(phi_q, phi_k, V), phi_q @ (phi_k.T @ V),
          g(2 * n + 2 * d + 32) * np.abs(V).max(0))


def test_far_below_zero_elu_is_zero_and_far_above_it_does_not_overflow():
    assert deterministic.elu([-1e300, 1e300]).tolist() == [0.0, 1e300]
