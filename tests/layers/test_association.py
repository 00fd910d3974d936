"""The operations of a Hopfield layer: what is refused, and scores of any size."""
import numpy as np
import pytest

from hopref import layers, maps
from hopref.errors import DomainError, ShapeError
from tests.rounding import close, g


@pytest.mark.parametrize("k", [-500, -499, 250, 500])
def test_a_layer_norm_keeps_its_bits_in_other_units(k):
    """c x and c^2 eps, c = 2^k, though c^2 x^2 leaves the range."""
    x = np.array([[0.5, -2.0, 3.25], [1.0, 1.0, 1.0]])
    for eps in (0.0, 0.25):
        assert np.all(layers.layer_norm(2.0**k * x, eps=4.0**k * eps)
                      == layers.layer_norm(x, eps=eps))


@pytest.mark.parametrize("size", [1e200, 1e-200, 1.7e308, 5e-324])
def test_rows_of_any_size_are_normalised(size):
    assert np.all(layers.layer_norm([size, -size], eps=0.0) == [1.0, -1.0])
    assert np.all(layers.layer_norm([1e200, -1e200]) == [1.0, -1.0])


def test_a_large_mean_costs_no_digits():
    """A shift that changes no difference of the entries leaves the result."""
    x = np.random.default_rng(0).integers(-2**20, 2**20, (50, 7)) * 2.0**-20
    shifted = layers.layer_norm(x + 2.0**20, eps=0.0)
    assert np.max(np.abs(shifted - layers.layer_norm(x, eps=0.0))) < 16 * 2.0**-52


def test_heads_and_spaces_must_agree():
    Q = np.zeros((2, 1, 3))
    for K in (np.zeros((2, 4, 2)), np.zeros((3, 4, 3)), np.zeros((2, 0, 3))):
        with pytest.raises(ShapeError, match="hopref.layers.associations: .* must be"):
            layers.associations(Q, K)
    with pytest.raises(DomainError, match="per_head must be finite and > 0; got per_head.1. = 0"):
        layers.associations(Q, Q, per_head=[1.0, 0.0])
    with pytest.raises(DomainError, match="steps must be an integer >= 1"):
        layers.associations(Q, Q, steps=0)
    for how in ({"mask": [[False]]}, {"bias": np.full((2, 1, 1), -np.inf)}):
        with pytest.raises(DomainError, match="every state must see a stored pattern"):
            layers.associations(Q, Q, empty_row="raise", **how)


@pytest.mark.parametrize("scale", [1e-300, 1e-6, 1e6, 1e150])
def test_scores_of_any_size_associate(scale):
    rng = np.random.default_rng(0)
    Q, K = rng.standard_normal((2, 2, 3, 4))
    A = layers.associations(scale * Q, K, steps=3)
    close(A.sum(-1), 1.0, g(8))
    sure = layers.associations(scale * Q, scale * K, steps=3)
    assert np.isfinite(sure).all()
    np.testing.assert_array_equal(layers.associations(Q, K, beta=1e-300), maps.softmax(0 * sure))
