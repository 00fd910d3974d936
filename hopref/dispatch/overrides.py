"""Functions that the type of an array argument may implement itself.

A number type that carries more than a value, such as one with an error bound, knows a sharper
softmax than the operations of the softmax's text.  It defines ``__hopref_function__(function)``,
which returns its own implementation of a function, or None; operations and functions marked
`overridable` ask the types of their positional arguments, as NumPy asks ``__array_function__``.
"""
import functools
from collections.abc import Callable, Iterable
from typing import Any

__all__ = ["overridable", "implementation"]


def overridable(function: Callable[..., Any]) -> Callable[..., Any]:
    """Mark a function whose array arguments may bring their own implementation of it."""
    @functools.wraps(function)
    def call(*args: Any, **kwargs: Any) -> Any:
        return (implementation(call, args) or function)(*args, **kwargs)
    return call


def implementation(function: Callable[..., Any], args: Iterable[Any]) -> Any:
    """The implementation that the type of an argument brings, or None."""
    for a in args:
        protocol = getattr(type(a), "__hopref_function__", None)
        if protocol is not None and (own := protocol(function)) is not None:
            return own
    return None
