"""The smallest failing input is small, fails when it is pasted, and is in the line that repeats."""
import re
import shlex

import numpy as np
import pytest

import hopref
from hopref import modern
from hopref.check import check
from hopref.check.cases.literals import as_call, case_from
from hopref.check.engine.candidate import InProcess
from hopref.check.engine.judge import judge
from hopref.check.engine.smallest import given_of, rounder
from hopref.check.peers.conventions import Convention
from hopref.check.report.files import as_json, as_junit
from hopref.check.report.html import as_html
from hopref.check.report.text import details
from hopref.check.tolerance.arithmetic import round_to
from hopref.cli import main
from hopref.dispatch.operation import load
from hopref.errors import PluginError

OPS = load()


def twice(xi, X, beta=1.0):
    s = (beta * beta * (xi @ X.T)).astype("f8")
    e = np.exp(s - s.max(axis=-1, keepdims=True))
    return (e @ X.astype("f8") / e.sum(axis=-1, keepdims=True)).astype(xi.dtype)


def transposed(K, Q, V, softmax_scale=None):
    """Keys first, as columns; scaled by 1/d."""
    s = np.einsum("...qd,...dk->...qk", Q, K) / Q.shape[-1]
    e = np.exp(s - s.max(axis=-1, keepdims=True))
    return e @ V / e.sum(axis=-1, keepdims=True)


HOW = {"order": ("K", "Q", "V"), "layout": {"K": "b d s"}, "lead": 1, "set": {"scale": None}}


def finding(report):
    (found,) = [f for f in report.findings if f.kind == "value"]
    return found


def numbers(text):
    return [float(x) for x in re.fullmatch(
        r"(?:at \[.*\]: )?got (\S+), right is (\S+)", text).groups()]


def at(y, text):
    place = re.match(r"at \[(.*)\]", text)
    return float(y[tuple(map(int, place[1].split(",")))] if place else y)


def test_a_pasted_input_gives_both_values():
    found = finding(check(twice, "modern.update"))
    call = found.smallest.replace("modern.update", "f")
    got, want = numbers(found.smallest_gives)
    assert at(eval(call, {"np": np, "f": twice}), found.smallest_gives) == got
    right = eval(found.smallest, {"np": np, "modern": modern})
    assert at(right, found.smallest_gives) == pytest.approx(want, rel=1e-15)
    assert len(found.smallest) < 90


@pytest.mark.parametrize("dtype", ["float32", "float16"])
def test_the_line_of_python_repeats_the_input_in_every_format(dtype):
    found = finding(check(twice, "modern.update", dtype=dtype, seed=3))
    assert f"dtype={dtype!r}" in found.reproduce and found.smallest in found.reproduce
    again = eval(found.reproduce, {"check": check, "twice": twice})
    assert again.cases == 1 and numbers(found.smallest_gives) == [
        finding(again).got, finding(again).want]


def test_a_smallest_input_in_bfloat16_is_pasted_in_float32_with_numbers_of_bfloat16():
    def in_bfloat16(xi, X, beta=1.0):
        s = round_to(xi @ X.T, "bfloat16") * beta
        p = np.exp(s * 1.25 - np.max(s * 1.25, axis=-1, keepdims=True))
        return round_to(p / p.sum(axis=-1, keepdims=True) @ X, "bfloat16")
    found = finding(judge(InProcess(in_bfloat16), "modern.update", dtype="bfloat16"))
    given, options = eval(found.smallest.replace("modern.update", "f"), {
        "np": np, "f": lambda *args, **kwargs: (args, kwargs)})
    got, want = numbers(found.smallest_gives)
    for a in given:
        assert a.dtype == np.float32 and np.array_equal(round_to(a, "bfloat16"), a)
    assert at(in_bfloat16(*given, **options), found.smallest_gives) == got != want
    right = modern.update(*(a.astype(float) for a in given), **options)
    assert at(right, found.smallest_gives) == pytest.approx(want, rel=1e-15)


def test_a_rounded_array_without_axes_is_written_as_an_array():
    """A cotangent of a single row, for which NumPy returns a scalar."""
    op = OPS["gradients.maps.logsumexp"]
    given = {"g": np.array(-1.3), "z": np.array([-np.inf])}
    for changed in rounder(given):
        assert case_from(op, as_call(op, changed), "float64").args[0] == changed["g"]


def test_numbers_of_a_literal_are_rounded_to_bfloat16():
    case = case_from(OPS["modern.update"], "modern.update(np.array([0.1]), np.array([[3.0]]))",
                     "bfloat16")
    assert case.args[0].tolist() == [0.10009765625] and case.args[0].dtype == np.float32


def test_the_line_keeps_the_convention():
    report = check(transposed, "attention.softmax_attention", **HOW)
    again = eval(finding(report).reproduce, {"check": check, "transposed": transposed})
    assert again.cases == 1 and again.verdict == "fails"
    convention = Convention(order=HOW["order"], layout=HOW["layout"], lead=1,
                            given={"scale": None})
    report = check(transposed, "attention.softmax_attention", convention=convention)
    again = eval(finding(report).reproduce,
                 {"check": check, "transposed": transposed, "Convention": Convention})
    assert again.cases == 1 and again.verdict == "fails"


def test_the_line_of_the_command_repeats_the_input(tmp_path, monkeypatch, capsys):
    (tmp_path / "mine.py").write_text(
        "import numpy as np\n\n\ndef wrong(xi, X, beta=1.0):\n    s = beta * beta * (xi @ X.T)\n"
        "    e = np.exp(s - s.max(axis=-1, keepdims=True))\n"
        "    return e @ X / e.sum(axis=-1, keepdims=True)\n")
    monkeypatch.chdir(tmp_path)
    words = ["check", "mine:wrong", "--like", "modern.update", "--here", "--dtype", "float32",
             "--arithmetic", "float32", "--size", "n=3", "--time", "30"]
    assert main(words) == 1
    printed = capsys.readouterr().out
    line = re.search(r"reproduce: hopref (check .*--input .*)", printed)[1]
    assert all(word in line for word in ("--dtype float32", "--arithmetic float32", "--size n=3",
                                         "--time 30"))
    assert main(shlex.split(line)) == 1
    again = capsys.readouterr().out
    gives = re.search(r"gives (?:at \[.*\]: )?got (\S+),", printed)[1]
    assert "1 of 1 cases" in again and f"got {float(gives):.17g}," in again


def test_the_input_is_in_every_report():
    report = check(twice, "modern.update")
    found = finding(report)
    assert f"smallest input: {found.smallest}" in details(report)
    for text in (as_html([report]), as_json([report]), as_junit([report])):
        assert found.smallest in text and found.smallest_gives in text


@pytest.mark.parametrize("name", ["modern.update", "attention.softmax_attention",
                                  "layers.layer_norm", "structured.listed_update"])
def test_literals_are_read_as_they_are_written(name):
    from hopref.check.cases.generator import cases
    op = OPS[name]
    for case in cases(op)[:12]:
        read = case_from(op, as_call(op, given_of(op, case)), "float64")
        for a, b in zip((*case.args, *case.kwargs.values()), (*read.args, *read.kwargs.values())):
            assert np.array_equal(a, b, equal_nan=np.asarray(a).dtype.kind == "f")


@pytest.mark.parametrize("text", [
    "modern.update(", "modern.energy(np.array([1.0]), np.array([[1.0]]))",
    "modern.update(np.array([1.0]))", "modern.update(np.array([1.0]), open('x'))",
    "modern.update(np.array([1.0]), np.array([[1.0]]), beta=-1.0)",
    "modern.update(np.array([1.0]), np.fromfile('x'))"])
def test_what_is_no_literal_call_is_refused(text):
    with pytest.raises(PluginError, match="--input"):
        check(twice, "modern.update", input=text)


def test_a_candidate_without_wrong_values_has_no_input():
    def right(xi, X, beta=1.0):
        return np.array(hopref.modern.update(xi, X, beta=beta))
    assert not check(right, "modern.update").findings
