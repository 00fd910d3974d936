"""What does not hold of the algebra of parts; its laws are in `hopref.check.laws.parts`."""

import numpy as np

from hopref import attention, maps, parts, storage
from tests import rounding
from tests.rounding import close

# -- what does not hold -------------------------------------------------------------------------

def test_causal_parts_do_not_commute():
    one = np.ones((1, 1))
    one, two = (parts.causal.from_chunk((one,), (one,), v * one) for v in (1.0, 3.0))
    there, back = parts.causal.merge(one, two), parts.causal.merge(two, one)
    assert parts.causal.value(there)[0].tolist() == [[1.0], [2.0]]
    assert parts.causal.value(back)[0].tolist() == [[3.0], [2.0]]


def test_a_softmax_has_no_support_to_keep():
    """The strongest half of each chunk is not enough: everything has a weight."""
    z, V = np.array([[0.0, 0.0, 0.0, 0.0]]), np.arange(4.0)[:, None]
    assert (maps.softmax(z) @ V).tolist() == [[1.5]]
    assert (maps.softmax(z[:, ::2]) @ V[::2]).tolist() == [[1.0]]


def test_a_gram_matrix_holds_half_the_digits_that_its_root_has():
    """Two patterns 2^-30 of their length apart: their Gram matrix has the rank 1."""
    X = np.array([[1.0, 1.0], [1.0, 1 + 2.0**-30]])
    part = parts.gram.merge(*(parts.gram.from_chunk(X[i:i + 1]) for i in (0, 1)))
    assert np.linalg.matrix_rank(X.T @ X) == 1 and np.linalg.det(X.T @ X) == 0
    close(parts.gram.value(part), np.eye(2), rounding.g(8 * 4) * 2.0**31)
    close(parts.gram.value(part), storage.projection(X), rounding.g(8 * 4) * 2.0**31)


def test_one_scale_for_all_features_loses_what_is_small_beside_the_largest():
    """A query that weighs the small feature only: with one scale its denominator would be 0."""
    log_k = np.array([[0.0, -2000.0], [-2000.0, 0.0]])
    V, q = np.array([[1.0], [3.0]]), (np.array([[-5000.0, 0.0]]), np.ones((1, 2)))
    chunks = (parts.linear.from_chunk(log_k[i:i + 1], V[i:i + 1]) for i in (0, 1))
    assert parts.linear.value(parts.linear.merge(*chunks), q).tolist() == [[3.0]]
    assert attention.log_linear_attention(q[0], log_k, V).tolist() == [[3.0]]


# -- defaults -----------------------------------------------------------------------------------

def test_without_options_beta_is_one_and_nothing_precedes_a_segment():
    z, V = np.array([[0.0, np.log(3.0)]]), np.array([[4.0], [8.0]])
    found = parts.softmax.value(parts.softmax.from_chunk(z, V))
    close(found.mean, 7.0, rounding.g(8) * 8)
    close(found.lse, np.log(4.0), rounding.g(8))
    segment = parts.gated.Segment(*(np.full((1, 1), x) for x in (3.0, 5.0, 7.0, 11.0)))
    assert [y.item() for y in parts.gated.value(segment)] == [11.0, 5.0]
    none = parts.linear.from_features(np.zeros((1, 1)), np.ones((1, 1)))
    assert parts.linear.value(none, (np.ones((1, 1)),)).tolist() == [[0.0]]
