"""Thresholds of sparse maps: rows with hidden scores that are searched by bisection, and steps."""
import numpy as np
import pytest

from hopref.check.tolerance.expected import honest
from hopref.dispatch.operation import load
from hopref.maps import thresholds
from tests.rounding import close

OPS = load()
HIDDEN = 60


@pytest.mark.parametrize("beta", [0.05, 1.0, 40.0])
@pytest.mark.parametrize("name, option", [
    ("sparsemax", {}), ("entmax", {"alpha": 1.3}), ("entmax", {"alpha": 1.5}),
    ("entmax", {"alpha": 3.0}), ("normmax", {"gamma": 5.0}), ("k_subsets", {"k": 7})])
def test_hidden_scores_of_a_long_row_leave_the_others_alone(name, option, beta):
    """The same support, and numbers within the tolerance of two honest results."""
    rng = np.random.default_rng(0)
    z = rng.standard_normal(120)
    where = np.ones(120, bool)
    where[rng.permutation(120)[:HIDDEN]] = False
    assert not thresholds.few(z[None])
    rule, options = OPS[f"maps.{name}"], {"beta": beta, **option}
    got, alone = rule(z, where=where, **options), rule(z[where], **options)
    assert not got[~where].any() and np.array_equal(got[where] > 0, alone > 0)
    close(got[where], alone, 2 * honest(rule, z[where], **options).radius)
    assert np.array_equal(rule(np.where(where, z, -np.inf), **options), got)


def steps(changes, root, q):
    """How many steps are taken of which each has a given relative change."""
    taken = iter(changes)
    thresholds.iterated(lambda r: r * (1 - next(taken)), np.array([root]), q, len(changes))
    return len(changes) - len(list(taken))


@pytest.mark.parametrize("root", [2.0**-20, 1.0, 2.0**20])
@pytest.mark.parametrize("q, last", [((1.0, 0.0), 33), ((4.0, 0.0), 35), ((0.25, 0.0), 35)])
def test_newton_steps_end_after_a_change_whose_square_is_below_rounding(q, last, root):
    """A change below 2^-33 is the last, for other exponents one below 2^-33/max(q, 1/q)."""
    assert steps([2.0 ** -(last + 0.5), 2.0**-60, 2.0**-60], root, q) == 1
    assert steps([2.0 ** -(last - 0.5), 2.0**-60, 2.0**-60], root, q) == 2
    assert steps([0.5, 0.5, 0.5], root, q) == 3
