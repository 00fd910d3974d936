"""What is wrong with a condemned candidate: bugs with a name, and recovered parameters.

A bug explains a candidate if the buggy formula is at least a hundred times nearer to its answers
than the truth, in every case in which the two differ.  Recovery regresses the residual on
``dy/dlog beta``, ``y`` and ``mean(v) - y``: an estimated wrong beta, gain, and uniform mixing.
"""
import numpy as np

from hopref.check.derived import widened
from hopref.check.hypotheses import answer, hypotheses_of
from hopref.check.tolerance import truth

__all__ = ["diagnose", "explains", "recovered"]

NEARER = 100.0          # a bug explains an error that it reduces this much
STEP = 2.0**-10         # of log beta, in the derivative: its error, STEP^2, is far below 1/NEARER


def diagnose(trial):
    """Name the bugs that explain the findings; estimate parameters where the op has a beta."""
    report = trial.report
    answers = [a for a in trial.answers if not a[0].stress and a[2] and a[2][0].size]
    if any(f.kind in ("value", "law") for f in report.findings):
        report.named = [name for name in hypotheses_of(trial.op.name)
                        if explains(name, trial.op, answers)]
    report.estimates = recovered(trial.op, answers)


def explains(name, op, answers):
    """Whether the bug of this name accounts for the answers."""
    shown = 0
    for case, exact, values in answers:
        args, kwargs = widened(op, case.args, case.kwargs)
        with np.errstate(all="ignore"):
            wrong = answer(name, op, args, kwargs)
        if wrong is None:
            continue
        wrong = wrong if isinstance(wrong, tuple) else (wrong,)
        for right, y, bug in zip(exact if isinstance(exact, tuple) else (exact,), values, wrong):
            if np.shape(bug) != y.shape:
                continue
            known = np.where(np.isfinite(right.radius), right.radius, 0)
            slack = 2 * float(np.max(known, initial=0))
            if distance(np.asarray(bug), right.value) <= 4 * slack:
                continue                # truth and bug agree here: the case is silent
            if distance(y, np.asarray(bug)) > max(slack, distance(y, right.value) / NEARER):
                return False
            shown += 1
    return shown > 0


def distance(a, b):
    """The largest difference; infinite where only one of two entries is finite."""
    with np.errstate(all="ignore"):
        a, b = a.astype(np.longdouble), b.astype(np.longdouble)
        gap = np.where((a == b) | np.isnan(a) & np.isnan(b), 0, np.abs(a - b))
    return float(np.max(np.nan_to_num(gap, nan=np.inf, posinf=np.inf), initial=0))


def recovered(op, answers):
    """{"beta": relative error, "gain": ..., "mixing": ...} from the well-behaved cases."""
    parameter = {"modern.update": "beta", "attention.softmax_attention": "scale"}.get(op.name)
    rows, residuals = [], []
    for case, exact, values in answers:
        given = case.kwargs.get(parameter)
        if parameter is None or not isinstance(given, float) or not case.name.startswith("gauss"):
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
