"""The Energy Transformer: what the laws of the kit cannot express."""
import numpy as np
import pytest

from hopref import energy_transformer
from hopref.errors import DTypeError, ShapeError

rng = np.random.default_rng(0)
x, W_q, W_k, X = (rng.normal(size=n) for n in ((2, 5, 3), (2, 4, 3), (2, 4, 3), (3, 3)))


def test_padding_that_is_not_finite_moves_no_other_token():
    real = np.array([[1, 1, 0, 1, 0], [1, 1, 1, 1, 0]], bool)
    mask = real[:, :, None] & real[:, None, :]
    clean = energy_transformer.flow(x, W_q, W_k, X, mask=mask)
    for value in (np.nan, np.inf):
        tokens = np.where(real[..., None], x, value)
        moved = energy_transformer.flow(tokens, W_q, W_k, X, mask=mask, nonfinite="propagate")
        np.testing.assert_array_equal(moved[real], clean[real])
        assert np.all(np.isnan(moved[~real]))


def test_no_token_is_visible_to_any():
    none = np.zeros((2, 5, 5), bool)
    alone = energy_transformer.flow(x, 0 * W_q, W_k, X)
    np.testing.assert_array_equal(energy_transformer.flow(x, W_q, W_k, X, mask=none), alone)


@pytest.mark.parametrize("mask, error", [
    (np.ones((5, 5)), DTypeError), (np.ones((2, 5, 4), bool), ShapeError),
    (np.ones((5, 5), bool), ShapeError), (np.ones((2, 1, 5), bool), ShapeError), (False, None)])
def test_a_mask_is_one_boolean_for_each_pair_of_tokens(mask, error):
    with pytest.raises(error or (DTypeError, ShapeError)):
        energy_transformer.energy(x, W_q, W_k, X, mask=mask)
