"""Validation of arguments, in this order: place, kind, shape, numbers, memory, values.

Values on a device are inspected only with ``nonfinite="raise"``.
"""
import math
from collections.abc import Mapping
from typing import Any

import numpy as np

from hopref.dispatch.declaration import Declaration
from hopref.dispatch.domains import Array
from hopref.dispatch.memory import fit_copies, fit_scratch, laid_out
from hopref.dispatch.namespace import namespace, on_host
from hopref.errors import BackendError, DomainError, DTypeError, ShapeError

__all__ = ["located", "home_of", "validate", "numpy_array"]

# The one object for each of these native dtypes.
FLOAT64, FLOAT32, INT64, BOOL = map(np.dtype, (np.float64, np.float32, np.int64, np.bool_))
NONEMPTY = frozenset("nsmrk")       # patterns, keys, draws, features, repetitions: sums over them
KINDS = {"real": ("real floating", "integral"), "bool": "bool", "integer": "integral"}
WORDS = {"real": "hold real numbers", "bool": "be boolean", "integer": "hold integers"}
HALVES = ("float16", "bfloat16")
DTYPES = {"real": "fiu", "bool": "b", "integer": "iu"}

Arrays = dict[str, Any]
Sizes = dict[str, Any]              # an int for each axis name, a tuple for "..."


def located(op: Declaration, given: Mapping[str, Any]) -> tuple[Arrays, Any]:
    """The arrays among the arguments, and the one namespace that they belong to.

    Lists and numbers count as NumPy.
    """
    arrays, plain = {}, True
    for k in op.arrays:
        v = given[k]
        if type(v) is np.ndarray:
            arrays[k] = v
        elif not _absent(op, k, v):
            arrays[k], plain = v, False
    if plain:
        return arrays, np
    homes = {k: _home(op, k, v) for k, v in arrays.items()}
    if len(set(homes.values())) > 1:
        places = ", ".join(f"{k} in {home.__name__}" for k, home in homes.items())
        raise BackendError(f"all arrays must be in one place; got {places}")
    return arrays, next(iter(homes.values()), np)


def home_of(arrays: Arrays, xp: Any) -> str:
    """Name of the package of the arrays, or "longdouble", which no faster path supports."""
    wide = xp is np and any([getattr(v, "dtype", FLOAT64).itemsize > 8 and v.dtype.kind == "f"
                             for v in arrays.values()])
    return "longdouble" if wide else xp.__name__.partition(".")[0]


def validate(op: Declaration, given: Mapping[str, Any], arrays: Arrays, xp: Any, fast: bool,
             half: bool, nonfinite: str | None, check: bool | None) -> dict[str, Any]:
    """The arguments converted for the path; raises an error if they are invalid."""
    arrays = {k: _array(xp, k, v, op.array_domains[k].kind) for k, v in arrays.items()}
    sizes = _sizes(op, arrays)
    arrays |= {k: _zeros(xp, op.arrays[k], sizes, arrays) for k in op.zeros - arrays.keys()}
    numbers = {k: None if (v := given[k]) is None and op.defaults.get(k, k) is None
               else domain.validate(k, v) for k, domain in op.scalars.items()}
    options = {k: domain.validate(k, given[k]) for k, domain in op.choices.items()}
    if op.scratch and not fast:
        fit_scratch(op, {**numbers, **sizes})
    arrays = _converted(op, xp, arrays, fast, half)
    named = {k: domain.unresolved(given[k]) for k, domain in op.choices.items()}
    if op.shape_rule and (violation := op.shape_rule({**given, **numbers, **named, **arrays})):
        raise ShapeError(violation)
    propagate = nonfinite == "propagate"
    look = nonfinite == "raise" or xp is np or all([on_host(v) for v in arrays.values()])
    structure = look and not propagate if check is None else check
    for k, v in arrays.items():
        domain = op.array_domains[k]
        entries = look and not (xp is np and _plainly_valid(v, op.squares[k]))
        if entries or domain.structural:
            _verify_values(xp, k, v, domain, sizes, entries, structure, propagate)
    if op.precondition and (look or check):
        if violation := op.precondition(xp, {**given, **numbers, **named, **arrays}):
            raise DomainError(violation)
    absent = {k: op.defaults[k] for k in op.optional if k not in arrays}
    return {**absent, **arrays, **numbers, **options}


# ---- place and kind -----------------------------------------------------------------------------

def _absent(op: Declaration, k: str, v: Any) -> bool:
    """Whether an optional array was left at its neutral value, or a 0 stands for zeros."""
    if k not in op.optional and k not in op.zeros:
        return False
    default = op.defaults.get(k, 0.0)
    if v is default:
        return True
    truth = isinstance(v, (bool, np.bool_))
    number = truth or isinstance(v, (int, float))
    return number and truth is isinstance(default, bool) and bool(v == default)


def _home(op: Declaration, k: str, v: Any) -> Any:
    """The namespace of one argument."""
    if isinstance(v, np.ndarray) or not hasattr(v, "shape"):
        return np
    if hasattr(v, "__array_namespace__") or type(v).__module__.partition(".")[0] == "cupy":
        return namespace(v)
    if hasattr(v, "__dask_graph__") and op.parts:
        raise DTypeError(f"{k} must be a NumPy, CuPy or array-API array; got {_type_name(v)}: "
                         "pass its chunks to hopref.parts.stream")
    if hasattr(v, "__dlpack_device__") or hasattr(v, "__dask_graph__"):
        raise DTypeError(f"{k} must be a NumPy, CuPy or array-API array; got {_type_name(v)}: "
                         "convert it yourself, for example with numpy.asarray")
    return np


def _type_name(v: Any) -> str:
    return f"{type(v).__module__.partition('.')[0]}.{type(v).__name__}"


def _array(xp: Any, k: str, v: Any, kind: str) -> Any:
    """``v`` as an array of the right kind of numbers, not yet converted."""
    if xp is np:
        if type(v) is np.ndarray and kind == "real" and (v.dtype is FLOAT64
                                                         or v.dtype is FLOAT32):
            return v
        return numpy_array(k, v, kind)
    brain = kind == "real" and getattr(v.dtype, "name", "") == "bfloat16"
    if not (brain or xp.isdtype(v.dtype, KINDS[kind])):
        raise DTypeError(f"{k} must {WORDS[kind]}; got {v.dtype}")
    return v


def numpy_array(k: str, v: Any, kind: str = "real") -> Any:
    """``v`` as a NumPy array of real numbers, booleans or integers, of the dtype that it has."""
    if isinstance(v, (np.ma.MaskedArray, np.matrix)) or _type_name(v).startswith("scipy"):
        raise DTypeError(f"{k} must be a plain array; got {type(v).__name__}")
    try:
        a = np.asarray(v)
    except MemoryError:
        raise
    except Exception as error:
        if isinstance(v, (list, tuple)) and isinstance(error, ValueError):
            raise ShapeError(f"{k} must be rectangular; got a ragged sequence") from None
        if type(error) is TypeError and not hasattr(type(v), "__array__"):
            raise DTypeError(f"{k} must {WORDS[kind]}; got {error}") from None
        raise DTypeError(f"{k} must be convertible to an array; got {type(error).__name__} from "
                         f"{_type_name(v)}: {error}".rstrip(": ")) from error
    right = a.dtype.kind in DTYPES[kind] or kind == "real" and a.dtype.name == "bfloat16"
    if a.size == 0 and a.dtype == np.float64 and kind != "real":
        right, a = True, a.astype(bool if kind == "bool" else np.int64)     # [] has no dtype
    if not right:
        raise DTypeError(f"{k} must {WORDS[kind]}; got {a.dtype}")
    return a


# ---- shape --------------------------------------------------------------------------------------

def _sizes(op: Declaration, arrays: Arrays) -> Sizes:
    """The size of each axis name, which must be the same wherever the name occurs."""
    sizes: Sizes = {}
    for k, batched, core in op.layout:
        if k not in arrays:
            continue
        shape = arrays[k].shape
        lead = len(shape) - len(core)
        if lead < 0 or lead and not batched:
            raise ShapeError(f"{k} must have shape ({', '.join(op.arrays[k])}); "
                             f"got {tuple(shape)}{_reshaped(core, shape)}")
        for dim, size in zip(core, shape[lead:]):
            if sizes.setdefault(dim, size) != size:
                raise _disagreement(op, arrays, dim, k, sizes[dim], size)
            if size == 0 and dim in NONEMPTY:
                raise ShapeError(f"{dim} must be at least 1; got {k} of shape {tuple(shape)}")
        if batched:
            leading = tuple(shape[:lead])
            if sizes.setdefault("...", leading) != leading:
                raise _disagreement(op, arrays, "...", k, sizes["..."], leading)
    for dim in op.multiples & sizes.keys():
        wanted = int(dim[:-1]) * sizes[dim[-1]]
        if sizes[dim] != wanted:
            k = next(k for k in arrays if dim in op.arrays[k])
            raise ShapeError(f"{dim} must be {wanted}; got {k} of shape {tuple(arrays[k].shape)}")
    return sizes


def _zeros(xp: Any, dims: tuple[str, ...], sizes: Sizes, arrays: Arrays) -> Any:
    """Zeros in the place of a number, with the sizes and a dtype of the other arrays."""
    core = [sizes[dim] for dim in dims if dim != "..."]
    return xp.zeros((*sizes.get("...", ()), *core), dtype=next(iter(arrays.values())).dtype)


def _reshaped(core: tuple[str, ...], shape: tuple[int, ...]) -> str:
    """Advice for arrays with too many axes, such as images: one pattern is one row."""
    if len(shape) <= len(core) or len(set(core)) < len(core):
        return ""
    kept = shape[:len(core) - 1]
    return f": reshape it to {(*kept, math.prod(shape[len(kept):]))}, one pattern a row"


def _disagreement(op: Declaration, arrays: Arrays, dim: str, k: str, first: Any, size: Any
                  ) -> ShapeError:
    """The error for two sizes of one axis name."""
    other = next(other for other in arrays if dim in op.arrays[other])
    what = "the leading axes" if dim == "..." else dim
    advice = ""
    for name, wanted in ((other, size), (k, first)):
        shape = arrays[name].shape
        if dim == op.arrays[name][-1] and op.arrays[name][0] == "...":
            for kept in range(len(shape) - 1):
                if math.prod(shape[kept:]) == wanted:
                    advice = f": reshape {name} to {(*shape[:kept], wanted)}"
    return ShapeError(f"{what} must be the same in {other} and {k} of {op.shapes}; "
                      f"got {first} and {size}{advice}")


# ---- conversion ---------------------------------------------------------------------------------

def _converted(op: Declaration, xp: Any, arrays: Arrays, fast: bool, half: bool) -> Arrays:
    """The arrays in the dtypes and the layout that the path takes."""
    if xp is np and _converted_already(op, arrays, fast):
        return arrays
    to = _dtype(xp, op, arrays, fast, half)
    if xp is np:
        fit_copies(op, arrays, to, fast)
    arrays = {k: _widened(xp, k, v, op.array_domains[k].kind, to) for k, v in arrays.items()}
    if xp is np:
        wanted: Any = "CAW" if fast else "CA"
        arrays = {k: np.require(v, requirements=wanted) for k, v in arrays.items()}
    return arrays


def _converted_already(op: Declaration, arrays: Arrays, fast: bool) -> bool:
    """Whether NumPy's arrays have one of the dtypes that the path takes, and its layout."""
    single = fast and any([v.dtype is FLOAT32 for v in arrays.values()])
    dtypes = {"real": FLOAT32 if single else FLOAT64, "integer": INT64, "bool": BOOL}
    return all([v.dtype is dtypes[op.array_domains[k].kind] and laid_out(v, fast)
                for k, v in arrays.items()])


def _dtype(xp: Any, op: Declaration, arrays: Arrays, fast: bool, half: bool) -> Any:
    """float64, or wider if given so; faster paths keep float32, and some half precision."""
    real = [a.dtype for k, a in arrays.items() if op.array_domains[k].kind == "real"]
    if fast and real and all(d == np.float32 for d in real):
        return np.dtype(np.float32)
    if half and real and real[0].name in HALVES and all(d == real[0] for d in real):
        return real[0]
    if xp is np:
        wide = any(d.kind == "f" and d.itemsize > 8 for d in real)
        return np.dtype(np.longdouble) if wide else FLOAT64
    if xp.result_type(xp.float64) != xp.float64:
        enable = ": set jax.config.update('jax_enable_x64', True) before arrays are made" \
            if xp.__name__.startswith("jax") else ""
        raise DTypeError("arrays must be convertible to float64; "
                         f"got {xp.__name__} without it{enable}")
    return xp.float64


def _widened(xp: Any, k: str, v: Any, kind: str, to: Any) -> Any:
    if kind == "bool":
        return v
    if kind == "integer":
        return xp.astype(v, xp.int64, copy=False)
    if xp is np:
        wide = v.astype(to, copy=False)
        if v.dtype.kind in "iu" and v.dtype.itemsize == 8:
            _verify_exact(k, v, wide)
        return wide
    wide = xp.astype(v, to, copy=False)
    if on_host(v) and xp.isdtype(v.dtype, "integral"):
        _verify(xp, k, v, xp.abs(wide) < 2.0**53, "integers below 2**53 in size")
    return wide


def _verify_exact(k: str, whole: Any, wide: Any) -> None:
    """Raise for 64-bit integers beyond 2**53 that have no float64."""
    for at in map(tuple, np.argwhere(np.abs(wide) >= 2.0**53)):
        if int(wide[at]) != int(whole[at]):
            raise DomainError(f"{k} must be integers that float64 holds exactly; "
                              f"got {_entry(k, at)} = {whole[at]}")


# ---- values -------------------------------------------------------------------------------------

def _plainly_valid(v: Any, squares: float) -> bool:
    """Whether the sum of squares is below ``squares``, which is sufficient for valid entries.

    Rounding is monotonic: a computed sum of squares is no smaller than any of its terms.
    """
    return (v.dtype is FLOAT64 or v.dtype is FLOAT32) and 0 < squares > float(np.vdot(v, v))


def _verify_values(xp: Any, k: str, v: Any, domain: Array, sizes: Sizes, entries: bool,
                   structure: bool, propagate: bool) -> None:
    """Indices in range, numbers in their domain (NaN and inf too unless they are to propagate)."""
    if domain.below and entries:
        size = sizes[domain.below]
        _verify(xp, k, v, (v >= 0) & (v < size), f"indices in 0..{size - 1}")
    if domain.holds and entries:
        right = domain.holds(xp, v)
        _verify(xp, k, v, right | ~xp.isfinite(v) if propagate else right, domain.description)
    if domain.structural and structure:
        _verify(xp, k, v, domain.structural(xp, v), domain.description)


def _verify(xp: Any, k: str, v: Any, right: Any, description: str) -> None:
    if not bool(xp.all(right)):
        at = tuple(int(i[0]) for i in xp.nonzero(~right)) if v.ndim else ()
        got = v[at] if xp is np else float(v[at])
        raise DomainError(f"{k} must be {description}; got {_entry(k, at)} = {got}")


def _entry(k: str, at: tuple[int, ...]) -> str:
    return f"{k}[{', '.join(map(str, at))}]" if at else k
