"""Parts of operations: what some chunks contribute, and the answer of all of them."""
import functools
from collections.abc import Callable
from typing import NamedTuple

from hopref.dispatch.domains import Choice, Scalar
from hopref.dispatch.namespace import namespace, on_host
from hopref.dispatch.operation import bind, numpy_scalars, unchecked
from hopref.dispatch.validation import NONEMPTY
from hopref.errors import CallError, DomainError, RangeError, ShapeError, naming
from hopref.parts.chunks import (
    by_name,
    by_position,
    in_step,
    kind_of,
    left_out,
    no_row,
    numbered,
    row_of_zeros,
    served,
    size_of,
    with_axis,
)

__all__ = ["Part", "stream", "scan", "of", "merge", "merge_all", "value"]

SEVERAL = Scalar("an integer >= 2", lambda v: v >= 2, int)


class Part(NamedTuple):
    """What ``rows`` rows contribute to an operation: a state of its kind of parts.

    ``others`` are the arguments that do not come in chunks, admitted, with options by name.  Parts
    pickle.
    """
    op: Callable
    state: tuple
    rows: int
    others: dict


def stream(op, /, *operands, nonfinite=None, **params):
    """The answer of an operation whose patterns, or keys, come in chunks; one pass over them.

    Source: online softmax, and sums that merge [MO-1, MO-2, MO-4, MO-5, MO-7].

    .. math:: \\mathrm{value}(p_1 \\oplus p_2 \\oplus \\dots), \\quad p_i = \\mathrm{of}(chunk_i)

    Parameters
    ----------
    op : an operation with mergeable parts; ``hopref ops`` lists them
    operands, params : those of the operation, but an iterable of chunks, such as `chunks_of` or a
        generator, wherever it takes an array with an axis n of patterns or s of keys (l of
        positions, for causal attention): ``mask=`` and ``bias=`` of keys too, if given

    Returns
    -------
    what the operation returns, up to rounding.  The same chunks give the same bits: they are merged
    in their order by the tree of `merge_all`.  Two chunks at most are held at a time, and a state
    for each doubling of their number.

    Notes
    -----
    Each chunk is validated.  An error names its number, from 0.  A chunk may be empty.

    >>> from hopref import modern, parts
    >>> parts.stream(modern.update, [2.0], parts.chunks_of([[1.0], [1.0], [-1.0]], 2), beta=50.0)
    array([1.])
    """
    kind = served(op, "stream")
    found = _tree(_parts(op, operands, params, nonfinite), 2, merge)
    if not found:
        raise ShapeError(f"hopref.{op.name}: {kind.axis} must be at least 1; got no chunk.")
    return value(*found)


def of(op, /, *operands, nonfinite=None, **params):
    """The part of one chunk, given in its place among the operation's arguments.

    >>> from hopref import parts, storage
    >>> part = parts.of(storage.hebbian, [[1.0, -1.0]], zero_diagonal=True)
    >>> parts.value(parts.merge(part, part))
    array([[ 0., -2.],
           [-2.,  0.]])
    """
    kind = served(op, "of")
    with naming(f"hopref.{op.name}"):
        given = bind(op, operands, params)
        chunked = [k for k in with_axis(op, kind) if not left_out(op, k, given[k])]
        rows = max(size_of(op, kind, k, given[k]) for k in chunked)
        whole = _judged_by_the_whole(op, given)
    of_a_chunk = {"k": min(whole.get("k", 1), max(rows, 1)), "empty_row": "zeros"}
    given |= {k: of_a_chunk[k] for k in whole}
    given |= {k: row_of_zeros(op, kind, k, given[k]) for k in chunked if rows == 0}
    call = op.prepare(*by_position(op, given), nonfinite=nonfinite, backend="formula",
                    **by_name(op, given))
    options = {k: given[k] for k, d in op.domains.items() if isinstance(d, Choice)}
    given = dict(zip(op.signature.parameters, call.args, strict=False)) | call.kwargs
    given |= options | whole
    if rows == 0:
        given |= {k: no_row(op, kind, k, given[k]) for k in chunked}
    with naming(f"hopref.{op.name}"), unchecked():
        state = kind.of(**_resolved(op, given))
        if nonfinite != "propagate" and any(map(_holds_nan, state)):
            raise RangeError("scores and sums must stay below 2^1023 in size where chunks are to "
                             "be merged; got more")
    return Part(op, state, rows, {k: v for k, v in given.items() if k not in with_axis(op, kind)})


def merge(a, b, /):
    """The part of the chunks of both; a comes first, where the order matters.

    >>> from hopref import modern, parts
    >>> a, b = (parts.of(modern.update, [0.0], X) for X in ([[1.0]], [[2.0], [3.0]]))
    >>> parts.value(parts.merge(a, b))
    array([2.])
    """
    if not (isinstance(a, Part) and isinstance(b, Part)):
        raise CallError("hopref.parts.merge: a and b must be parts; "
                        f"got {type(a).__name__} and {type(b).__name__}.")
    if a.op.name != b.op.name:
        raise CallError("hopref.parts.merge: a and b must be parts of one operation; "
                        f"got {a.op.name} and {b.op.name}.")
    for k in a.others:
        if not _equal(a.others[k], b.others[k]):
            raise DomainError(f"hopref.parts.merge: {k} must be the same in both parts of "
                              f"{a.op.name}; got two.")
    with unchecked():
        return a._replace(state=kind_of(a.op).merge(a.state, b.state), rows=a.rows + b.rows)


def merge_all(parts, /, *, split_every=2, merge=merge):
    """All parts as one, by a tree: each ``split_every`` in their order, then of these again.

    ``merge=dask.delayed(hopref.parts.merge)`` builds the same tree of delayed parts, and so gives
    the same bits.

    >>> from hopref import parts, storage
    >>> patterns = [[[1.0]], [[2.0]], [[3.0]]]
    >>> parts.value(parts.merge_all(parts.of(storage.hebbian, X) for X in patterns))
    array([[14.]])
    """
    with naming("hopref.parts.merge_all"):
        split_every = SEVERAL.validate("split_every", split_every)
    found = _tree(parts, split_every, merge)
    if not found:
        raise CallError("hopref.parts.merge_all: parts must hold at least one part; got none.")
    return found[0]


def value(part, /):
    """What the operation answers to all chunks of a part.

    >>> from hopref import maps, parts
    >>> float(parts.value(parts.of(maps.logsumexp, [3.0, float("-inf")])))
    3.0
    """
    if not isinstance(part, Part):
        raise CallError(f"hopref.parts.value: part must be a part; got {type(part).__name__}.")
    op, kind = part.op, served(part.op, "value")
    with naming(f"hopref.{op.name}"):
        if part.rows == 0 and kind.axis in NONEMPTY:
            raise ShapeError(f"{kind.axis} must be at least 1; got no row in any chunk")
        if part.rows < part.others.get("k", 0):
            raise DomainError(f"k must be at most {part.rows}, the number there is; "
                              f"got k={part.others['k']}")
        with unchecked():
            return numpy_scalars(kind.value(part.state, **_resolved(op, part.others)))


def scan(op, /, *operands, nonfinite=None, **params):
    """Causal attention, chunk after chunk: what the operation returns for each.

    Source: Choromanski et al. 2021, eq. (11) [MO-3].

    .. math:: (Z_i, S_i, z_i) = \\mathrm{op}(chunk_i; S_{i-1}, z_{i-1})

    The operation itself, handed on its own state: where `stream` returns the results of all
    positions, this holds one chunk of them at a time.

    >>> from hopref import attention, parts
    >>> ones, V = [[[1.0]], [[1.0]]], [[[4.0]], [[8.0]]]
    >>> for Z, S, z in parts.scan(attention.causal_linear_attention, ones, ones, V):
    ...     print(Z)
    [[4.]]
    [[6.]]
    """
    if getattr(op, "parts", None) != "causal":
        raise CallError("hopref.parts.scan: op must be causal attention; "
                        f"got {getattr(op, 'name', op)!r}.")
    return _carried(op, in_step(op, operands, params), nonfinite)


def _judged_by_the_whole(op, given):
    """What no chunk can tell: whether k are there, and whether a row is empty."""
    whole = {"empty_row": "raise"} if _is_raise(given.get("empty_row")) else {}
    return whole | ({"k": op.domains["k"].validate("k", given["k"])} if "k" in given else {})


def _holds_nan(a):
    """Whether an array of a state that the host can look at holds NaN."""
    return hasattr(a, "dtype") and hasattr(a, "shape") and a.dtype != bool \
        and on_host(namespace(a).asarray(a)) and bool(namespace(a).any(a != a))


def _resolved(op, given):
    """Names of options turned into what they name; "raise" is for the whole to see."""
    return {k: op.domains[k].resolve(v) if isinstance(op.domains[k], Choice) and not _is_raise(v)
            else v for k, v in given.items()}


def _is_raise(v):
    return isinstance(v, str) and v == "raise"


def _equal(a, b):
    """Whether two admitted arguments are the same; on a device only their shapes are compared."""
    if a is b:
        return True
    if not hasattr(a, "shape"):
        return type(a) is type(b) and (a == b or a != a and b != b)
    if getattr(b, "shape", None) != a.shape or namespace(a) is not namespace(b):
        return False
    return not on_host(a) or bool(namespace(a).all((a == b) | ((a != a) & (b != b))))


def _parts(op, operands, params, nonfinite):
    for i, (args, kwargs) in enumerate(in_step(op, operands, params)):
        with numbered(i):
            yield of(op, *args, nonfinite=nonfinite, **kwargs)


def _carried(op, chunks, nonfinite):
    carry, names = {}, ("S", "z", "c")[:len(op.outputs) - 1]
    for i, (args, kwargs) in enumerate(chunks):
        with numbered(i):
            result = op(*args, nonfinite=nonfinite, **kwargs | carry)
        carry = dict(zip(names, result[1:], strict=True))
        yield result


def _tree(parts, split_every, merge):
    """The merged part in a list, empty if there is none; each level holds an unfinished group."""
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
