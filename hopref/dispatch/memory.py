"""Tests, before allocation, of whether the arrays of a call fit in memory."""
import functools
import math
import os
import sys
from collections.abc import Mapping
from typing import Any

import numpy as np

from hopref.dispatch.declaration import Declaration
from hopref.errors import DomainError, ResourceError

__all__ = ["fit_scratch", "fit_copies", "laid_out", "memory_limit"]

STREAMED = frozenset("ns")          # axes along which parts come in chunks


def fit_scratch(op: Declaration, sizes: Mapping[str, Any]) -> None:
    """Raise, before anything is allocated, if an array of the formula would not fit."""
    need = 8 * math.prod([math.prod(sizes[d]) if d == "..." else sizes[d] for d in op.scratch])
    if need > (limit := memory_limit()):
        raise _too_large(f"an array ({','.join(op.scratch)})", need, limit, _instead(op))


def fit_copies(op: Declaration, arrays: Mapping[str, Any], to: Any, fast: bool) -> None:
    """Raise, before anything is allocated, if the converted copy of an argument would not fit."""
    limit = memory_limit()
    for k, v in arrays.items():
        dtype = {"real": to, "integer": np.dtype(np.int64)}.get(op.array_domains[k].kind, v.dtype)
        need = v.size * dtype.itemsize
        if need > limit and not (v.dtype == dtype and laid_out(v, fast)):
            raise _too_large(f"a C-ordered {dtype} copy of {k}", need, limit, _instead(op))


def laid_out(v: Any, fast: bool) -> bool:
    """Whether this is a C-ordered, aligned array, and writeable if a faster path takes it."""
    flags = v.flags
    return type(v) is np.ndarray and flags.c_contiguous and flags.aligned and (
        not fast or flags.writeable)


def _too_large(what: str, need: int, limit: float, advice: str) -> ResourceError:
    need = min(need, 2**1000)       # no float holds more
    return ResourceError(f"{what} must fit in {limit / 2**30:.3g} GiB (hopref.memory_limit); "
                         f"got {need / 2**30:.3g} GiB: {advice}")


def _instead(op: Declaration) -> str:
    """Advice for an array that does not fit in memory."""
    axes = {dim for dims in op.arrays.values() for dim in dims} if not op.scratch else op.scratch
    ways = {"backend='numba' forms no such array": op.scratch and "numba" in op.paths,
            "hopref.parts.stream takes chunks": op.parts and STREAMED & set(axes)}
    rest = "pass the states in blocks" if "..." in axes else "ask for less at once"
    return " and ".join(way for way, possible in ways.items() if possible) or rest


def memory_limit() -> float:
    """The bytes that one array may take: `hopref.memory_limit`, or half of the memory."""
    limit = sys.modules["hopref"].memory_limit
    if limit is None:
        return _half_of_memory()
    if isinstance(limit, (bool, np.bool_)) or not isinstance(
            limit, (int, float, np.integer, np.floating)) or not limit >= 0:
        raise DomainError("the limit hopref.memory_limit must be None or a number of bytes >= 0; "
                          f"got {limit!r}")
    return float(limit)


@functools.cache
def _half_of_memory() -> float:
    try:
        return os.sysconf("SC_PHYS_PAGES") * os.sysconf("SC_PAGE_SIZE") / 2
    except (AttributeError, ValueError, OSError):
        return math.inf
