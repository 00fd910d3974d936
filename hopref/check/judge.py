"""Judge a candidate: call it, compare it with the truth, hold it to the laws, watch its manners."""
import numpy as np

from hopref.check import contract
from hopref.check.arithmetic import profile_of
from hopref.check.cases import cases
from hopref.check.diagnosis import diagnose
from hopref.check.findings import Finding, Report
from hopref.check.laws import draw_laws_of, laws_of
from hopref.check.measured import Measured
from hopref.check.tolerance import measured
from hopref.dispatch.operation import load

__all__ = ["judge", "worst_entry", "LAW_CASES"]

LAW_CASES = ("gauss", "gauss, mask", "ties", "gauss, ties=plus", "unit norm, beta 25", "no batch",
             "integers", "more queries than keys", "long keys", "gauss, defaults",
             "gauss, states=binary", "gauss, b")
PATIENCE = 2        # deaths before the judgement is closed
ENOUGH = 5          # cases on which a law is heard


class Refused(Exception):
    """A law called the candidate, and no value came."""


def judge(candidate, like, *, dtype="float64", arithmetic="", seed=0, only="", again="", xfail=None,
          strict=False):
    """The report on ``candidate`` as an implementation of the op ``like``.

    ``only`` names one case; ``strict`` lets stress cases condemn; ``xfail`` maps names of findings
    to the reasons why they are expected; ``again`` is the command that reproduces a case.
    """
    op, profile = load().get(like), profile_of(arithmetic or dtype)
    report = Report(candidate.name, like, dtype, profile.name, seed, getattr(op, "source", ""))
    trial = Trial(candidate, op, profile, report, seed, again, strict)
    if op is None or not op.arrays:
        trial.draws(like, only)
    else:
        drawn = [c for c in cases(op, dtype, seed) if only in ("", c.name)]
        trial.warm(drawn)
        trial.values(drawn)
        heard = drawn if only else [c for name in LAW_CASES for c in drawn if c.name == name]
        trial.law_by_law([case for case in heard if strict or not case.stress])
        if not only and not trial.over:
            contract.examine(trial, drawn)
        diagnose(trial)
    if misses := report.sharpness.pop("misses", []):
        report.sharpness["median miss"] = float(np.median(misses))
    for finding in report.findings:
        finding.expected = (xfail or {}).get(finding.name, "")
    return report.done()


class Trial:
    """One judgement under way."""
    def __init__(self, candidate, op, profile, report, seed, again="", strict=False):
        self.candidate, self.op, self.profile, self.report = candidate, op, profile, report
        self.seed, self.again, self.strict = seed, again, strict
        self.answers = []           # (case, truth balls, values) of every case that was answered
        self.deaths = 0

    @property
    def over(self):
        return self.deaths >= PATIENCE

    def warm(self, drawn):
        """A first call on little input, so that imports are done before anything is measured."""
        sizes = [sum(np.size(a) for a in case.args) or 10**9 for case in drawn]
        for at in np.argsort(sizes, kind="stable")[:1]:
            self.candidate.call(drawn[at].args, drawn[at].kwargs)
        if hasattr(self.candidate, "settle"):
            self.candidate.settle()

    def call(self, args, kwargs, layout="C"):
        """One call, its breaches noted; a death counts."""
        outcome = self.candidate.call(args, kwargs, layout)
        self.deaths += outcome.failure in ("crash", "timeout", "resource")
        for name, words in outcome.faults:
            self.find("manners", name, words, case="any")
        return outcome

    def find(self, kind, name, words, case="", **more):
        again = self.again.format(case=case, seed=self.seed) if self.again and case != "any" else ""
        self.report.add(Finding(kind, name, words, case, again=again, **more))

    def values(self, drawn):
        """Compare every case with the truth."""
        for case in drawn:
            if self.over:
                return
            truth = measured(self.op, case.args, case.kwargs, self.profile)
            outcome = self.call(case.args, case.kwargs)
            if outcome.failure == "not offered":
                self.report.left_out.append(f"{case.name}: {outcome.words}")
                continue
            self.report.cases += 1
            self.sharpen(truth)
            wrong = misfit(self.op, outcome, truth, self.profile.dtype)
            if wrong is None:
                self.answers.append((case, truth, outcome.values))
                wrong = self.misses(case, truth, outcome.values)
            if wrong is None:
                continue
            if case.stress and not self.strict and wrong["kind"] == "value":
                self.report.beyond.append(f"{case.name}: {wrong['words']}")
            else:
                self.find(case=case.name, **wrong)

    def sharpen(self, truth):
        """How answers that know nothing would have fared: a check that they pass shows nothing."""
        ball, sharp = parts(truth)[0], self.report.sharpness
        if ball.value.size == 0 or not np.all(np.isfinite(ball.value)) or ball.dtype.kind != "f":
            return
        mean = np.broadcast_to(np.mean(ball.value), ball.shape)
        misses = [worst_entry(y, ball)[0] for y in (np.zeros(ball.shape), mean)]
        sharp["asked"] = sharp.get("asked", 0) + 1
        sharp["passed"] = sharp.get("passed", 0) + (min(misses) <= 1)
        sharp.setdefault("misses", []).append(min(misses))

    def misses(self, case, truth, values):
        """The worst entry beyond its tolerance, as the fields of a finding."""
        worst = None
        for i, (ball, y) in enumerate(zip(parts(truth), values)):
            found = worst_entry(y, ball)
            if self.strict or not case.stress:
                self.report.nearest = max(self.report.nearest, found[0])
            if found[0] > 1 and (worst is None or found[0] > worst[0]):
                worst = (*found, i)
        if worst is None:
            return None
        ratio, at, got, want, bound, i = worst
        output = f"output {i}, " if isinstance(truth, tuple) else ""
        how_far = f"{ratio:.3g} times its tolerance" if bound else "where only one value is right"
        return {"kind": "value", "name": f"tolerance of {self.op.name}", "index": at, "got": got,
                "want": want, "bound": bound, "words": output + how_far}

    def law_by_law(self, drawn):
        """Hold the candidate to every law of its op."""
        f = Measured(self.op, self.value, self.profile)
        for law in laws_of(self.op.name):
            heard = 0
            for case in drawn:
                if self.over or heard == ENOUGH:
                    break
                args, kwargs = f.given(case.args, case.kwargs)
                try:
                    broken = law.judge(f, *args, **kwargs)
                except Refused:
                    continue            # what cannot be called was found by the cases
                heard += broken is not None
                for it in (broken or [])[:1]:
                    self.find("law", law.name, f"{law.statement} {it.what}".strip(), case.name,
                              index=it.index, got=it.left, want=it.right, bound=it.bound, id=law.id)
            self.report.laws += heard > 0

    def value(self, *args, **kwargs):
        """A call from within a law: values only."""
        stored = [self.narrow(a) for a in args]
        outcome = self.call(stored, {k: self.narrow(v) for k, v in kwargs.items()})
        if outcome.failure or len(outcome.values) not in (1, len(self.op.outputs)):
            raise Refused(outcome.words)
        values = tuple(y.astype(np.longdouble) for y in outcome.values)
        return values if len(self.op.outputs) > 1 else values[0]

    def narrow(self, a):
        """Long double back in the candidate's format, which holds the same numbers."""
        if isinstance(a, np.ndarray) and a.dtype.kind == "f":
            return a.astype("float32" if self.profile.dtype == "bfloat16" else self.profile.dtype)
        return float(a) if isinstance(a, np.floating) else a

    def draws(self, subject, only):
        """Hold random matrices to their laws; name the bugs that break the same ones."""
        suspects = None
        for law in draw_laws_of(subject):
            if self.over or only not in ("", law.name):
                continue
            self.report.laws += 1
            try:
                for it in (law.judge(self.drawn) or [])[:1]:
                    self.find("law", law.name, f"{law.statement} {it.what}".strip(), law.name,
                              index=it.index, got=it.left, want=it.right, bound=it.bound, id=law.id)
                    suspects = {b for b in law.kills if suspects is None or b in suspects}
            except Refused as refused:
                self.find("call", "raised", str(refused), law.name)
        self.report.named = sorted(suspects or ())

    def drawn(self, *args, **kwargs):
        outcome = self.call(args, kwargs)
        if outcome.failure or not outcome.values:
            raise Refused(outcome.words or outcome.failure)
        return outcome.values[0].astype(float)


def parts(truth):
    return truth if isinstance(truth, tuple) else (truth,)


def misfit(op, outcome, truth, dtype):
    """What is wrong with an outcome before its values are looked at."""
    if outcome.failure:
        return {"kind": "call", "name": outcome.failure, "words": outcome.words}
    wanted = [ball.shape for ball in parts(truth)]
    got = [y.shape for y in outcome.values]
    if len(got) == 1 and not outcome.many:
        wanted = wanted[:1]             # a stateless candidate is judged by its first result
    if len(got) != len(wanted):
        return {"kind": "call", "name": "wrong number of results",
                "words": f"{len(got)} results where {len(wanted)} are due"}
    if got != wanted:
        return {"kind": "call", "name": "wrong shape",
                "words": f"shape {listed(got)} where {listed(wanted)} is due"}
    for ball, y in zip(parts(truth), outcome.values):
        if ball.dtype.kind != "f":
            continue                    # counts and indices may be of any kind
        if y.dtype.kind != "f" or dtype in ("float32", "float64") and \
                y.dtype.itemsize < np.dtype(dtype).itemsize:
            return {"kind": "call", "name": "wrong dtype",
                    "words": f"{y.dtype} where {dtype} went in"}
    return None


def listed(shapes):
    return ", ".join(str(tuple(s)) for s in shapes)


def worst_entry(y, ball):
    """(error / tolerance, index, got, want, bound) at the entry that misses most."""
    if y.size == 0:
        return 0.0, (), None, None, None
    with np.errstate(all="ignore"):
        y = y.astype(np.longdouble)
        same = (y == ball.value) | np.isnan(y) & np.isnan(ball.value)
        miss = np.where(same, 0.0, np.abs(y - ball.value)).astype(float)
        miss = np.where(np.isnan(miss) & np.isfinite(ball.radius), np.inf, miss)
        ratio = np.where(miss == 0, 0.0, miss / np.where(ball.radius > 0, ball.radius, 1e-300))
        ratio = np.where(np.isinf(ball.radius), 0.0, np.where(np.isnan(ratio), np.inf, ratio))
    at = np.unravel_index(int(np.argmax(ratio)), ratio.shape)
    return (float(ratio[at]), tuple(map(int, at)), float(y[at]), float(ball.value[at]),
            float(ball.radius[at]))
