"""Rules for rows in blocks, so that their arrays of all scores are those of a block.

The maps with exact zeros need all scores of a row for their thresholds.  They are those of the
formulas, in double precision, whose numbers of steps are fixed; the products around them have the
dtype of the arguments.
"""
import math

import numpy as np

from hopref.fast.cupy._tiles import arithmetic, in_arithmetic

__all__ = ["ROWS", "blocks", "mapped", "weights", "means", "energies", "updates",
           "gradients", "by_formula", "in_double"]

ROWS = 2**20            # scores of a block


def blocks(rows, n):
    """Slices of rows of n numbers each, of about `ROWS` numbers."""
    step = max(1, ROWS // max(1, n))
    return [slice(start, min(rows, start + step)) for start in range(0, rows, step)]


def mapped(rule, z, where, empty_row, **options):
    """A map of rows of scores."""
    import cupy

    (*lead, n), rows = z.shape, math.prod(z.shape[:-1])
    table, p = cupy.reshape(z, (rows, n)), cupy.empty((rows, n), dtype=z.dtype)
    seen = True if where is True else cupy.reshape(where, (rows, n))
    for block in blocks(rows, n):
        p[block] = rule.formula(
            cupy.astype(table[block], np.float64), where=True if seen is True else seen[block],
            empty_row=empty_row, **options)
    return cupy.reshape(p, (*lead, n))


def weights(rule, xi, X, **options):
    """The map of the scores of states."""
    import cupy

    p = cupy.empty((math.prod(xi.shape[:-1]), len(X)), dtype=xi.dtype)
    for block, found in _by_states(cupy, rule, xi, X, options):
        p[block] = found
    return cupy.reshape(p, (*xi.shape[:-1], len(X)))


def means(rule, xi, X, **options):
    """Means of the patterns, whose weights are a map of the scores."""
    import cupy

    new = cupy.empty((math.prod(xi.shape[:-1]), xi.shape[-1]), dtype=xi.dtype)
    for block, p in _by_states(cupy, rule, xi, X, options):
        new[block] = cupy.matmul(cupy.astype(p, xi.dtype, copy=False), X)
    return cupy.reshape(new, xi.shape)


def energies(rule, xi, X, **options):
    """Energies of states by the formula, in double precision, for which the patterns are copied."""
    return _computed(rule, xi, X, xi.shape[:-1], len(X), options)


def updates(rule, xi, X, **options):
    """New states by a formula that forms arrays of all components of the patterns for each."""
    return _computed(rule, xi, X, xi.shape, X.size, options)


def _computed(rule, xi, X, shape, numbers, options):
    """Results of this shape, of which a state takes so many numbers."""
    import cupy

    wide, (*lead, d) = cupy.astype(X, np.float64, copy=False), xi.shape
    states = cupy.reshape(xi, (math.prod(lead), d))
    found = cupy.empty((len(states), *shape[len(lead):]), dtype=xi.dtype)
    for block in blocks(len(states), numbers):
        found[block] = rule.formula(cupy.astype(states[block], np.float64), wide, **options)
    return cupy.reshape(found, shape)


def gradients(rule, g, x, *shared, where=True, **options):
    """Gradients of rows x (..., d) by the formula, in double precision; ``shared`` are arrays of
    all rows, and the gradients of these and of numbers are sums over rows, block by block."""
    import cupy

    *lead, d = x.shape
    count = math.prod(lead)
    g, x = (cupy.reshape(a, (count, *a.shape[len(lead):])) for a in (g, x))
    wide, sums = [cupy.astype(a, np.float64) for a in shared], None
    dx = cupy.empty((count, d), dtype=x.dtype)
    numbers = max([d, *g.shape[1:], *(len(a) for a in shared)])
    for block in blocks(count, numbers) or [slice(0, 0)]:
        if where is not True:
            options["where"] = cupy.reshape(where, (count, d))[block]
        rows, *parts = rule.formula(*(cupy.astype(a[block], np.float64) for a in (g, x)), *wide,
                                    **options)
        dx[block] = rows
        sums = parts if sums is None else [a + b for a, b in zip(sums, parts, strict=True)]
    return cupy.reshape(dx, (*lead, d)), *(cupy.astype(a, dx.dtype, copy=False) for a in sums)


def by_formula(rule, xi, *operands, **options):
    """The result of the formula in double precision, in the dtype of the states."""
    import cupy

    wide = dict(zip(options, in_double(cupy, *options.values())))
    y = rule.formula(*in_double(cupy, xi, *operands), **wide)
    return cupy.astype(y, xi.dtype, copy=False)


def in_double(cupy, *given):
    """Arrays of single precision in double precision; all else as it is."""
    return [cupy.astype(a, np.float64) if getattr(a, "dtype", None) == np.float32 else a
            for a in given]


def _by_states(cupy, rule, xi, X, options):
    """Pairs of a slice of states and their weights in double precision."""
    keys, = in_arithmetic(cupy, arithmetic(xi.dtype, options["beta"]), X)
    states = cupy.reshape(xi, (math.prod(xi.shape[:-1]), xi.shape[-1]))
    for block in blocks(len(states), len(X)):
        z = cupy.matmul(cupy.astype(states[block], keys.dtype, copy=False), keys.T)
        yield block, rule.formula(cupy.astype(z, np.float64, copy=False), **options)
