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

from hopref.check.tolerance.arithmetic import round_to
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

    def replayed(self):
        """The last call and its result, which is None if the candidate raises an error.

        Arguments of equal shapes are passed in the same arrays, as a loop reuses its arrays.
        """
        candidate, kept, op = self.make(), {}, load_ops()[self.op]
        for args, kwargs in self.calls:
            args = [self.in_place(kept, i, a) for i, a in enumerate(args)]
            kwargs = {k: self.in_place(kept, k, a) for k, a in kwargs.items()}
            op(*args, **kwargs)             # raises an error if the call is not legal
            try:
                with np.errstate(all="ignore"):
                    result = candidate(*args, **kwargs)
            except (ArithmeticError, ValueError):
                result = None
        return tuple(args), kwargs, result

    def in_place(self, kept, key, a):
        if not isinstance(a, (np.ndarray, list)):
            return a
        a = np.asarray(a)
        a = round_to(a, self.dtype) if a.dtype.kind == "f" else a
        array = kept.setdefault((key, a.shape), np.empty_like(a))
        array[...] = a
        return array

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
