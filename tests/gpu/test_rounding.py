"""Fused operations of the interpreter are rounded once, in each direction."""
from fractions import Fraction

import numpy as np
import pytest

from tests.gpu.ptx import rounding


def numbers(scale, kind, seed=0):
    rng = np.random.default_rng(seed)
    a, b, c = rng.normal(size=(3, 60)) * 2.0 ** rng.integers(-scale, scale + 1, (3, 60))
    with np.errstate(all="ignore"):
        a, b, c = (v.astype(kind) for v in (a, b, c))
        close = np.nextafter(a * b, kind(0))
        return [np.concatenate(v) for v in ((a, a, a, a), (b, b, b, b),
                                            (c, -a * b, -close, a * b * kind(2.0**53)))]


@pytest.mark.parametrize("direction", rounding.DIRECTIONS)
@pytest.mark.parametrize("kind, scale", [(np.float32, 3), (np.float32, 60), (np.float64, 3),
                                         (np.float64, 300), (np.float64, 530)])
def test_fused_operations_are_rounded_once(kind, scale, direction):
    """The result is on the right side of the exact one, and no neighbour is closer."""
    operands = numbers(scale, kind)
    with np.errstate(all="ignore"):
        y = rounding.fma(*operands, direction)
    for got, *given in zip(y, *operands):
        if not np.isfinite([got, *given]).all() or abs(got) > np.finfo(kind).max / 2:
            continue
        exact = Fraction(float(given[0])) * Fraction(float(given[1])) + Fraction(float(given[2]))
        error = Fraction(float(got)) - exact
        step = Fraction(float(np.spacing(abs(got))))
        assert {"rn": abs(error) <= step / 2, "rm": -step < error <= 0, "rp": 0 <= error < step,
                "rz": abs(error) < step and abs(Fraction(float(got))) <= abs(exact)}[direction]


@pytest.mark.parametrize("size", [1.0, -1.0, 2.0**-127])
def test_a_fused_sum_beside_half_way_between_two_numbers_is_rounded_once(size):
    """In double precision it is half-way, from which another rounding would lead to an even one."""
    step = np.spacing(np.float32(size))                 # 2^-23 or 2^-149
    root, c = np.sqrt(abs(float(step)) / 2), np.float32([size]) + step
    a, b = np.float32([root * (1 + 2.0**-20)]), np.float32([root * (1 - 2.0**-20)])
    assert rounding.fma(a, b * np.sign(step), c) == c
