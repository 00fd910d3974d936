"""A bar is shown on a terminal after two seconds, and never else."""
import io
import sys

import pytest

from hopref import progress as module
from hopref.extras import require
from hopref.progress import plain, progress


class Terminal(io.StringIO):
    def isatty(self):
        return True


class Clock:
    def __init__(self, step):
        self.now, self.step = 0.0, step

    def monotonic(self):
        self.now += self.step
        return self.now


def test_without_a_terminal_the_iterable_itself_comes_back(monkeypatch):
    monkeypatch.setattr(sys, "stderr", io.StringIO())
    numbers = [1, 2, 3]
    assert progress(numbers) is numbers


def test_without_standard_error_nothing_breaks(monkeypatch):
    monkeypatch.setattr(sys, "stderr", None)
    assert list(progress(range(3))) == [0, 1, 2]


@pytest.mark.parametrize("step, shown", [(0.01, False), (0.5, True)])
def test_the_line_appears_after_two_seconds_and_is_wiped(monkeypatch, step, shown):
    monkeypatch.setattr(sys, "stderr", terminal := Terminal())
    monkeypatch.setattr(module, "time", Clock(step))
    assert list(plain(range(10), 10, "figures")) == list(range(10))
    said = terminal.getvalue()
    assert ("figures" in said and "of 10" in said and said.endswith("\r\x1b[K")) is shown
    assert bool(said) is shown


def test_a_loop_that_breaks_leaves_no_line_behind(monkeypatch):
    monkeypatch.setattr(sys, "stderr", terminal := Terminal())
    monkeypatch.setattr(module, "time", Clock(1.0))
    for item in (steps := plain(range(10), None, "sweeps")):
        if item == 5:
            steps.close()
            break
    assert "sweeps 5, " in terminal.getvalue() and terminal.getvalue().endswith("\r\x1b[K")


def test_on_a_terminal_everything_passes_through(monkeypatch):
    monkeypatch.setattr(sys, "stderr", Terminal())
    assert list(progress(iter("abc"), total=3, label="letters")) == ["a", "b", "c"]


def test_a_package_that_is_there_is_imported():
    assert require("math", extra="plot", who="test").pi > 3


def test_a_package_that_is_missing_names_its_extra():
    with pytest.raises(ImportError, match=r'hopref\.experiments: nowhere must be installed '
                                          r'\(python -m pip install "hopref\[plot\]"\); got no'):
        require("nowhere.at_all", extra="plot", who="experiments")
