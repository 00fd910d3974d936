"""Argument validation for functions that are not operations; errors name the function called."""
import numpy as np

from hopref.errors import DomainError, DTypeError, ShapeError, naming

__all__ = ["validated", "vectors"]


def validated(op, name, *args, **kwargs):
    """Operands validated by ``op``; its errors name the function ``theory.<name>``."""
    with naming(f"hopref.theory.{name}"):
        return op.prepare(*args, **kwargs).args


def vectors(dims="...,d", **given):
    """Convert to finite float64 arrays whose last axes agree and whose other axes broadcast."""
    arrays = {name: _numbers(name, v, dims) for name, v in given.items()}
    shapes = [v.shape for v in arrays.values()]
    try:
        np.broadcast_shapes(*(shape[:-1] for shape in shapes))
        agree = len({shape[-1] for shape in shapes}) == 1
    except ValueError:
        agree = False
    if not agree:
        raise ShapeError(f"{' and '.join(given)} must agree in d and in their leading axes; "
                         f"got {', '.join(map(str, shapes))}")
    return list(arrays.values())


def _numbers(name, v, dims):
    try:
        v = np.asarray(v)
    except ValueError:
        raise ShapeError(f"{name} must be rectangular; got a ragged sequence") from None
    if v.dtype.kind not in "fiu":
        raise DTypeError(f"{name} must hold real numbers; got {v.dtype}")
    if v.ndim < 1 or dims == "n,d" and (v.ndim != 2 or not len(v)) or not v.shape[-1]:
        raise ShapeError(f"{name} must have shape ({dims}), no axis empty; got {v.shape}")
    if not np.all(np.isfinite(v)):
        at = tuple(map(int, np.argwhere(~np.isfinite(v))[0]))
        raise DomainError(f"{name} must be finite; got {name}{list(at)} = {v[at]}")
    return v.astype(float)
