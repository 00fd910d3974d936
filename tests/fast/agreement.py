"""Comparison of a path with the formula by the derived tolerance; rows left to the formula."""
from dataclasses import replace

import numpy as np

from hopref.check.engine.judge import parts, worst_entry
from hopref.check.tolerance.arithmetic import PROFILES, profile_of
from hopref.check.tolerance.expected import expected
from hopref.check.tolerance.toleranced import Toleranced


def agrees(op, args, kwargs, dtype, path="numba", to_device=lambda a: a, to_host=np.asarray,
           correct=None):
    """Compare ``op`` on this path with the formula in long double; return the result.

    The arguments are given in ``dtype``, in the memory of the host.  ``correct`` holds the results
    within their tolerances; by default those of an honest implementation in this format.
    """
    correct = expected(op, args, kwargs, profile_of(dtype)) if correct is None else correct
    given = {k: to_device(v) if isinstance(v, np.ndarray) else v for k, v in kwargs.items()}
    result = op(*map(to_device, args), **given, backend=path)
    results_agree(result, correct, dtype, to_host)
    return result


def results_agree(result, correct, dtype, to_host=np.asarray):
    """Results in ``dtype`` are within the tolerances of known ones."""
    for value, y in zip(parts(correct), parts(result), strict=True):
        y = to_host(y)
        assert y.dtype == dtype
        agrees_with(y, value)


def agrees_with(y, value):
    """``y`` is a known result within its tolerance; one beyond the range of its dtype is infinite.
    """
    assert y.shape == value.shape
    with np.errstate(over="ignore"):
        beyond = np.isinf(value.value.astype(y.dtype))
    want = np.where(beyond, np.copysign(np.inf, value.value), value.value)
    value = Toleranced(want, value.radius, value.profile)
    ratio, at, got, want, bound = worst_entry(y, value)
    assert ratio <= 1, f"{got!r} for {want!r} at {at}: {ratio:.3g} times the bound {bound:.3g}"


def near_the_formula(op, args, kwargs, path, to_device, to_host):
    """`agrees` where a product leaves the range of the dtype, with all bounds finite.

    There the tolerance is infinite, because an honest implementation may lose the product; a path
    that scales its numbers has that of an arithmetic whose exponents are not bounded.
    """
    dtype = args[0].dtype.name
    plain = profile_of(dtype)
    wide, correct = replace(plain, most=np.inf, eta=0.0), []
    for value in parts(expected(op, args, kwargs, wide)):
        assert np.all(np.isfinite(value.radius))
        correct.append(Toleranced(value.value, value.radius + plain.eta, wide))    # as it is stored
    return agrees(op, args, kwargs, dtype, path, to_device, to_host, tuple(correct))


def agrees_in_double(op, args, kwargs):
    """Results in single precision are those of double precision, rounded once."""
    correct = expected(op, args, kwargs, PROFILES["float64"])
    result = op(*args, **kwargs, backend="numba")
    for right, y in zip(parts(correct), parts(result), strict=True):
        with np.errstate(over="ignore"):
            near = np.float32(right.value)
        half = np.spacing(np.abs(np.where(np.isfinite(near), near, 0)).astype("float32")) / 2.0
        with np.errstate(invalid="ignore"):                 # -inf is equal to -inf
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
