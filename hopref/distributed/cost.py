r"""What an operation over blocks costs: bytes that are read and moved, and the depth of its tree.

With N rows in blocks of c rows there are B = N/c parts of p bytes each, and B - 1 merges.  Only
parts are moved.  A merge has to move one of two parts if they are on different workers:

* at least W - 1 parts are moved, since the parts of W workers come together;
* at most B - 1 are, one for each merge;
* if each worker holds consecutive blocks, a merge moves a part only where it joins ranges that
  begin on different workers, which happens at most once for each level of the tree and each
  boundary of two workers.

The depth is the number of merges on the longest path from a part to the result.
"""
import bisect
import math
from typing import NamedTuple

from hopref.dispatch.domains import count
from hopref.distributed.blocks import blocks_of, sample
from hopref.errors import naming
from hopref.parts.streaming import TWO_OR_MORE

__all__ = ["Cost", "cost", "depth_of", "moved_of"]


class Cost(NamedTuple):
    """Cost of an operation over blocks.

    Attributes
    ----------
    blocks : number of blocks, which is that of parts
    read : bytes of the divided arrays
    part : bytes of one part: its state, and the arguments that are not divided
    merges : number of merges
    depth : merges on the longest path from a part to the result
    moved : bytes of parts moved between workers that hold consecutive blocks
    least, most : bounds of these bytes for any placement of blocks and merges
    """
    blocks: int
    read: int
    part: int
    merges: int
    depth: int
    moved: int
    least: int
    most: int


def cost(op, /, *operands, rows=None, chunk=None, workers=1, split_every=2, **params):
    """Bytes read and moved, and depth, of an operation over blocks, without computing it.

    Source: the tree of `hopref.parts.merge_all` [MO-1].

    Parameters
    ----------
    op : an operation with mergeable parts
    operands, params : arguments of `apply`; of the dask arrays only sizes and dtypes are used
    rows : number of patterns or keys; None for that of the dask arrays
    chunk : number of rows of a block; None for that of the first block
    workers : number of workers
    split_every : number of consecutive parts that are merged at each node of the tree

    Returns
    -------
    Cost

    >>> import dask.array as da
    >>> from hopref import distributed, modern
    >>> X = da.ones((10**6, 64), chunks=(10**5, 64))
    >>> found = distributed.cost(modern.update, [0.0] * 64, X, workers=4)
    >>> found.blocks, found.depth, found.part
    (10, 4, 1040)
    """
    blocks = blocks_of(op, operands, params, "cost")
    with naming("hopref.distributed.cost"):
        workers = count.validate("workers", workers)
        split_every = TWO_OR_MORE.validate("split_every", split_every)
        rows = count.validate("rows", sum(blocks.rows) if rows is None else rows)
        chunk = count.validate("chunk", blocks.rows[0] if chunk is None else chunk)
    number = -(-rows // chunk)
    used = min(workers, number)
    part = _bytes_of(sample(blocks, value=False))
    row = sum(math.prod(n for n in a.shape if n) * a.dtype.itemsize
              for k, a in blocks.empty.items() if k in blocks.each[0])
    return Cost(number, rows * row, part, number - 1, depth_of(number, split_every),
                moved_of(number, used, split_every) * part, (used - 1) * part, (number - 1) * part
                if used > 1 else 0)


def depth_of(number, split_every=2):
    """Merges on the longest path from one of ``number`` parts to the root of the tree."""
    depth, level = None, 0
    while number:
        number, group = divmod(number, split_every)
        paths = [level] * group + ([] if depth is None else [depth])
        for i, path in enumerate(paths):
            depth = path if i == 0 else max(depth, path) + 1
        level += split_every - 1
    return depth


def moved_of(number, workers, split_every=2):
    """Parts that merges move where worker w holds the blocks from w B/W on.

    A merge moves its second part if that begins on another worker than the first.
    """
    borders = [w * number // workers for w in range(workers)]
    crossed, width = 0, 1
    while width < number:
        nodes = number // width             # of this level, each of this many blocks
        for border, end in zip(borders[1:], [*borders[2:], number]):
            first = -(-border // width)
            group_end = -(-first // split_every) * split_every
            crossed += max(0, min(group_end, -(-end // width), nodes) - first)
        group = nodes - nodes % split_every
        if nodes % split_every and number % width:      # with the rest of lower levels
            crossed += _owner(borders, group * width) != _owner(borders, nodes * width)
        width *= split_every
    return crossed


def _owner(borders, block):
    return bisect.bisect_right(borders, block) - 1


def _bytes_of(part):
    """Bytes of the arrays of a part."""
    return sum(getattr(a, "nbytes", 0) for a in (*part.state, *part.arguments.values()))
