"""What hopref raises.  Every message reads `hopref.<op>: <what must hold>; got <what came>.`"""

__all__ = [
    "HoprefError", "ShapeError", "DomainError", "DTypeError", "CallError", "ResourceError",
    "BackendError", "VectorFileError", "PluginError", "CertificationError",
]


class HoprefError(Exception):
    """Any refusal by hopref."""


class ShapeError(HoprefError, ValueError):
    """An array has the wrong number of axes, or sizes that do not fit together."""


class DomainError(HoprefError, ValueError):
    """A value lies outside what the equation is defined for."""


class DTypeError(HoprefError, TypeError):
    """An array holds the wrong kind of thing: booleans, complex numbers, objects, masks."""


class CallError(HoprefError, TypeError):
    """An argument is missing, unknown or given twice."""


class ResourceError(HoprefError, MemoryError):
    """An array that the formula would form does not fit in memory."""


class BackendError(HoprefError, RuntimeError):
    """The path asked for does not exist, is not installed, or the arrays live elsewhere."""


class VectorFileError(HoprefError, ValueError):
    """A file of golden vectors is not what its manifest says."""


class PluginError(HoprefError, ImportError):
    """A name of the form `package.module:function` cannot be imported."""


class CertificationError(HoprefError, ArithmeticError):
    """No bound as tight as the one asked for could be proved."""
