"""The memory of random features, and where it differs from the Performer's rule."""
import numpy as np

from hopref import feature_memory, performer, projections

BETA = 0.25
X = np.array([[1.0, -0.5], [0.25, 2.0], [-1.5, 0.75]])
XI = np.array([[0.5, 0.5], [-1.0, 0.25], [2.0, -2.0]])


def test_the_step_of_the_performer_is_another_one_for_a_finite_draw():
    """Its new states stay among the patterns, which those of the gradient step do not."""
    omega = projections.orthogonal(4, 2, rng=1)
    sums = feature_memory.log_sums(X, omega, beta=BETA)
    step = feature_memory.update(XI, omega, sums, beta=BETA, step=1.0)
    rule = performer.update(XI, X, omega, beta=BETA)
    low, high = X.min(axis=0), X.max(axis=0)
    assert np.all((rule >= low) & (rule <= high)) and not np.all((step >= low) & (step <= high))
