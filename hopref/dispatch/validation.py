"""What the door asks of arguments, in this order: place, kind, shape, scalars, memory, values."""
import math
import os
import sys

import numpy as np

from hopref.dispatch.domains import Choice, Several
from hopref.dispatch.namespace import namespace, on_host
from hopref.errors import BackendError, DomainError, DTypeError, ResourceError, ShapeError

__all__ = ["located", "home_of", "admit", "representable"]

INHABITED = frozenset("nsmrk")      # patterns, keys, draws, features, repetitions: sums over them
STREAMED = frozenset("ns")          # of these, axes along which parts come in chunks
KINDS = {"real": ("real floating", "integral"), "bool": "bool", "integer": "integral"}
WORDS = {"real": "hold real numbers", "bool": "be boolean", "integer": "hold integers"}


def located(it, given):
    """The arrays among the arguments, and the one namespace that they belong to."""
    arrays = {k: v for k, v in given.items() if k in it.arrays and not _absent(it, k, v)}
    return arrays, _home(arrays)


def home_of(arrays, xp):
    """Whose arrays a faster path would be given; no faster path takes long double."""
    wide = xp is np and any(getattr(v, "dtype", np.dtype(bool)).itemsize > 8
                            and v.dtype.kind == "f" for v in arrays.values())
    return "longdouble" if wide else xp.__name__.partition(".")[0]


def admit(it, given, arrays, xp, fast, nonfinite, check):
    """The arguments as the path wants them, or the reason why not."""
    arrays = {k: _array(xp, k, v, it.domains[k].kind) for k, v in arrays.items()}
    sizes = _sizes(it, arrays)
    scalars = {k: _scalar(it, k, v) for k, v in given.items()
               if k in it.domains and k not in it.arrays}
    if not fast:
        _fit_memory(it, {**scalars, **sizes})
    to = _dtype(xp, it, arrays, fast)
    arrays = {k: _widened(xp, k, v, it.domains[k].kind, to) for k, v in arrays.items()}
    if xp is np:
        arrays = {k: np.require(v, requirements="CAW" if fast else "CA") for k, v in arrays.items()}
    if it.fits and (complaint := it.fits({**given, **arrays})):
        raise ShapeError(complaint)
    propagate = nonfinite == "propagate"
    looks = nonfinite == "raise" or all(map(on_host, arrays.values()))
    structure = looks and not propagate if check is None else check
    for k, v in arrays.items():
        _values(xp, k, v, it.domains[k], sizes, looks, structure, propagate)
    if it.demands and (looks or check):
        if complaint := it.demands(xp, {**given, **arrays, **scalars}):
            raise DomainError(complaint)
    options = {k: d.resolve(given[k]) for k, d in it.domains.items()
               if isinstance(d, (Choice, Several))}
    absent = {k: it.signature.parameters[k].default for k in it.arrays if k not in arrays}
    return {**absent, **arrays, **scalars, **options}


def _absent(it, k, v):
    """Whether an optional array was left at its neutral value."""
    if k not in it.optional:
        return False
    default = it.signature.parameters[k].default
    truth = isinstance(v, (bool, np.bool_))
    plain = truth or isinstance(v, (int, float))
    return v is default or plain and truth is isinstance(default, bool) and bool(v == default)


def _home(arrays):
    """The one namespace that all arrays belong to; lists and numbers count as NumPy."""
    homes = {k: _lives(k, v) for k, v in arrays.items()}
    if len(set(homes.values())) > 1:
        places = ", ".join(f"{k} in {home.__name__}" for k, home in homes.items())
        raise BackendError(f"all arrays must live in one place; got {places}")
    return next(iter(homes.values()), np)


def _lives(k, v):
    if isinstance(v, np.ndarray) or not hasattr(v, "shape"):
        return np
    if hasattr(v, "__array_namespace__") or type(v).__module__.partition(".")[0] == "cupy":
        return namespace(v)
    if hasattr(v, "__dlpack_device__") or hasattr(v, "__dask_graph__"):
        raise DTypeError(f"{k} must be a NumPy, CuPy or array-API array; got {_kind(v)}: "
                         "convert it yourself, for example with numpy.asarray")
    return np


def _kind(v):
    return f"{type(v).__module__.partition('.')[0]}.{type(v).__name__}"


def _array(xp, k, v, kind):
    """``v`` as an array of the right kind of numbers, not yet converted."""
    if xp is np:
        if isinstance(v, (np.ma.MaskedArray, np.matrix)) or _kind(v).startswith("scipy"):
            raise DTypeError(f"{k} must be a plain array; got {type(v).__name__}")
        try:
            v = np.asarray(v)
        except ValueError:
            raise ShapeError(f"{k} must be rectangular; got a ragged sequence") from None
        except TypeError as error:
            raise DTypeError(f"{k} must {WORDS[kind]}; got {error}") from None
        right = v.dtype.kind in {"real": "fiu", "bool": "b", "integer": "iu"}[kind] \
            or kind == "real" and v.dtype.name == "bfloat16"
        if v.size == 0 and v.dtype == np.float64 and kind != "real":
            right, v = True, v.astype(bool if kind == "bool" else np.int64)     # [] has no dtype
    else:
        right = xp.isdtype(v.dtype, KINDS[kind])
    if not right:
        raise DTypeError(f"{k} must {WORDS[kind]}; got {v.dtype}")
    return v


def _sizes(it, arrays):
    """The size that each axis name stands for; the same wherever the name stands."""
    sizes, seen_in = {}, {}
    for k, a in arrays.items():
        dims = it.arrays[k]
        batched = dims[:1] == ("...",)
        core = dims[batched:]
        lead = a.ndim - len(core)
        if lead < 0 or lead and not batched:
            raise ShapeError(f"{k} must have shape ({', '.join(dims)}); got {tuple(a.shape)}")
        named = list(zip(core, a.shape[lead:], strict=True))
        if batched:
            named.append(("...", tuple(a.shape[:lead])))
        for dim, size in named:
            first = seen_in.setdefault(dim, k)
            if sizes.setdefault(dim, size) != size:
                what = "the leading axes" if dim == "..." else dim
                raise ShapeError(f"{what} must be the same in {first} and {k} of {it.shapes}; "
                                 f"got {sizes[dim]} and {size}")
            if dim in INHABITED and size == 0:
                raise ShapeError(f"{dim} must be at least 1; got {k} of shape {tuple(a.shape)}")
    for dim, k in seen_in.items():
        if dim[0].isdigit() and sizes[dim] != int(dim[:-1]) * sizes[dim[-1]]:
            raise ShapeError(f"{dim} must be {int(dim[:-1]) * sizes[dim[-1]]}; got {k} of shape "
                             f"{tuple(arrays[k].shape)}")
    return sizes


def _scalar(it, k, v):
    """An admitted number, flag or seed; options stay names until the demands were heard."""
    domain = it.domains[k]
    if v is None and it.signature.parameters[k].default is None:
        return None
    admitted = domain.admit(k, v)
    return v if isinstance(domain, (Choice, Several)) else admitted


def _fit_memory(it, sizes):
    """Refuse, before anything is allocated, an array that would not fit."""
    if it.scratch is None:
        return
    need = 8 * math.prod(math.prod(sizes[d]) if d == "..." else sizes[d] for d in it.scratch)
    limit = sys.modules["hopref"].memory_limit
    limit = _half_of_memory() if limit is None else limit
    if need > limit:
        need = min(need, 2**1000)       # no float holds more
        raise ResourceError(f"an array ({','.join(it.scratch)}) must fit in {limit / 2**30:.3g} GiB"
                            f" (hopref.memory_limit); got {need / 2**30:.3g} GiB: {_instead(it)}")


def _instead(it):
    """What to do about an array that would not fit."""
    ways = {"backend='numba' forms no such array": "numba" in it.paths,
            "hopref.parts.stream takes chunks": it.parts and STREAMED & set(it.scratch)}
    rest = "pass the states in blocks" if "..." in it.scratch else "ask for less at once"
    return " and ".join(way for way, open_ in ways.items() if open_) or rest


def _half_of_memory():
    try:
        return os.sysconf("SC_PHYS_PAGES") * os.sysconf("SC_PAGE_SIZE") / 2
    except (AttributeError, ValueError, OSError):
        return math.inf


def _dtype(xp, it, arrays, fast):
    """float64, or wider if given so; faster paths keep float32."""
    real = [a.dtype for k, a in arrays.items() if it.domains[k].kind == "real"]
    if xp is np:
        if fast and real and all(d == np.float32 for d in real):
            return np.dtype(np.float32)
        wide = any(d.kind == "f" and d.itemsize > 8 for d in real)
        return np.dtype(np.longdouble if wide else np.float64)
    if xp.result_type(xp.float64) != xp.float64:
        raise DTypeError(f"arrays must be convertible to float64; got {xp.__name__} without it")
    return xp.float64


def _widened(xp, k, v, kind, to):
    if kind == "bool":
        return v
    if kind == "integer":
        return xp.astype(v, xp.int64, copy=False)
    if xp is np:
        wide = v.astype(to, copy=False)
        if v.dtype.kind in "iu" and v.dtype.itemsize == 8:
            _exactly(k, v, wide)
        return wide
    wide = xp.astype(v, to, copy=False)
    if xp.isdtype(v.dtype, "integral") and on_host(v):
        _all(xp, k, v, xp.abs(wide) < 2.0**53, "integers below 2**53 in size")
    return wide


def _exactly(k, whole, wide):
    """64-bit integers beyond 2**53 may have no float64."""
    for at in np.argwhere(np.abs(wide) >= 2.0**53):
        at = tuple(at)
        if int(wide[at]) != int(whole[at]):
            raise DomainError(f"{k} must be integers that float64 holds exactly; "
                              f"got {_entry(k, at)} = {whole[at]}")


def representable(it, given, y):
    """The result, if it is one of its domain; the host looks at what lies on it."""
    empty = given.get("empty_row")
    for part in y if isinstance(y, tuple) else (y,):
        part = np.asarray(part) if isinstance(part, (float, np.generic)) else part
        xp = namespace(part)
        if empty != empty or not on_host(part) or not xp.isdtype(part.dtype, "real floating"):
            continue                                    # NaN answers an empty row where asked for
        if not bool(xp.all(it.result.holds(xp, part))):
            got = "NaN" if bool(xp.any(xp.isnan(part))) else "an infinity"
            raise DomainError(f"hopref.{it.name}: the result must be {it.result.said}, within "
                              f"the range of {part.dtype}, and so must sums on its way; got {got}.")
    return y


def _values(xp, k, v, domain, sizes, looks, structure, propagate):
    """Indices in range, numbers in their domain (NaN and inf too unless they are to propagate)."""
    if domain.below and looks:
        size = sizes[domain.below]
        _all(xp, k, v, (v >= 0) & (v < size), f"indices in 0..{size - 1}")
    if domain.holds and looks:
        right = domain.holds(xp, v)
        _all(xp, k, v, right | ~xp.isfinite(v) if propagate else right, domain.said)
    if domain.structural and structure:
        _all(xp, k, v, domain.structural(xp, v), domain.said)


def _all(xp, k, v, ok, said):
    if not bool(xp.all(ok)):
        at = tuple(int(i[0]) for i in xp.nonzero(~ok)) if v.ndim else ()
        got = v[at] if xp is np else float(v[at])
        raise DomainError(f"{k} must be {said}; got {_entry(k, at)} = {got}")


def _entry(k, at):
    return f"{k}[{', '.join(map(str, at))}]" if at else k
