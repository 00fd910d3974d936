"""Exceptions of hopref.  Messages are `hopref.<function>: <requirement>; got <argument>.`"""
import re
from types import TracebackType
from typing import Any

__all__ = [
    "HoprefError", "ShapeError", "DomainError", "DTypeError", "CallError", "RangeError",
    "ResourceError", "BackendError", "VectorFileError", "PluginError", "CertificationError",
    "naming",
]


class HoprefError(Exception):
    """Base class of all errors that hopref raises."""


class ShapeError(HoprefError, ValueError):
    """An array has the wrong number of axes, or sizes of axes do not agree."""


class DomainError(HoprefError, ValueError):
    """A value is outside the domain of the equation."""


class DTypeError(HoprefError, TypeError):
    """An array has an unsupported type: complex numbers, objects, masked arrays and others."""


class CallError(HoprefError, TypeError):
    """An argument is missing, unknown or given twice."""


class RangeError(HoprefError, OverflowError):
    """Finite arguments lead to numbers beyond the range of float64, and the result is undefined."""


class ResourceError(HoprefError, MemoryError):
    """An array that the formula would form does not fit in memory."""


class BackendError(HoprefError, RuntimeError):
    """The requested backend does not exist, is not installed, or does not support these arrays."""


class VectorFileError(HoprefError, ValueError):
    """A file of golden vectors is damaged, too large, or does not have the required form."""


class PluginError(HoprefError, ImportError):
    """A name of the form `package.module:function` cannot be imported."""


class CertificationError(HoprefError, ArithmeticError):
    """No bound as tight as the requested one could be proved.

    Attributes
    ----------
    best_bound : array or tuple of arrays, the tightest bound that was proved; None without one
    """
    best_bound: Any = None


class naming:
    """Context in which the errors of hopref name ``function``, the function that the user called.

    The name and a full stop are added to messages without a name; the name of another function,
    called internally, is replaced.

    >>> from hopref.errors import DomainError, naming
    >>> with naming("hopref.theory.capacity"):
    ...     raise DomainError("d must be an integer >= 1; got d=0")
    Traceback (most recent call last):
    hopref.errors.DomainError: hopref.theory.capacity: d must be an integer >= 1; got d=0.
    """
    __slots__ = ("function",)

    def __init__(self, function: str) -> None:
        self.function = function

    def __enter__(self) -> None:
        pass

    def __exit__(self, kind: type[BaseException] | None, error: BaseException | None,
                 trace: TracebackType | None) -> None:
        if isinstance(error, HoprefError):
            message = re.sub(r"\Ahopref\.[\w.]+: ", "", str(error)).removesuffix(".")
            named = type(error)(f"{self.function}: {message}.")
            vars(named).update(vars(error))
            raise named from error.__cause__
