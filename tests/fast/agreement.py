"""Whether a path's answer lies within the derived tolerance of the truth."""
import numpy as np

from hopref.check.engine.judge import parts, worst_entry
from hopref.check.tolerance.arithmetic import profile_of
from hopref.check.tolerance.expected import expected


def agrees(op, args, kwargs, dtype, path="numba"):
    """``op`` on this path, against the formula in long double; arguments already in ``dtype``."""
    truth = expected(op, args, kwargs, profile_of(dtype))
    answer = op(*args, **kwargs, backend=path)
    for ball, y in zip(parts(truth), parts(answer), strict=True):
        y = np.asarray(y)
        assert y.shape == ball.shape and y.dtype == dtype
        ratio, at, got, want, bound = worst_entry(y, ball)
        assert ratio <= 1, f"{got!r} for {want!r} at {at}: {ratio:.3g} times the bound {bound:.3g}"
    return answer
