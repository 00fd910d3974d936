"""Wrong versions of operations, each with the name of its bug.

A bug is written once, in ``hopref/check/bugs/<model>.py``, and is used twice: as a mutant, which a
law or the comparison of values must reject, and as a diagnosis, the name that a failing candidate
is given if it answers as the bug does.  It is a function with the operation's own signature::

    @bug("softmax not normalised", "modern.weights")
    def not_normalised(xi, X, /, *, beta=1.0):
        z = xi @ X.T
        return np.exp(beta * (z - np.max(z, axis=-1, keepdims=True)))

or, for operations that share it, a change of the call or of the result: a function of the operation
and of its arguments by name, which returns None where the bug has no effect::

    @wrong_call("beta applied twice", "modern.update", "modern.weights")
    def beta_applied_twice(op, given):
        return run(op, given | {"beta": given["beta"] ** 2})

``wrong_argument`` declares a call with other arguments, ``variant`` a function with other options::

    wrong_argument("beta ignored", "modern.update", beta=1.0)
    variant("log N with the wrong sign", "modern.energy", energy_of, count=-1.0)

Arrays arrive in long double when a candidate is diagnosed, in float64 when the bug is judged.  A
bug that is no error, such as a reordering of a sum, is marked with ``benign="reason"``; one that
loses digits and has no effect in exact arithmetic, with ``rounding=True``.

``estimated`` declares a family of bugs, with a number that is estimated from the candidate::

    @estimated("{} added to the denominator", "attention.linear_attention")
    def denominator_eps(op, given, number):
        return run(op, given | {"eps": given["eps"] + number})

Two bugs compose if the second is a wrong call that calls ``run(op, ...)``: `Bug.after` runs it with
the first in the place of the operation.
"""
import functools
import importlib
import pkgutil
from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

import numpy as np

from hopref.dispatch.operation import Operation
from hopref.dispatch.operation import load as load_ops

__all__ = ["BUGS", "FAMILIES", "Bug", "Family", "bug", "wrong_call", "wrong_argument", "variant",
           "estimated", "bugs_of", "families_of", "load", "run", "named"]

BUGS: dict[tuple[str, str], "Bug"] = {}             # (subject, name) -> Bug
FAMILIES: dict[tuple[str, str], "Family"] = {}      # (subject, name) -> Family
Answer = Callable[..., Any]


@dataclass(frozen=True)
class Bug:
    """A wrong version of ``subject``, an operation or another function of hopref."""
    name: str
    subject: str
    answer: Answer
    benign: str = ""
    change: Answer | None = None
    rounding: bool = False

    def __call__(self, *args: Any, **kwargs: Any) -> Any:
        """What the wrong version returns; None where the bug has no effect."""
        with np.errstate(all="ignore"):
            return self.answer(*args, **kwargs)

    def candidate(self, *args: Any, **kwargs: Any) -> Any:
        """The wrong version as an implementation: right where the bug has no effect."""
        answer = self(*args, **kwargs)
        return load_ops()[self.subject].formula(*args, **kwargs) if answer is None else answer

    def composes(self, args: Any, kwargs: Any) -> bool:
        """Whether this bug calls the operation, so that another bug can take its place."""
        calls = []

        def formula(*args: Any, **kwargs: Any) -> Any:
            calls.append(1)
            return load_ops()[self.subject].formula(*args, **kwargs)
        if self.change is None:
            return False
        replaced = Replaced(load_ops()[self.subject], formula)
        with np.errstate(all="ignore"):
            changed(self.change, self.subject, replaced)(*args, **kwargs)
        return bool(calls)

    def after(self, first: "Bug") -> "Bug":
        """This wrong call of the operation as ``first`` computes it."""
        assert self.change is not None
        answer = changed(self.change, self.subject,
                         Replaced(load_ops()[self.subject], first.candidate))
        return Bug(f"{first.name}, together with {self.name}", self.subject,
                   lambda *args, **kwargs: result(answer(*args, **kwargs), first, args, kwargs))


def result(found: Any, first: Bug, args: Any, kwargs: Any) -> Any:
    """What was found, or what the first bug returns where the second has no effect."""
    return first(*args, **kwargs) if found is None else found


class Replaced:
    """An operation with another formula."""
    def __init__(self, op: Operation, formula: Answer) -> None:
        self._op, self.formula = op, formula

    def __getattr__(self, name: str) -> Any:
        return getattr(self._op, name)


@dataclass(frozen=True)
class Family:
    """Bugs of ``subject`` that differ by a number, with ``{}`` in its place in the name."""
    name: str
    subject: str
    change: Callable[[Any, dict[str, Any], Any], Any]
    neutral: float = 0.0        # the number that has no effect

    def at(self, number: float) -> Bug:
        """The bug with this number."""
        def change(op: Operation, given: dict[str, Any]) -> Any:
            return self.change(op, given, number)
        return Bug(self.name.format(f"{number:.9g}"), self.subject, changed(change, self.subject),
                   change=change)


def estimated(name: str, *subjects: str, neutral: float = 0.0) -> Callable[[Answer], Answer]:
    """Declare the function below, of an operation, arguments and a number, a family of bugs."""
    def declare(change: Answer) -> Answer:
        for subject in subjects:
            FAMILIES[subject, name] = Family(name, subject, change, neutral)
        return change
    return declare


def bug(name: str, *subjects: str, benign: str = "",
        rounding: bool = False) -> Callable[[Answer], Answer]:
    """Declare that the decorated function is a wrong version of these subjects.

    Parameters
    ----------
    name : name of the bug, unique for each subject
    subjects : names of operations or functions, such as "modern.update"
    benign : reason for which no law needs to detect the bug, if there is one
    rounding : bool, whether the bug consists of lost digits

    Returns
    -------
    decorator that registers the function and returns it
    """
    def declare(answer: Answer) -> Answer:
        for subject in subjects:
            register(Bug(name, subject, answer, benign, rounding=rounding))
        return answer
    return declare


def wrong_call(name: str, *subjects: str, benign: str = "",
               rounding: bool = False) -> Callable[[Answer], Answer]:
    """Declare the function below a wrong call, or a changed result, of these operations."""
    def declare(change: Answer) -> Answer:
        for subject in subjects:
            register(Bug(name, subject, changed(change, subject), benign, change, rounding))
        return change
    return declare


def wrong_argument(name: str, *subjects: str, **arguments: Any) -> Answer:
    """Declare that these arguments of the operations are ignored, and have these values."""
    return wrong_call(name, *subjects)(lambda op, given: run(op, given | arguments))


def variant(name: str, subject: str, function: Answer, **changes: Any) -> Answer:
    """Declare ``function``, with these changes of its keyword arguments, a wrong version."""
    return bug(name, subject)(lambda *args, **kwargs: function(*args, **kwargs | changes))


def register(it: Bug) -> None:
    if (it.subject, it.name) in BUGS:
        raise ValueError(f"two bugs of {it.subject} are called {it.name!r}")
    BUGS[it.subject, it.name] = it


def changed(change: Answer, subject: str, replaced: Any = None) -> Answer:
    """A function with the operation's signature that calls it, or a replaced one, by ``change``."""
    def answer(*args: Any, **kwargs: Any) -> Any:
        op = load_ops()[subject]
        bound = op.signature.bind(*args, **kwargs)
        bound.apply_defaults()
        return change(replaced or op, dict(bound.arguments))
    return answer


@functools.cache
def load() -> dict[tuple[str, str], Bug]:
    """Import every module of bugs, and return `BUGS`."""
    for module in pkgutil.iter_modules(__path__):
        importlib.import_module(f"{__name__}.{module.name}")
    return BUGS


def bugs_of(subject: str) -> list[Bug]:
    """The bugs that are known of this operation or function."""
    return [it for (of, _), it in load().items() if of == subject]


def families_of(subject: str) -> list[Family]:
    """The families of bugs that are known of this operation."""
    load()
    return [it for (of, _), it in FAMILIES.items() if of == subject]


def run(op: Operation, given: dict[str, Any]) -> Any:
    """The operation's formula with arguments by name."""
    bound = op.signature.bind_partial()
    bound.arguments.update(given)
    call = op.formula if op.arrays else op          # sizes and a seed are resolved by a call
    return call(*bound.args, **bound.kwargs)


def named(op: Operation, k: str, given: dict[str, Any]) -> Any:
    """The function or record that the option ``given[k]`` names."""
    domain: Any = op.domains[k]
    return domain.resolve(given[k])

