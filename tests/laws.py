"""A law is a test that is handed the rules it judges.

``@law("modern.update", id="MH-2", over=problems(), kills=["beta_twice"])`` turns a statement about
rules into two things: a test, in which hopref's own rules must keep it, and a record in ``LAWS``,
by which ``tests/mutants`` asks whether the wrong-on-purpose versions named in ``kills`` break it.

A statement's first argument holds the rooms (``rules.modern.update``), the others are drawn from
``over``, a strategy of dictionaries; a statement without ``over`` is one fixed experiment.
"""
import importlib
import pathlib
import re
from collections.abc import Callable
from types import SimpleNamespace
from typing import NamedTuple

import numpy as np
from hypothesis import HealthCheck, Phase, given, settings
from hypothesis.strategies import SearchStrategy

import hopref
from hopref.dispatch.operation import load

ROOMS = {name.partition(".")[0] for name in load()} | {"dynamics", "parts", "theory"}
RULES = SimpleNamespace(**{room: getattr(hopref, room) for room in sorted(ROOMS)})
LAWS = {}

# A hunt for a counterexample: the same draws on every machine, no shrinking, over at the first.
HUNT = settings(max_examples=1000, derandomize=True, database=None, deadline=None,
                phases=[Phase.generate], report_multiple_bugs=False,
                suppress_health_check=list(HealthCheck))


class Law(NamedTuple):
    """A statement about ``ops``, drawn from ``over``; ``id`` is its line in the catalogue."""
    name: str
    ops: tuple[str, ...]
    id: str
    over: SearchStrategy | None
    kills: tuple[str, ...]
    statement: Callable

    def on(self, rules):
        """The experiment: a test that raises AssertionError where these rules break the law."""
        if self.over is None:
            return self._named(lambda: self.statement(rules))
        return given(self.over)(self._named(lambda case: self.statement(rules, **case)))

    def witness(self, rules):
        """The first case in which these rules break the law, and what it said; or None."""
        seen = []

        def remembered(rules, **case):
            seen.append(case)
            self.statement(rules, **case)
        experiment = self._replace(statement=remembered).on(rules)
        try:
            with np.errstate(all="ignore"):
                experiment() if self.over is None else HUNT(experiment)()
        except AssertionError as broken:
            return seen[-1], str(broken)
        return None

    def _named(self, experiment):
        """Under the law's own name, which pytest shows and hypothesis seeds its draws by."""
        experiment.__name__ = experiment.__qualname__ = self.name
        experiment.__module__ = self.statement.__module__
        experiment.__doc__ = self.statement.__doc__
        return experiment


def law(*ops, id, over=None, kills=()):
    """Declare the statement below a law of these operations, and a test of them."""
    def declare(statement):
        it = Law(statement.__name__, ops, id, over, tuple(kills), statement)
        LAWS[f"{statement.__module__}.{it.name}"] = it
        return it.on(RULES)
    return declare


def everywhere():
    """`LAWS`, with those of every test file that declares any."""
    root = pathlib.Path(__file__).parents[1]
    for file in sorted((root / "tests").rglob("test_*.py")):
        if re.search(r"^from tests\.laws import .*\blaw\b", file.read_text(), re.M):
            importlib.import_module(".".join(file.relative_to(root).with_suffix("").parts))
    return LAWS


def with_op(name, function):
    """The rules, with one of them replaced."""
    return _replaced(RULES, name.split("."), function)


def _replaced(room, path, function):
    first, *rest = path
    new = _replaced(getattr(room, first), rest, function) if rest else function
    return SimpleNamespace(**{**vars(room), first: new})
