"""Versions of operations that are right in float64, and of which the numbers overflow in float16.

They compute in the format of their arguments, and take exponentials of the scores as they are.
An implementation that first subtracts the maximum is honest in float16.
"""
import numpy as np

from hopref.check.bugs import BUGS
from hopref.check.bugs import load as load_bugs
from hopref.vectors.judging import compared

__all__ = ["FLAG", "BUG", "VERSIONS", "answered", "overflows", "parts_of"]

FLAG, BUG = "float16-overflow", "numbers overflow in float16"
UNSHIFTED = "exponentials without subtracting the maximum"
load_bugs()


def log_of_sum(z, /, *, beta=1.0):
    return np.log(np.sum(np.exp(z.dtype.type(beta) * z), axis=-1)) / z.dtype.type(beta)


def energy(xi, X, /, *, beta=1.0):
    b, longest = X.dtype.type(beta), np.max(np.sum(X * X, axis=-1))
    return np.sum(xi * xi, axis=-1) / 2 + longest / 2 + np.log(X.dtype.type(len(X))) / b \
        - log_of_sum(xi @ X.T, beta=beta)


def softmax(z, /, *, beta=1.0, bias=0.0, where=True, empty_row="zeros"):
    e = np.where(where, np.exp(z.dtype.type(beta) * z + np.asarray(bias, z.dtype)), 0)
    total, empty = np.sum(e, axis=-1, keepdims=True), 0.0 if empty_row == "zeros" else np.nan
    return np.where(total == 0, empty, e / total)


VERSIONS = {**{op: bug for (op, name), bug in BUGS.items() if name == UNSHIFTED},
            "maps.softmax": softmax, "maps.logsumexp": log_of_sum, "modern.energy": energy}


def overflows(row):
    """Whether the version of the operation is right in float64 and wrong in float16 in this row."""
    version = VERSIONS.get(row.op)
    if version is None or row.dtype != "float16" or row.limit:
        return False
    half, double = (answered(row, version, dtype) for dtype in ("float16", "float64"))
    if half is None or double is None or compared(row, double):
        return False
    lost = any(not np.all(np.isfinite(part[np.isfinite(right.value)]))
               for part, right in zip(parts_of(half), row.results, strict=True))
    return lost and bool(compared(row, half))


def answered(row, function, dtype):
    """The results for arguments in a format; None if the function raises an error or has none."""
    given = {k: v.astype(dtype) if getattr(v, "dtype", None) in (np.float32, np.float16) else v
             for k, v in (*row.args.items(), *row.params.items())}
    try:
        with np.errstate(all="ignore"):
            return function(*(given[k] for k in row.args), **{k: given[k] for k in row.params})
    except Exception:
        return None             # an exception is seen without vectors


def parts_of(y):
    """The results of an operation as arrays."""
    return [np.asarray(part) for part in (y if isinstance(y, tuple) else (y,))]
