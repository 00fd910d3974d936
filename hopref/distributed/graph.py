"""Graphs of operations over the blocks of dask arrays."""
from hopref import parts
from hopref.dispatch.validation import NONEMPTY
from hopref.distributed.blocks import blocks_of, sample
from hopref.errors import ShapeError, naming
from hopref.models import attention as attention_models
from hopref.models import modern
from hopref.parts.chunks import errors_in_chunk, keywords, kind_of, positional
from hopref.storage import hebbian as hebbian_rule

__all__ = ["apply", "update", "energy", "attention", "causal_linear_attention", "hebbian",
           "merged_parts"]


def apply(op, /, *operands, split_every=2, nonfinite=None, **params):
    """Apply an operation to dask arrays of patterns or keys.

    Source: online softmax and mergeable sums [MO-1, MO-2, MO-5, MO-7].

    Parameters
    ----------
    op : an operation with mergeable parts; ``hopref ops`` lists them
    operands, params : arguments of the operation, with a dask array in place of each array with an
        axis n of patterns or s of keys, including ``mask=`` and ``bias=``; a NumPy array among them
        is divided like the first dask array.  Blocks may be empty and of unknown sizes along this
        axis; other axes become one block.  The other arguments must fit on a worker.
    split_every : number of consecutive parts that are merged at each node of the tree
    nonfinite : "raise" or "propagate"

    Returns
    -------
    dask array, or a tuple of dask arrays, of one block

    Raises
    ------
    CallError : the operation has no parts, or no argument is a dask array
    ShapeError : sizes do not agree, or are unknown along other axes
    HoprefError : a value is invalid; those of a block are found when the result is computed

    Notes
    -----
    For ``split_every=2`` the bits are those of `hopref.parts.stream` over the same blocks.

    >>> import dask.array as da
    >>> from hopref import distributed, storage
    >>> distributed.apply(storage.hebbian, da.ones((4, 2), chunks=(3, 2))).compute()
    array([[4., 4.],
           [4., 4.]])
    """
    blocks = blocks_of(op, operands, params, "apply")
    import dask
    expected = sample(blocks, nonfinite)
    axis = kind_of(op).OPERATIONS[op.name].axis
    if axis in NONEMPTY and sum(blocks.rows) == 0:
        raise ShapeError(f"hopref.{op.name}: {axis} must be at least 1; got no row in any block.")
    tree = merged_parts(blocks, split_every, nonfinite)
    return _as_arrays(dask.delayed(parts.value)(tree), expected)


def merged_parts(blocks, split_every, nonfinite=None):
    """The delayed part of all blocks, merged by the tree of `hopref.parts.merge_all`."""
    import dask
    return parts.merge_all(_delayed_parts(blocks, blocks.op, nonfinite), split_every=split_every,
                           merge=dask.delayed(parts.merge))


def update(xi, X, /, *, beta=1.0, split_every=2):
    """One retrieval step of the modern network.  Source: Ramsauer et al. 2021, eq. (3) [MH-2].

    Parameters
    ----------
    xi : (..., d) states
    X : (n, d) dask array of patterns, divided along n
    beta : inverse temperature
    split_every : number of consecutive parts that are merged at each node of the tree

    Returns
    -------
    (..., d) dask array of one block, as `hopref.modern.update`
    """
    return apply(modern.update, xi, X, beta=beta, split_every=split_every)


def energy(xi, X, /, *, beta=1.0, split_every=2):
    """Energy of the modern network.  Source: Ramsauer et al. 2021, eq. (2) [MH-1].

    Parameters
    ----------
    xi : (..., d) states
    X : (n, d) dask array of patterns, divided along n
    beta : inverse temperature
    split_every : number of consecutive parts that are merged at each node of the tree

    Returns
    -------
    (...) dask array of one block, as `hopref.modern.energy`
    """
    return apply(modern.energy, xi, X, beta=beta, split_every=split_every)


def attention(Q, K, V, /, *, split_every=2, **params):
    """Softmax attention to keys in blocks.  Source: blog eq. (14) [AT-1].

    Parameters
    ----------
    Q : (..., l, d) queries
    K, V : (..., s, d) and (..., s, v) keys and values, at least one a dask array, divided along s
    split_every : number of consecutive parts that are merged at each node of the tree
    params : options of `hopref.attention.softmax_attention`; ``causal=True`` is refused, since
        blocks do not know their positions: pass a mask

    Returns
    -------
    (..., l, v) dask array of one block
    """
    return apply(attention_models.softmax_attention, Q, K, V, split_every=split_every, **params)


def hebbian(X, /, *, scale=1.0, zero_diagonal=False, split_every=2):
    """Weights of Hebb's rule.  Source: blog eq. (1) [CB-4].

    Parameters
    ----------
    X : (n, d) dask array of patterns, divided along n
    scale : factor of the sum
    zero_diagonal : whether the diagonal is set to 0
    split_every : number of consecutive parts that are merged at each node of the tree

    Returns
    -------
    (d, d) dask array of one block, as `hopref.storage.hebbian`; exact for integers
    """
    return apply(hebbian_rule, X, scale=scale, zero_diagonal=zero_diagonal,
                 split_every=split_every)


def causal_linear_attention(phi_q, phi_k, V, /, *, mask=True, S=0.0, z=0.0, eps=0.0,
                            empty_row="zeros", backend=None):
    """Causal linear attention to positions in blocks.  Source: Choromanski et al. 2021, eq. (11).

    Parameters
    ----------
    phi_q, phi_k : (..., l, r) features, at least one a dask array, divided along l
    V : (..., l, v) values
    mask : (..., l), True where a key is visible
    S, z : sums over earlier positions
    eps : stabiliser, added to the denominator
    empty_row : result of a row with a denominator of 0
    backend : path on which a block is computed

    Returns
    -------
    (Z, S, z) : the attention (..., l, v), a dask array in the blocks of the arguments, and the sums
        over all positions, of one block each

    Notes
    -----
    The sums over the keys of each block are merged to those over all earlier blocks by a tree of
    prefixes, of which the depth is twice the logarithm of the number of blocks [MO-3]; each block
    is then computed from the sums before it.

    >>> import dask.array as da
    >>> from hopref import distributed
    >>> ones = da.ones((4, 1), chunks=(2, 1))
    >>> Z, S, z = distributed.causal_linear_attention(ones, ones, da.arange(4, chunks=2)[:, None])
    >>> Z.compute()[:, 0]
    array([0. , 0.5, 1. , 1.5])
    """
    op = attention_models.causal_linear_attention
    options = {"eps": eps, "empty_row": empty_row}
    blocks = blocks_of(op, (phi_q, phi_k, V), {"mask": mask, "S": S, "z": z, **options},
                       "causal_linear_attention")
    import dask
    import dask.array as da
    Z, S_, z_ = sample(blocks)
    each = [{"mask": True, **block} for block in blocks.each]
    keys = [{k: block[k] for k in ("phi_k", "V", "mask")} for block in each]
    summed = blocks._replace(op=attention_models.key_state, each=keys,
                             whole={"S": blocks.whole["S"], "z": blocks.whole["z"]})
    sums = _delayed_parts(summed, summed.op, None)
    before, last = _prefixes(sums, dask.delayed(parts.merge))
    ends = [dask.delayed(_state, nout=2)(part, S, z) for part in (*before, last)]
    results = [dask.delayed(_of_block, pure=False)(op, block, *end, options, backend)
               for block, end in zip(each, ends)]
    axis, rows = Z.ndim - 2, blocks.rows
    pieces = [da.from_delayed(result, (*Z.shape[:-2], n, Z.shape[-1]), Z.dtype)
              for result, n in zip(results, rows)]
    found = da.concatenate(pieces, axis=axis, allow_unknown_chunksizes=True)
    return found, *(_as_arrays(y, like) for y, like in zip(ends[-1], (S_, z_)))


def _delayed_parts(blocks, op, nonfinite):
    """A delayed part of each block."""
    import dask
    part = dask.delayed(part_of_block)
    for i, block in enumerate(blocks.each):
        given = {**blocks.whole, **block}
        yield part(i, op, positional(op, given), nonfinite, keywords(op, given))


def part_of_block(i, op, operands, nonfinite, params):
    """The part of block i; errors state its number."""
    with errors_in_chunk(i):
        return parts.from_chunk(op, *operands, nonfinite=nonfinite, **params)


def _prefixes(items, merge):
    """For each item the merged items before it, None for the first; and all items merged."""
    items = list(items)
    if len(items) == 1:
        return [None], items[0]
    pairs = [merge(a, b) for a, b in zip(items[::2], items[1::2])]
    before, last = _prefixes([*pairs, *items[2 * len(pairs):]], merge)
    found = []
    for i in range(len(items)):
        earlier = before[i // 2]
        found.append(earlier if i % 2 == 0 else
                     items[i - 1] if earlier is None else merge(earlier, items[i - 1]))
    return found, last


def _state(part, S, z):
    """The sums (S, z) of a part, which contains those of the caller; these alone without a part."""
    return (S, z) if part is None else parts.value(part)


def _of_block(op, block, S, z, options, backend):
    """The attention of one block from the sums before it."""
    return op(block["phi_q"], block["phi_k"], block["V"], mask=block["mask"], S=S, z=z, **options,
              backend=backend)[0]


def _as_arrays(delayed, expected):
    """Delayed results as dask arrays of the shapes that are expected."""
    import dask.array as da
    if not isinstance(expected, tuple):
        with naming("hopref.distributed"):
            return da.from_delayed(delayed, getattr(expected, "shape", ()),
                                   getattr(expected, "dtype", float))
    return tuple(_as_arrays(delayed[i], y) for i, y in enumerate(expected))
