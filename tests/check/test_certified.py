"""Judgements against certified values: a wrong formula of hopref decides nothing."""
import numpy as np
import pytest

from hopref import certify
from hopref.check.cases.generator import case_named
from hopref.check.engine.candidate import InProcess
from hopref.check.engine.judge import judge
from hopref.check.report.text import details
from hopref.check.tolerance import certified, memory
from hopref.check.tolerance.arithmetic import PROFILES
from hopref.check.tolerance.certified import decided
from hopref.check.tolerance.expected import expected
from hopref.dispatch.operation import load

pytest.importorskip("flint", reason="certified values of small cases require the extra certify")
OP = load()["sparse.update"]
FORMULA = OP.formula


def by_a_wrong_beta(*args, beta=1.0, **options):
    return FORMULA(*args, beta=beta * (1 + 1e-9), **options)


def judged(call, **options):
    return judge(InProcess(call, "candidate"), OP.name, **options)


def test_cases_are_certified_and_a_report_says_how():
    report = judged(FORMULA, certify=True)
    methods = [r.truth for r in report.records if r.kind == "case"]
    assert report.conforms and not report.remarks and methods.count("balls") > len(methods) / 2
    assert f"{methods.count('balls')} certified in ball arithmetic" in details(report)
    assert f"{methods.count('')} of the formula in long double" in details(report)


def test_without_certified_values_all_are_of_the_formula():
    report = judged(FORMULA)
    assert {r.truth for r in report.records} == {""}
    assert f"{report.cases} of the formula in long double" in details(report)


def test_a_wrong_formula_fails_and_a_right_candidate_passes_its_values(monkeypatch):
    """Without certified values the wrong formula would be the truth."""
    monkeypatch.setattr(OP, "formula", by_a_wrong_beta)
    monkeypatch.setattr(memory, "MEMORY", memory.Memory())
    wrong, right = (judged(f, certify=True) for f in (by_a_wrong_beta, FORMULA))
    known = {r.name for r in wrong.records if r.truth}
    for report, outcome in ((wrong, "fails"), (right, "passes")):
        found = [r.outcome for r in report.records if r.name in known and r.family != "stress"]
        assert found.count(outcome) > len(found) / 2
        assert any("please report this defect of hopref" in line for line in report.remarks)
    assert not [r.name for r in judged(by_a_wrong_beta).records
                if r.kind == "case" and r.outcome == "fails"]


@pytest.mark.parametrize("name, case, method", [
    ("modern.update", "n = 4097", "double-double"),
    ("modern.update", "gauss", "balls"), ("structured.update", "gauss", "balls"),
    ("supports.largest", "gauss", "exact")])
def test_a_certified_value_takes_the_place_of_the_formula(name, case, method):
    op = load()[name]
    case = case_named(op, case)
    results = expected(op, case.args, case.kwargs, PROFILES["float64"])
    right, how, agree = decided(op, case.args, case.kwargs, results)
    by = "double-double" if method == "double-double" else "balls"
    proved = certify(name, *case.args, method=by, **case.kwargs)
    assert agree and how == method and np.array_equal(right.value, proved.value)
    assert np.array_equal(right.radius, results.radius + proved.bound)


def test_a_formula_beyond_the_tolerance_of_float64_is_seen():
    right = expected("modern.update", ([0.5], [[1.0], [-1.0]]), {}, PROFILES["float16"])
    moved, agree = certified.replaced(right, right.value + 2.0**-40, 2.0**-54)
    assert not agree and moved.value == right.value + 2.0**-40
    assert moved.radius == right.radius + 2.0**-54
    for beyond in (np.inf, np.nan):
        moved, agree = certified.replaced(right, np.array([beyond]), np.array([np.inf]))
        assert agree and moved.value == right.value
    signs = expected("supports.largest", (np.array([1.0, 2.0]),), {"k": 1}, PROFILES["float64"])
    moved, agree = certified.replaced(signs, ~signs.value, np.zeros(2))
    assert not agree and moved.value.tolist() == [True, False]


def test_a_bound_that_is_not_reached_leaves_the_formula(monkeypatch):
    def fails(*args, **kwargs):
        raise certified.CertificationError("no bound")
    monkeypatch.setattr(certified, "certify", fails)
    case = case_named(OP, "gauss")
    results = expected(OP, case.args, case.kwargs, PROFILES["float64"])
    assert decided(OP, case.args, case.kwargs, results) == (results, "", True)
    assert certify is not fails
