"""Feature maps of projections by a kernel (see `_projected`), or by products of matrices in blocks
of rows where it does not take them.

The dtype of the features is that of the rows.  Squares of lengths, in units of beta, must be in its
range: a logarithm beyond it is NaN.
"""
import math

from hopref.fast.cupy import _projected, _tiles
from hopref.fast.cupy._linear import Logarithms
from hopref.fast.cupy._tiles import arithmetic, in_arithmetic
from hopref.features import projected

__all__ = ["EXPONENTIALS", "mapped", "logarithms", "values", "log_features", "width"]

EXPONENTIALS = {projected.exp: 1.0, projected.exp_minus: -1.0}
PLAIN = {projected.sin: "sin", projected.cos: "cos"}


def mapped(rule, x, omega, beta, h, functions, A=0.0):
    """``rule(f, u, height, out)`` of each function; A is that of `gerf`."""
    import cupy

    dtype, real, (*lead, d) = x.dtype, arithmetic(x.dtype, beta), x.shape
    x, omega = in_arithmetic(cupy, real, x, omega)
    rows = cupy.reshape(x, (math.prod(lead), d))
    width = _projected.width_for(rows, omega, h, functions)
    if width is None:
        out = _by_products(cupy, rule, rows, omega, beta, h, functions, A)
    else:
        out, _ = _projected.formed(rows, omega, beta, h, functions, width, A=A,
                                   logarithms=rule is logarithms)
    return cupy.astype(cupy.reshape(out, (*lead, out.shape[1])), dtype, copy=False)


def _by_products(cupy, rule, rows, omega, beta, h, functions, A):
    """Features (n, l m) of rows (n, d), whose projections are formed for a block of them."""
    (m, d), item = omega.shape, rows.dtype.itemsize
    out = cupy.empty((len(rows), len(functions) * m), dtype=rows.dtype)
    step = max(_tiles.LEAST_KEYS, _tiles.SCORES // (m * item))
    level, stretch = d / 4 * math.log1p(-4 * A), math.sqrt(1 - 4 * A)
    for start in range(0, len(rows), step):
        block = math.sqrt(beta) * rows[start:start + step]
        height = height_of(cupy, h, block, m) + level
        u = cupy.matmul(block, omega.T)
        if A:
            u *= stretch
            u += A * cupy.sum(omega * omega, axis=-1)
        for i, f in enumerate(functions):
            rule(cupy, f, u, height, out[start:start + step, i * m:(i + 1) * m])
    return out


def height_of(cupy, h, x, m):
    """log h - log(m) / 2 of each row, with an axis for the features."""
    return cupy.expand_dims(h.log(x), -1) - math.log(m) / 2


def logarithms(cupy, f, u, height, out):
    """log|f| + height, NaN where the height is out of range."""
    cupy.add(projected.finite_or_nan(height), f.log(u), out=out)


def values(cupy, f, u, height, out):
    """f e^height, where e^height alone may be out of range."""
    if f in EXPONENTIALS:
        cupy.multiply(u, EXPONENTIALS[f], out=out)
        out += height
        cupy.exp(out, out=out)
        return
    if f in PLAIN:
        getattr(cupy, PLAIN[f])(u, out=out)
    elif f == projected.rectifier:
        cupy.maximum(u, 0.0, out=out)
    else:
        cupy.multiply(f.sign(u), cupy.exp(f.log(u) + height), out=out)
        return
    root, none = cupy.exp(height / 2), out == 0.0
    out *= root
    out *= root
    cupy.copyto(out, 0.0, where=none)


def log_features(features, x, omega, beta):
    """`Logarithms` of random features (..., l, r) of rows (..., l, d) in their dtype."""
    import cupy

    h, functions = features.args
    signed = not all(f in EXPONENTIALS for f in functions)
    rows = cupy.reshape(cupy.ascontiguousarray(x), (math.prod(x.shape[:-1]), x.shape[-1]))
    width = _projected.width_for(rows, omega, h, functions)
    if width is None:
        return _logs_by_products(cupy, h, functions, x, omega, beta, signed)
    found = _projected.formed(rows, omega, beta, h, functions, width, logarithms=True,
                              signs=signed)
    logs, signs = (cupy.reshape(a, (*x.shape[:-1], a.shape[1])) for a in found)
    return Logarithms(cupy, logs, signs) if signed else Logarithms(cupy, logs)


def _logs_by_products(cupy, h, functions, x, omega, beta, signed):
    x = math.sqrt(beta) * x
    u = cupy.matmul(x, omega.T)
    logs = cupy.concat([f.log(u) for f in functions], axis=-1)
    logs += projected.finite_or_nan(height_of(cupy, h, x, len(omega)))
    if not signed:
        return Logarithms(cupy, logs)
    return Logarithms(cupy, logs, cupy.concat([f.sign(u) for f in functions], axis=-1))


def width(features, omega):
    """The number of random features of a row."""
    return len(features.args[1]) * len(omega)
