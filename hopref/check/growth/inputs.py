"""Arguments of a callable at a size: drawn as those of an operation, or made by a function."""
from difflib import get_close_matches
from typing import Any, NamedTuple

import numpy as np

from hopref.check.cases.generator import plainest
from hopref.check.engine.candidate import NotOffered
from hopref.check.peers.adapters import bound
from hopref.dispatch.operation import load
from hopref.errors import CallError, DomainError, PluginError

__all__ = ["Problem", "made", "like_operation"]

# Sizes of the other axes: one state or head, so that the size that grows soon dominates.
SIZES = {"...": (), "d": 16, "v": 16, "r": 32, "m": 32, "n": 64, "l": 16, "s": 64}
SEQUENCE = ("l", "s")       # the axes of "L"


class Problem(NamedTuple):
    """A callable, and its arguments at a size.

    Attributes
    ----------
    function : the callable
    draw : ``draw(size)`` returns the positional and the keyword arguments
    over : the name of the size
    """
    function: Any
    draw: Any
    over: str


class _Captured(Exception):
    """Carries the arguments of a call in the convention of a candidate."""


def made(function, make, over):
    """The problem whose arguments ``make(size)`` returns."""
    for name, value in (("function", function), ("inputs", make)):
        if not callable(value):
            raise CallError(f"{name} must be callable; got {type(value).__name__}")

    def draw(size):
        given = make(size)
        if isinstance(given, dict):
            return (), given
        return (given if isinstance(given, tuple) else (given,)), {}
    return Problem(function, draw, over)


def like_operation(function, like, over, convention, *, dtype="float64", adapter="", seed=0):
    """The problem whose arguments are drawn as those of the operation ``like``."""
    op = load().get(like)
    if op is None:
        near = get_close_matches(like, load(), 2)
        raise PluginError("--like must name an operation (hopref ops lists them); got "
                          f"{like!r}" + f" (did you mean {' or '.join(near)}?)" * bool(near))
    if not callable(function):
        raise CallError(f"function must be callable; got {type(function).__name__}")
    axes = axes_of(op, over)
    adapted = bound(function, like, convention, adapter)
    candidate = adapted.candidate

    def capture(*args, **kwargs):
        error = _Captured()
        error.arguments = args, kwargs
        raise error

    def draw(size):
        sizes = {**SIZES, **convention.sizes, **dict.fromkeys(axes, size)}
        if convention.lead:
            sizes["..."] = (1,) * convention.lead
        case = plainest(op, dtype, seed, sizes, convention.case_options)
        adapted.candidate = capture
        try:
            adapted(*map(_writeable, case.args),
                    **{k: _writeable(v) for k, v in case.kwargs.items()})
        except _Captured as found:
            return found.arguments
        except NotOffered as lacking:
            raise PluginError(f"{getattr(candidate, '__name__', 'the candidate')} cannot be called "
                              f"as {like}: it lacks {lacking}") from None
        raise PluginError(f"no argument of {like} depends on {over}")
    return Problem(candidate, draw, over)


def axes_of(op, over):
    """The axes that grow: letters of the declaration, or L, the length of a sequence."""
    known = sorted({d for dims in op.arrays.values() for d in dims if d.isalpha() and len(d) == 1})
    axes = [d for d in SEQUENCE if d in known] if over == "L" else \
        [d.strip() for d in over.split(",")]
    wrong = [d for d in axes if d not in known]
    if wrong or not axes:
        also = ", or L for l and s together" if set(SEQUENCE) & set(known) else ""
        raise DomainError(f"over must be an axis of {op.name}, one of {', '.join(known)}{also}; "
                          f"got {over!r}")
    return axes


def _writeable(v):
    return np.array(v) if isinstance(v, np.ndarray) else v
