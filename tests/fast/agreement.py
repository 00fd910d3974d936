"""Comparison of a path with the formula by the derived tolerance; rows left to the formula."""
import numpy as np

from hopref.check.engine.judge import parts, worst_entry
from hopref.check.tolerance.arithmetic import PROFILES, profile_of
from hopref.check.tolerance.expected import expected


def agrees(op, args, kwargs, dtype, path="numba", to_device=lambda a: a, to_host=np.asarray):
    """Compare ``op`` on this path with the formula in long double; return the result.

    The arguments are given in ``dtype``, in the memory of the host.
    """
    correct = expected(op, args, kwargs, profile_of(dtype))
    given = {k: to_device(v) if isinstance(v, np.ndarray) else v for k, v in kwargs.items()}
    result = op(*map(to_device, args), **given, backend=path)
    for value, y in zip(parts(correct), parts(result), strict=True):
        y = to_host(y)
        assert y.shape == value.shape and y.dtype == dtype
        ratio, at, got, want, bound = worst_entry(y, value)
        assert ratio <= 1, f"{got!r} for {want!r} at {at}: {ratio:.3g} times the bound {bound:.3g}"
    return result


def near_the_formula(op, args, kwargs, path, to_device, to_host, digits=4):
    """Compare a path with the formula in long double, also where a product of the dtype overflows.

    There the derived tolerance is infinite, because an honest implementation may overflow.
    """
    def moved(function, given):
        return {k: function(v) if isinstance(v, np.ndarray) else v for k, v in given.items()}

    def wide(a):
        return a.astype(np.longdouble) if a.dtype.kind == "f" else a
    result = op(*map(to_device, args), **moved(to_device, kwargs), backend=path)
    want = op(*map(wide, args), **moved(wide, kwargs))
    for y, right in zip(parts(result), parts(want), strict=True):
        with np.errstate(over="ignore", under="ignore"):
            right = np.asarray(right, to_host(y).dtype)
        size = np.max(np.abs(right), initial=0, where=np.isfinite(right))
        np.testing.assert_allclose(to_host(y), right, rtol=10.0**-digits,
                                   atol=size * 10.0**-digits)


def agrees_in_double(op, args, kwargs):
    """Results in single precision are those of double precision, rounded once."""
    correct = expected(op, args, kwargs, PROFILES["float64"])
    result = op(*args, **kwargs, backend="numba")
    for right, y in zip(parts(correct), parts(result), strict=True):
        with np.errstate(over="ignore"):
            near = np.float32(right.value)
        half = np.spacing(np.abs(np.where(np.isfinite(near), near, 0)).astype("float32")) / 2.0
        off = np.abs(y - right.value)
        assert np.all((y == near) | (off <= right.radius + half))


def to_four_ulp(op, z, **options):
    """The result, compared with the formula in long double; entries and their support."""
    p, want = op(z, **options, backend="numba"), op(z.astype(np.longdouble), **options)
    ulp = np.spacing(want.max(axis=-1, keepdims=True).astype(z.dtype))
    assert p.dtype == z.dtype and np.max(np.abs(p - want) / ulp) <= 4
    assert np.array_equal(p > 0, want.astype(z.dtype) > 0)
    return p


def rows_by_formula(monkeypatch, maps):
    """A list to which each call of `_by_formula` of the kernels of maps adds its number of rows."""
    rows, original = [], maps._by_formula

    def counted(rule, scores, seen, left, options):
        rows.append(int(left.sum()))
        return original(rule, scores, seen, left, options)
    monkeypatch.setattr(maps, "_by_formula", counted)
    return rows
