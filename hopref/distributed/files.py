"""Patterns in files that the workers map into memory."""
import functools

import numpy as np

from hopref.dispatch.domains import count
from hopref.errors import CallError, DTypeError, ShapeError, naming
from hopref.extras import require

__all__ = ["mapped"]


def mapped(files, /, *, rows):
    """Patterns in .npy files as a dask array; each worker maps the blocks that it computes.

    Parameters
    ----------
    files : names of .npy files, each with an array (n, ...); the other axes and the dtype are the
        same in all.  The workers must be able to read them under these names.
    rows : largest number of rows of a block; no block contains rows of two files

    Returns
    -------
    dask array of the rows of all files, in order

    Raises
    ------
    CallError : no file is given
    ShapeError, DTypeError : the arrays of two files do not agree
    OSError, ValueError : a file cannot be read, or is no .npy file

    Notes
    -----
    Only the headers of the files are read here.

    >>> import os, tempfile
    >>> import numpy as np
    >>> from hopref import distributed
    >>> with tempfile.TemporaryDirectory() as folder:
    ...     np.save(os.path.join(folder, "a.npy"), np.ones((5, 2)))
    ...     X = distributed.mapped([os.path.join(folder, "a.npy")], rows=3)
    ...     distributed.hebbian(X).compute(), X.chunks[0]
    (array([[5., 5.],
           [5., 5.]]), (3, 2))
    """
    da = require("dask.array", extra="dask", caller="distributed.mapped")
    with naming("hopref.distributed.mapped"):
        rows, names = count.validate("rows", rows), [str(file) for file in files]
        if not names:
            raise CallError("files must name at least one file; got none")
        shapes, dtype = _agreeing(names)
    where = [(name, i, min(i + rows, shape[0])) for name, shape in zip(names, shapes)
             for i in range(0, shape[0], rows)]
    if not where:
        raise ShapeError("hopref.distributed.mapped: files must hold at least one row; got none.")
    chunks = tuple(stop - start for _, start, stop in where), *((n,) for n in shapes[0][1:])
    return da.map_blocks(functools.partial(_block, where), chunks=chunks, dtype=dtype,
                         meta=np.empty((0,) * len(shapes[0]), dtype))


def _agreeing(names):
    """The shapes of the arrays of all files, and their dtype."""
    heads = [_header(name) for name in names]
    first, dtype = heads[0]
    for name, (shape, other) in zip(names, heads):
        if not shape or shape[1:] != first[1:]:
            raise ShapeError(f"files must have arrays (n, {', '.join(map(str, first[1:]))}); "
                             f"got {shape} in {name}")
        if other != dtype:
            raise DTypeError(f"files must have arrays of {dtype}; got {other} in {name}")
    return [shape for shape, _ in heads], dtype


def _header(name):
    a = np.load(name, mmap_mode="r")
    return a.shape, a.dtype


def _block(where, block_id):
    """A copy of some rows, so that no worker sends a memory map."""
    name, start, stop = where[block_id[0]]
    return np.array(np.load(name, mmap_mode="r")[start:stop])
