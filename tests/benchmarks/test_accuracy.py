"""The limits of errors: they hold, a loss of digits exceeds them, and they can only fall."""
import json

import pytest

from benchmarks import accuracy, timing

LIMITS = accuracy.limits()


def test_every_case_and_path_has_a_limit_and_no_other():
    assert sorted(LIMITS) == sorted(accuracy.wanted())


@pytest.mark.parametrize("case, path", [
    (case, path) for case, path in LIMITS if path == "formula" and case.endswith((" 256", " 64"))])
def test_the_error_of_a_formula_is_within_its_limit(case, path):
    """The gate, which is an environment of tox, measures all sizes and paths."""
    assert 0 <= accuracy.error(case, path) <= LIMITS[case, path]


@pytest.mark.parametrize("path", ["formula", pytest.param("numba float32", marks=pytest.mark.slow)])
def test_a_loss_of_two_digits_is_reported(monkeypatch, path):
    right = timing.on_path

    def rounded(name, path, args, options):
        unit = 100 * (1.2e-7 if path.endswith("float32") else 2.2e-16)
        step = right(name, path, args, options)
        return lambda: step() * (1 + args[0].dtype.type(unit))
    monkeypatch.setattr(timing, "on_path", rounded)
    found = dict.fromkeys(LIMITS, 0.0) | {("energy 256", path): accuracy.error("energy 256", path)}
    (wrong,) = accuracy.complaints(found, LIMITS)
    assert wrong.startswith(f"energy 256, {path}: the error must be at most")


@pytest.mark.parametrize("value", [None, float("nan")])
def test_an_error_that_was_not_measured_is_reported(value):
    first = next(iter(LIMITS))
    (wrong,) = accuracy.complaints(dict.fromkeys(LIMITS, 0.0) | {first: value}, LIMITS)
    assert first[0] in wrong and str(value) in wrong


def test_a_limit_may_fall_and_not_rise(monkeypatch, tmp_path, capsys):
    low, high = ("energy 256", "formula"), ("energy 256", "numba")
    allowed = {low: 5.0, high: 1.0}
    assert accuracy.lowered({low: 1.0, high: 3.0}, allowed) == {low: 2.0, high: 1.0}
    monkeypatch.setattr(accuracy, "FILE", tmp_path / "accuracy.json")
    monkeypatch.setattr(accuracy, "wanted", lambda: [low, high])
    monkeypatch.setattr(accuracy, "error", lambda case, path: 3.0)
    accuracy.FILE.write_text(json.dumps({"energy 256": {"formula": 8.0, "numba": 1.0}}))
    assert accuracy.main(["--lower"]) == 1
    assert accuracy.limits() == {low: 6.0, high: 1.0}
    printed = capsys.readouterr().out
    assert "energy 256, numba: the error must be at most 1.0 eps; got 3.0" in printed
