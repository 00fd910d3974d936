"""Comparison of gradients by automatic differentiation with those of hopref."""
import numpy as np

from hopref.check.engine.judge import parts
from hopref.check.tolerance.arithmetic import PROFILES
from hopref.check.tolerance.expected import tolerance
from hopref.dispatch.operation import load


def compared(name, g, operands, named, theirs):
    """Largest ratio of the differences to the tolerance of a correct candidate."""
    op = load()[f"gradients.{name}"]
    args = (*g, *operands)
    ours = op(*args, **named)
    radii = parts(tolerance(op, args, named, PROFILES["float64"]))
    worst = 0.0
    for a, b, r in zip(ours, theirs, radii):
        off = np.abs(a - b)
        worst = max(worst, float(np.max(off / np.where(off > 0, 2 * r, 1))))
    return worst
