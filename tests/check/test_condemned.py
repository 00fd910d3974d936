"""Every bug that has a name is condemned, by a named law or tolerance, and recognised."""
import numpy as np
import pytest

from hopref.check import check
from hopref.check.arithmetic import PROFILES
from hopref.check.candidate import InProcess
from hopref.check.cases import cases
from hopref.check.hypotheses import answer
from hopref.check.hypotheses import load as load_hypotheses
from hopref.check.judge import LAW_CASES, judge
from hopref.check.laws import load as load_laws
from hopref.check.measured import Measured
from hopref.dispatch.operation import load
from tests.check.draws import DRAWS

OPS, LAWS, BUGS = load(), load_laws(), load_hypotheses()
PAIRS = [(bug, op) for bug, ops in BUGS.items() for op in ops]


def candidate(bug, name):
    """The implementation of an op with this bug."""
    op = OPS[name]

    def wrong(*args, **kwargs):
        y = answer(bug, op, args, kwargs)
        y = op(*args, **kwargs) if y is None else y
        y = [np.asarray(v, float) for v in (y if isinstance(y, tuple) else (y,))]
        return tuple(y) if len(op.outputs) > 1 and len(y) > 1 else y[0]
    return InProcess(wrong, bug)


@pytest.mark.parametrize("bug, op", PAIRS)
def test_a_bug_is_condemned_and_named(bug, op):
    report = judge(candidate(bug, op), op)
    assert report.verdict == "condemned" and bug in report.named


@pytest.mark.parametrize("bug, op, name", [
    ("beta applied twice", "modern.update", "scaling states and patterns is scaling beta"),
    ("mask applied after the softmax", "attention.softmax_attention",
     "a hidden key is an absent key"),
    ("causal mask off by one: the next key is seen", "attention.softmax_attention",
     "the past does not see the future"),
    ("causal mask off by one: the own key is hidden", "attention.softmax_attention",
     "the first token sees itself alone"),
    ("future-dependent stabiliser, eps 1e-4", "performer.causal_attention",
     "the future leaves no trace"),
    ("FAVOR+ eps 1e-4", "performer.attention", "one feature weighs keys exactly"),
    ("energy without 1/beta", "modern.energy", "one step lowers the energy by an exact amount"),
    ("asynchronous sweep done synchronously", "classical.asynchronous_update",
     "sites are visited one after another"),
    ("sign(0) = 0", "classical.update", "states keep their alphabet"),
])
def test_the_law_that_condemns_is_named_beside_the_tolerance(bug, op, name):
    report = judge(candidate(bug, op), op)
    found = [f.name for f in report.findings]
    assert name in found and f"tolerance of {op}" in found


@pytest.mark.parametrize("law, bug", [(law, bug) for law in LAWS.values() if not law.draws
                                      for bug in law.kills], ids=lambda x: getattr(x, "name", x))
def test_a_law_kills_what_it_says(law, bug):
    for name in law.ops:
        if name not in BUGS[bug]:
            continue
        f = Measured(OPS[name], lambda *a, name=name, **k: answer(bug, OPS[name], a, k)
                     if answer(bug, OPS[name], a, k) is not None else OPS[name](*a, **k),
                     PROFILES["float64"])
        for case in cases(OPS[name]):
            args, kwargs = f.given(case.args, case.kwargs)
            if case.name in LAW_CASES and law.judge(f, *args, **kwargs):
                return
    pytest.fail(f"{bug} survives {law.name}")


@pytest.mark.parametrize("bug", DRAWS)
def test_a_wrong_draw_breaks_the_laws_that_name_it(bug):
    subject, function = DRAWS[bug]
    report = judge(InProcess(function, bug), subject)
    assert report.verdict == "condemned" and bug in report.named
    broken = {f.name for f in report.findings}
    for law in LAWS.values():
        if law.draws and bug in law.kills and subject in law.ops:
            assert law.name in broken, law.name


def test_every_bug_of_a_law_of_draws_has_its_culprit():
    named = {bug for law in LAWS.values() if law.draws for bug in law.kills}
    assert named == set(DRAWS)


def test_an_exponent_one_hundredth_off_is_recovered_as_such():
    def retrieve(xi, X, beta=1.0):
        e = np.exp(1.01 * beta * (xi @ X.T))
        return e @ X / np.sum(e, axis=-1, keepdims=True)
    report = check(retrieve, like="modern.update")
    assert abs(report.estimates["parameters"]["beta"] - 0.01) < 1e-3
    assert abs(report.estimates["parameters"]["gain"]) < 1e-3


def test_a_gain_and_a_uniform_mixing_are_told_from_a_wrong_beta():
    def retrieve(xi, X, beta=1.0):
        p = np.exp(beta * (xi @ X.T))
        p = 0.98 * p / np.sum(p, axis=-1, keepdims=True) + 0.02 / len(X)
        return p @ X
    found = check(retrieve, like="modern.update").estimates["parameters"]
    assert abs(found["mixing"] - 0.02) < 1e-6 and abs(found["beta"]) < 1e-6


def test_every_verdict_says_whether_garbage_would_have_passed():
    report = check(OPS["modern.update"], like="modern.update")
    assert report.sharpness["passed"] <= 1 and report.sharpness["median miss"] > 1e9
