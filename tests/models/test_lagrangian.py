"""Two layers and their Lagrangians at rest."""
import numpy as np

from hopref import lagrangian
from tests import rounding
from tests.rounding import close


def test_at_rest_in_both_layers_the_modern_network_rests_too():
    X = np.array([[3.0, 0.0], [0.0, 3.0]])
    v = np.array([3.0, 0.1])
    for _ in range(60):
        v = lagrangian.update(v, X, beta=2.0)
    h = v @ X.T
    dv, dh = lagrangian.flow(v, h, X, beta=2.0)
    close(dv, 0.0, rounding.modern_update(v[None], X, 2.0)[0] * 2)
    assert np.all(dh == 0) and np.array_equal(lagrangian.update(v, X, beta=2.0), v)
