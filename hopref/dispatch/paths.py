"""Paths of an operation: its formula, and the faster functions of `hopref.fast`.

`hopref.fast.<backend>` lists its functions in ``PATHS``, so that a path is known without importing
the package that it needs.
"""
import contextlib
import functools
import importlib
import importlib.util
import sys
from collections.abc import Callable, Iterator
from contextvars import ContextVar
from typing import Any, NamedTuple

from hopref.errors import BackendError, naming

__all__ = ["BACKENDS", "Backend", "use_backend", "paths_of", "choose",
           "takes_half"]


class Backend(NamedTuple):
    """The package that a backend needs, the extra that installs it, the arrays that it takes."""
    package: str
    extra: str
    arrays: str


BACKENDS = {
    "numba": Backend("numba", extra="numba", arrays="numpy"),
    "cupy": Backend("cupy", extra="cuda12", arrays="cupy"),
}

_preferred = ContextVar("preferred", default="formula")


@contextlib.contextmanager
def use_backend(name: str) -> Iterator[None]:
    """Context in which operations use a backend if they have it, and their formula otherwise.

    Parameters
    ----------
    name : "formula", "numba" or "cupy"

    Returns
    -------
    context manager

    Raises
    ------
    BackendError : the backend is unknown or its package is not installed

    >>> from hopref import modern, use_backend
    >>> with use_backend("formula"):
    ...     modern.update([2.0], [[1.0], [-1.0]], beta=50.0)
    array([1.])
    """
    with naming("hopref.use_backend"):
        _require(name)
    token = _preferred.set(name)
    try:
        yield
    finally:
        _preferred.reset(token)


def paths_of(name: str) -> tuple[str, ...]:
    """The paths of the operation called ``name``: "formula", then the backends that have it."""
    module, _, function = name.rpartition(".")
    return "formula", *(b for b in BACKENDS if function in _table(b).get(module, ()))


@functools.cache
def _table(backend: str) -> dict[str, tuple[str, ...]]:
    """The functions of a backend, by module."""
    package = f"hopref.fast.{backend}"
    return importlib.import_module(package).PATHS if importlib.util.find_spec(package) else {}


def choose(op: Any, backend: str | None, home: Callable[[], str], nonfinite: str | None = None
           ) -> str:
    """The path to take: the ``backend`` asked for, or the preferred one where it is possible.

    ``home()`` names the package whose arrays the arguments are.
    """
    name = _preferred.get() if backend is None else backend
    if name == "formula" and isinstance(name, str):
        return name
    if not isinstance(name, str) or name not in op.paths:
        if backend is not None:
            raise BackendError(f"backend must be one of {', '.join(op.paths)}; got {backend!r}")
        return "formula"
    taken = BACKENDS[name].arrays
    if home() != taken:
        if backend is not None:
            raise BackendError(f"backend={name!r} must be given {taken} arrays; got {home()}")
        return "formula"
    if nonfinite == "propagate" and _listed(op.name, name, "FINITE"):
        if backend is not None:
            raise BackendError("nonfinite must be None or 'raise' for this path, in which hidden "
                               f"values have to be finite; got nonfinite={nonfinite!r}")
        return "formula"
    _require(name)
    return name


def takes_half(name: str, path: str) -> bool:
    """Whether a path of the operation called ``name`` keeps arrays of half precision."""
    return path != "formula" and _listed(name, path, "HALF")


@functools.cache
def _listed(name: str, path: str, table: str) -> bool:
    """Whether a table of a backend lists the operation called ``name``."""
    return name in getattr(importlib.import_module(f"hopref.fast.{path}"), table, ())


def function_of(name: str, backend: str) -> Callable[..., Any]:
    """The function of a backend for the operation called ``name``."""
    module, _, function = f"hopref.fast.{backend}.{name}".rpartition(".")
    return getattr(sys.modules.get(module) or importlib.import_module(module), function)


def _require(name: str) -> None:
    """Raise unless the backend exists and its package is installed."""
    if not isinstance(name, str) or name != "formula" and name not in BACKENDS:
        known = ", ".join(["formula", *BACKENDS])
        raise BackendError(f"backend must be one of {known}; got {name!r}")
    if name != "formula":
        package, extra, _ = BACKENDS[name]
        if package not in sys.modules and importlib.util.find_spec(package) is None:
            raise BackendError(f"backend={name!r} must be installed (python -m pip install "
                               f"\"hopref[{extra}]\"); got no package {package}")
