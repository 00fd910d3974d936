"""Errors of a result relative to its bounds: the worst entry, how many are wrong, and where."""
import numpy as np

__all__ = ["ratios", "worst_entry", "in_eps", "extent", "of_sizes", "heat"]

WELL = 64       # eps, beyond which a bound is that of an ill-conditioned problem
GRID = 24       # most rows and columns of a heat map


def ratios(y, right):
    """|y - right| / bound at each entry: 0 where they are equal, infinite for a wrong NaN."""
    with np.errstate(all="ignore"):
        y = y.astype(np.longdouble)
        same = (y == right.value) | np.isnan(y) & np.isnan(right.value)
        miss = np.where(same, 0.0, np.abs(y - right.value)).astype(float)
        miss = np.where(np.isnan(miss) & np.isfinite(right.radius), np.inf, miss)
        ratio = np.where(miss == 0, 0.0, miss / np.where(right.radius > 0, right.radius, 1e-300))
        return np.where(np.isinf(right.radius), 0.0, np.where(np.isnan(ratio), np.inf, ratio))


def worst_entry(y, right):
    """(error / bound, index, got, want, bound) at the entry of largest relative error."""
    if y.size == 0:
        return 0.0, (), None, None, None
    ratio = ratios(y, right)
    at = np.unravel_index(int(np.argmax(ratio)), ratio.shape)
    return (float(ratio[at]), tuple(map(int, at)), float(y[at]), float(right.value[at]),
            float(right.radius[at]))


def in_eps(y, right, dtype):
    """The largest error, relative to the largest entry of the result, in eps of a number format.

    It is 0 where the problem is not well-conditioned: where the bound of an entry exceeds 64 eps.
    """
    eps = 2.0**-7 if dtype == "bfloat16" else float(np.finfo(dtype).eps)
    if right.dtype.kind != "f" or right.value.size == 0 or not np.all(np.isfinite(right.value)):
        return 0.0
    unit = float(eps * np.max(np.abs(right.value)))
    if not 0 < np.max(right.radius) <= WELL * unit:
        return 0.0
    with np.errstate(all="ignore"):
        miss = np.abs(y.astype(np.longdouble) - right.value) / unit
    return float(np.max(np.where(np.isnan(miss), np.inf, miss)))


def extent(y, right):
    """How many entries are wrong and by how much, as the fields of a finding."""
    ratio = ratios(y, right)
    return of_sizes(ratio > 1, y, right.value) | {"heat": heat(ratio)}


def of_sizes(wrong, y, want):
    """The number of wrong entries, and the largest absolute and relative error among them."""
    with np.errstate(all="ignore"):
        gap = np.abs(np.asarray(y, np.longdouble) - want)[wrong]
        gap = np.where(np.isnan(gap), np.inf, gap)
        scale = np.abs(np.asarray(want, np.longdouble))[wrong]
        relative = (gap / scale)[(scale > 0) & np.isfinite(scale)]
    return {"wrong": int(np.sum(wrong)), "entries": int(np.size(wrong)),
            "max_abs": float(np.max(gap, initial=0)),
            "max_rel": float(np.max(relative)) if relative.size else None}


def heat(ratio):
    """The errors in units of the bound as a table: the last two axes, the largest over others."""
    if ratio.ndim == 0 or ratio.size == 0:
        return []
    table = ratio.reshape(-1, *ratio.shape[-2:]).max(axis=0) if ratio.ndim > 1 else ratio[None]
    for axis in (0, 1):
        starts = np.linspace(0, table.shape[axis], min(table.shape[axis], GRID), endpoint=False)
        table = np.maximum.reduceat(table, starts.astype(int), axis=axis)
    return [[float(f"{v:.3g}") for v in row] for row in table]
