"""Honest judgements by the thousand: ``python -m tests.check.honest_runs`` counts the refused.

The formulas themselves are judged too, run in half and in single precision.

A judgement compares the result of one honest implementation, in one number format and with one
order of summation, with the tolerance of one case.  Arrays in eight bits are stored in E4M3 or
E5M2, and the arithmetic is that of float32; other formats round after every step.
"""
import argparse
import itertools
from dataclasses import replace

import numpy as np

from hopref.check.cases.generator import accepts, cases
from hopref.check.engine.candidate import InProcess, NotOffered
from hopref.check.engine.judge import MOST_DRAWS, judge, worst_entry
from hopref.check.peers.adapters import bound
from hopref.check.tolerance.arithmetic import PROFILES
from hopref.check.tolerance.expected import expected
from hopref.check.tolerance.toleranced import Toleranced
from hopref.dispatch.operation import load as load_ops
from hopref.errors import HoprefError
from tests.check.honest import SUMS, candidates, load

__all__ = ["EIGHT_BITS", "FORMATS", "FORMULAS", "judgements", "narrowed", "to_eight_bits"]

# Bits of the fraction, exponent of the smallest normal number, largest number.
EIGHT_BITS = {"float8_e4m3": (3, -6, 448.0), "float8_e5m2": (2, -14, 57344.0)}
FORMATS = ("float64", "float32", "float16", "bfloat16", *EIGHT_BITS)


def unit(x, dtype):
    """The distance of neighbouring numbers of the format at ``x``."""
    fraction, lowest, _ = EIGHT_BITS[dtype]
    return np.exp2(np.maximum(np.frexp(np.asarray(x, float))[1] - 1, lowest) - fraction)


def to_eight_bits(x, dtype):
    """``x`` rounded to the nearest number of the format, ties to even; too large ones to inf."""
    x = np.asarray(x, float)
    finite = np.where(np.isfinite(x), x, 0)
    y = np.where(np.isfinite(x), np.rint(finite / unit(finite, dtype)) * unit(finite, dtype), x)
    return np.where(np.abs(y) > EIGHT_BITS[dtype][2], np.copysign(np.inf, x), y).astype(np.float32)


def with_storage(right, dtype):
    """The tolerance in float32, enlarged by half a unit where the result is stored in 8 bits."""
    largest = np.abs(right.value).astype(float) + right.radius
    half = np.where(largest > 0, unit(np.where(np.isfinite(largest), largest, 0), dtype) / 2, 0)
    return Toleranced(right.value, right.radius + half, right.profile)


def drawn(op, dtype, seed):
    """The cases of an operation; in eight bits those whose arrays and results are in range."""
    if dtype not in EIGHT_BITS:
        return [case for case in cases(op, dtype, seed) if not case.stress]
    found = []
    for case in cases(op, "float32", seed):
        case = replace(case, args=tuple(narrow(a, dtype) for a in case.args),
                       kwargs={k: narrow(a, dtype) for k, a in case.kwargs.items()})
        if not case.stress and accepts(op, case) and in_range(op, case, dtype):
            found.append(case)
    return found


def narrow(a, dtype):
    real = isinstance(a, np.ndarray) and a.dtype.kind == "f"
    return to_eight_bits(a, dtype) if real else a


def in_range(op, case, dtype):
    try:
        y = op(*case.args, **case.kwargs)
    except HoprefError:
        return False
    return all(np.all(np.abs(part) <= EIGHT_BITS[dtype][2])
               for part in (y if isinstance(y, tuple) else (y,)))


def judgements(op, dtype, seed, sums=tuple(SUMS)):
    """Pairs of a description of a judgement and the error in units of the tolerance."""
    declared, eight = load_ops()[op], dtype in EIGHT_BITS
    inside = "float32" if eight else dtype
    run = [(name, order, bound(function, op)) for order in sums
           for name, function in candidates(op, inside, order).items()]
    for case in drawn(declared, dtype, seed):
        profile = replace(PROFILES[inside], worst_case=case.correlated)
        right = expected(declared, case.args, case.kwargs, profile)
        right = right if isinstance(right, tuple) else (right,)
        right = [with_storage(part, dtype) for part in right] if eight else right
        for name, order, function in run:
            try:
                y = function(*case.args, **case.kwargs)
            except NotOffered:
                continue
            y = [to_eight_bits(part, dtype) if eight else np.asarray(part)
                 for part in (y if isinstance(y, tuple) else (y,))]
            error = max(worst_entry(a, b)[0] if a.shape == b.shape else np.inf
                        for a, b in zip(y, right))
            yield f"{op} {name}, sums {order}, {dtype}, seed {seed}, case {case.name!r}", error


FORMULAS = [(name, ("float16", "float32")[i % 2]) for i, name in enumerate(
    sorted(name for name, op in load_ops().items() if op.arrays))]


def narrowed(name, dtype, draws=MOST_DRAWS):
    """The report on a formula run in a narrower format, and what it refuses."""
    op = load_ops()[name]

    def candidate(*args, **kwargs):
        y = op.formula(*args, **kwargs)
        y = [np.asarray(v) for v in (y if isinstance(y, tuple) else (y,))]
        y = [v.astype(dtype) if v.dtype.kind == "f" else v for v in y]
        return tuple(y) if len(y) > 1 else y[0]
    with np.errstate(all="ignore"):
        report = judge(InProcess(candidate, name), name, dtype=dtype, draws=draws)
    return report, [f for f in report.findings      # scores leave half precision before the scale
                    if dtype != "float16" or "scale=9.5" not in f.case]


def main():
    parser = argparse.ArgumentParser(description=__doc__.partition("\n")[0])
    parser.add_argument("--seeds", type=int, default=20)
    parser.add_argument("--only", default="", help="part of the name of an operation")
    options = parser.parse_args()
    count, refused, algorithms = 0, [], set()
    ops = [op for op in load() if options.only in op]
    for op, dtype, seed in itertools.product(ops, FORMATS, range(options.seeds)):
        for what, error in judgements(op, dtype, seed):
            count += 1
            algorithms.add(what.partition(",")[0])
            if not error <= 1:
                refused.append(what)
                print(f"refused at {error:.3g} tolerances: {what}", flush=True)
    for name, dtype in FORMULAS:
        for finding in narrowed(name, dtype)[1] if options.only in name else ():
            refused.append(finding.name)
            print(f"refused: {name} in {dtype}, {finding.name}", flush=True)
    print(f"{count} honest judgements of {len(algorithms)} implementations of {len(ops)} "
          f"operations, {len(SUMS)} orders of summation, {len(FORMATS)} formats, "
          f"{options.seeds} seeds: {len(refused)} refused")
    return bool(refused)


if __name__ == "__main__":
    raise SystemExit(main())
