"""Targets: what is judged, by its name, and the signature with which it is called.

A class, a function without parameters, and any function with ``--init`` are factories: what they
make is judged, such as a module of torch.
"""
import ast
import importlib
import importlib.util
import inspect
import re
from pathlib import Path

from hopref.check.engine.candidate import Misuse
from hopref.errors import PluginError

__all__ = ["ADAPTER", "TARGET", "adapter_in", "imported", "instantiated", "signature_of"]

NAME = r"[A-Za-z_]\w*(\.[A-Za-z_]\w*)*"
TARGET = re.compile(rf"{NAME}:{NAME}")
ADAPTER = re.compile(r".+\.py:[A-Za-z_]\w*")


def imported(target):
    """Import ``pkg.mod:name``."""
    if not TARGET.fullmatch(target):
        raise PluginError(f"a target must be written pkg.mod:function; got {target!r}")
    module, _, path = target.partition(":")
    found = importlib.import_module(module)
    for name in path.split("."):
        found = getattr(found, name)
    if not callable(found):
        raise PluginError(f"a target must be callable; got {target} of {type(found).__name__}")
    return found


def adapter_in(place):
    """Import the adapter ``file.py:name``."""
    if not ADAPTER.fullmatch(place):
        raise PluginError(f"an adapter must be written file.py:name; got {place!r}")
    file, _, name = place.rpartition(":")
    if not Path(file).is_file():
        raise Misuse(f"--adapter: there is no file {file!r}")
    spec = importlib.util.spec_from_file_location("hopref_adapter", Path(file))
    module = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    if not callable(getattr(module, name, None)):
        raise Misuse(f"--adapter: {file} has no function {name!r}")
    return getattr(module, name)


def instantiated(candidate, init, dtype=""):
    """What a class or a factory makes with the arguments ``init``; anything else itself."""
    factory = inspect.isclass(candidate) or inspect.isfunction(candidate) \
        and not inspect.signature(candidate).parameters
    if not factory and not init:
        return candidate
    try:
        made = candidate(**init)
    except TypeError as error:
        raise Misuse(f"{candidate.__qualname__} could not be made ({error}); --init NAME=VALUE "
                     "passes an argument to it") from None
    if not callable(made) and init:
        raise Misuse(f"--init: {candidate.__qualname__} makes a {type(made).__name__}, which is "
                     "not callable")
    return prepared(made, dtype) if callable(made) else candidate


def prepared(made, dtype):
    """A module of torch in evaluation mode, with its weights in the format of the candidate."""
    if hasattr(made, "forward") and hasattr(made, "eval"):
        made.eval()
        if any(True for _ in made.parameters()):
            made.to(getattr(importlib.import_module("torch"), dtype or "float64"))
    return made


def signature_of(candidate):
    """The parameters of a callable by name; None if they are unknown.

    The signature of a module of torch is that of its ``forward``; that of a function without one is
    read from the first lines of its documentation, where builtins state it.
    """
    if hasattr(candidate, "forward") and not inspect.isclass(candidate):
        candidate = candidate.forward
    try:
        return dict(inspect.signature(candidate).parameters)
    except (TypeError, ValueError):
        return documented(candidate)


def documented(candidate):
    """Parameters from a documentation such as "f(x, y=None, *, z=1) -> Tensor"; None without."""
    name, text = getattr(candidate, "__name__", ""), inspect.getdoc(candidate) or ""
    found = re.match(rf"(?:\w+\.)*{re.escape(name)}\(([^()]*(?:\([^()]*\)[^()]*)*)\)", text)
    if not name or not found:
        return None
    try:
        written = ast.parse(f"def f({found[1]}): pass").body[0].args
    except SyntaxError:
        return None
    positional = [*written.posonlyargs, *written.args]
    with_default = {a.arg for a in positional[len(positional) - len(written.defaults):]}
    with_default |= {a.arg for a, v in zip(written.kwonlyargs, written.kw_defaults) if v}
    kinds = [(written.posonlyargs, inspect.Parameter.POSITIONAL_ONLY),
             (written.args, inspect.Parameter.POSITIONAL_OR_KEYWORD),
             (written.kwonlyargs, inspect.Parameter.KEYWORD_ONLY)]
    return {a.arg: inspect.Parameter(a.arg, kind, default=None if a.arg in with_default
                                     else inspect.Parameter.empty)
            for names, kind in kinds for a in names}
