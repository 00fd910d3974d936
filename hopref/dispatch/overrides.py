"""Protocol by which the type of an array argument overrides functions.

A number type that contains more than a value, such as one with an error bound, may have a sharper
implementation of a function than the composition of its elementary operations.  Such a type defines
``__hopref_function__(function)``, which returns its implementation of a function, or None.
Operations, and functions marked `overridable`, query the types of their positional arguments in the
manner of NumPy's ``__array_function__``.
"""
import functools
from collections.abc import Callable, Iterable
from typing import Any

__all__ = ["overridable", "implementation"]


def overridable(function: Callable[..., Any]) -> Callable[..., Any]:
    """Mark a function that the types of its array arguments may override."""
    @functools.wraps(function)
    def call(*args: Any, **kwargs: Any) -> Any:
        return (implementation(call, args) or function)(*args, **kwargs)
    return call


def implementation(function: Callable[..., Any], args: Iterable[Any]) -> Any:
    """The implementation by the type of an argument, or None."""
    for a in args:
        protocol = getattr(type(a), "__hopref_function__", None)
        if protocol is not None and (own := protocol(function)) is not None:
            return own
    return None
