"""Features of projections by the kernel of ``kernels/features.cu``.

A block has some rows and a part of the directions, and writes the features of the products that
its threads have in registers.  Rows of more components than a tile of shared memory has, and
functions of the caller, are processed by `_features`.
"""
import functools
import math

import numpy as np

from hopref.fast.cupy._attend import BLOCKS, LANES, THREADS, WIDTHS, rows_of
from hopref.fast.cupy._sources import source_of
from hopref.features import projected

__all__ = ["FUNCTIONS", "LEVELS", "formed", "source", "width_for"]

FUNCTIONS = {projected.exp: "EXP", projected.exp_minus: "EXP_MINUS", projected.sin: "SIN",
             projected.cos: "COS", projected.rectifier: "RELU"}
LEVELS = {projected.one: 0.0, projected.decay: 0.0, projected.growth: 0.0,
          projected.half_decay: -math.log(2) / 2}               # log h(0)
PARTS = 2**16 - 1                   # blocks of a grid in its second direction


def width_for(x, omega, h, functions):
    """The width of the kernel for these rows and directions, or None if it does not take them.

    What the caller defines need not be hashable.
    """
    if h in [*LEVELS] and all(f in [*FUNCTIONS] for f in functions) and x.size and omega.size:
        for width in WIDTHS[x.dtype.itemsize]:
            if x.shape[-1] <= width:
                return width
    return None


def formed(x, omega, beta, h, functions, width, *, A=0.0, logarithms=False, signs=False):
    """Features of rows (n, d), or their logarithms, and with these the signs if they are asked for.
    """
    import cupy

    (count, d), m, real = x.shape, len(omega), x.dtype
    found = cupy.empty((count, len(functions) * m), dtype=real)
    sign = cupy.empty(found.shape, dtype=real) if signs else found
    blocks, parts, length = divided(real, width, count, m)
    level = LEVELS[h] - math.log(m) / 2 + d / 4 * math.log1p(-4 * A)
    numbers = math.sqrt(beta), h.slope / 2, level, math.sqrt(1 - 4 * A), A
    names = ",".join(FUNCTIONS[f] for f in functions)
    _kernel(cupy, real, width, names, logarithms, signs)(
        (blocks, parts), (THREADS,), (x, omega, *map(np.uint64, (count, m, d, length)),
                                      *map(real.type, numbers), found, sign))
    return found, sign


def divided(real, width, count, m):
    """The tiles of rows, the parts of m directions, and their length, for about `BLOCKS` blocks."""
    blocks, tiles = math.ceil(count / rows_of(real, width)), math.ceil(m / LANES)
    parts = min(tiles, max(1, BLOCKS // blocks), PARTS)
    length = LANES * math.ceil(tiles / parts)
    return blocks, math.ceil(m / length), length


def shared_bytes(real, width):
    """Shared memory of a block: rows and directions, and a number for each."""
    real = np.dtype(real)
    return (rows_of(real, width) + LANES) * ((width + 1) * real.itemsize + 16)


def source():
    return source_of("numbers", "product", "features")


@functools.cache
def _kernel(cupy, real, width, names, logarithms, signs):
    name = {"float32": "float", "float64": "double"}[real.name]
    options = ["-std=c++17", f"-DREAL={name}", f"-DWIDTH={width}", f"-DFUNCTIONS={names}",
               *["-DLOGARITHMS"] * logarithms, *["-DSIGNS"] * signs]
    return cupy.RawModule(code=source(), options=tuple(options)).get_function("features")
