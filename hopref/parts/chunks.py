"""Arguments in chunks: which have the axis, and how the chunks of several go side by side."""
import contextlib
import itertools
from collections.abc import Iterable
from importlib import import_module

import numpy as np

from hopref.dispatch.domains import count
from hopref.dispatch.namespace import namespace
from hopref.dispatch.operation import bind
from hopref.errors import CallError, HoprefError, ShapeError, naming

__all__ = ["chunks_of", "in_step", "kind_of", "served", "numbered", "with_axis",
           "left_out", "by_position", "by_name", "size_of", "row_of_zeros", "no_row"]


def chunks_of(X, size, /, *, axis=-2):
    """Slices of an array, ``size`` rows each but perhaps the last; no copies, so for memmaps too.

    ``axis`` is that of the patterns or keys: -1 for a mask, a bias or scores.

    >>> from hopref import parts
    >>> [chunk.shape for chunk in parts.chunks_of([[1.0], [2.0], [3.0]], 2)]
    [(2, 1), (1, 1)]
    """
    with naming("hopref.parts.chunks_of"):
        size = count.validate("size", size)
        X = X if hasattr(X, "shape") else np.asarray(X)
        if not -len(X.shape) <= axis < len(X.shape):
            raise ShapeError(f"X must have an axis {axis}; got shape {tuple(X.shape)}")
    axis = axis % len(X.shape)
    before, n = (slice(None),) * axis, X.shape[axis]
    return (X[(*before, slice(i, min(i + size, n)), ...)] for i in range(0, n, size))


def in_step(op, operands, params):
    """The operation's arguments, chunk after chunk."""
    kind = kind_of(op).SERVED[op.name]
    with naming(f"hopref.{op.name}"):
        given = bind(op, operands, params)
        streams = {k: given[k] for k in with_axis(op, kind) if not left_out(op, k, given[k])}
        for k, v in streams.items():
            if not isinstance(v, Iterable):
                raise CallError(f"{k} must be an iterable of chunks; got {type(v).__name__}")
    return _zipped(op, given, streams)


def _zipped(op, given, streams):
    missing = object()
    for i, chunks in enumerate(itertools.zip_longest(*streams.values(), fillvalue=missing)):
        short = [k for k, chunk in zip(streams, chunks, strict=True) if chunk is missing]
        if short:
            raise ShapeError(f"hopref.{op.name}: {', '.join(streams)} must come in equally many "
                             f"chunks; got no chunk {i} of {short[0]}.")
        now = given | dict(zip(streams, chunks, strict=True))
        yield by_position(op, now), by_name(op, now)


def kind_of(op):
    return import_module(f"hopref.parts.{op.parts}")


def served(op, who):
    """How the kind of its parts serves an operation; refused if it has none."""
    with naming(f"hopref.parts.{who}"):
        if not hasattr(op, "parts"):
            raise CallError(f"op must be an operation of hopref; got {op!r}")
        if op.parts is None:
            raise CallError("op must have mergeable parts (`hopref ops` lists which have); "
                            f"got {op.name}")
    return kind_of(op).SERVED[op.name]


@contextlib.contextmanager
def numbered(i):
    """Errors raised inside say at which chunk."""
    try:
        yield
    except HoprefError as error:
        raise type(error)(f"{str(error).removesuffix('.')} at chunk {i}.") from None


def with_axis(op, kind):
    return [k for k, dims in op.arrays.items() if kind.axis in dims]


def left_out(op, k, v):
    """An optional array at its neutral value, a plain number or truth value."""
    return k in op.optional and isinstance(v, (bool, np.bool_, int, float))


def by_position(op, given):
    return [given[k] for k, p in op.signature.parameters.items() if p.kind is p.POSITIONAL_ONLY]


def by_name(op, given):
    return {k: given[k] for k, p in op.signature.parameters.items() if p.kind is p.KEYWORD_ONLY}


def _place(op, kind, k):
    """Where the axis is, counted from the end."""
    return op.arrays[k].index(kind.axis) - len(op.arrays[k])


def size_of(op, kind, k, v):
    """How many rows a chunk has; 1 where validation will raise anyway."""
    shape, place = np.shape(v) if not hasattr(v, "shape") else v.shape, _place(op, kind, k)
    return shape[place] if len(shape) >= -place else 1


def row_of_zeros(op, kind, k, v):
    """A row to validate in the place of none: its other axes and its kind of numbers."""
    v = v if hasattr(v, "shape") else np.asarray(v)
    place = _place(op, kind, k)
    if len(v.shape) < -place:
        return v
    shape = list(v.shape)
    shape[place] = 1
    return namespace(v).zeros(tuple(shape), dtype=v.dtype)


def no_row(op, kind, k, v):
    return v[(..., slice(0), *(slice(None),) * (-_place(op, kind, k) - 1))]
