"""Comparison of a path with the formula, by the derived tolerance."""
import numpy as np

from hopref.check.engine.judge import parts, worst_entry
from hopref.check.tolerance.arithmetic import profile_of
from hopref.check.tolerance.expected import expected


def agrees(op, args, kwargs, dtype, path="numba"):
    """Compare ``op`` on this path with the formula in long double; return the result.

    The arguments are given in ``dtype``.
    """
    correct = expected(op, args, kwargs, profile_of(dtype))
    result = op(*args, **kwargs, backend=path)
    for value, y in zip(parts(correct), parts(result), strict=True):
        y = np.asarray(y)
        assert y.shape == value.shape and y.dtype == dtype
        ratio, at, got, want, bound = worst_entry(y, value)
        assert ratio <= 1, f"{got!r} for {want!r} at {at}: {ratio:.3g} times the bound {bound:.3g}"
    return result
