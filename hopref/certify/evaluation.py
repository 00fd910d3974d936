"""Validation of a call, the choice of the method, and the escalation of the precision."""
import importlib
import importlib.util

import numpy as np

from hopref.certify import float64, large, sums
from hopref.certify.forms import FORMS, Certified
from hopref.dispatch.declaration import bind
from hopref.dispatch.domains import Array
from hopref.dispatch.operation import load
from hopref.dispatch.varied import Split, firsts, varied
from hopref.errors import BackendError, CertificationError, DomainError, PluginError, naming
from hopref.extras import require

__all__ = ["evaluated", "form_of", "has_form", "given_to"]

BITS = tuple(2**k for k in range(7, 15))        # 128, 256, ..., 16384
LARGE = 20000                                   # numbers from which double-double is tried first
METHODS = (None, "balls", "double-double", "float64-bound")
RELIABILITY = ("float64-bound", "double-double", "balls", "exact")


def evaluated(op, arrays, params, max_ulp, method):
    """The certified value; see `hopref.certify.certify`."""
    with naming("hopref.certify"):
        op = _operation(op)
        if not (isinstance(max_ulp, (int, float)) and max_ulp >= 0.5):
            raise DomainError(f"max_ulp must be a number >= 0.5; got {max_ulp!r}")
        if method not in METHODS:
            raise DomainError(f"method must be one of {METHODS}; got {method!r}")
        if not has_form(op.name):
            raise DomainError(f"op must have a certified form; got {op.name}")
        if method in ("double-double", "float64-bound") and op.name not in large.OPERATIONS:
            raise DomainError(f"op must be one of {', '.join(large.OPERATIONS)} for "
                              f"method={method!r}; got {op.name}")
    with naming(f"hopref.{op.name}"):
        numbers = varied(op, params)
    given = given_to(op, arrays, params | firsts(op, numbers))
    with naming("hopref.certify"):
        split = Split(op, given, numbers) if numbers else None
        if split is None or not split.pieces:
            return by_method(op, given, max_ulp, method)
        found = [by_method(op, piece, max_ulp, method) for piece in split.pieces]
        return Certified(split.joined([one.value for one in found]),
                         split.joined([one.bound for one in found]),
                         min((one.method for one in found), key=RELIABILITY.index))


def by_method(op, given, max_ulp, method):
    """The certified value for validated arguments."""
    if op.name not in large.OPERATIONS or method == "balls":
        return by_balls(op, given, max_ulp)
    return by_sums(op, given, max_ulp, method)


def _operation(op):
    ops = load()
    if isinstance(op, str) and op not in ops:
        raise PluginError(f"op must be the name of an operation; got {op!r}")
    op = ops[op] if isinstance(op, str) else op
    if getattr(op, "name", None) not in ops:
        raise DomainError(f"op must be an operation of hopref; got {op!r}")
    return op


def has_form(name):
    """Whether an operation has a certified form, its own or that of what it differentiates."""
    name = name.removeprefix("gradients.")
    module, _, function = name.rpartition(".")
    return function in FORMS.get(module, ())


def form_of(name):
    """The form of an operation, a function of balls."""
    require("flint", extra="certify", caller="certify")
    name = name.removeprefix("gradients.")
    module, _, function = name.rpartition(".")
    return getattr(importlib.import_module(f"hopref.certify.{module.rpartition('.')[2]}"),
                   function)


def given_to(op, arrays, params):
    """The validated arguments by name: NumPy arrays, numbers, and options by their names."""
    call = op.prepare(*arrays, backend="formula", **params)
    given = dict(zip(op.operands, call.args, strict=True)) | call.kwargs
    named = bind(op, arrays, {k: v for k, v in params.items() if k != "check"})
    for k, domain in op.domains.items():
        if hasattr(domain, "unresolved"):
            given[k] = domain.unresolved(named[k])
            plain = given[k] if isinstance(given[k], tuple | list) else (given[k],)
            if not all(isinstance(v, str) for v in plain):
                raise DomainError(f"hopref.certify: {k} must be given by name; got {given[k]!r}.")
    for k, v in given.items():
        if isinstance(op.domains[k], Array) and hasattr(v, "shape") \
                and not isinstance(v, np.ndarray | np.generic):
            raise BackendError(f"hopref.certify: {k} must be a NumPy array; got {type(v)}.")
    return given


def by_sums(op, given, max_ulp, method):
    """The value of a mean or of a log-sum-exp: small ones by balls, if flint is installed."""
    balls = importlib.util.find_spec("flint") is not None
    size = sum(getattr(v, "size", 0) for v in given.values())
    if method is None and balls and size < LARGE:
        return by_balls(op, given, max_ulp)
    best = None
    if method != "float64-bound":
        try:
            found = large.evaluate(op, given, sums)
            if np.all(found.bound <= max_ulp * np.spacing(np.abs(found.value))):
                return Certified(*found, "double-double")
            best = found
        except sums.Unreachable:
            pass
    if method == "double-double":
        raise _failure(f"the bound must be at most {max_ulp} ulp, which double-double arithmetic "
                       "did not give", best)
    if method is None and balls:
        return by_balls(op, given, max_ulp)
    try:
        return Certified(*large.evaluate(op, given, float64), "float64-bound")
    except sums.Unreachable:
        raise _failure("the error of float64 must be bounded, which needs the extra certify",
                       best) from None


def _failure(requirement, best):
    """The error with the tightest bound; ``best`` has a value and a bound, or is None."""
    got = "no bound" if best is None else f"a bound of {ulps(best.value, best.bound):.3g} ulp"
    error = CertificationError(f"{requirement}; got {got}")
    error.best_bound = None if best is None else best.bound
    return error


def ulps(value, bound):
    """The largest bound in ulp of its entry; infinite without a value."""
    pairs = zip(value, bound, strict=True) if isinstance(value, tuple) else [(value, bound)]
    with np.errstate(all="ignore"):
        shares = [np.ravel(b / np.spacing(np.abs(v))) for v, b in pairs]
    return float(np.max(np.nan_to_num(np.concatenate(shares), nan=np.inf), initial=0.0))


def by_balls(op, given, max_ulp):
    """The value by balls of as many bits as the bound needs."""
    form = form_of(op.name)
    from hopref.certify import rounding
    from hopref.certify.balls import Undecided, precision
    from hopref.certify.calls import called
    best = None
    for bits in BITS:
        with precision(bits):
            try:
                results = called(op, form, given)
            except Undecided:
                continue
            found = rounding.certified(results, max_ulp, len(op.outputs))
        if best is None or ulps(found.value, found.bound) <= ulps(best.value, best.bound):
            best = found
        if found.reached:
            return Certified(found.value, found.bound, "exact" if found.exact else "balls")
    raise _failure(f"the bound must be at most {max_ulp} ulp, which {BITS[-1]} bits did not give",
                   best)
