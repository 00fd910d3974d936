"""Wrong programs that the kit must reject, each with an input on which it is wrong.

A cheat is written in one of three ways: as a program of its own (`programs`), as a change of the
arguments of the right formula (`options`), or as a change of its result or of its memory, for a
dozen operations at once (`generic`).  `tests.check.test_cheats` shows that each is wrong on its
input, by more than the tolerance there, and that the kit rejects it.
"""
import importlib
import pkgutil
from collections.abc import Callable
from dataclasses import dataclass

import numpy as np

from hopref.dispatch.operation import load as load_ops

__all__ = ["CHEATS", "Cheat", "load", "run", "with_signature"]

CHEATS = {}     # (op, name) -> Cheat


@dataclass(frozen=True)
class Cheat:
    """A wrong implementation of ``op``.

    Attributes
    ----------
    name, op : what is wrong, and the operation that it claims to be
    make : function without arguments that returns a new candidate, without any memory
    calls : pairs (operands, options), of which the last is answered wrongly after the others
    dtype : the number format in which it is judged
    shows : function of a candidate, true if it is wrong; for draws, which have no right value
    """
    name: str
    op: str
    make: Callable
    calls: tuple = ()
    dtype: str = "float64"
    shows: Callable | None = None

    def __post_init__(self):
        if (self.op, self.name) in CHEATS:
            raise ValueError(f"two cheats of {self.op} are called {self.name!r}")
        CHEATS[self.op, self.name] = self


def load():
    """Import every module of cheats, and return the cheats."""
    for module in pkgutil.iter_modules(__path__):
        importlib.import_module(f"{__name__}.{module.name}")
    return list(CHEATS.values())


def run(op, args, kwargs):
    """The right answer as it is computed in float64."""
    with np.errstate(all="ignore"):
        return load_ops()[op].formula(*args, **kwargs)


def with_signature(function, op):
    """The function with all options of the operation."""
    function.__signature__ = load_ops()[op].signature
    return function
