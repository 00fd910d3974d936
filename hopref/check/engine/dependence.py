"""Dependence of a candidate on other members of the batch, on strides, and on earlier calls.

Bitwise equality is not required, since BLAS may round a batch and a single row differently: two
results may differ by the sum of their tolerances.  The side effects of a single call (modification
of its input, a returned view of it, output, changes of the global error or random state) are
observed by `candidate.observe`.
"""
import numpy as np

from hopref.check.engine.candidate import REUSED
from hopref.check.tolerance.expected import expected

__all__ = ["examine", "repeats"]

NOT_REPEATED = "the second of two equal calls; is dropout active (torch: call .eval()), or a draw?"
LAYOUTS = ("Fortran order", "reversed strides", "every other entry")


def repeats(trial, drawn):
    """Whether two equal calls differ, which is then the only finding."""
    case = next((c for c in drawn if not c.stress), None)
    outcomes = []
    while case is not None and len(outcomes) < 2:
        outcome = trial.candidate.call(case.args, case.kwargs)
        if outcome.failure:
            return False                # the judgement of the values reports it
        outcomes.append(trial.comparison.applied(case.args, case.kwargs, outcome, trial.profile))
    truth = expected(trial.op, case.args, case.kwargs, trial.profile) if outcomes else None
    if not all(fits(outcome.values, truth) for outcome in outcomes):
        return False
    if not outcomes:
        return False
    compare(trial, "two equal calls differ", NOT_REPEATED, case, truth, outcomes[1].values,
            outcomes[0].values)
    trial.report.cases += bool(trial.report.findings)
    return bool(trial.report.findings)


def fits(values, truth):
    """Whether results are numbers of the right shapes, so that they can be compared."""
    pieces = truth if isinstance(truth, tuple) else (truth,)
    return all(y.dtype.kind in "biuf" and y.shape == right.shape
               for y, right in zip(values, pieces))


def examine(trial, drawn):
    """Call the candidate again with a batch of one, in other layouts, and in another order."""
    plain = [answer for answer in trial.answers if not answer[0].stress and answer[2][0].size]
    for case, truth, values in plain[:1]:
        if len(trial.op.arrays) > 1:
            alone(trial, case, truth, values)
        for layout in LAYOUTS:
            again(trial, case, truth, values, "depends on strides", f"given in {layout}", layout)
        if len(plain) > 1:
            trial.call(plain[-1][0].args, plain[-1][0].kwargs)
        again(trial, case, truth, values, "remembers earlier calls", "called once more")
    in_the_arrays_of_another_call(trial, plain)


def in_the_arrays_of_another_call(trial, plain):
    """Two calls with the same array objects and other contents, as in a loop over a buffer."""
    def shapes(case):
        return [np.shape(a) for a in case.args], {k: np.shape(v) for k, v in case.kwargs.items()}

    for first, *_ in plain[:1]:
        for case, truth, values in plain[1:]:
            if shapes(case) == shapes(first):
                trial.call(first.args, first.kwargs, REUSED)
                return again(trial, case, truth, values, "remembers earlier calls",
                             f"given in {REUSED}", REUSED)


def again(trial, case, truth, values, name, words, layout="C"):
    """The same call must give the same answer, up to twice its tolerance."""
    outcome = trial.call(case.args, case.kwargs, layout)
    if not outcome.failure and [v.shape for v in outcome.values] == [v.shape for v in values]:
        compare(trial, name, words, case, truth, outcome.values, values)
    elif outcome.failure != "not offered":
        trial.find("side effect", name, f"{words}: {outcome.message or 'another shape'}", case.name)


def alone(trial, case, truth, values):
    """The second member of the batch, on its own."""
    op, batch = trial.op, set()
    for k, a in zip(op.signature.parameters, case.args):
        if op.arrays.get(k, ())[:1] == ("...",) and np.ndim(a) >= len(op.arrays[k]):
            batch.add(np.shape(a)[0])
    if len(batch) != 1 or batch.pop() < 2:
        return
    args = [one(op, k, a) for k, a in zip(op.signature.parameters, case.args)]
    kwargs = {k: one(op, k, a) for k, a in case.kwargs.items()}
    outcome = trial.call(args, kwargs)
    if outcome.failure or len(outcome.values) != len(values):
        return
    pieces = truth if isinstance(truth, tuple) else (truth,)
    batched = [i for i, dims in zip(range(len(values)), op.outputs) if dims[:1] == ("...",)]
    mine = tuple(pieces[i].rearranged(lambda a: a[1:2]) for i in batched)
    rows, own = [values[i][1:2] for i in batched], [outcome.values[i] for i in batched]
    if [v.shape for v in own] == [v.shape for v in rows]:
        compare(trial, "depends on its neighbours in the batch", "a row alone", case, mine, own,
                rows)


def one(op, k, a):
    """The second member of a batch, as a batch of one."""
    batched = op.arrays.get(k, ())[:1] == ("...",) and np.ndim(a) >= len(op.arrays[k])
    return np.ascontiguousarray(a[1:2]) if batched else a


def compare(trial, name, words, case, truth, new, old):
    """Report a finding if two results differ by more than the sum of their tolerances."""
    for right, a, b in zip(truth if isinstance(truth, tuple) else (truth,), new, old):
        with np.errstate(all="ignore"):
            same = (a == b) | np.isnan(a) & np.isnan(b)
            gap = np.where(same, 0, np.abs(a - 1.0 * b)).astype(float)
        broken = ~(gap <= 2 * right.radius)
        if np.any(broken):
            size = np.where(broken, np.nan_to_num(gap, nan=np.inf), -1)
            at = np.unravel_index(int(np.argmax(size)), gap.shape)
            trial.find("side effect", name, words, case.name, index=tuple(map(int, at)),
                       got=float(a[at]), want=float(b[at]), bound=float(2 * right.radius[at]),
                       relation="before")
            return
