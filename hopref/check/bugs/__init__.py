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
bug that is no error, such as a reordering of a sum, is marked with ``benign="reason"``.
"""
import importlib
import pkgutil
from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

import numpy as np

from hopref.dispatch.operation import Operation
from hopref.dispatch.operation import load as load_ops

__all__ = ["BUGS", "Bug", "bug", "wrong_call", "wrong_argument", "variant", "bugs_of", "load",
           "run", "named"]

BUGS: dict[tuple[str, str], "Bug"] = {}     # (subject, name) -> Bug
Answer = Callable[..., Any]


@dataclass(frozen=True)
class Bug:
    """A wrong version of ``subject``, an operation or another function of hopref."""
    name: str
    subject: str
    answer: Answer
    benign: str = ""

    def __call__(self, *args: Any, **kwargs: Any) -> Any:
        """What the wrong version returns; None where the bug has no effect."""
        with np.errstate(all="ignore"):
            return self.answer(*args, **kwargs)

    def candidate(self, *args: Any, **kwargs: Any) -> Any:
        """The wrong version as an implementation: right where the bug has no effect."""
        answer = self(*args, **kwargs)
        return load_ops()[self.subject].formula(*args, **kwargs) if answer is None else answer


def bug(name: str, *subjects: str, benign: str = "") -> Callable[[Answer], Answer]:
    """Declare that the decorated function is a wrong version of these subjects.

    Parameters
    ----------
    name : name of the bug, unique for each subject
    subjects : names of operations or functions, such as "modern.update"
    benign : reason for which no law needs to detect the bug, if there is one

    Returns
    -------
    decorator that registers the function and returns it
    """
    def declare(answer: Answer) -> Answer:
        for subject in subjects:
            register(Bug(name, subject, answer, benign))
        return answer
    return declare


def wrong_call(name: str, *subjects: str, benign: str = "") -> Callable[[Answer], Answer]:
    """Declare the function below a wrong call, or a changed result, of these operations."""
    def declare(change: Answer) -> Answer:
        for subject in subjects:
            register(Bug(name, subject, changed(change, subject), benign))
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


def changed(change: Answer, subject: str) -> Answer:
    """A function with the operation's signature that calls it as ``change`` does."""
    def answer(*args: Any, **kwargs: Any) -> Any:
        op = load_ops()[subject]
        bound = op.signature.bind(*args, **kwargs)
        bound.apply_defaults()
        return change(op, dict(bound.arguments))
    return answer


def load() -> dict[tuple[str, str], Bug]:
    """Import every module of bugs, and return `BUGS`."""
    for module in pkgutil.iter_modules(__path__):
        importlib.import_module(f"{__name__}.{module.name}")
    return BUGS


def bugs_of(subject: str) -> list[Bug]:
    """The bugs that are known of this operation or function."""
    return [it for (of, _), it in load().items() if of == subject]


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

