"""The pytest plugin: a test for each case and law, expected failures, and names that are close."""
import configparser
import re
from pathlib import Path

import numpy as np
import pytest

import hopref
from hopref import modern
from hopref.check import assert_conforms, check, parametrize_conformance
from hopref.check.bugs import load as load_bugs
from hopref.check.judgement import items
from hopref.errors import PluginError

pytest_plugins = ["pytester"]
TESTS = '''
import numpy as np
from hopref import modern
from hopref.check import parametrize_conformance

def right(xi, X, beta=1.0):
    return np.array(modern.update(xi, X, beta=beta))

def one_pattern(xi, X, beta=1.0):
    return right(xi, X, beta) * (1.5 if len(X) == 1 else 1.0)

def columns(state, patterns, strength=1.0):
    return right(state, patterns.T, strength)

def floor(xi, X, beta=1.0, floor=0.0):
    return right(xi, X, beta) + floor

@parametrize_conformance({function}, like="modern.update"{options})
def test_mine(conformance):
    conformance()
'''
ITEMS = items("modern.update", {})
load_bugs()             # pytester forgets the modules that are imported later
LAW = "the new state is the softmax weighted mean of the patterns"


@pytest.fixture
def outcomes(pytester):
    """{test: outcome} and the text of a run of pytest with the plugin."""
    def run(function, options=""):
        pytester.makepyfile(test_mine=TESTS.format(function=function, options=options))
        done = pytester.runpytest_inprocess("-v", "-rxX", "-p", "hopref.check.plugin", "-p",
                                            "no:cacheprovider")
        text = done.stdout.str()
        return dict(re.findall(r"^test_mine\.py::test_mine\[(.+)\] ([A-Z]+)", text, re.M)), text
    return run


def test_there_is_a_test_for_each_case_and_law(outcomes):
    found, text = outcomes("right")
    assert set(found) == {f"{kind} {name}" for kind, name in ITEMS} | {
        "side effects and calls", "coverage"}
    assert set(found.values()) <= {"PASSED", "SKIPPED"} and f"law {LAW}" in found, text


def test_what_fails_is_what_is_wrong(outcomes):
    found, text = outcomes("one_pattern")
    failed = {name for name, outcome in found.items() if outcome == "FAILED"}
    assert "case single pattern" in failed and "case gauss" not in failed
    assert "tolerance of modern.update" in text


def test_an_expected_failure_is_strict_and_has_its_reason(outcomes):
    found, text = outcomes("one_pattern", ', xfail={"single pattern": "issue 7"}')
    assert found["case single pattern"] == "XFAIL" and "issue 7" in text
    found, text = outcomes("right", ', xfail={"single pattern": "issue 7", "gone": "issue 8"}')
    assert found["case single pattern"] == "FAILED" and "[XPASS(strict)] issue 7" in text
    assert found["coverage"] == "FAILED" and "[XPASS(strict)] gone: issue 8" in text


def test_options_are_those_of_the_command(outcomes):
    found, text = outcomes("columns", ', map={"beta": "strength"}, layout={"X": "d n"}, seed=3')
    assert "FAILED" not in found.values() and found["case gauss"] == "PASSED", text


def test_a_partial_verdict_fails_one_test(outcomes):
    found, text = outcomes("floor")
    assert [name for name, outcome in found.items() if outcome == "FAILED"] == ["coverage"]
    assert "--fixed floor=VALUE" in text


@pytest.mark.parametrize("call", [check, assert_conforms, parametrize_conformance])
def test_a_name_that_is_close_is_suggested(call):
    with pytest.raises(PluginError, match="did you mean modern.update"):
        call(modern.update, like="modern.updat")
    with pytest.raises(TypeError, match="no option 'arrray'.*did you mean array"):
        call(modern.update, like="modern.update", arrray="torch")


def test_an_adapter_may_be_a_function():
    def columns(xi, Xt, beta):
        return np.array(modern.update(xi, Xt.T, beta=beta))
    report = check(columns, "modern.update",
                   adapter=lambda f: lambda xi, X, *, beta=1.0: f(xi, X.T, beta))
    assert report.conforms


def test_the_line_that_reproduces_keeps_the_options():
    def wrong(state, X, *, b=1.0):
        return np.array(modern.update(state, X, beta=2 * b))
    options = {"map": {"beta": "b"}, "dtype": "float32", "arithmetic": "float32"}
    (line, *_) = [f.reproduce for f in check(wrong, "modern.update", **options).findings]
    called, _, rest = line.partition("wrong, ")
    report = eval(f"check(wrong, {rest}", {"check": check, "wrong": wrong})
    assert called.startswith("check(") and report.due == 1
    assert (report.verdict, report.dtype) == ("fails", "float32")


def test_pytest_finds_the_plugin_where_hopref_is_installed():
    setup = configparser.ConfigParser(interpolation=None)
    setup.read(Path(hopref.__file__).parents[1] / "setup.cfg")
    assert setup["options.entry_points"]["pytest11"].strip() \
        == "hopref.check.plugin = hopref.check.plugin"      # also for -p hopref.check.plugin
