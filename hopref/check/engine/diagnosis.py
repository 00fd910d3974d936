"""Diagnosis of a failing candidate: known bugs that explain it, and recovered parameters.

A bug explains a candidate if, in every case in which the results of the bug and the correct results
differ, those of the bug are at least a hundred times closer to those of the candidate.  The closest
bug is reported first.  The recovery regresses the residual on ``dy/dlog beta``, ``y`` and
``mean(v) - y``, and so estimates the relative error of beta, the gain, and the uniform mixing.
"""
from dataclasses import dataclass
from types import SimpleNamespace

import numpy as np

from hopref.check.bugs import bugs_of
from hopref.check.engine.subjects import own_function
from hopref.check.laws import laws_of
from hopref.check.tolerance.derivation import widened
from hopref.check.tolerance.expected import expected, truth

__all__ = ["diagnose", "explains", "recovered"]

NEARER = 100.0          # a bug explains an error that it reduces by this factor
STEP = 2.0**-10         # step in log beta of the derivative; its error STEP^2 is below 1/NEARER
MOST_NAMES = 2          # explanations that are reported


@dataclass(frozen=True)
class Answer:
    """Arguments, the results of the candidate, the correct ones, and their tolerances."""
    args: tuple
    kwargs: dict
    values: tuple
    right: tuple
    slack: tuple


def diagnose(trial):
    """Find the bugs that explain the findings; estimate parameters if the op has a beta."""
    report = trial.report
    wrong = any(f.kind in ("value", "law") for f in report.findings)
    if wrong:
        own = trial.like.partition(".")[0] != "estimators"  # estimators are not functions of hopref
        names = nearest(trial) if own else []
        if not names and (trial.op is None or not trial.op.arrays):
            names = suspects(trial)         # a random draw of another library has other numbers
        report.named = names[:MOST_NAMES]
    if wrong and trial.op is not None and trial.op.arrays:
        report.estimates = recovered(trial.op, [a for a in trial.answers if not a[0].stress])


def nearest(trial):
    """The names of the bugs that explain the answers, the nearest first."""
    answers = answers_of(trial)
    found = [(remains, i, it.name) for i, it in enumerate(bugs_of(trial.like))
             if not it.benign and (remains := explains(it, answers)) is not None]
    return [name for *_, name in sorted(found)]


def suspects(trial):
    """The names of the bugs that break every law that the candidate breaks, and no other."""
    broken = {f.name for f in trial.report.findings if f.kind == "law"}
    laws = laws_of(trial.like)
    found = [(sum(law.name in broken for law in laws if it.name in law.kills), it.name)
             for it in bugs_of(trial.like)
             if all(law.name in broken for law in laws if it.name in law.kills)]
    return [name for _, name in sorted(found, reverse=True)]


def answers_of(trial):
    """The results of the candidate, in the cases and in the calls of laws."""
    calls = [call for same_shape in trial.calls.values() for call in same_shape]
    if trial.op is None or not trial.op.arrays:
        own = own_function(trial.like)
        return [Answer(args, kwargs, numbers(answer), right, len(right) * (0.0,))
                for args, kwargs, answer in calls
                if (right := attempt(own, args, kwargs)) is not None]
    cases = [(case.args, case.kwargs, values, exact) for case, exact, values in trial.answers
             if not case.stress and values and values[0].size]
    calls = [(args, kwargs, values, expected(trial.op, args, kwargs, trial.profile))
             for args, kwargs, values in calls]
    return [compared(trial.op, *call) for call in (*cases, *calls)]


def compared(op, args, kwargs, values, right):
    """The result of one call together with the correct one."""
    right = right if isinstance(right, tuple) else (right,)
    args, kwargs = widened(op, args, kwargs)
    slack = [np.where(np.isfinite(e.radius), e.radius, 0) for e in right]
    return Answer(args, kwargs, values, tuple(e.value for e in right),
                  tuple(2 * float(np.max(r, initial=0)) for r in slack))


def explains(bug, answers):
    """The largest unexplained fraction of the candidate's error; None if the bug does not explain
    it."""
    remains = []
    for it in answers:
        wrong = attempt(bug, it.args, it.kwargs)
        if wrong is None:
            continue
        for right, y, own, slack in zip(it.right, it.values, wrong, it.slack):
            if np.shape(own) != np.shape(y) or distance(own, right) <= 4 * slack:
                continue                # the bug has no effect here
            error, left = distance(y, right), distance(y, own)
            if left == error == np.inf:
                continue                # overflow in the candidate, which explains nothing
            if left > max(slack, error / NEARER):
                return None
            remains.append(left / error if error else 0.0)
    return max(remains, default=None)


def attempt(function, args, kwargs):
    """The results of a function as arrays; None if it returns None or cannot be called."""
    try:
        with np.errstate(all="ignore"):
            answer = function(*args, **kwargs)
    except Exception:
        return None
    return None if answer is None else numbers(answer)


def numbers(answer):
    """The numeric arrays in a result, including those of nested records."""
    if isinstance(answer, (dict, SimpleNamespace)):
        answer = tuple((answer if isinstance(answer, dict) else vars(answer)).values())
    if isinstance(answer, (tuple, list)):
        return tuple(a for part in answer for a in numbers(part))
    a = np.asarray(answer)
    if a.dtype.kind in "US":
        a = np.frombuffer(np.ascontiguousarray(a.astype("U16")).tobytes(), np.uint32)
    if a.dtype.kind == "c":
        a = np.stack([a.real, a.imag])
    return (a.astype(np.longdouble),) if a.dtype.kind in "biuf" else ()


def distance(a, b):
    """The largest difference; infinite if the shapes differ or only one of two entries is finite.
    """
    if np.ndim(a) and np.ndim(b) and np.shape(a) != np.shape(b):
        return np.inf
    with np.errstate(all="ignore"):
        a, b = np.asarray(a, np.longdouble), np.asarray(b, np.longdouble)
        gap = np.where((a == b) | np.isnan(a) & np.isnan(b), 0, np.abs(a - b))
    return float(np.max(np.nan_to_num(gap, nan=np.inf, posinf=np.inf), initial=0))


def recovered(op, answers):
    """{"beta": relative error, "gain": ..., "mixing": ...}, estimated from the ordinary cases."""
    parameter = {"modern.update": "beta", "attention.softmax_attention": "scale"}.get(op.name)
    rows, residuals = [], []
    for case, exact, values in answers:
        given = case.kwargs.get(parameter)
        swept = parameter in dict(case.levels)      # far from the linear range
        if parameter is None or type(given) is not float or case.family != "gauss" or swept:
            continue
        y = exact.value.astype(float)
        nudged = [truth(op, case.args, case.kwargs | {parameter: given * (1 + h)})
                  for h in (STEP, -STEP)]
        slope = ((nudged[0] - nudged[1]) / (2 * STEP)).astype(float)
        mean = np.mean(np.asarray(case.args[-1], float), axis=-2, keepdims=op.name[0] == "a")
        columns = [slope, y, np.broadcast_to(mean, y.shape) - y]
        residual = (values[0] - exact.value).astype(float)
        if np.all(np.isfinite(residual)) and np.all(np.isfinite(columns)):
            rows.append(np.stack([c.ravel() for c in columns], axis=-1))
            residuals.append(residual.ravel())
    if not rows:
        return {}
    A, r = np.concatenate(rows), np.concatenate(residuals)
    found, *_ = np.linalg.lstsq(A, r, rcond=None)
    left = float(np.linalg.norm(A @ found - r) / max(np.linalg.norm(r), 1e-300))
    noise = np.sqrt(np.diag(np.linalg.pinv(A.T @ A))) * np.linalg.norm(A @ found - r) / len(r)**0.5
    return {"parameters": dict(zip((parameter, "gain", "mixing"), map(float, found))),
            "standard errors": dict(zip((parameter, "gain", "mixing"), map(float, noise))),
            "unexplained": left}
