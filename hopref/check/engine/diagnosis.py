"""Diagnosis of a failing candidate: the names of the known bugs that explain it.

A name is given if the bug explains every case, failing or not (see
`hopref.check.engine.explanation`).  Bugs are tried in this order, and the first kind that explains
ends the search: single bugs; families, of which a number is estimated; two bugs at once; bugs that
lose digits.  Random draws, whose numbers differ between libraries, are compared by the laws that
they break.
"""
from itertools import islice, permutations

import numpy as np

from hopref.check.bugs import Bug, bugs_of, changed, families_of
from hopref.check.bugs.factors import single_precision
from hopref.check.engine.estimation import estimated
from hopref.check.engine.explanation import (
    Answer,
    aligned,
    attempt,
    explains,
    loses_digits,
    numbers,
    unexplained,
)
from hopref.check.engine.subjects import own_function
from hopref.check.laws import laws_of
from hopref.check.tolerance.derivation import widened
from hopref.check.tolerance.expected import expected

__all__ = ["diagnose"]

MOST_NAMES = 2          # explanations that are reported
MOST_PAIRS = 2000       # that are tried
MOST_CALLS = 12         # with which it is tried whether a bug composes
DOUBLE = 2.0**-53       # unit roundoff of float64
UNKNOWN = 1e-9          # relative tolerance of functions for which none is derived


def diagnose(trial):
    """Find the smallest failing input, the bugs that explain the findings, and their numbers."""
    report = trial.report
    if not any(f.kind in ("value", "law") for f in report.findings):
        return
    trial.reduced()
    arrays = trial.op is not None and trial.op.arrays
    own = trial.like.partition(".")[0] != "estimators"      # estimators are not functions of hopref
    names = []
    if own:
        answers = sorted(answers_of(trial), key=lambda it: (not it.fails, it.size))
        names, report.estimates = explained(trial.like, answers) if arrays else \
            (ranked(candidates_of(trial.like), answers), {})
    if not names and not arrays:
        names = suspects(trial)         # a random draw of another library has other numbers
    report.named = names[:MOST_NAMES]


def candidates_of(like):
    return [bug for bug in bugs_of(like) if not bug.benign]


def explained(like, answers):
    """The names of the bugs that explain the answers, and the numbers that were estimated."""
    if not any(it.fails for it in answers):
        return [], {}
    bugs = candidates_of(like)
    if names := ranked(bugs, answers):
        return names, {}
    found = [it for family in families_of(like)
             if (it := estimated(family, answers)) is not None]
    if found:
        found = sorted(found, key=lambda it: it.unexplained)[:MOST_NAMES]
        return [it.name for it in found], {it.name: it.numbers for it in found}
    if names := ranked(pairs(bugs, answers), answers):
        return names, {}
    bugs = [bug for bug in bugs if bug.rounding] + in_single_precision(like, answers)
    return [bug.name for bug in bugs if loses_digits(bug, answers)], {}


def in_single_precision(like, answers):
    """The bug that float32 is used within, of every operation that is judged in float64."""
    return [Bug("float32 arithmetic within float64", like, changed(single_precision, like),
                rounding=True)] * (answers[0].u == DOUBLE)


def ranked(bugs, answers):
    """The names of the bugs that explain the answers, first those that leave least."""
    found = [(left, i, bug.name) for i, bug in enumerate(bugs)
             if (left := explains(bug, answers)) is not None]
    return [name for *_, name in sorted(found)]


def pairs(bugs, answers):
    """Pairs of bugs of which each explains less than both; each pair once."""
    seen = set()
    bugs = [bug for bug in bugs if not bug.rounding]
    later = {bug.name for bug in bugs if composes(bug, answers)}
    ordered = ((a, b) for a, b in permutations(bugs, 2) if b.name in later)
    for first, second in islice(ordered, MOST_PAIRS):
        names = frozenset((first.name, second.name))
        if names in seen:
            continue
        both = second.after(first)
        if unexplained(both, answers[0]) is not None:
            seen.add(names)
            yield both


def composes(bug, answers):
    """Whether a bug calls the operation in one of the first calls in which it has an effect."""
    for it in answers[:MOST_CALLS]:
        try:
            if bug.composes(*it.wide):
                return True
        except Exception:       # it cannot be called with these arguments
            continue
    return False


def suspects(trial):
    """The names of the bugs of which every law that they are declared to break is broken."""
    broken = {f.name for f in trial.report.findings if f.kind == "law"}
    found = []
    for bug in bugs_of(trial.like):
        laws = {law.name for law in laws_of(trial.like) if bug.name in law.kills}
        if laws and laws <= broken:
            found.append((-len(laws), bug.name))
    return [name for _, name in sorted(found)]


def answers_of(trial):
    """The results of the candidate, in the cases and in the calls of laws."""
    calls = [call for same_shape in trial.calls.values() for call in same_shape]
    if trial.op is None or not trial.op.arrays:
        own = own_function(trial.like)
        return [without_tolerance(args, kwargs, numbers(answer), right)
                for args, kwargs, answer in calls
                if (right := attempt(own, args, kwargs)) is not None]
    cases = [(case.args, case.kwargs, values, right)
             for case, right, values in trial.answers + trial.unanswered if not case.stress]
    calls = [(args, kwargs, values, expected(trial.op, args, kwargs, trial.profile))
             for args, kwargs, values in calls]
    return [it for call in (*cases, *calls) if (it := compared(trial, *call)) is not None]


def compared(trial, args, kwargs, values, right):
    """The result of one call together with the correct one; None if there is nothing in it."""
    right = right if isinstance(right, tuple) else (right,)
    if not right[0].size:
        return None
    profile, missing = trial.profile, trial.comparison.missing
    radius = tuple(np.full(r.shape, np.inf) if i in missing else r.radius
                   for i, r in enumerate(right))

    def same(args, kwargs, values):
        if [np.shape(v) for v in values] != [r.shape for r in right][:len(values)]:
            return values
        return trial.comparison.compared(args, kwargs, values, right, profile)
    values = tuple(y.astype(np.longdouble) for y in values)
    return Answer(args, kwargs, values, *aligned(values, [r.value for r in right], radius),
                  max(profile.u, profile.u_s, profile.u_p, profile.u_o),
                  lambda args, kwargs: widened(trial.op, args, kwargs), same)


def without_tolerance(args, kwargs, values, right):
    """The result of one call of a function for which no tolerance is derived."""
    radius = [np.full(np.shape(r), UNKNOWN * np.max(np.abs(r), initial=0, where=np.isfinite(r)))
              for r in right]
    return Answer(args, kwargs, values, *aligned(values, right, radius))
