"""Every formula against its certified value, within the derived tolerance of an honest one.

    python -m tests.certify.walk [--cases N] [--bugs] [OPERATION...]

``tox -e certify`` runs it on all cases of the generator.  With ``--bugs`` every known bug takes the
place of its operation, and those that agree with certified values in all cases are listed.
"""
import argparse
import zlib

import numpy as np

from hopref.certify import certify
from hopref.certify.evaluation import has_form
from hopref.check.bugs import BUGS
from hopref.check.bugs import load as load_bugs
from hopref.check.cases.generator import cases
from hopref.check.tolerance.expected import honest
from hopref.dispatch.operation import load
from hopref.errors import CertificationError

MOST = 600              # numbers of a case: larger ones take long in ball arithmetic
# Cases without agreement, by operation and a part of the name of the case, and the reason.
DOCUMENTED = {
    ("gradients.attention.linear_attention", "subnormal numbers"):
        "a query with a denominator below 2^-1000 contributes 0",
    ("gradients.attention.causal_linear_attention", "subnormal numbers"):
        "a query with a denominator below 2^-1000 contributes 0",
}
# Cases without a certified value, and the reason.
BEYOND = {
    ("gradients.graded.energy", "integers"): "the derivative is infinite at the ends of the range",
}


def operations(names=()):
    """The operations with a certified form whose arguments the generator draws."""
    return [op for name, op in load().items() if has_form(name) and op.arrays
            and (not names or any(part in name for part in names))]


def chosen(op, count):
    """So many cases of an operation that are small enough; the plainest is the first."""
    drawn = [c for c in cases(op)
             if sum(np.size(v) for v in (*c.args, *c.kwargs.values())) <= MOST]
    rng = np.random.default_rng(zlib.crc32(op.name.encode()))
    more = rng.permutation(len(drawn) - 1)[:count - 1] + 1
    return [drawn[i] for i in [0, *sorted(more)]]


def reason(table, op, case):
    """The documented reason for a case, or None."""
    return next((why for (name, part), why in table.items()
                 if name == op.name and part in case.name), None)


def disagreements(op, case, run=None):
    """Messages on the entries of ``run`` (the operation) beyond tolerance plus certified bound."""
    try:
        found = certify(op, *case.args, **case.kwargs)
    except CertificationError as error:
        return [] if reason(BEYOND, op, case) else [f"{op.name}, {case.name}: {error}"]
    right = honest(op, *case.args, **case.kwargs)
    got = (run or op)(*case.args, **case.kwargs)
    parts = zip(*(x if isinstance(x, tuple) else (x,)
                  for x in (got, found.value, found.bound, right)), strict=True)
    return [f"{op.name}, {case.name}, result {i}: {message}" for i, part in enumerate(parts)
            if (message := _beyond(*part)) and not reason(DOCUMENTED, op, case)]


def _beyond(got, value, bound, right):
    """The entry that is farthest beyond its tolerance, as a message, or an empty string."""
    got, value = np.asarray(got), np.asarray(value)
    if got.shape != value.shape:
        return f"the shape {got.shape} is not {value.shape}"
    if value.dtype == bool:
        return "" if np.array_equal(got, value) else "another support"
    radius = np.asarray(right.radius, float)
    with np.errstate(all="ignore"):
        near = (np.abs(got.astype(float) - value) <= radius + bound) | (got == value)
    near |= np.isnan(got) & np.isnan(value) | np.isinf(radius)
    if np.all(near):
        return ""
    at = tuple(np.argwhere(~near)[0])
    return f"{got[at]!r} at {at} is not within {np.broadcast_to(radius, got.shape)[at]:.3g} of " \
           f"{value[at]!r}; {np.sum(~near)} entries of {near.size}"


def bugs_found(count):
    """Names of the known bugs that disagree with certified values in so many cases, and not."""
    load_bugs()
    ops, found, missed = load(), [], []
    for (subject, name), bug in BUGS.items():
        if bug.benign or bug.rounding or subject not in ops or not has_form(subject) \
                or not ops[subject].arrays:
            continue
        seen = any(_shown(ops[subject], case, bug) for case in chosen(ops[subject], count))
        (found if seen else missed).append((subject, name))
    return found, missed


def _shown(op, case, bug):
    """Whether a bug disagrees or raises an error."""
    try:
        return bool(disagreements(op, case, bug.candidate))
    except ValueError:
        return True


def main():
    parser = argparse.ArgumentParser()
    parser.add_argument("operations", nargs="*")
    parser.add_argument("--cases", type=int, default=10**6)
    parser.add_argument("--bugs", action="store_true")
    options = parser.parse_args()
    if options.bugs:
        found, missed = bugs_found(options.cases)
        print(*(": ".join(pair) for pair in missed), sep="\n")
        print(f"{len(found)} of {len(found) + len(missed)} known bugs disagree")
        return 0
    messages, seen = [], 0
    for op in operations(options.operations):
        for case in chosen(op, options.cases):
            messages += disagreements(op, case)
            seen += 1
    print(*messages, sep="\n", end="\n" * bool(messages))
    print(f"{seen} cases, {len(messages)} results that disagree with certified values")
    return bool(messages)


if __name__ == "__main__":
    raise SystemExit(main())
