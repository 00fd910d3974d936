"""The door: declare an operation once, admit its arguments, choose its path, register it.

    @op("(...,d),(n,d)->(...,d)", beta=positive, lowers=energy, scratch="(...,n)")
    def update(xi, X, /, *, beta=1.0):
        return softmax(xi @ X.T, beta=beta) @ X

Inside a formula the door stands open: other operations called there run their formulas,
unchecked, on whatever namespace the arrays belong to.
"""
import contextlib
import functools
import importlib
import importlib.util
import inspect
import re
import sys
from contextvars import ContextVar
from pathlib import Path
from types import SimpleNamespace
from typing import Any, NamedTuple

import numpy as np

from hopref.dispatch import validation
from hopref.dispatch.domains import Array, Choice, Several, finite, number
from hopref.errors import BackendError, CallError, DomainError, HoprefError

__all__ = ["OPS", "op", "load", "gradient_of", "descent_of", "use_backend", "open_door", "Call",
           "bound_arguments", "unwrapped"]

OPS = {}
BACKENDS = {"numba": "numba", "cupy": "cupy"}      # a path and the package that it needs
EXTRAS = {"numba": "numba", "cupy": "cuda12"}       # a path and the extra that brings it
TAKES = {"numba": "numpy", "cupy": "cupy"}          # a path and the arrays that it takes
HERE = Path(__file__).parents[1]
OUTSIDE = {"check", "dispatch", "experiments", "fast"}          # rooms that declare no operations

_preferred = ContextVar("preferred", default="formula")
_open = ContextVar("open", default=False)


class Call(NamedTuple):
    """An admitted call: ``path(*args, **kwargs)`` inside `open_door` runs it, again and again."""
    path: Any
    args: tuple
    kwargs: dict


def load():
    """Import every file that declares operations, and return the registry."""
    for module in _rooms():
        importlib.import_module(module)
    return OPS


def gradient_of(op):
    """The operation that pulls cotangents back through this one, or None."""
    return load().get(f"gradients.{op.name}")


def descent_of(op):
    """When a rule of motion lowers an energy, in a word; None for what moves no state."""
    room, _, name = op.name.rpartition(".")
    if op.lowers:
        return "always" if op.lowers[1] == "always" else "under condition"
    moves = name.endswith(("update", "flow")) and not room.startswith("gradients")
    return "none" if moves else None


@functools.cache
def _rooms():
    """The modules with a declaration in their text."""
    files = (f.relative_to(HERE) for f in sorted(HERE.rglob("*.py")))
    return [".".join(["hopref", *f.with_suffix("").parts]).removesuffix(".__init__") for f in files
            if f.parts[0] not in OUTSIDE and "\n@op(" in (HERE / f).read_text("utf-8")]


def _room(module):
    """``modern`` for hopref.models.modern, ``gradients.modern`` for its twin; else the room."""
    package, *path = module.split(".")
    if package != "hopref" or path[0] == "models":
        return [module.rpartition(".")[2]]
    return path[:2] if path[0] in ("gradients", "parts") else path[:1]


@contextlib.contextmanager
def use_backend(name):
    """Prefer a path: operations that have it take it, the others run their formula."""
    try:
        _require(name)
    except HoprefError as error:
        raise type(error)(f"hopref.use_backend: {error}.") from None
    token = _preferred.set(name)
    try:
        yield
    finally:
        _preferred.reset(token)


@contextlib.contextmanager
def open_door(nonfinite=None):
    """Operations called here run their formulas unchecked; overflow to inf is no warning."""
    token = _open.set(True)
    quiet = {"invalid": "ignore"} if nonfinite == "propagate" else {}
    try:
        with np.errstate(over="ignore", under="ignore", **quiet):
            yield
    finally:
        _open.reset(token)


def op(shapes, *, lowers=None, fits=None, demands=None, scratch=None, result=number, **domains):
    """Declare the formula below: shapes, domains, the energy it lowers, the memory it forms.

    ``fits(given)`` and ``demands(xp, given)`` return the sentence that fails where shapes, or
    values, depend on each other, or None.  ``lowers`` is an energy, or a pair: an energy and the
    condition under which it falls.  ``result`` is the domain of what is returned.
    """
    def declare(formula):
        it = _declaration(formula, shapes, lowers, fits, demands, scratch, domains, result)

        @functools.wraps(formula)
        def door(*args, backend=None, nonfinite=None, check=None, **kwargs):
            if _open.get():
                return it.formula(*args, **kwargs)
            call = enter(*args, backend=backend, nonfinite=nonfinite, check=check, **kwargs)
            with open_door("propagate"):        # NaN is no warning: it is asked for, or refused
                y = unwrapped(call.path(*call.args, **call.kwargs))
            return y if nonfinite == "propagate" else validation.representable(it, call.kwargs, y)

        def enter(*args, backend=None, nonfinite=None, check=None, **kwargs):
            return _enter(it, args, kwargs, backend, nonfinite, check)

        for name, value in vars(it).items():
            setattr(door, name, value)
        door.enter = enter
        door.__signature__ = _with_door_keywords(it)
        OPS[it.name] = door
        return door
    return declare


def _declaration(formula, shapes, lowers, fits, demands, scratch, domains, result=number):
    """The facts of one operation, read from its decorator, signature and docstring."""
    signature = inspect.signature(formula)
    inputs, _, outputs = shapes.partition("->")
    arrays = dict(zip(signature.parameters, _groups(inputs), strict=False))
    arrays |= {k: _groups(d.dims)[0] for k, d in domains.items()
               if isinstance(d, Array) and d.dims}
    room = ".".join(_room(formula.__module__))
    source = re.search(r"Source: *(.+?)(?:\n\s*\n|\Z)", formula.__doc__ or "", re.S)
    source = " ".join(source[1].split()) if source else ""
    it = SimpleNamespace(
        name=f"{room}.{formula.__name__}", shapes=shapes, signature=signature,
        arrays=arrays, outputs=tuple(_groups(outputs)),
        domains={**{k: finite for k in arrays}, **domains},
        lowers=lowers if lowers is None or isinstance(lowers, tuple) else (lowers, "always"),
        fits=fits, demands=demands, scratch=scratch and _groups(scratch)[0], result=result,
        source=source,
        ids=tuple(re.findall(r"\b[A-Z]{2,3}-\d+\b", source)),
        paths=("formula", *(b for b in BACKENDS if formula.__name__ in _twins(b, room))),
        parts=_kinds_of_parts().get(f"{room}.{formula.__name__}"),
    )
    it.optional = frozenset(k for k in arrays
                            if signature.parameters[k].default is not inspect.Parameter.empty)
    it.structural = any(isinstance(d, Array) and d.structural for d in it.domains.values())
    it.formula = _bare(formula, it.domains)
    return it


def _bare(formula, domains):
    """The formula itself, with the door open and names of options turned into what they name."""
    defaults = inspect.signature(formula).parameters
    options = {k: d for k, d in domains.items() if isinstance(d, (Choice, Several))}

    @functools.wraps(formula)
    def bare(*args, **kwargs):
        for k, domain in options.items():
            kwargs[k] = domain.resolve(kwargs.get(k, defaults[k].default))
        if _open.get():
            return formula(*args, **kwargs)
        with open_door():
            return formula(*args, **kwargs)
    return bare


def _groups(text):
    return [tuple(g.split(",")) if g else () for g in re.findall(r"\(([^)]*)\)", text)]


@functools.cache
def _twins(backend, room):
    """Names that ``fast/<backend>/<room>.py`` defines, read without importing it."""
    file = HERE / "fast" / backend / f"{room.replace('.', '/')}.py"
    return set(re.findall(r"^def ([a-z]\w*)\(", file.read_text(), re.M)) if file.exists() else set()


@functools.cache
def _kinds_of_parts():
    """The kind of mergeable parts of each operation that a table in ``parts/`` serves, likewise."""
    return {name: file.stem for file in sorted((HERE / "parts").glob("*.py"))
            for name in re.findall(r'^    "([\w.]+)": Served\(', file.read_text("utf-8"), re.M)}


def _with_door_keywords(it):
    extra = ["backend", "nonfinite"] + ["check"] * it.structural
    keywords = [inspect.Parameter(k, inspect.Parameter.KEYWORD_ONLY, default=None) for k in extra]
    return it.signature.replace(parameters=[*it.signature.parameters.values(), *keywords])


def _enter(it, args, kwargs, backend, nonfinite, check):
    """Choose the path, admit the arguments; every refusal names the operation."""
    try:
        bound = bound_arguments(it, args, kwargs)
        if nonfinite is not None and not _one_of(nonfinite, "raise", "propagate"):
            raise DomainError(f"nonfinite must be None, 'raise' or 'propagate'; got {nonfinite!r}")
        if check is not None and not (isinstance(check, bool) and it.structural):
            raise CallError(f"check must be True or False, for structural domains; got {check!r}")
        arrays, xp = validation.located(it, bound.arguments)
        path, fast = _path(it, backend, validation.home_of(arrays, xp))
        bound.arguments.update(
            validation.admit(it, bound.arguments, arrays, xp, fast, nonfinite, check))
    except HoprefError as error:
        raise type(error)(f"hopref.{it.name}: {error}.") from None
    return Call(path, bound.args, bound.kwargs)


def _one_of(value, *names):
    return isinstance(value, str) and value in names


def bound_arguments(it, args, kwargs):
    """The arguments by the operation's signature, defaults applied; or why they do not fit it."""
    try:
        bound = it.signature.bind(*args, **kwargs)
    except TypeError as error:
        got = str(error).removeprefix("got ").replace("missing a required argument:", "no argument")
        raise CallError(f"must be called as {it.name}{it.signature}; got {got}") from None
    bound.apply_defaults()
    return bound


def _path(it, demanded, home):
    """The function to run, and whether it is a faster path than the formula."""
    name = _preferred.get() if demanded is None else demanded
    if not _one_of(name, *it.paths):
        if demanded is not None:
            raise BackendError(f"backend must be one of {', '.join(it.paths)}; got {demanded!r}")
        name = "formula"
    if name != "formula" and home != TAKES[name]:
        if demanded is not None:
            raise BackendError(f"backend={name!r} must be given {TAKES[name]} arrays; got {home}")
        name = "formula"
    if name == "formula":
        return it.formula, False
    _require(name)
    room, _, function = it.name.rpartition(".")
    return getattr(importlib.import_module(f"hopref.fast.{name}.{room}"), function), True


def _require(name):
    """The path is known here and its package is installed."""
    if not _one_of(name, "formula", *BACKENDS):
        known = ", ".join(["formula", *BACKENDS])
        raise BackendError(f"backend must be one of {known}; got {name!r}")
    package = BACKENDS.get(name, "numpy")
    if package not in sys.modules and importlib.util.find_spec(package) is None:
        raise BackendError(f"backend={name!r} must be installed (python -m pip install "
                           f"\"hopref[{EXTRAS[name]}]\"); got no package {package}")


def unwrapped(y):
    """0-d NumPy results as NumPy scalars."""
    if isinstance(y, tuple):
        return tuple(unwrapped(part) for part in y)
    return y[()] if type(y) is np.ndarray and y.ndim == 0 else y
