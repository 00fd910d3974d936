"""The theorem on the tolerance of softmax retrieval holds, and not with a constant halved."""
import numpy as np
import pytest

from hopref.check.tolerance.arithmetic import Profile
from tests.check import perturbed
from tests.check.perturbed import PROFILE, U, largest_ratio

COUNT = 100_000


class HalvedGrowth(Profile):
    """Half of g(n) for the sums over patterns, or for those over components."""
    over_patterns = True

    def g(self, n):
        patterns = n in {shape[0] for shape in perturbed.SHAPES}
        return super().g(n) / (2 if patterns == self.over_patterns else 1)


class HalvedScores(HalvedGrowth):
    over_patterns = False


def test_no_error_exceeds_the_tolerance():
    most, seen = largest_ratio(COUNT)
    assert seen == COUNT and 0.9 < most <= 1


@pytest.mark.parametrize("halved", [HalvedGrowth, HalvedScores])
def test_half_of_a_constant_is_exceeded(halved):
    profile = halved("halved", U, eta=PROFILE.eta, worst_case=True)
    assert largest_ratio(COUNT // 10, profile)[0] > 1


def test_numbers_of_patterns_and_of_components_differ():
    """So that the halved constants are of one kind."""
    patterns, components = zip(*perturbed.SHAPES, strict=True)
    assert not set(patterns) & {d + 2 for d in components}


@pytest.mark.parametrize("wrong", [0.5, 1 + 1e-3])
def test_a_wrong_evaluation_exceeds_the_tolerance(wrong, monkeypatch):
    right = perturbed.perturbed
    monkeypatch.setattr(perturbed, "perturbed", lambda *args: wrong * right(*args))
    assert largest_ratio(perturbed.BLOCK)[0] > 1


def test_the_conditions_exclude_what_the_theorem_does_not_cover():
    few, many = np.zeros((1, 1, 3)), np.zeros((1, 1, 4000))
    assert perturbed.satisfied(few, few + 1, 4) and not perturbed.satisfied(few, few + 1e6, 4)
    assert not perturbed.satisfied(many, many + 1, 4)
