"""Calling conventions of candidates: argument names and order, axes, masks, array types.

A `Convention` describes common differences by a few options.  An adapter can express any other: it
is a function that takes the candidate and returns a callable with the signature of the op. ::

    # my_adapter.py, used as --adapter my_adapter.py:heads_second
    def heads_second(candidate):
        def attention(Q, K, V, *, causal=False):
            return candidate(Q.swapaxes(1, 2), K.swapaxes(1, 2), V.swapaxes(1, 2), is_causal=causal)
        return attention

Cases with an option that the callable lacks, or for which it raises `NotOffered`, are not judged.
"""
import importlib
import importlib.util
import inspect
import re
from dataclasses import dataclass, field
from pathlib import Path

import numpy as np

from hopref.check.engine.candidate import NotOffered, as_numpy
from hopref.check.peers.passed import Passed
from hopref.dispatch.operation import load
from hopref.errors import PluginError

__all__ = ["Convention", "bound", "imported"]

TARGET = re.compile(r"[A-Za-z_]\w*(\.[A-Za-z_]\w*)*:[A-Za-z_]\w*(\.[A-Za-z_]\w*)*")
ADAPTER = re.compile(r".+\.py:[A-Za-z_]\w*")


@dataclass(frozen=True)
class Convention:
    """Differences between the calls of the op and of the candidate.

    Attributes
    ----------
    names : dictionary from arguments of the op to parameters of the candidate, which are then
        passed by keyword
    order : operands of the op in the order in which the candidate takes them
    layout : dictionary from an argument, or "out", to the axes of the candidate, such as "d n" or
        "b l h d" in the letters of the op; the leading axes are named b, h, ... in order
    lead : number of leading axes that the candidate requires
    mask : "visible" (True shows an entry), "hidden" (True hides it) or "additive" (0 and -inf)
    array : "numpy", "torch" or "jax"
    dtype : number format of real arrays
    fixed : dictionary of further keyword arguments, which are always passed
    """
    names: dict = field(default_factory=dict)
    order: tuple = ()
    layout: dict = field(default_factory=dict)
    lead: int | None = None
    mask: str = "visible"
    array: str = "numpy"
    dtype: str = ""
    fixed: dict = field(default_factory=dict)


def imported(target):
    """Import the function ``pkg.mod:function``."""
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
    spec = importlib.util.spec_from_file_location("hopref_adapter", Path(file))
    module = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    return getattr(module, name)


def bound(candidate, like, convention=Convention(), adapter=""):
    """The candidate as a callable with the signature of the op."""
    if adapter:
        candidate = adapter_in(adapter)(candidate)
    op = load().get(like)
    if op is None:
        return candidate                # without an op, laws call the candidate directly
    try:
        parameters = inspect.signature(candidate).parameters
    except (TypeError, ValueError):
        parameters = None
    passed = Passed(candidate, parameters)

    def call(*args, **kwargs):
        operands = dict(zip(op.signature.parameters, args))
        lead = leading(op, {**operands, **kwargs})
        given = {k: outward(op, k, v, convention, lead) for k, v in {**operands, **kwargs}.items()}
        named = {convention.names[k]: given.pop(k) for k in list(given) if k in convention.names}
        order = [k for k in (convention.order or operands) if k in given]
        places = [given.pop(k) for k in order]
        for k, v in given.items():
            if takes(parameters, k, len(places)):
                named[k] = v
            elif not same(v, op.signature.parameters[k].default):
                raise NotOffered(f"{k}={shown(v)}")
        if parameters is not None and not has_places(parameters, places):
            raise NotOffered(f"{len(places)} operands")
        passed.note(places, named | convention.fixed)
        answer = candidate(*places, **named, **convention.fixed)
        if isinstance(answer, (tuple, list)):
            return tuple(inward(op, y, i, convention, lead) for i, y in enumerate(answer))
        return answer if hasattr(answer, "__next__") else inward(op, answer, 0, convention, lead)
    call.passed = passed
    return call


def takes(parameters, name, placed):
    """Whether a callable accepts the keyword ``name`` after ``placed`` operands."""
    if parameters is None or any(p.kind is p.VAR_KEYWORD for p in parameters.values()):
        return True
    return name in list(parameters)[placed:] and \
        parameters[name].kind in (inspect.Parameter.KEYWORD_ONLY,
                                  inspect.Parameter.POSITIONAL_OR_KEYWORD)


def has_places(parameters, places):
    if any(p.kind is p.VAR_POSITIONAL for p in parameters.values()):
        return True
    return len(places) <= sum(p.kind in (p.POSITIONAL_ONLY, p.POSITIONAL_OR_KEYWORD)
                              for p in parameters.values())


def same(v, default):
    return not isinstance(v, np.ndarray) and type(v) is type(default) and v == default


def shown(v):
    return "an array" if isinstance(v, np.ndarray) else repr(v)


def leading(op, given):
    """The leading axes of this call."""
    for k, v in given.items():
        if op.arrays.get(k, ())[:1] == ("...",) and isinstance(v, np.ndarray):
            return v.shape[:v.ndim - len(op.arrays[k]) + 1]
    return ()


def outward(op, k, v, convention, lead):
    """One argument in the convention of the candidate."""
    if k not in op.arrays or not isinstance(v, np.ndarray):
        return v
    dims = op.arrays[k]
    if op.domains[k].kind == "bool" and convention.mask != "visible":
        v = ~v if convention.mask == "hidden" else np.where(v, 0.0, -np.inf)
    if dims[:1] == ("...",) and convention.lead is not None:
        if convention.lead < len(lead):
            raise NotOffered(f"{len(lead)} leading axes")
        v = v.reshape((1,) * (convention.lead - len(lead)) + v.shape)
    if k in convention.layout:
        ours = letters(dims, v.ndim)
        v = np.transpose(v, [ours.index(a) for a in convention.layout[k].split()])
    return foreign(v, convention)


def letters(dims, ndim):
    """The letters of all axes; leading axes are b, h, g, ..."""
    core = [d for d in dims if d != "..."]
    return list("bhgfe"[:ndim - len(core)]) + core


def foreign(v, convention):
    """An array of the library of the candidate."""
    real = v.dtype.kind == "f"
    if convention.array == "torch":
        import torch
        v = torch.from_numpy(np.array(v))
        return v.to(getattr(torch, convention.dtype)) if real and convention.dtype else v
    if convention.array == "jax":
        import jax
        jax.config.update("jax_enable_x64", True)
        v = jax.numpy.asarray(v)
        return v.astype(convention.dtype) if real and convention.dtype else v
    if real and convention.dtype == "bfloat16":
        import ml_dtypes
        return v.astype(ml_dtypes.bfloat16)
    return v


def inward(op, y, i, convention, lead):
    """One result in the layout of the op."""
    if not convention.layout.get("out") and convention.lead is None:
        return y
    y, dims = as_numpy(y), op.outputs[i]
    if convention.layout.get("out") and i == 0:
        theirs, ours = convention.layout["out"].split(), letters(dims, y.ndim)
        y = np.transpose(y, [theirs.index(a) for a in ours])
    if convention.lead is not None and dims[:1] == ("...",):
        y = y.reshape((*lead, *y.shape[convention.lead:]))
    return y
