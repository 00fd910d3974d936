"""Roots of the equations that define sparse maps, enclosed between two numbers.

The left side ``sum_i share(z_i - tau)`` decreases in tau.  An interval contains the root if the
left side is at least the right side at one end, and at most at the other; no decision is needed
on which entries are positive.
"""
from flint import arb, ctx

from hopref.certify.balls import Undecided
from hopref.certify.derivatives import Variable, detached, implicit

__all__ = ["threshold"]

FIRST = 40              # bisections before Newton's method


def threshold(z, share, slope, whole, low, high):
    """The ball of tau with ``sum_i share(z_i - tau) = whole``, for low <= tau <= high.

    Parameters
    ----------
    z : list of balls or variables
    share : function of a ball, nondecreasing, 0 for negative numbers
    slope : its derivative
    whole : the right side, an integer
    low, high : numbers between which the root is
    """
    values = [detached(v) for v in z]
    root = _enclosed(values, share, slope, whole, low, high)
    if not any(isinstance(v, Variable) for v in z):
        return root
    residual = sum((share(v - root) for v in z), start=arb(0))
    return implicit(root, residual, -sum((detached(slope(v - root)) for v in values), arb(0)))


def _enclosed(z, share, slope, whole, low, high):
    """An interval of about the precision that contains the root."""
    def left(tau):
        return sum((detached(share(v - tau)) for v in z), start=arb(0)) - whole
    low, high = arb(low).lower(), arb(high).upper()
    for _ in range(FIRST):
        middle = ((low + high) / 2).mid()
        found = left(middle)
        if found >= 0:
            low = middle
        elif found <= 0:
            high = middle
        else:
            break
    near = _newton(left, z, slope, ((low + high) / 2).mid(), low, high)
    width = 2 * abs(near) * arb(2) ** -ctx.prec + arb(2) ** (-ctx.prec)
    while width < high - low:
        below, above = (near - width).lower(), (near + width).upper()
        if left(below) >= 0 and left(above) <= 0:
            return below.union(above)
        width = width * 16
    return low.union(high)


def _newton(left, z, slope, tau, low, high):
    """The approximation of the root by Newton's method, kept between the bounds."""
    for _ in range(ctx.prec.bit_length() + 4):
        try:
            rise = sum((detached(slope(v - tau)) for v in z), start=arb(0)).mid()
        except Undecided:
            return tau
        if not rise > 0:
            return tau
        tau = (tau + left(tau).mid() / rise).max(low).min(high).mid()
    return tau
