"""Blocks of the dask arrays among the arguments of an operation."""
import math
from typing import Any, NamedTuple

import numpy as np

from hopref import parts
from hopref.dispatch.operation import bind
from hopref.errors import CallError, ShapeError, naming
from hopref.extras import require
from hopref.parts.chunks import (
    chunked_names,
    chunked_operation,
    is_absent,
    keywords,
    place,
    positional,
)

__all__ = ["Blocks", "blocks_of", "sample", "is_dask"]


class Blocks(NamedTuple):
    """The arguments of an operation, block by block.

    Attributes
    ----------
    op : the operation
    each : for each block the arguments by name, the divided ones as delayed arrays
    whole : the other arguments, as they are
    rows : sizes of the blocks along the divided axis, NaN where unknown
    empty : arguments by name of a block without rows
    """
    op: Any
    each: list
    whole: dict
    rows: tuple
    empty: dict


def is_dask(v):
    """Whether an argument is a dask array."""
    return hasattr(v, "__dask_graph__") and hasattr(v, "chunks")


def blocks_of(op, operands, params, caller):
    """The `Blocks` of a call with dask arrays in place of the divided arguments."""
    dask = require("dask", extra="dask", caller=f"distributed.{caller}")
    require("dask.array", extra="dask", caller=f"distributed.{caller}")
    kind = chunked_operation(op, caller)
    with naming(f"hopref.distributed.{caller}"):
        given = bind(op, operands, params)
        names = [k for k in chunked_names(op, kind) if not is_absent(op, k, given[k])]
        divided = _aligned({k: given[k] for k in names},
                           {k: place(op, kind, k) for k in names}, kind.axis)
    whole = {k: dask.delayed(_one_block(v), traverse=False)
             if hasattr(v, "shape") or isinstance(v, (list, tuple)) else v
             for k, v in given.items() if k not in names}
    pieces = {k: v.to_delayed().ravel() for k, v in divided.items()}
    first, count = names[0], len(pieces[names[0]])
    rows = divided[first].chunks[place(op, kind, first)]
    each = [{k: pieces[k][i] for k in names} for i in range(count)]
    empty = {k: _meta(v) for k, v in given.items() if k not in names}
    empty |= {k: _without_rows(v, place(op, kind, k)) for k, v in divided.items()}
    return Blocks(op, each, whole, rows, empty)


def sample(blocks, nonfinite=None, value=True):
    """The result, or the part, of the call without rows: it raises what the arguments do."""
    op = blocks.op
    part = parts.from_chunk(op, *positional(op, blocks.empty), nonfinite=nonfinite,
                            **keywords(op, blocks.empty))
    enough = part._replace(rows=max(1, part.arguments.get("k", 1)))
    return parts.value(enough) if value else part


def _aligned(divided, places, axis):
    """The divided arrays as dask arrays of equal blocks along the axis, whole along the others."""
    names = [k for k, v in divided.items() if is_dask(v)]
    if not names:
        raise CallError(f"{', '.join(divided)} must be dask arrays, divided along {axis}; got "
                        + ", ".join(type(v).__name__ for v in divided.values()))
    divided = {k: v if is_dask(v) else np.asarray(v) for k, v in divided.items()}
    for k, v in divided.items():
        if v.ndim < -places[k]:
            raise ShapeError(f"{k} must have an axis {axis}; got shape {v.shape}")
    for k in names:
        _refuse_unknown(k, divided[k], places[k])
    first = names[0]
    chunks = divided[first].chunks[places[first]]
    known = not any(map(math.isnan, chunks))
    for k, v in divided.items():
        (_check_sizes if known else _check_blocks)(first, chunks, k, v, places[k], axis)
    return {k: _cut(v, places[k], chunks, known) for k, v in divided.items()}


def _check_sizes(first, chunks, k, v, at, axis):
    if v.shape[at] != sum(chunks):
        raise ShapeError(f"{axis} must be the same in {first} and {k}; got {sum(chunks)} and "
                         f"{v.shape[at]}")


def _check_blocks(first, chunks, k, v, at, axis):
    """Blocks of unknown sizes must be as many; that they agree is found by the computation."""
    if not is_dask(v):
        raise CallError(f"{k} must be a dask array where blocks have unknown sizes; got "
                        f"{type(v).__name__}")
    if v.numblocks[at] != len(chunks):
        raise ShapeError(f"{first} and {k} must have equally many blocks; got {len(chunks)} and "
                         f"{v.numblocks[at]}")


def _cut(v, at, chunks, known):
    """The array in the blocks along the axis, as one block along the others."""
    import dask.array as da
    v = v if is_dask(v) else da.from_array(v, chunks=-1)
    axes = {i: -1 for i in range(v.ndim) if i != v.ndim + at and v.numblocks[i] != 1}
    if known and v.chunks[at] != chunks:
        axes[v.ndim + at] = chunks
    return v.rechunk(axes) if axes else v


def _refuse_unknown(k, v, at):
    """Refuse a dask array whose size along another axis than that of the blocks is unknown."""
    for i, sizes in enumerate(v.chunks):
        if i != v.ndim + at and any(map(math.isnan, sizes)):
            raise ShapeError(f"{k} must have known sizes along other axes than axis {v.ndim + at}; "
                             f"got shape {v.shape}: call compute_chunk_sizes()")


def _one_block(v):
    """A whole argument as it is, or the one block of a dask array."""
    return v.rechunk(-1).to_delayed().ravel()[0] if is_dask(v) else v


def _meta(v):
    """A whole argument as it is, or zeros in place of a dask array."""
    return np.zeros(v.shape, v.dtype) if is_dask(v) else v


def _without_rows(v, at):
    shape = list(v.shape)
    shape[at] = 0
    return np.zeros(shape, v.dtype)
