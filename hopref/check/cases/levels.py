"""What varies between the cases of an operation: factors, and the levels of each.

The factors are the family of numbers, the sizes of axes, the layout of arrays in memory, and every
option and optional array.  A level is a label, part of the name of a case, and its setting.  The
first level of a factor, "", is that of the plainest case.
"""
import math

import numpy as np

from hopref.check.cases.arguments import shape_of, typical, with_multiples
from hopref.check.cases.families import BETA, FAMILIES, unit
from hopref.check.tolerance.arithmetic import PROFILES, largest, round_to
from hopref.dispatch.domains import Array, Choice, Flag, Scalar

__all__ = ["LAYOUTS", "SIZES", "factors", "sizes_of"]

SIZES = {"...": (3,), "d": 6, "e": 5, "n": 7, "l": 5, "s": 7, "v": 3, "r": 8, "m": 8, "k": 4,
         "h": 3, "a": 3, "p": 4, "o": 3, "steps": 3}        # of other axes: `arguments.AXIS`
CLASSES = {
    "single pattern": {"n": 1, "s": 1, "l": 1, "m": 1, "k": 2},
    "d = 1": {"d": 1, "r": 1, "v": 1},
    "no batch": {"...": ()},
    "two leading axes": {"...": (2, 3)},
    "equal leading axes": {"...": (2, 2)},
    "large batch": {"...": (800,), "d": 2, "n": 3, "s": 3, "l": 2, "v": 2, "r": 3, "m": 3},
    "empty batch": {"...": (0,)},
    "many patterns": {"n": 300, "s": 200, "d": 16, "...": (2,)},
    "more queries than keys": {"l": 8, "s": 5},
    "square": dict.fromkeys("delmnrsv", 6),
}
WINDOWED = {"l": 11, "n": 13}           # of windows: longer than the widest of `sweep`
QUERIES = (1, 3, 7, 9, 13)              # of causal attention, beside those of LONG
LONG, LONGER, LONGEST = (17, 130), (65,), 4097      # of one axis; 65 only if thorough
SUCCESSIVE = ("storage.storkey",        # by steps that multiply errors: thousands leave no digit
              "storage.perceptron")     # by a step for each of many visits
MOST_ENTRIES = 2**17                    # of one array
LAYOUTS = ("Fortran order", "reversed strides", "every other entry")
SWEEPS = (                              # values of the first domain that holds a test value
    (0.0, (0.0, 2.0**-20, 0.25)),       # stabilisers
    (2.0**-10, (2.0**-20, 0.3, 120.0, 1e6)),            # inverse temperatures and scales
    (1.0, (1.0, 1.004, 1.05, 1.5, 1.95, 2.0, 3.0, 10.0)),       # exponents, also near special ones
    (1.5, (1.004, 1.05, 1.5, 1.95, 2.0, 3.0, 10.0)),
)


def factors(op, dtype, given, sizes, thorough):
    """{factor: {label: setting}} of an operation, without those whose value is given."""
    found = {"family": {"" if name == "gauss" else name: family
                        for name, family in FAMILIES.items() if touches(op, family)},
             "sizes": dict(size_levels(op, sizes, thorough, dtype)),
             "layout": {"": "C", **{label: label for label in LAYOUTS}}}
    for k, domain in op.domains.items():
        levels = {} if k in given else dict(option_levels(op, k, domain, dtype))
        if levels:
            found[k] = {"": None, **levels}
    return found


def touches(op, family):
    """Whether a family differs from the family "gauss" for this op."""
    dims = {d for axes in op.arrays.values() for d in axes} | {"steps"} & set(op.domains)
    if family.name.startswith("ties"):
        return "ties" in op.domains
    if family.name == "small states":
        return bool(dims & {"n", "s"})
    if family.infinite:
        return any(allows_infinity(op.domains[k]) for k in op.arrays)
    if family.sizes:
        return any(d in dims for d in family.sizes)
    if family.beta != BETA and family.both is unit:
        return bool({"beta", "scale"} & set(op.domains))
    return True


def allows_infinity(domain):
    """Whether an array may hold -inf, as scores do."""
    return domain.kind == "real" and bool(domain.holds(np, np.asarray(-np.inf)))


def size_levels(op, fixed, thorough, dtype):
    """The classes of sizes that change an array of this op, and single long axes."""
    yield "", WINDOWED if "width" in op.domains else {}
    named = {d for axes in op.arrays.values() for d in axes}
    free = named - set(fixed)
    for label, sizes in CLASSES.items():
        if any(d in free for d in sizes if d != "l" or "s" in named):
            yield label, sizes
    if "causal" in op.domains or "causal" in op.name:
        yield from ((f"{l} queries", {"l": l}) for l in QUERIES if "l" in free)
    for length in LONG + (LONGER if thorough else ()):
        for d in sorted(free):
            if d in SIZES and d not in ("...", "k", "h") and fits(op, {d: length, "...": (1,)}):
                yield f"{d} = {length}", {d: length, "...": (1,)}
    summed = free & {"n", "s"} or free & {"d"}              # over many patterns or entries
    if op.name.startswith("theory.") or op.name in SUCCESSIVE:      # theory: of all pairs of rows
        return
    for d in sorted(summed):
        longest = min(LONGEST, int(1 / PROFILES[dtype].u))       # sums in order must not stagnate
        few = {**dict.fromkeys(SIZES, 2), d: longest, "...": (1,)}
        if fits(op, few):
            yield f"{d} = {longest}", few


def fits(op, sizes):
    """Whether no argument and no result is too large."""
    known = sizes_of(op, sizes)
    shapes = [shape_of(dims, known) for dims in (*op.arrays.values(), *op.outputs)]
    return max(map(math.prod, shapes)) <= MOST_ENTRIES


def sizes_of(op, chosen, features=1):
    """The size of every axis; ``chosen`` values that name another axis have its size.

    Where a state holds the features of m draws, r is that number for each of them.
    """
    names = {d for dims in (*op.arrays.values(), *op.outputs) for d in dims}
    sizes = {**SIZES, **chosen}
    sizes = {d: sizes.get(size, size) if isinstance(size, str) else size
             for d, size in sizes.items()}
    if {"m", "r"} <= names:
        sizes["r"] = features * sizes["m"]
    return with_multiples(sizes, names)


def option_levels(op, k, domain, dtype):
    """Levels of an option, other than that of the plainest case."""
    parameter = op.signature.parameters[k]
    if isinstance(domain, Choice):
        yield from ((f"{k}={name}", name) for name in domain.names
                    if name not in (parameter.default, "raise"))
    elif isinstance(domain, Flag):
        yield f"{k}={not parameter.default}", not parameter.default
    elif isinstance(domain, Scalar):
        if parameter.default in (0, None):
            yield k, True
        yield from ((f"{k}={label}", value) for label, value in sweep(op, k, domain, dtype))
    elif isinstance(domain, Array) and k in op.optional:
        yield k, True
        if domain.kind == "bool":
            yield from ((f"{k} {how}", how) for how in (
                "hides rows", "hides the largest", "hides zeros"))
        elif allows_infinity(domain) and k != "c":      # the log scale of a state
            yield from ((f"{k} of {how}", how) for how in ("-inf", "1e9"))


def sweep(op, k, domain, dtype):
    """Labels and values that are spread over the domain of a number."""
    if domain.kind is int:
        values = {str(v): v for v in (1, 2, 3, 7)}
        values |= {"all": "all"} if k == "k" else {}
    elif domain.holds(-0.25) and domain.holds(1.5):
        values = {"0": 0.0, "an entry": "an entry"}
    else:
        spread = next((v for test, v in SWEEPS if domain.holds(test)), typical(domain))
        most = largest(dtype)       # of which log(n) / beta^2, 1 / eps^2 and n^alpha stay below
        scaled = k == "scale" and "Q" in op.arrays      # scores before it may leave the format
        least = 0.0 if scaled else 8 / math.sqrt(most)
        rounded = (float(round_to(max(v, least) if v > 0 else v, dtype)) for v in spread)
        values = {f"{v:g}": v for v in rounded
                  if math.isfinite(v) and (domain.holds(0.5) or 7.0**v < most)}
    yield from ((label, v) for label, v in values.items()
                if isinstance(v, str) or domain.holds(v))
