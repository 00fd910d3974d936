"""Partial results of operations from chunks, and the result of all chunks."""
import functools
import itertools
from collections.abc import Callable
from typing import NamedTuple

from hopref.dispatch.domains import Choice, Scalar
from hopref.dispatch.namespace import namespace, on_host
from hopref.dispatch.operation import bind, numpy_scalars, unchecked
from hopref.dispatch.validation import NONEMPTY
from hopref.errors import CallError, DomainError, RangeError, ShapeError, naming
from hopref.parts.chunks import (
    chunked_names,
    chunked_operation,
    empty_slice,
    errors_in_chunk,
    is_absent,
    keywords,
    kind_of,
    number_of_rows,
    positional,
    row_of_zeros,
    zip_chunks,
)
from hopref.parts.devices import Placement

__all__ = ["Part", "stream", "scan", "from_chunk", "merge", "merge_all", "value"]

TWO_OR_MORE = Scalar("an integer >= 2", lambda v: v >= 2, int)


class Part(NamedTuple):
    """Partial result of an operation, which can be pickled.

    Attributes
    ----------
    op : the operation
    state : state of its kind of parts
    rows : number of rows that the state summarises
    arguments : the validated arguments that are not divided into chunks, with options by name
    backend : the path by which the state was computed
    """
    op: Callable
    state: tuple
    rows: int
    arguments: dict
    backend: str = "formula"


def stream(op, /, *operands, nonfinite=None, backend=None, **params):
    """Apply an operation to patterns or keys in chunks, in one pass over the chunks.

    Source: online softmax and mergeable sums [MO-1, MO-2, MO-4, MO-5, MO-7].

    .. math:: \\mathrm{value}(p_1 \\oplus p_2 \\oplus \\dots), \\quad
        p_i = \\mathrm{from\\_chunk}(chunk_i)

    Parameters
    ----------
    op : an operation with mergeable parts; ``hopref ops`` lists them
    operands, params : arguments of the operation, with an iterable of chunks, such as `chunks_of`
        or a generator, in place of each array with an axis n of patterns, s of keys, or, for causal
        attention, l of positions; this includes ``mask=`` and ``bias=`` if given
    nonfinite : "raise" or "propagate"
    backend : "formula", or "cupy" for the operations in ``hopref.fast.cupy.PARTS``

    Returns
    -------
    the result of the operation, up to rounding

    Notes
    -----
    The chunks are merged in order by the tree of `merge_all`, so that the same chunks give the same
    bits.  At most two chunks are in memory at a time, with a number of states that is logarithmic
    in the number of chunks.  Each chunk is validated, and errors state its number, from 0.  A chunk
    may be empty.  Chunks on other CUDA devices than the current one are processed there, and their
    parts are copied to it; the other arguments must be on the current device.

    >>> from hopref import modern, parts
    >>> parts.stream(modern.update, [2.0], parts.chunks_of([[1.0], [1.0], [-1.0]], 2), beta=50.0)
    array([1.])
    """
    kind = chunked_operation(op, "stream", backend)
    found = _tree(_parts(op, operands, params, nonfinite, backend), 2, merge)
    if not found:
        raise ShapeError(f"hopref.{op.name}: {kind.axis} must be at least 1; got no chunk.")
    return value(*found)


def from_chunk(op, /, *operands, nonfinite=None, backend=None, **params):
    """Compute the partial result of one chunk.

    Parameters
    ----------
    op : an operation with mergeable parts
    operands, params : arguments of the operation, with the chunk in place of the whole array
    nonfinite : "raise" or "propagate"
    backend : as in `stream`

    Returns
    -------
    Part

    >>> from hopref import parts, storage
    >>> part = parts.from_chunk(storage.hebbian, [[1.0, -1.0]], zero_diagonal=True)
    >>> parts.value(parts.merge(part, part))
    array([[ 0., -2.],
           [-2.,  0.]])
    """
    kind = chunked_operation(op, "from_chunk", backend)
    backend = backend or "formula"
    with naming(f"hopref.{op.name}"):
        given = bind(op, operands, params)
        chunked = [k for k in chunked_names(op, kind) if not is_absent(op, k, given[k])]
        rows = max(number_of_rows(op, kind, k, given[k]) for k in chunked)
        whole = _decided_by_all_chunks(op, given)
    of_chunk = {"k": min(whole.get("k", 1), max(rows, 1)), "empty_row": "zeros"}
    given |= {k: of_chunk[k] for k in whole}
    given |= {k: row_of_zeros(op, kind, k, given[k]) for k in chunked if rows == 0}
    call = op.prepare(*positional(op, given), nonfinite=nonfinite, backend=backend,
                      **keywords(op, given))
    options = {k: given[k] for k, d in op.domains.items() if isinstance(d, Choice)}
    given = dict(zip(op.signature.parameters, call.args, strict=False)) | call.kwargs
    given |= options | whole
    if rows == 0:
        given |= {k: empty_slice(op, kind, k, given[k]) for k in chunked}
    with naming(f"hopref.{op.name}"), unchecked():
        state = kind.from_chunk(**_resolved(op, given))
        if nonfinite != "propagate" and any(map(_holds_nan, state)):
            raise RangeError("scores and sums must stay below 2^1023 in size where chunks are to "
                             "be merged; got more")
    divided = chunked_names(op, kind)
    return Part(op, state, rows, {k: v for k, v in given.items() if k not in divided}, backend)


def merge(a, b, /):
    """Merge two partial results of the same operation.

    Parameters
    ----------
    a, b : parts; the chunks of b follow those of a, if the order matters

    Returns
    -------
    Part

    >>> from hopref import modern, parts
    >>> a, b = (parts.from_chunk(modern.update, [0.0], X) for X in ([[1.0]], [[2.0], [3.0]]))
    >>> parts.value(parts.merge(a, b))
    array([2.])
    """
    if not (isinstance(a, Part) and isinstance(b, Part)):
        raise CallError("hopref.parts.merge: a and b must be parts; "
                        f"got {type(a).__name__} and {type(b).__name__}.")
    if a.op.name != b.op.name:
        raise CallError("hopref.parts.merge: a and b must be parts of one operation; "
                        f"got {a.op.name} and {b.op.name}.")
    if a.backend != b.backend:
        raise CallError("hopref.parts.merge: a and b must be parts of one backend; "
                        f"got {a.backend} and {b.backend}.")
    for k in a.arguments:
        if not _equal(a.arguments[k], b.arguments[k]):
            raise DomainError(f"hopref.parts.merge: {k} must be the same in both parts of "
                              f"{a.op.name}; got two.")
    with unchecked():
        return a._replace(state=kind_of(a.op).merge(a.state, b.state), rows=a.rows + b.rows)


def merge_all(parts, /, *, split_every=2, merge=merge):
    """Merge all parts by a tree.

    Parameters
    ----------
    parts : an iterable of parts
    split_every : number of consecutive parts that are merged at each node of the tree
    merge : function that merges two parts; ``dask.delayed(hopref.parts.merge)`` builds the same
        tree of delayed parts, and gives the same bits

    Returns
    -------
    Part

    >>> from hopref import parts, storage
    >>> patterns = [[[1.0]], [[2.0]], [[3.0]]]
    >>> parts.value(parts.merge_all(parts.from_chunk(storage.hebbian, X) for X in patterns))
    array([[14.]])
    """
    with naming("hopref.parts.merge_all"):
        split_every = TWO_OR_MORE.validate("split_every", split_every)
    found = _tree(parts, split_every, merge)
    if not found:
        raise CallError("hopref.parts.merge_all: parts must hold at least one part; got none.")
    return found[0]


def value(part, /):
    """Compute the result of an operation from a part of all chunks.

    Parameters
    ----------
    part : the merged part

    Returns
    -------
    the result of the operation, up to rounding

    >>> from hopref import maps, parts
    >>> float(parts.value(parts.from_chunk(maps.logsumexp, [3.0, float("-inf")])))
    3.0
    """
    if not isinstance(part, Part):
        raise CallError(f"hopref.parts.value: part must be a part; got {type(part).__name__}.")
    op, kind = part.op, chunked_operation(part.op, "value", part.backend)
    with naming(f"hopref.{op.name}"):
        if part.rows == 0 and kind.axis in NONEMPTY:
            raise ShapeError(f"{kind.axis} must be at least 1; got no row in any chunk")
        if part.rows < part.arguments.get("k", 0):
            raise DomainError(f"k must be at most {part.rows}, the number of rows; "
                              f"got k={part.arguments['k']}")
        with unchecked():
            return numpy_scalars(kind.value(part.state, **_resolved(op, part.arguments)))


def scan(op, /, *operands, nonfinite=None, **params):
    """Apply causal attention chunk by chunk; the results are those of each chunk.

    Source: Choromanski et al. 2021, eq. (11) [MO-3].

    .. math:: (Z_i, S_i, z_i) = \\mathrm{op}(chunk_i; S_{i-1}, z_{i-1})

    The operation is called with the state that the previous call returned.  `stream` returns the
    results of all positions together; `scan` requires memory for one chunk only.

    Parameters
    ----------
    op : a causal attention
    operands, params : arguments of the operation, with iterables of chunks of positions
    nonfinite : "raise" or "propagate"

    Returns
    -------
    an iterator over the results

    >>> from hopref import attention, parts
    >>> ones, V = [[[1.0]], [[1.0]]], [[[4.0]], [[8.0]]]
    >>> for Z, S, z in parts.scan(attention.causal_linear_attention, ones, ones, V):
    ...     print(Z)
    [[4.]]
    [[6.]]
    """
    if getattr(op, "parts", None) not in ("causal", "gated"):
        raise CallError("hopref.parts.scan: op must be causal attention; "
                        f"got {getattr(op, 'name', op)!r}.")
    return _scanned(op, zip_chunks(op, operands, params), nonfinite)


def _decided_by_all_chunks(op, given):
    """Options that are validated for all chunks together: k, and the treatment of empty rows."""
    whole = {"empty_row": "raise"} if _is_raise(given.get("empty_row")) else {}
    return whole | ({"k": op.domains["k"].validate("k", given["k"])} if "k" in given else {})


def _holds_nan(a):
    """Whether an array of a state, on the host, holds NaN."""
    return hasattr(a, "dtype") and hasattr(a, "shape") and a.dtype != bool \
        and on_host(namespace(a).asarray(a)) and bool(namespace(a).any(a != a))


def _resolved(op, given):
    """Arguments with the values of named options; "raise" is kept for all chunks together."""
    return {k: op.domains[k].resolve(v) if isinstance(op.domains[k], Choice) and not _is_raise(v)
            else v for k, v in given.items()}


def _is_raise(v):
    return isinstance(v, str) and v == "raise"


def _equal(a, b):
    """Whether two validated arguments are equal; on a device only their shapes are compared."""
    if a is b:
        return True
    if not hasattr(a, "shape"):
        return type(a) is type(b) and (a == b or a != a and b != b)
    if getattr(b, "shape", None) != a.shape or namespace(a) is not namespace(b):
        return False
    return not on_host(a) or bool(namespace(a).all((a == b) | ((a != a) & (b != b))))


def _parts(op, operands, params, nonfinite, backend):
    placement = Placement(op, chunked_names(op, kind_of(op).OPERATIONS[op.name]))
    compute = functools.partial(from_chunk, op, nonfinite=nonfinite, backend=backend)
    numbers = itertools.count()
    for args, kwargs in zip_chunks(op, operands, params):
        with errors_in_chunk(next(numbers)):
            yield placement.part(compute, args, kwargs)


def _scanned(op, chunks, nonfinite):
    state, names = {}, ("S", "z", "c")[:len(op.outputs) - 1]
    for i, (args, kwargs) in enumerate(chunks):
        with errors_in_chunk(i):
            result = op(*args, nonfinite=nonfinite, **kwargs | state)
        state = dict(zip(names, result[1:], strict=True))
        yield result


def _tree(parts, split_every, merge):
    """The merged part in a list, which is empty if there is none.

    Each level holds an unfinished group of parts.
    """
    levels = [[]]
    for part in parts:
        for group in levels:
            group.append(part)
            if len(group) < split_every:
                break
            part = functools.reduce(merge, group)
            group.clear()
        else:
            levels.append([part])
    rest = []
    for group in levels:
        rest = [functools.reduce(merge, group + rest)] if group or rest else []
    return rest
