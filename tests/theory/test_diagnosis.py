"""A diagnosis names the culprit, and a cure that works."""
import json

import numpy as np
import pytest

from hopref import theory
from hopref.data import NORMALISATIONS, corrupt, normalise, picture_names, pictures
from hopref.errors import DomainError, ShapeError
from hopref.models import modern


def flat(X):
    return X.reshape(len(X), -1)


def test_patterns_far_apart_are_reported_as_retrievable():
    found = theory.diagnose(np.eye(3) * 2)
    assert found.retrievable and not any(found.lost) and found.dominant == (0, 1, 2)
    exact = np.log(2 * 99) / 4                              # (N - 1) e^(-4 beta) = 1 / 99
    assert abs(found.beta - exact) <= 16 * np.finfo(float).eps * exact      # a log, exps, halvings
    assert found.findings == (
        f"Smallest useful beta: {found.beta:.4g} gives every pattern at least 0.99 of the softmax "
        "after one update; 0 determines it.",)


def test_a_long_pattern_is_reported_as_dominant():
    found = theory.diagnose([[1.0, 0.0], [0.0, 1.0], [9.0, 9.0]], names=["a", "b", "long"])
    assert found.lost == (True, True, False) and found.dominant == (2, 2, 2)
    assert found.findings[0] == "a is lost at every beta: long scores 9 where a itself scores 1."
    assert any(f.startswith("Norm domination: 2 of the 2") and "long (norm 12.73) dominates 2" in f
               for f in found.findings)
    assert any(f.startswith("Normalising each pattern would make all of them retrievable: unit")
               for f in found.findings)


def test_remedies_agree_with_the_diagnosis_of_normalised_patterns():
    X = flat(normalise(pictures(12)))
    found = theory.diagnose(X)
    assert [how for how, _, _ in found.remedies] == [h for h in NORMALISATIONS if h != "polar"]
    for how, lost, beta in found.remedies:
        normalised = theory.diagnose(normalise(X, how))
        assert (sum(normalised.lost), normalised.beta) == (lost, beta)


def test_exactly_the_patterns_that_are_not_lost_are_retrieved_at_the_reported_beta():
    values = normalise(pictures())
    X, cues = flat(values), flat(corrupt(values, "mask:0.5"))
    for start in (X, cues):
        found = theory.diagnose(X, cues=start, names=picture_names())
        p = np.diagonal(modern.weights(start, X, beta=found.beta))
        # scores are sums of d products below d, times beta < 1: weights are off by d^2 eps at most
        lost, slack = np.array(found.lost), X.shape[1] ** 2 * np.finfo(float).eps
        assert found.beta < 1
        assert np.all(p[~lost] >= 0.99 - slack) and np.all(p[lost] <= 0.5 + slack)


def test_cues_near_another_pattern_are_not_attributed_to_norms():
    found = theory.diagnose(np.eye(2), cues=[[0.0, 1.0], [0.0, 1.0]])
    assert found.lost == (True, False)
    assert any(f.startswith("Norms are not the cause") for f in found.findings)
    assert any(f.startswith("No normalisation tried here") for f in found.findings)


def test_equal_patterns_tie_under_every_normalisation():
    found = theory.diagnose([[1.0, 2.0], [1.0, 2.0]], names=("x", "y"))
    assert found.lost == (True, True)
    assert found.findings[0].startswith("x is lost at every beta: y ties with it at 5")
    assert "No beta is useful: every pattern is lost." in found.findings
    assert any(f.startswith("No normalisation tried here") for f in found.findings)


def test_a_single_pattern_is_retrievable():
    assert theory.diagnose([[1.0, 2.0]]).retrievable


def test_the_classical_diagnosis_is_based_on_crosstalk():
    X = flat(normalise(pictures(6), "polar"))
    found = theory.diagnose(X, rule="classical", names=picture_names(6))
    np.testing.assert_array_equal(found.unstable, theory.unstable_sites(X))
    assert not found.retrievable
    assert "is no fixed point: crosstalk flips" in found.findings[0]
    assert found.findings[-1].startswith("Load: N/d = 0.001465")
    assert round(found.capacity_left, 1) == 240.2 and "240.2 more than these" in found.findings[-1]
    one = theory.diagnose(X[:1], rule="classical")
    assert one.retrievable and one.findings[0].startswith("Every pattern is a fixed point")


def test_more_patterns_than_can_be_stored_leave_no_capacity():
    X = np.where(np.arange(50 * 16).reshape(50, 16) * 2654435761 % 2**32 < 2**31, 1.0, -1.0)
    found = theory.diagnose(X, rule="classical")
    assert found.capacity_left < -47
    assert "(no capacity left: 50 patterns where at most 2 random ones are stored without errors)" \
        in found.findings[-1] and "-4" not in found.findings[-1]
    alone = theory.diagnose([[1.0]], rule="classical").findings[-1]
    assert alone.endswith("no capacity left: 1 pattern where at most 0 random ones are stored "
                          "without errors.")


def test_findings_on_one_pattern_use_the_singular():
    found = theory.diagnose([[1.0, 0.0], [3.0, 4.0]])
    assert any("gives the other pattern at least" in f for f in found.findings)
    assert any("of the 1 dominated pattern would win" in f or "Norms are not the cause" in f
               for f in found.findings)


def test_a_network_of_one_component_has_no_capacity_left():
    assert theory.diagnose([[1.0], [-1.0]], rule="classical").capacity_left == -2


def test_a_diagnosis_is_serialisable_as_json():
    for found in (theory.diagnose([[1.0, 0.0], [3.0, 4.0]]),
                  theory.diagnose([[1.0, -1.0]], rule="classical")):
        decoded = json.loads(json.dumps(found.as_dict(), allow_nan=False))
        assert decoded["retrievable"] is found.retrievable
        assert decoded["findings"] == list(found.findings)


@pytest.mark.parametrize("call, error, message", [
    (dict(rule="graded"), DomainError, "rule must be one of 'modern', 'classical'; got"),
    (dict(names=("one",)), ShapeError, "names must be one for each of the 2 patterns; got 1"),
    (dict(tolerance=0), DomainError, "tolerance must be a number between 0 and 1"),
    (dict(cues=[[1.0, 0.0]]), ShapeError, "n must be the same in xi and X"),
    (dict(rule="classical"), DomainError, r"X must be -1 or \+1; got X\[0, 1\] = 0"),
])
def test_invalid_arguments_of_diagnose_raise(call, error, message):
    with pytest.raises(error, match=message):
        theory.diagnose([[1.0, 0.0], [3.0, 4.0]], **call)
