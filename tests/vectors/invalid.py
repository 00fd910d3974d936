"""Invalid calls, made from valid ones by the declaration, with the error that the contract names.

The class of the error follows from what is invalid, and not from what an operation raises.
"""
import numpy as np

from hopref.dispatch.domains import Array, Choice, Flag, Scalar, Several

__all__ = ["invalid_calls"]

NONEMPTY = "nsmrk"      # axes of patterns, keys, draws, features and repetitions
REAL = (np.nan, np.inf, -np.inf, -1.0, 0.0, 0.5, 2.0, 7.0)
WHOLE = (0, -1, -7)


def invalid_calls(op, given):
    """Triples (what is invalid, error class, arguments) by one change of these arguments each."""
    for k in op.arrays:
        if isinstance(given.get(k), np.ndarray):
            for what, error, x in invalid_arrays(op, given, k):
                yield f"{k} {what}", error, given | {k: x}
    for k, domain in op.domains.items():
        if not isinstance(domain, Array) and k in op.signature.parameters:
            for what, v in invalid_options(domain):
                yield f"{k} {what}", "DomainError", given | {k: v}
    required = [k for k in op.operands if k not in op.defaults]
    absent = op.operands[op.operands.index(required[-1]):]
    yield f"no {required[-1]}", "CallError", {k: v for k, v in given.items() if k not in absent}
    yield "an unknown argument", "CallError", given | {"unknown_argument": 1}


def invalid_arrays(op, given, k):
    """Triples (what is invalid, error class, array) of one argument."""
    x, domain = given[k], op.domains[k]
    yield from wrong_shapes(op, given, k)
    if domain.kind != "real":
        yield "of real numbers", "DTypeError", x.astype(float)
    else:
        yield "of complex numbers", "DTypeError", x.astype(complex)
        yield "of truth values", "DTypeError", x != 0
    if not x.size:
        return
    if domain.kind == "real":
        for v in REAL:
            if domain.holds is not None and not np.all(domain.holds(np, np.asarray(v))):
                for at in sorted({0, x.size - 1}):
                    yield f"with {v} at {at}", "DomainError", replaced(x, at, v)
    if domain.below:
        size = next(given[j].shape[op.arrays[j].index(domain.below) - len(op.arrays[j])]
                    for j in op.arrays if domain.below in op.arrays[j] and j in given)
        for v in (-1, size, size + 5):
            yield f"with the index {v}", "DomainError", replaced(x, x.size - 1, v)
    if domain.structural is not None and x.shape[-1] > 1:
        yield "not symmetric", "DomainError", replaced(x, 1, x.flat[1] + 1.0)


def wrong_shapes(op, given, k):
    """Arrays of another number of axes, with sizes that disagree, and without patterns."""
    x, dims = given[k], op.arrays[k]
    core = dims[dims[:1] == ("...",):]
    others = {d for j, axes in op.arrays.items() if j != k and isinstance(given.get(j), np.ndarray)
              for d in axes}
    if core and (k not in op.optional or not x.size or x.flat[0] != op.defaults[k]):
        yield "without its axes", "ShapeError", np.full((), 3, x.dtype)
    if len(core) == len(dims):
        yield "with another axis", "ShapeError", x[None]
    if len(core) == len(dims) and len(core) > 1:
        yield "without its first axis", "ShapeError", x[0]
    for i, d in enumerate(core, x.ndim - len(core)):
        last = np.take(x, [-1], axis=i) if x.shape[i] else None
        if last is not None and (d in others or core.count(d) > 1):
            yield f"longer along {d}", "ShapeError", np.concatenate([x, last], axis=i)
        if x.shape[i] > 1 and (d in others or core.count(d) > 1):
            yield f"shorter along {d}", "ShapeError", np.take(x, range(x.shape[i] - 1), axis=i)
        if d in NONEMPTY:
            yield f"empty along {d}", "ShapeError", np.take(x, [], axis=i)


def replaced(x, at, v):
    """The array with one entry replaced."""
    x = x.copy()
    x.flat[at] = v
    return x


def invalid_options(domain):
    """Pairs (what is invalid, value) of numbers, flags and names outside of a domain."""
    if isinstance(domain, Scalar):
        if domain.kind is int:
            yield from ((f"= {v}", v) for v in WHOLE if not domain.holds(v))
            yield "not an integer", 1.5
        else:
            yield from ((f"= {v}", v) for v in REAL if not domain.holds(v))
        yield "a truth value", True
        yield "a text", "1"
    elif isinstance(domain, Flag):
        yield "a number", 1
        yield "a text", "yes"
    elif isinstance(domain, Choice):
        yield "an unknown name", "no-such-name"
        yield "a number", 1
    elif isinstance(domain, Several):
        yield "without names", ()
        yield "with an unknown name", ("no-such-name",)
