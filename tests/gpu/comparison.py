"""What the tests of paths on CuPy arrays share: drawn arrays, and the comparison of a path."""
from dataclasses import replace

import numpy as np
import pytest

from hopref.check.tolerance.arithmetic import profile_of
from hopref.check.tolerance.expected import expected
from hopref.dispatch.operation import load
from tests.doubles import cupy as double
from tests.fast.agreement import agrees, agrees_with

__all__ = ["compared", "compared_in_half", "draw", "half_profile", "in_steps"]

OPS = load()


def in_steps(few, many=1):
    """Call a test with the ``step`` between the cases that it takes; with ``many`` it is slow."""
    return pytest.mark.parametrize("step", [
        pytest.param(few, id="few"), pytest.param(many, id="many", marks=pytest.mark.slow)])


def draw(*shapes, dtype="float32", seed=0):
    """Standard normal numbers."""
    rng = np.random.default_rng(seed)
    return [rng.standard_normal(shape).astype(dtype) for shape in shapes]


def compared(name, given, dtype, **options):
    """The path against the formula, within the derived tolerance."""
    return agrees(OPS[name], given, options, dtype, "cupy", double.asarray, double.asnumpy)


def half_profile(name):
    """Half arrays with all arithmetic in float32; results are rounded once more."""
    return replace(profile_of(f"{name}-mixed"), u_s=0.0, u_p=0.0)


def compared_in_half(op, case, dtype, to_device, to_host):
    """The path on arrays of half precision, within the tolerance of float32 and one rounding."""
    def stored(a):
        if not isinstance(a, np.ndarray):
            return a
        return to_device(a.astype(dtype) if a.dtype.kind == "f" else a)
    args, options = [stored(a) for a in case.args], {k: stored(v) for k, v in case.kwargs.items()}
    y = to_host(op(*args, **options, backend="cupy"))
    assert y.dtype == dtype, case.name
    agrees_with(y.astype(np.float32), expected(op, case.args, case.kwargs,
                                               half_profile(np.dtype(dtype).name)))
