"""Loops for formulas: recurrences, Gaussian elimination, and reductions over listed pairs."""
from functools import partial

import numpy as np

from hopref.dispatch.namespace import namespace


def column(a):
    """A vector of sites (k,) as rows (k, 1) for `scan`."""
    return namespace(a).reshape(a, (-1, 1))


def each(function, items):
    """The function applied to every entry of the first axis, stacked."""
    xp = namespace(items)
    return xp.stack([function(items[i, ...]) for i in range(items.shape[0])])


def scan(step, carry, rows):
    """All y_i and the final carry of ``carry, y_i = step(carry, *rows_i)`` along axis -2.

    A step without a result returns None for y.  If there are no rows, the result is the last, empty
    array of ``rows``.
    """
    xp, results = namespace(rows[0]), []
    for i in range(rows[0].shape[-2]):
        carry, y = step(carry, *(r[..., i, :] for r in rows))
        results.append(y)
    if not results or results[0] is None:
        return rows[-1], carry
    return xp.stack(results, axis=-2), carry


def running_maximum(first, rows):
    """``first`` (..., r), and its maximum with the rows (..., l, r) up to each one: l + 1 rows.

    Each step doubles the number of rows that are compared, so that there are few of them.
    """
    xp = namespace(rows)
    top, reach = xp.concat([first[..., None, :], rows], axis=-2), 1
    while reach < top.shape[-2]:
        more = xp.maximum(top[..., reach:, :], top[..., :-reach, :])
        top, reach = xp.concat([top[..., :reach, :], more], axis=-2), 2 * reach
    return top


def in_turn(rule, xi, W, b, order, *rows):
    """xi after sequential updates ``rule(field, value, *row)`` of the sites in ``order``."""
    xp = namespace(xi)
    b = b + xp.zeros(xi.shape[-1:], dtype=xi.dtype)
    visit = partial(_visit, rule=rule, W=W, b=b, here=xp.arange(xi.shape[-1]))
    return scan(visit, xi, (column(order), *rows))[1]


def _visit(xi, site, *row, rule, W, b, here):
    xp = namespace(xi)
    h = xi @ xp.take(W, site, axis=0).T - xp.take(b, site)
    return xp.where(here == site, rule(h, xp.take(xi, site, axis=-1), *row), xi), None


def fold(step, carry, items):
    """The final carry of ``carry = step(carry, item)`` over the items of the first axis."""
    for i in range(items.shape[0]):
        carry = step(carry, items[i, ...])
    return carry


def repeated(step, carry, most):
    """The carry after at most ``most`` steps, or after one that does not change it."""
    for _ in range(most):
        before, carry = carry, step(carry)
        same = carry == before
        if isinstance(same, np.ndarray) and same.all():
            break
    return carry


# -- linear systems -------------------------------------------------------------------------------

def solved(A, b):
    """The solution x of A x = b and the pivots, for A (..., d, d) and b (..., d).

    Gaussian elimination without pivoting is stable for positive definite matrices, which are the
    matrices with pivots > 0.
    """
    xp, d = namespace(A), A.shape[-1]
    A, pivots = xp.concat([A, b[..., None]], axis=-1), []
    for i in range(d):
        row = A[..., i, :] / xp.where(A[..., i, i] == 0, 1.0, A[..., i, i])[..., None]
        pivots.append(A[..., i, i])
        others = xp.arange(d) != i
        column = xp.where(others, A[..., :, i], 0.0)
        A = xp.where(others[:, None], A - column[..., :, None] * row[..., None, :],
                     row[..., None, :])
    return A[..., d], xp.stack(pivots, axis=-1) if d else b


# -- lists of pairs (row, column), at a cost proportional to their number ------------------------

def listed_once(rows, columns, many_rows, many_columns):
    """Sorted pairs, a mask of the first of equal pairs, and the start and stop index of each row.

    Start and stop have one entry for each of ``many_rows`` rows, including empty rows.
    """
    xp = namespace(rows)
    order = xp.argsort(rows * many_columns + columns)
    i, j = xp.take(rows, order), xp.take(columns, order)
    head = min(1, rows.shape[0])
    rest = rows.shape[0] - head
    repeated = (i[head:] == i[:rest]) & (j[head:] == j[:rest])
    first = xp.concat([xp.ones_like(i[:head], dtype=xp.bool), ~repeated])
    every = xp.arange(many_rows, dtype=xp.int64)
    start, stop = (xp.searchsorted(i, every, side=side) for side in ("left", "right"))
    return i, j, first, start, stop


def over_rows(join, values, nothing, start, stop):
    """Reduction of values[start:stop] by ``join`` for every row; ``nothing`` is neutral for it.

    Adjacent values are joined pairwise, so that every range consists of few complete blocks.  The
    work is O(e + l log e) for e values in l rows, and the error of a sum grows like log e.
    """
    xp = namespace(values)
    shape = (start.shape[0], *values.shape[1:])
    result = xp.full(shape, nothing, dtype=values.dtype)

    def taken(result, blocks, here, at):
        at = xp.where(here, at, 0)
        here = xp.reshape(here, (-1,) + (1,) * (len(shape) - 1))
        return xp.where(here, join(result, xp.take(blocks, at, axis=0)), result)
    while values.shape[0]:
        result = taken(result, values, (start < stop) & (start % 2 == 1), start)
        start = start + start % 2
        result = taken(result, values, (start < stop) & (stop % 2 == 1), stop - 1)
        start, stop = start // 2, stop // 2
        if values.shape[0] == 1:
            break
        if values.shape[0] % 2:
            rest = xp.full((1, *shape[1:]), nothing, dtype=values.dtype)
            values = xp.concat([values, rest])
        values = join(values[0::2, ...], values[1::2, ...])
    return result


def band(queries, X, width, dilation, causal, align):
    """Columns (l, b) in the window of each of l queries, and a mask of those that exist."""
    xp, n = namespace(X), X.shape[0]
    reach = min(width, (queries + n) // dilation + 1)
    steps = xp.arange(-reach, 1 if causal else reach + 1, dtype=xp.int64)
    here = xp.arange(queries, dtype=xp.int64) + align(queries, n)
    columns = here[:, None] + dilation * steps
    exists = (columns >= 0) & (columns < n)
    return xp.where(exists, columns, 0), exists


def positions(l, n, align):
    """Positions (l, 1) of l states among n patterns, and positions (n,) of the patterns."""
    return np.arange(l)[:, None] + align(l, n), np.arange(n)
