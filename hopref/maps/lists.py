"""Pairs (row, column) in lists: who looks at whom, with work in proportion to their number."""
from hopref.dispatch.namespace import namespace


def listed_once(rows, columns, many_rows, many_columns):
    """The pairs in order; whether each is the first of its kind; where each row starts and stops.

    The last two have one entry for each of ``many_rows`` rows, empty ones too.
    """
    xp = namespace(rows)
    order = xp.argsort(rows * many_columns + columns)
    i, j = xp.take(rows, order, axis=0), xp.take(columns, order, axis=0)
    head = min(1, rows.shape[0])
    rest = rows.shape[0] - head
    repeated = (i[head:] == i[:rest]) & (j[head:] == j[:rest])
    first = xp.concat([xp.ones_like(i[:head], dtype=xp.bool), ~repeated])
    every = xp.arange(many_rows, dtype=xp.int64)
    start, stop = (xp.searchsorted(i, every, side=side) for side in ("left", "right"))
    return i, j, first, start, stop


def over_rows(join, values, nothing, start, stop):
    """``join`` of values[start:stop] for every row; ``nothing`` is its neutral element.

    Neighbours are joined two by two, so that any run is made of a few whole blocks: O(e + l log e)
    work for e values in l rows, and a sum's error grows like log e.
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
    """Columns (l, b) that a window reaches from each of l queries, and which of them exist."""
    xp, n = namespace(X), X.shape[0]
    reach = min(width, (queries + n) // dilation + 1)
    steps = xp.arange(-reach, 1 if causal else reach + 1, dtype=xp.int64)
    here = xp.arange(queries, dtype=xp.int64) + align(queries, n)
    columns = here[:, None] + dilation * steps
    exists = (columns >= 0) & (columns < n)
    return xp.where(exists, columns, 0), exists
