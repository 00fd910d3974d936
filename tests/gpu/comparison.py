"""What the tests of paths on CuPy arrays share: drawn arrays, and the comparison of a path."""
import numpy as np

from hopref.dispatch.operation import load
from tests.doubles import cupy as double
from tests.fast.agreement import agrees

__all__ = ["compared", "draw"]

OPS = load()


def draw(*shapes, dtype="float32", seed=0):
    """Standard normal numbers."""
    rng = np.random.default_rng(seed)
    return [rng.standard_normal(shape).astype(dtype) for shape in shapes]


def compared(name, given, dtype, **options):
    """The path against the formula, within the derived tolerance."""
    return agrees(OPS[name], given, options, dtype, "cupy", double.asarray, double.asnumpy)
