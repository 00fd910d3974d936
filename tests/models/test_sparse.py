"""Where the preconditions of the laws of sparse networks fail, so do their conclusions."""
import numpy as np

from hopref import sparse


def test_no_temperature_makes_softmax_retrieve_exactly():
    """FY-5 fails at alpha = 1: the precondition matters."""
    X = 2 * np.eye(2)
    assert np.all(sparse.update(X[0], X, beta=4.0, alpha=1.0) != X[0])
    assert np.all(sparse.update(X[0], X, beta=4.0) == X[0])


def test_from_states_longer_than_one_the_energy_may_rise():
    """2 x_1 scores more than any state of length 1: the precondition matters."""
    X, xi = np.eye(2), np.array([2.0, 0.0])
    after = sparse.normalized_update(xi, X)
    assert sparse.normalized_energy(after, X) > sparse.normalized_energy(xi, X)
    xi = np.array([4.0, -4.0])
    after = sparse.layer_norm_update(xi, X)
    assert sparse.layer_norm_energy(after, X) > sparse.layer_norm_energy(xi, X)


def test_off_the_plane_of_mean_zero_the_energy_may_rise():
    """The mean of a state chooses a pattern that is all mean, of which nothing is left."""
    X, xi = np.array([[3.0, 3.0], [1.0, -1.0], [-1.0, 1.0]]), np.array([1.0, 0.4])
    rise = [sparse.layer_norm_energy(sparse.layer_norm_update(x, X), X)
            - sparse.layer_norm_energy(x, X) for x in (xi, xi - xi.mean())]
    assert rise[0] > 0 >= rise[1]
