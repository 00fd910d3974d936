"""Families of numbers: distributions of the entries of arrays, ordinary and adversarial.

A family transforms standard normal numbers: ``both`` those of states, patterns and scores,
``states`` those of the first operand, ``keys`` those of patterns and keys, or of the only operand,
and ``rest`` weights, thresholds and values.  Rows are the vectors that a rule compares; each score
is a row of its own.
"""
import math
from collections.abc import Callable
from dataclasses import dataclass, field

import numpy as np

__all__ = ["BETA", "FAMILIES", "Family"]

BETA = 0.75


def unchanged(x, it):
    return x


@dataclass(frozen=True)
class Family:
    """A distribution of numbers, with the inverse temperature that suits it.

    ``it`` holds the ``largest`` number, the ``smallest`` normal one and the ``ulp`` of the format.
    """
    name: str
    both: Callable = unchanged
    states: Callable = unchanged
    keys: Callable = unchanged
    rest: Callable = unchanged
    sizes: dict = field(default_factory=dict)
    beta: float = BETA
    whole: bool = False                 # integers
    stress_for_kernels: bool = False
    default_options: bool = False       # no option is passed
    infinite: bool = False              # scores of -inf and of large size
    correlated: bool = False            # equal numbers, whose rounding errors have equal signs


def unit(x, it):
    norm = np.sqrt(np.sum(x * x, axis=-1, keepdims=True))
    return x / np.where(norm > 0, norm, 1)


def longer(factor):
    return lambda x, it: x * factor


def large(x, it):
    """Rows of norm about 1e8, or smaller if scores would overflow in the format."""
    return x * min(1e8, math.sqrt(it["largest"]) / 1e3)


def small(x, it):
    """Numbers whose products are normal, where the format has such."""
    return x * max(2.0**-30, math.sqrt(it["smallest"]))


def subnormal(x, it):
    return x * it["smallest"] / 8


def offset(x, it):
    return x + min(1e6, math.sqrt(it["largest"]) / 1e3)


def one_ulp_apart(x, it):
    """All rows equal the first, except that each differs from the next by one ulp."""
    rows = np.broadcast_to(x[..., :1, :], x.shape)
    return rows * (1 + it["ulp"] * np.arange(x.shape[-2])[:, None])


def equal(x, it):
    return np.broadcast_to(x[..., :1, :], x.shape).copy()


def with_zero_row(x, it):
    """The last row is 0, as padding is."""
    return np.concatenate([x[..., :-1, :], 0 * x[..., -1:, :]], axis=-2)


def signs(x, it):
    """Numbers -1 and 1; the first of each row is 1, so that sums reach the number of rows."""
    x = np.where(x > 0, 1.0, -1.0)
    x[..., :1] = 1.0
    return x


FAMILIES = {family.name: family for family in [
    Family("gauss"),
    Family("defaults", default_options=True),
    Family("unit norm, beta 25", both=unit, beta=25.0),
    Family("long keys", both=longer(2.0)),
    Family("scores about 30", both=longer(6.0)),
    Family("beta 1e4", both=unit, beta=1e4, stress_for_kernels=True),
    Family("norms 1e8", both=large, stress_for_kernels=True),
    Family("offset 1e6", keys=offset, stress_for_kernels=True),
    Family("one ulp apart", keys=one_ulp_apart, beta=2.0, correlated=True),
    Family("equal patterns", keys=equal, correlated=True),
    Family("zero states, beta 1e6", states=longer(0.0), beta=1e6, stress_for_kernels=True),
    Family("small numbers", both=small, rest=small, stress_for_kernels=True),
    Family("small states", states=small, stress_for_kernels=True),
    Family("subnormal numbers", both=subnormal, stress_for_kernels=True),
    Family("small values", rest=small),
    Family("large values", rest=large),
    Family("six slow steps", both=longer(0.25), sizes={"steps": 6}),
    Family("integers", whole=True),
    Family("ties", whole=True),
    Family("130 patterns of signs", both=signs, sizes={"n": 130}),
    Family("infinite scores", infinite=True),
    Family("a zero row", both=with_zero_row),
]}
