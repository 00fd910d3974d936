"""Division of the arguments of an operation into chunks."""
import contextlib
import itertools
from collections.abc import Iterable
from importlib import import_module

import numpy as np

from hopref.dispatch.domains import count
from hopref.dispatch.namespace import namespace
from hopref.dispatch.operation import bind
from hopref.dispatch.paths import BACKENDS
from hopref.errors import BackendError, CallError, HoprefError, ShapeError, naming

__all__ = ["chunks_of", "zip_chunks", "kind_of", "chunked_operation", "errors_in_chunk",
           "chunked_names", "is_absent", "positional", "keywords", "place", "number_of_rows",
           "row_of_zeros", "empty_slice"]


def chunks_of(X, size, /, *, axis=-2):
    """Divide an array into slices.

    Parameters
    ----------
    X : an array, which may be a memory map, since no copy is made
    size : number of rows of each slice; the last may have fewer
    axis : the axis of the patterns or keys, which is -1 for a mask, a bias or scores

    Returns
    -------
    an iterator over the slices

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


def zip_chunks(op, operands, params):
    """Iterate over the arguments of the operation, one chunk at a time."""
    kind = kind_of(op).OPERATIONS[op.name]
    with naming(f"hopref.{op.name}"):
        given = bind(op, operands, params)
        streams = {k: given[k] for k in chunked_names(op, kind) if not is_absent(op, k, given[k])}
        for k, v in streams.items():
            if not isinstance(v, Iterable):
                raise CallError(f"{k} must be an iterable of chunks; got {type(v).__name__}")
    return _zipped(op, given, streams)


def _zipped(op, given, streams):
    """One call after the other; no iterator of the standard library, which would keep a chunk."""
    missing, iterators = object(), {k: iter(v) for k, v in streams.items()}
    for i in itertools.count():
        chunks = {k: next(iterator, missing) for k, iterator in iterators.items()}
        short = [k for k, chunk in chunks.items() if chunk is missing]
        if len(short) == len(chunks):
            return
        if short:
            raise ShapeError(f"hopref.{op.name}: {', '.join(streams)} must come in equally many "
                             f"chunks; got no chunk {i} of {short[0]}.")
        arguments = given | chunks
        yield positional(op, arguments), keywords(op, arguments)


def kind_of(op):
    """The module of the kind of parts of an operation."""
    return import_module(f"hopref.parts.{op.parts}")


def chunked_operation(op, caller, backend=None):
    """The `Chunked` entry of an operation, which is refused if it has no parts, or no such path."""
    with naming(f"hopref.parts.{caller}"):
        if not hasattr(op, "parts"):
            raise CallError(f"op must be an operation of hopref; got {op!r}")
        if op.parts is None:
            raise CallError("op must have mergeable parts (`hopref ops` lists those that have); "
                            f"got {op.name}")
        if backend in (None, "formula"):
            return kind_of(op).OPERATIONS[op.name]
        known = [b for b in BACKENDS
                 if op.name in getattr(import_module(f"hopref.fast.{b}"), "PARTS", ())]
        if backend not in known:
            raise BackendError(f"backend must be one of {', '.join(['formula', *known])} for parts "
                               f"of {op.name}; got {backend!r}")
    return import_module(f"hopref.fast.{backend}._parts").OPERATIONS[op.name]


@contextlib.contextmanager
def errors_in_chunk(i):
    """Add the number of the chunk to errors that are raised in the block."""
    try:
        yield
    except HoprefError as error:
        raise type(error)(f"{str(error).removesuffix('.')} at chunk {i}.") from None


def chunked_names(op, kind):
    """Names of the arguments that have the divided axis."""
    return [k for k, dims in op.arrays.items() if kind.axis in dims]


def is_absent(op, k, v):
    """Whether an optional array is absent, which a number or a truth value indicates."""
    return k in op.optional and isinstance(v, (bool, np.bool_, int, float))


def positional(op, given):
    """The positional arguments, in order."""
    return [given[k] for k, p in op.signature.parameters.items() if p.kind is p.POSITIONAL_ONLY]


def keywords(op, given):
    """The keyword arguments."""
    return {k: given[k] for k, p in op.signature.parameters.items() if p.kind is p.KEYWORD_ONLY}


def place(op, kind, k):
    """Index of the divided axis, counted from the end."""
    return op.arrays[k].index(kind.axis) - len(op.arrays[k])


def number_of_rows(op, kind, k, v):
    """Number of rows of a chunk; 1 if the array lacks the axis, which validation refuses."""
    shape, at = np.shape(v) if not hasattr(v, "shape") else v.shape, place(op, kind, k)
    return shape[at] if len(shape) >= -at else 1


def row_of_zeros(op, kind, k, v):
    """One row of zeros, which is validated in place of an empty chunk."""
    v = v if hasattr(v, "shape") else np.asarray(v)
    at = place(op, kind, k)
    if len(v.shape) < -at:
        return v
    shape = list(v.shape)
    shape[at] = 1
    return namespace(v).zeros(tuple(shape), dtype=v.dtype)


def empty_slice(op, kind, k, v):
    """The array without rows."""
    return v[(..., slice(0), *(slice(None),) * (-place(op, kind, k) - 1))]
