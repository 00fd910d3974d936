"""Build the golden vectors: certified rows, their flags, and invalid calls.

    python -m tests.vectors.build [--jobs N] [OPERATION...]

writes ``hopref/vectors/data``: a file for each operation, and the manifest over all files.
"""
import argparse
import gzip
import hashlib
import json
import re
import time
from concurrent.futures import ProcessPoolExecutor, as_completed
from dataclasses import replace

import numpy as np

from hopref import _version
from hopref.certify import certify
from hopref.check.bugs import bugs_of
from hopref.check.cases.generator import cases
from hopref.check.tolerance.arithmetic import profile_of
from hopref.check.tolerance.expected import expected
from hopref.dispatch.operation import load
from hopref.errors import CertificationError, HoprefError
from hopref.vectors import packaged
from hopref.vectors.judging import accepts, compared
from hopref.vectors.records import MOST_CHARACTERS, Result, Row, line_of
from tests.certify.walk import operations
from tests.vectors import overflows
from tests.vectors.invalid import invalid_calls

MOST_GIVEN, MOST_FOUND = 60, 240        # numbers of the arguments, and of the results, of a row
PLANS = (               # format, seed, sizes of axes, and how many rows at most
    ("float64", 0, {"...": (2,), "d": 3, "n": 2, "l": 2, "s": 3, "v": 1, "r": 2, "m": 2, "e": 2},
     50),
    ("float32", 1, {"...": (), "d": 2, "n": 3, "l": 3, "s": 2, "v": 2, "r": 3, "m": 1, "e": 3}, 45),
    ("float64", 2, {"d": 1, "n": 4, "l": 1, "s": 4, "v": 2, "r": 1, "m": 2, "e": 1}, 25),
    ("float64", 3, {"...": (), "d": 2, "n": 3, "l": 3, "s": 3, "v": 2, "r": 2, "m": 2, "e": 3}, 30),
    ("float32", 4, {"...": (2,), "d": 3, "n": 2, "l": 1, "s": 2, "v": 1, "r": 2, "m": 1, "e": 2},
     20),
)
HALF = ("float16", 8, {"...": (), "d": 2, "n": 3, "l": 2, "s": 3, "v": 2, "r": 2, "m": 2}, 20)
IN_HALF = ("attention", "features", "maps", "modern", "performer")    # of other libraries too
MOST_VALID = 120        # rows of an operation; the last plans are for those with few cases
FEWEST = 10             # small cases of a plan; larger ones are taken where there are fewer
OTHERS = {"h": 2, "a": 2, "o": 2, "p": 2, "k": 2, "steps": 2}
MOST_INVALID = 60
WORDS = (("^2", " squared "), ("^", " to the power "), ("=", " is "), ("+", " plus "),
         ("/", " over "), ("- ", " minus "), ("-1", " minus 1"), ("(-", " minus "),
         (">", " above "), ("<", " below "), ("'", ""))


def slug(name):
    """The name of a bug as a flag, in which X is not x."""
    name = re.sub(r"\b([A-Z])\b", r"capital \1", name)
    for sign, word in WORDS:
        name = name.replace(sign, word)
    return re.sub(r"[^a-z0-9]+", "-", name.lower()).strip("-")


def rows(op):
    """The rows of an operation, valid calls first."""
    return numbered(op.name, distinct(candidates(op)))


def numbered(name, rows):
    """The rows with their ids."""
    return [replace(row, id=f"{name}/{i}") for i, row in enumerate(rows)]


def distinct(rows):
    """The first of the valid rows that detect the same bugs, by one case in one format.

    The others have arrays of other sizes.  They are a third of the bytes, and no mutant of 151 that
    rows killed survived without them.
    """
    first = {}
    for row in rows:
        first.setdefault((row.case, row.dtype, row.flags, row.error), row)
    return list(first.values())


def candidates(op):
    """Rows of all plans, of which no two are the same call."""
    found = {}
    for *plan, most in PLANS:
        for row in valid_rows(op, *plan, min(most, MOST_VALID - len(found))):
            found.setdefault(call_of(row), row)
    if op.name.partition(".")[0] in IN_HALF:
        found |= {call_of(row): row for row in valid_rows(op, *HALF)}
    for row in invalid_rows(op):
        found.setdefault(call_of(row), row)
    return list(found.values())


def call_of(row):
    """The arguments and the results of a row, of which no two rows have the same."""
    return line_of(row).partition('"args":')[2]


# ---- valid calls --------------------------------------------------------------------------------

def valid_rows(op, dtype, seed, sizes, most):
    """Certified rows of one format, with the flags of the wrong versions that they reject."""
    found = (certified(op, case, dtype) for case in chosen(list(drawn(op, dtype, seed, sizes)),
                                                           most))
    return [row for row in found if row is not None]


def chosen(known, most):
    """The first cases, which differ from the plainest in one level, and some of the others."""
    first = most // 2
    step = max(1, -(-(len(known) - first) // max(1, most - first)))
    return [*known[:first], *known[first::step]][:most]


def drawn(op, dtype, seed, sizes):
    """The small cases of an operation, of which no two have the same arguments."""
    axes = {d for dims in op.arrays.values() for d in dims}
    fixed = {d: n for d, n in ({**OTHERS, **sizes}).items() if d in axes}
    known = [case for case in cases(op, dtype, seed, sizes=fixed) if case.layout == "C"]
    most, seen = MOST_GIVEN, set()
    while sum(numbers(case) <= most for case in known) < min(FEWEST, len(known)):
        most *= 2                   # layers have many matrices
    for case in known:
        key = repr([(v.shape, v.tobytes()) if isinstance(v, np.ndarray) else v for v in
                    (*case.args, *case.kwargs.values())] + [*case.kwargs])
        if numbers(case) <= most and key not in seen:
            seen.add(key)
            yield case


def numbers(case):
    """How many numbers the arguments of a case have."""
    return sum(map(np.size, (*case.args, *case.kwargs.values())))


def certified(op, case, dtype):
    """The row of a case; None if it has no certified value, or accepts everything."""
    try:
        found = certify(op, *case.args, **case.kwargs)
    except CertificationError:
        return None
    profile = profile_of(dtype, worst_case=case.correlated)
    right = expected(op, case.args, case.kwargs, profile)
    parts = zip(*(x if isinstance(x, tuple) else (x,) for x in (found.value, found.bound, right)),
                strict=True)
    results = tuple(result_of(*part) for part in parts)
    if sum(r.value.size for r in results) > MOST_FOUND \
            or not any(np.any(r.tolerance < np.inf) for r in results):
        return None
    given = named(op, case)
    args, params = ({k: v for k, v in given.items() if (k in op.operands) == operand}
                    for operand in (True, False))
    row = Row("", op.name, case.name[:MOST_CHARACTERS], (), dtype, args, params, results,
              found.method, case.stress)
    honest = op(*case.args, **case.kwargs)
    if not (compared(row, honest) == compared(row, stored_in(dtype, honest)) == ""):
        print(f"{op.name}, {case.name}, {dtype}: left out, as the formula disagrees")
        return None
    flags = {slug(b.name) for b in bugs_of(op.name) if rejects(row, b)}
    flags |= {overflows.FLAG} if overflows.overflows(row) else set()
    return replace(row, flags=tuple(sorted(flags)))


def result_of(value, bound, right):
    """A result, with bound and tolerance rounded upwards to few digits."""
    value = np.asarray(value)
    value = value if value.dtype == bool else value.astype(float)
    radius = np.broadcast_to(np.asarray(right.radius, float), value.shape)
    return Result(value, coarse(np.broadcast_to(np.asarray(bound, float), value.shape)),
                  coarse(radius))


def coarse(x):
    """The next numbers of 8 bits that are no smaller."""
    mantissa, exponent = np.frexp(x)
    with np.errstate(all="ignore"):
        return np.asarray(np.ldexp(np.ceil(mantissa * 256) / 256, exponent))


def stored_in(dtype, y):
    """Results rounded to the format of a row."""
    with np.errstate(over="ignore"):
        parts = tuple(a.astype(dtype) if a.dtype.kind == "f" else a for a in overflows.parts_of(y))
    return parts if isinstance(y, tuple) else parts[0]


def rejects(row, bug):
    """Whether the values of a wrong version are wrong in this row."""
    if bug.benign or bug.rounding or row.limit:
        return False
    found = overflows.answered(row, bug.candidate, float)
    return found is not None and bool(compared(row, found))


# ---- invalid calls ------------------------------------------------------------------------------

INVALID = {"DomainError": "outside-the-domain", "ShapeError": "wrong-shape",
           "DTypeError": "wrong-dtype", "CallError": "wrong-call"}


def invalid_rows(op):
    """Rows of invalid calls, of which the class of the error is that of the contract."""
    seen, found = set(), []
    for case in bases(op):
        for what, error, changed in invalid_calls(op, named(op, case)):
            if what not in seen and len(found) < MOST_INVALID:
                seen.add(what)
                row = invalid_row(op, what, error, changed)
                found += [row] if row is not None else []
    return found


def bases(op):
    """The plainest case, and the first that passes each optional array."""
    known = [c for c in drawn(op, "float64", *PLANS[0][1:3]) if all(map(np.size, c.args))]
    yield known[0]
    for k in (k for k in op.arrays if k in op.optional):
        yield from [c for c in known if isinstance(named(op, c).get(k), np.ndarray)][:1]


def named(op, case):
    """The arguments of a case by name; numbers of NumPy are arrays without axes."""
    given = {**dict(zip(op.operands, case.args, strict=False)), **case.kwargs}
    return {k: np.asarray(v) if isinstance(v, np.generic) else v for k, v in given.items()}


def invalid_row(op, what, error, given):
    """A row, if the operation raises this error; its flag is the missing validation."""
    args = {k: v for k, v in given.items() if k in op.operands}
    params = {k: v for k, v in given.items() if k not in op.operands}
    row = Row("", op.name, what, (f"accepts-{INVALID[error]}",), "float64", args, params,
              error=error)
    try:
        op(*args.values(), **params)
        raised = "nothing"
    except HoprefError as other:
        raised = type(other).__name__
    if raised != error:
        print(f"{op.name}, {what}: the contract names {error}; raised: {raised}")
        return None
    endless = any(type(v) is int and v < 1 for v in given.values())     # loops count down to 1
    return row if not endless and accepts(row, op.formula) else replace(row, flags=())


# ---- files --------------------------------------------------------------------------------------

def written(name):
    """Write the file of an operation, of which the bytes depend on the rows alone."""
    began, found = time.process_time(), rows(load()[name])
    text = "".join(line_of(row) + "\n" for row in found)
    (packaged.FOLDER / packaged.file_of(name)).write_bytes(
        gzip.compress(text.encode("ascii"), 9, mtime=0))
    return f"{name}: {len(found)} rows, {time.process_time() - began:.1f} s"


def manifest():
    """The manifest over all files."""
    files, flags = {}, {}
    for op in operations():
        content = (packaged.FOLDER / packaged.file_of(op.name)).read_bytes()
        found = list(packaged.read(content))
        titles = {slug(b.name): b.name for b in bugs_of(op.name)}
        titles |= {f"accepts-{v}": "no argument is validated" for v in INVALID.values()}
        titles[overflows.FLAG] = overflows.BUG
        files[op.name] = {"sha256": hashlib.sha256(content).hexdigest(), "rows": len(found),
                          "invalid": sum(bool(row.error) for row in found)}
        for flag in (flag for row in found for flag in row.flags):
            entry = flags.setdefault(flag, {"bug": titles[flag], "rows": 0, "operations": []})
            if entry["bug"] != titles[flag]:
                raise ValueError(f"two bugs have the flag {flag}: {entry['bug']}, {titles[flag]}")
            entry["rows"] += 1
            entry["operations"] = sorted({*entry["operations"], op.name})
    return {"schema": packaged.SCHEMA, "hopref": _version.__version__, "licence": "BSD-3-Clause",
            "rows": sum(f["rows"] for f in files.values()),
            "invalid": sum(f["invalid"] for f in files.values()),
            "files": dict(sorted(files.items())), "flags": dict(sorted(flags.items()))}


def main():
    parser = argparse.ArgumentParser()
    parser.add_argument("operations", nargs="*")
    parser.add_argument("--jobs", type=int, default=1)
    options = parser.parse_args()
    names = [op.name for op in operations(options.operations)]
    with ProcessPoolExecutor(options.jobs) as pool:
        for done in as_completed(pool.submit(written, name) for name in names):
            print(done.result(), flush=True)
    found = manifest()
    (packaged.FOLDER / "manifest.json").write_text(json.dumps(found, indent=1) + "\n")
    print(f"{found['rows']} rows, {found['invalid']} of them invalid calls; "
          f"{len(found['files'])} operations, {len(found['flags'])} flags")


if __name__ == "__main__":
    main()
