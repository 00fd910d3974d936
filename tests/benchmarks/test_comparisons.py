"""The benchmarks of numba paths: their cases are those of the ratios, and a slow path is seen."""
import subprocess
import sys

import numpy as np
import pytest

from benchmarks import comparisons, growth, ratios, recurrences
from hopref.check.tolerance.arithmetic import PROFILES
from hopref.check.tolerance.expected import expected
from hopref.dispatch.operation import load
from hopref.gradients import gated
from tests.fast.agreement import agrees_with
from tests.rounding import close, modern_update

pytest.importorskip("numba")
MODULES = sorted({case.name.partition(".")[0] for case in comparisons.titles().values()})


@pytest.mark.slow
def test_every_small_case_is_compared_and_every_operation_has_one_first_call():
    cases = list(ratios.cases(quick=True))
    compared = [title for module in MODULES for title in comparisons.ratios_of(module)[0]]
    assert len(compared) == len(set(compared)) == len(cases)
    firsts = [comparisons.case_of(title).name for module in MODULES
              for title in comparisons.first_calls_of(module)]
    assert sorted(firsts) == sorted({case.name for case in cases})
    assert all("numba" in load()[name].paths for name in firsts)


@pytest.mark.slow
def test_a_ratio_is_the_time_by_hand_over_that_of_the_path(monkeypatch):
    """Both compute the same; seconds are replaced by fixed numbers."""
    title = next(title for title in comparisons.titles() if title.startswith("modern.update"))
    ratio = comparisons._Ratio()
    ratio.setup(title, "float64")
    by_hand, fast = (way() for way in ratio.ways)
    xi, X = comparisons.case_of(title).args
    close(fast, by_hand, 2 * modern_update(xi, X, 0.125))       # both err
    monkeypatch.setattr(ratios, "in_turn", lambda ways, repeats: [6.0, 2.0])
    assert ratio.track_ratio_by_hand(title, "float64") == 3.0


def test_the_first_call_is_that_of_the_installed_package():
    """The process finds the benchmarks wherever it begins, and prints the seconds alone."""
    run = subprocess.run([sys.executable, "-c", ratios.MAIN, "--help"], capture_output=True,
                         text=True, cwd="/")
    assert run.returncode == 0 and "--quick" in run.stdout, run.stderr


def test_a_case_without_a_path_is_skipped(monkeypatch):
    skipped = pytest.importorskip("asv_runner.benchmarks.mark").SkipNotImplemented
    case = next(iter(comparisons.titles().values()))
    monkeypatch.setattr(comparisons, "case_of", lambda title: case._replace(name="maps.softmax"))
    for benchmark, parameters in ((comparisons._Ratio(), ("", "float32")),
                                  (comparisons._FirstCall(), ("",))):
        with pytest.raises(skipped):
            benchmark.setup(*parameters)


@pytest.mark.parametrize("rule", ["linear", "delta"])
def test_gradients_of_gated_attention_by_hand_are_those_of_the_formula(rule):
    """In chunks, of which the last is shorter.  Gradients of decays are differences of sums here,
    and have the rounding of these."""
    (Q, K, V), log_decay, _, beta = growth.tokens(70, 5)
    *args, log_decay, beta = (np.stack([a, a]) for a in (V[::-1], Q, K, V, log_decay, beta))
    args, options = (args[0], np.ones((2, 5, 5)), *args[1:]), {"log_decay": log_decay, "rule": rule}
    options |= {"beta": beta} if rule == "delta" else {}
    correct = expected(gated.linear_attention, args, options, PROFILES["float64"])
    found = recurrences.chunked_gradient(*args, **options)()
    dQ, dK, dV, _, dbeta, dS = found
    for place, y in {0: dQ, 1: dK, 2: dV, 6: dS, **({5: dbeta} if rule == "delta" else {})}.items():
        agrees_with(y, correct[place])
