"""A law is a test that is handed the rules it judges.

``@law("modern.update", id="MH-2", over=problems(), kills=["beta_twice"])`` turns a statement about
rules into two things: a test, in which hopref's own rules must keep it, and a record in ``LAWS``,
by which ``tests/mutants`` asks whether the wrong-on-purpose versions named in ``kills`` break it.

A statement's first argument holds the rooms (``rules.modern.update``), the others are drawn from
``over``, a strategy of dictionaries; a statement without ``over`` is one fixed experiment.
"""
from collections.abc import Callable
from dataclasses import dataclass
from types import SimpleNamespace

import numpy as np
from hypothesis import HealthCheck, Phase, given, settings
from hypothesis.strategies import SearchStrategy

from hopref import attention, classical, dynamics, features, graded, maps, modern, performer
from hopref import projections, storage

RULES = SimpleNamespace(
    attention=attention, classical=classical, dynamics=dynamics, features=features, graded=graded,
    maps=maps, modern=modern, performer=performer, projections=projections, storage=storage)
LAWS = {}

# A hunt for a counterexample: the same draws on every machine, no shrinking, over at the first.
HUNT = settings(max_examples=200, derandomize=True, database=None, deadline=None,
                phases=[Phase.explicit, Phase.generate], report_multiple_bugs=False,
                suppress_health_check=list(HealthCheck))


@dataclass(frozen=True)
class Law:
    name: str
    ops: tuple[str, ...]
    id: str
    over: SearchStrategy | None
    kills: tuple[str, ...]
    statement: Callable

    def on(self, rules):
        """The law as an experiment on these rules: a function that raises where they break it."""
        def experiment(**case):
            self.statement(rules, **case)
        experiment.__name__ = experiment.__qualname__ = self.name
        experiment.__module__, experiment.__doc__ = self.statement.__module__, self.statement.__doc__
        if self.over is None:
            return experiment
        return given(case=self.over)(_unpacked(experiment))

    def witness(self, rules):
        """The first case in which the rules break the law and what it said; None if they keep it."""
        last = {}

        def statement(rules, **case):
            last.clear()
            last.update(case)
            self.statement(rules, **case)
        hunt = Law(self.name, self.ops, self.id, self.over, self.kills, statement).on(rules)
        try:
            with np.errstate(all="ignore"):
                (hunt if self.over is None else HUNT(hunt))()
        except AssertionError as broken:
            return last, str(broken)
        return None


def law(*ops, id, over=None, kills=()):
    """Declare a statement a law of ``ops``; ``id`` is its line in the equation catalogue."""
    def declare(statement):
        this = Law(statement.__name__, ops, id, over, tuple(kills), statement)
        LAWS[f"{statement.__module__}.{this.name}"] = this
        return this.on(RULES)
    return declare


def _unpacked(experiment):
    def test(case):
        experiment(**case)
    test.__name__ = test.__qualname__ = experiment.__name__
    test.__module__, test.__doc__ = experiment.__module__, experiment.__doc__
    return test


def with_op(name, function):
    """The rules, with one of them replaced."""
    room, op = name.split(".")
    changed = SimpleNamespace(**vars(getattr(RULES, room)))
    setattr(changed, op, function)
    return SimpleNamespace(**{**vars(RULES), room: changed})
