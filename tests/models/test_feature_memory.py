"""The memory of random features: its limit, without the noise of draws, and where it differs."""
import numpy as np
import pytest

from hopref import feature_memory, modern, performer, projections
from tests.rounding import close, u

N, BETA = 32, 0.25          # nodes along an axis; a temperature whose root is exact
X = np.array([[1.0, -0.5], [0.25, 2.0], [-1.5, 0.75]])
XI = np.array([[0.5, 0.5], [-1.0, 0.25], [2.0, -2.0]])


def hermite(n, x):
    """The polynomials He_(n-1) and He_n."""
    last, here = np.ones_like(x), x
    for k in range(1, n):
        last, here = here, x * here - k * last
    return last, here


def nodes():
    """Directions with weights that integrate over N(0, I) in the plane, in long double."""
    x = np.polynomial.hermite_e.hermegauss(N)[0].astype(np.longdouble)
    for _ in range(2):                          # Newton steps: He_n' = n He_(n-1)
        last, here = hermite(N, x)
        x = x - here / (N * last)
    weights = 1 / hermite(N, x)[0] ** 2
    weights = weights / np.sum(weights)
    omega = np.stack(np.meshgrid(x, x, indexing="ij"), axis=-1).reshape(-1, 2)
    return omega, np.outer(weights, weights).reshape(-1)


@pytest.mark.skipif(np.finfo(np.longdouble).nmant == np.finfo(float).nmant,
                    reason="long double is float64 here")
def test_an_integral_over_all_features_gives_the_modern_network():
    """PE-10: the sums of a draw, with each feature weighted by its share of the integral."""
    omega, shares = nodes()
    m, states, patterns = len(omega), XI.astype(np.longdouble), X.astype(np.longdouble)
    sums = feature_memory.log_sums(patterns, omega, beta=BETA) + np.log(m * shares)
    new = feature_memory.update(states, omega, sums, beta=BETA, step=1.0)
    close(new, modern.update(states, patterns, beta=BETA), u * np.abs(patterns).max())
    constant = np.log(np.longdouble(len(X))) / BETA + np.max(np.sum(patterns**2, axis=-1)) / 2
    E = feature_memory.energy(states, omega, sums, beta=BETA) + constant
    close(E, modern.energy(states, patterns, beta=BETA), u * (constant + np.log(m) / BETA))


def test_the_step_of_the_performer_is_another_one_for_a_finite_draw():
    """Its new states stay among the patterns, which those of the gradient step do not."""
    omega = projections.orthogonal(4, 2, rng=1)
    sums = feature_memory.log_sums(X, omega, beta=BETA)
    step = feature_memory.update(XI, omega, sums, beta=BETA, step=1.0)
    rule = performer.update(XI, X, omega, beta=BETA)
    low, high = X.min(axis=0), X.max(axis=0)
    assert np.all((rule >= low) & (rule <= high)) and not np.all((step >= low) & (step <= high))
