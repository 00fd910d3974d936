"""A progress bar is shown on a terminal after two seconds, and not otherwise."""
import io
import sys

import pytest

from hopref import progress as module
from hopref.extras import require
from hopref.progress import progress, text_progress


class Terminal(io.StringIO):
    def isatty(self):
        return True


class Clock:
    def __init__(self, step):
        self.now, self.step = 0.0, step

    def monotonic(self):
        self.now += self.step
        return self.now


def test_without_a_terminal_the_iterable_is_returned(monkeypatch):
    monkeypatch.setattr(sys, "stderr", io.StringIO())
    numbers = [1, 2, 3]
    assert progress(numbers) is numbers


def test_without_standard_error_the_iterable_is_returned(monkeypatch):
    monkeypatch.setattr(sys, "stderr", None)
    assert list(progress(range(3))) == [0, 1, 2]


@pytest.mark.parametrize("step, shown", [(0.01, False), (0.5, True)])
def test_the_line_appears_after_two_seconds_and_is_removed(monkeypatch, step, shown):
    monkeypatch.setattr(sys, "stderr", terminal := Terminal())
    monkeypatch.setattr(module, "time", Clock(step))
    assert list(text_progress(range(10), 10, "figures")) == list(range(10))
    written = terminal.getvalue()
    assert ("figures" in written and "of 10" in written and written.endswith("\r\x1b[K")) is shown
    assert bool(written) is shown


def test_the_line_is_removed_if_the_loop_breaks(monkeypatch):
    monkeypatch.setattr(sys, "stderr", terminal := Terminal())
    monkeypatch.setattr(module, "time", Clock(1.0))
    for item in (steps := text_progress(range(10), None, "sweeps")):
        if item == 5:
            steps.close()
            break
    assert "sweeps 5, " in terminal.getvalue() and terminal.getvalue().endswith("\r\x1b[K")


def test_on_a_terminal_every_item_is_returned(monkeypatch):
    monkeypatch.setattr(sys, "stderr", Terminal())
    assert list(progress(iter("abc"), total=3, label="letters")) == ["a", "b", "c"]


def test_an_installed_package_is_imported():
    assert require("math", extra="plot", caller="test").pi > 3


def test_the_error_for_a_missing_package_names_its_extra():
    with pytest.raises(ImportError, match=r'hopref\.experiments: nowhere must be installed '
                                          r'\(python -m pip install "hopref\[plot\]"\); got no'):
        require("nowhere.at_all", extra="plot", caller="experiments")
