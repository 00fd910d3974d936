"""Judgement of a candidate: its values, laws, side effects, and the bugs that explain it."""
from dataclasses import replace

import numpy as np

from hopref.check.cases.generator import cases
from hopref.check.cases.literals import case_from
from hopref.check.engine import dependence
from hopref.check.engine.candidate import Misuse, NotOffered
from hopref.check.engine.comparison import Comparison
from hopref.check.engine.diagnosis import diagnose
from hopref.check.engine.errors import extent, in_eps, worst_entry
from hopref.check.engine.implementation import Implementation, WrongShape
from hopref.check.engine.smallest import smallest_of
from hopref.check.laws import laws_of
from hopref.check.peers.conventions import PLAIN
from hopref.check.report.coverage import cover, record_of
from hopref.check.report.findings import Finding, Put, Report
from hopref.check.tolerance.arithmetic import holds_numbers, profile_of
from hopref.check.tolerance.certified import decided
from hopref.check.tolerance.expected import expected
from hopref.dispatch.operation import load

__all__ = ["judge", "arguments_of", "worst_entry", "LAW_CASES", "MOST_DRAWS"]

LAW_CASES = ("gauss", "gauss, mask", "ties", "gauss, ties=plus", "unit norm, beta 25", "no batch",
             "integers", "more queries than keys", "long keys", "gauss, defaults",
             "gauss, states=binary", "gauss, b")
MOST_FAILURES = 2       # crashes and time-outs after which the judgement ends
MOST_DRAWS = 12         # arguments with which a law is tried
THOROUGH = 8            # times as many of a thorough judgement
MOST_CALLS = 3          # calls of one shape that are kept for the diagnosis


class Refused(Exception):
    """A law called the candidate, and it returned no value."""


def judge(candidate, like, *, dtype="float64", arithmetic="", seed=0, only="", input="",
          again=None, xfail=None, strict=False, draws=MOST_DRAWS, convention=PLAIN,
          thorough=False, certify=False):
    """Judge a candidate as an implementation of the operation or function ``like``.

    Parameters
    ----------
    candidate : `InProcess` or `Subprocess`
    like : name of the operation or function
    dtype : number format of the arrays that the candidate receives
    arithmetic : name of its arithmetic, where it differs from that of the format
    seed : int, seed of the cases
    only : name of a single case; "" for all cases
    input : a call of the operation as text, which is the single case; "" for the drawn cases
    again : function of "case" or "input", its value, and the seed, which returns the line that
        reproduces a case
    xfail : dictionary from the names of expected findings to the reasons
    strict : bool, whether a failure in a stress case is a finding
    draws : int, number of arguments with which each law is tried
    convention : `Convention`, of which the judgement reads the options of the op that are fixed,
        the sizes, and the parts of the results that are not compared
    thorough : bool, whether the cases contain every pair of levels (see `cases`), and each law is
        tried with `THOROUGH` times as many arguments
    certify : bool, whether the cases are judged against certified values where there are some (see
        `hopref.check.tolerance.certified`), and all others against the formula in long double

    Returns
    -------
    Report
    """
    op, profile = load().get(like), profile_of(arithmetic or dtype)
    report = Report(candidate.name, like, dtype, profile.name, seed, getattr(op, "source", ""))
    trial = Trial(candidate, like, profile, report, seed, again, strict,
                  draws * THOROUGH if thorough else draws, convention, certify)
    drawn = []
    if op is not None and op.arrays:
        only = "input" if input else only
        drawn = [case_from(op, input, dtype)] if input else \
            [c for c in cases(op, dtype, seed, convention.case_options, convention.sizes, thorough)
             if only in ("", c.name)]
        report.records, report.due = [record_of(op, case) for case in drawn], len(drawn)
        if drawn:
            trial.warm(*smallest(drawn))
        if dependence.repeats(trial, drawn):
            return report.done()
        trial.values(drawn)
    trial.law_by_law(drawn, only)
    if drawn and not only and not trial.over:
        dependence.examine(trial, drawn)
    diagnose(trial)
    if not only:
        cover(report, op, getattr(candidate, "never_passed", None) or [],
              convention.names)
    if misses := report.sharpness.pop("misses", []):
        report.sharpness["median miss"] = float(np.median(misses))
    for finding in report.findings:
        finding.expected = (xfail or {}).get(finding.name, "")
    return report.done()


def arguments_of(law, op, drawn, *, number=MOST_DRAWS, seed=0, dtype="float64"):
    """Triples (name of the case, operands, options) to which a law is applied.

    The cases are those of the judged operation, or of the first subject of the law whose arguments
    the law takes.  A case with an option that the law does not have is skipped.
    """
    if law.over is not None or not law.takes_arguments:
        yield from ((f"draw {i}", (), given) for i, given in enumerate(law.drawn(number, seed))
                    if holds_numbers(given.values(), dtype))
        return
    for source in dict.fromkeys([op, *(load().get(name) for name in law.subjects)]):
        if source is None or not source.arrays:
            continue
        found = [c for c in (drawn if source is op else cases(source, dtype, seed)) if law.takes(c)]
        if found:
            known = [case for name in LAW_CASES for case in found if case.name == name]
            yield from ((case.name, case.args, case.kwargs) for case in known or found)
            return


class Trial:
    """The state of one judgement."""
    def __init__(self, candidate, like, profile, report, seed, again=None, strict=False,
                 draws=MOST_DRAWS, convention=PLAIN, certify=False):
        self.comparison = Comparison(load().get(like), convention)
        self.candidate, self.like, self.op = candidate, like, load().get(like)
        self.profile, self.report = profile, report
        self.seed, self.again, self.strict, self.draws = seed, again, strict, draws
        self.certify = certify
        self.answers = []           # (case, truth, values) of every case that was answered
        self.unanswered = []        # (case, truth, values) of every case that had no result
        self.calls = {}             # shapes -> (arguments, options, answer) of calls by laws
        self.wrong = []             # the cases with wrong values
        self.failures, self.warmed = 0, False

    @property
    def over(self):
        return self.failures >= MOST_FAILURES

    def warm(self, args, kwargs):
        """Call the candidate once, so that its imports precede all measurements."""
        self.warmed = True
        self.candidate.call(args, kwargs)
        if hasattr(self.candidate, "take_baseline"):
            self.candidate.take_baseline()

    def call(self, args, kwargs, layout="C"):
        """Call the candidate, record its side effects, and count a crash."""
        if not self.warmed:
            self.warm(args, kwargs)
        outcome = self.candidate.call(args, kwargs, layout)
        if outcome.failure == "misuse":
            raise Misuse(outcome.message)
        self.failures += outcome.failure in ("crash", "timeout", "resource")
        for name, message in outcome.side_effects:
            self.find("side effect", name, message, case="any")
        return self.comparison.applied(args, kwargs, outcome, self.profile)

    def find(self, kind, name, message, case="", **more):
        again = self.again("case", case, self.seed) if self.again and case != "any" else ""
        self.report.add(Finding(kind, name, message, case, reproduce=again, **more))

    def given(self, args, kwargs):
        """The formats and shapes of the arguments, and how many numbers they have."""
        names = self.op.signature.parameters if self.op is not None else map(str, range(len(args)))
        given = {**dict(zip(names, args)), **kwargs}
        words = [f"{k} {v.dtype} {v.shape}" if isinstance(v, np.ndarray) else f"{k}={v!r:.60}"
                 for k, v in given.items()]
        size = sum(v.size if isinstance(v, np.ndarray) else 1 for v in given.values())
        return {"arguments": ", ".join(words), "size": size}

    def values(self, drawn):
        """Compare the results of every case with the correct values."""
        for case, record in zip(drawn, self.report.records):
            if self.over:
                return
            outcome = self.call(case.args, case.kwargs, case.layout)
            if outcome.failure == "not offered":
                self.report.not_offered.append(f"{case.name}: {outcome.message}")
                record.outcome, record.note = "not offered", outcome.message
                continue
            self.report.cases += 1
            profile = replace(self.profile, worst_case=case.correlated or self.profile.worst_case)
            truth = self.right(case, profile, record)
            self.sharpen(truth)
            record.outcome, wrong = "passes", misfit(outcome, truth, self.profile.dtype)
            if wrong is None:
                self.answers.append((case, truth, outcome.values))
                record.ratio, wrong = self.misses(truth, outcome.values)
                if self.strict or not case.stress:
                    record.eps = max(in_eps(y, right, self.profile.dtype)
                                     for right, y in zip(parts(truth), outcome.values))
            elif outcome.failure not in ("crash", "timeout", "resource"):
                self.unanswered.append((case, truth, outcome.values))
            if wrong is None:
                continue
            record.note, record.finding = wrong["message"], wrong["name"]
            if case.stress and not self.strict and wrong["kind"] == "value":
                record.outcome = "limit"
                self.report.limits.append(f"{case.name}: {wrong['message']}")
            else:
                record.outcome = "fails"
                self.wrong += [case] * (wrong["kind"] == "value")
                self.find(case=case.name, **wrong, **self.given(case.args, case.kwargs))

    def right(self, case, profile, record):
        """The toleranced results of a case, certified where they can be."""
        results = expected(self.op, case.args, case.kwargs, profile)
        if self.certify:
            results, record.truth, agree = decided(self.op, case.args, case.kwargs, results)
            if not agree:
                self.report.remarks.append(
                    f"in case {case.name!r} the formula of hopref differs from the certified "
                    "value, which was taken: please report this defect of hopref")
        return results

    def sharpen(self, truth):
        """Record the errors of trivial results; a case that they pass has no power."""
        right, sharp = parts(truth)[0], self.report.sharpness
        if right.value.size == 0 or not np.all(np.isfinite(right.value)) or right.dtype.kind != "f":
            return
        mean = np.broadcast_to(np.mean(right.value), right.shape)
        misses = [worst_entry(y, right)[0] for y in (np.zeros(right.shape), mean)]
        sharp["asked"] = sharp.get("asked", 0) + 1
        sharp["passed"] = sharp.get("passed", 0) + (min(misses) <= 1)
        sharp.setdefault("misses", []).append(min(misses))

    def misses(self, truth, values):
        """The largest error in units of the bound; beyond 1, also the fields of a finding."""
        found = [worst_entry(y, right) for right, y in zip(parts(truth), values)]
        i = max(range(len(found)), key=lambda i: found[i][0])
        ratio, at, got, want, bound = found[i]
        if ratio <= 1:
            return ratio, None
        output = f"output {i}, " if isinstance(truth, tuple) else ""
        how_far = f"{ratio:.3g} bounds" if bound else "only one value is right"
        return ratio, {"kind": "value", "name": f"tolerance of {self.like}", "index": at,
                       "got": got, "want": want, "bound": bound, "message": output + how_far,
                       **extent(values[i], parts(truth)[i])}

    def reduced(self):
        """Replace the input of the finding of wrong values by the smallest that fails."""
        found = None if self.over else smallest_of(self)
        for f in self.report.findings:
            if f.kind == "value" and found is not None:
                f.smallest, f.smallest_gives = found.call, found.gives
                if self.again:
                    f.reproduce = self.again("input", found.call, self.seed)

    def law_by_law(self, drawn, only=""):
        """Apply every law of the subject to the candidate."""
        f = Implementation(self.like, self.value, self.profile)
        easy = [case for case in drawn if self.strict or not case.stress]
        for law in laws_of(self.like):
            record = Put("law", law.name, "not put", law.id)
            for name, args, kwargs in arguments_of(law, self.op, easy, seed=self.seed,
                                                   dtype=self.profile.dtype):
                if self.over or record.judged == self.draws:
                    break
                if only in ("", name, law.name):
                    self.one_law(law, record, f, name, args, kwargs, bool(drawn))
            if only == "" or record.judged:
                self.report.records.append(record)
            self.report.laws += record.judged > 0
        self.report.remarks += f.remarks

    def one_law(self, law, record, f, name, args, kwargs, by_cases):
        """Apply a law once; failures of the call are findings unless cases have reported them."""
        try:
            broken = law.judge(f, *f.drawn(args), **f.drawn(kwargs))
        except (Refused, WrongShape) as refused:
            record.note = str(refused)
            if not by_cases:
                self.find("call", "raised", str(refused), law.name)
            return
        except NotOffered as absent:
            record.outcome = "passes" if record.judged else "not offered"
            if not by_cases and str(absent) not in self.report.not_offered:
                self.report.not_offered.append(str(absent))
            return
        except (AttributeError, IndexError, TypeError, ValueError) as error:
            if by_cases:
                raise
            self.find("call", "wrong result", f"{type(error).__name__}: {error}", law.name)
            return
        if broken is not None:
            record.judged += 1
            record.outcome = "fails" if broken or record.outcome == "fails" else "passes"
        for it in (broken or [])[:1]:
            record.finding, record.note = law.name, f"{law.statement} {it.what}".strip()
            self.find("law", law.name, record.note, name, id=law.id, **it.worst,
                      **self.given(args, kwargs))

    def value(self, *args, **kwargs):
        """The results of a call by a law."""
        stored = [self.narrow(a) for a in args]
        named = {k: self.narrow(v) for k, v in kwargs.items()}
        outcome = self.call(stored, named)
        if outcome.failure == "not offered":
            raise NotOffered(outcome.message)
        own_type = outcome.failure == "wrong type" and (outcome.returned is not None
                                                        or outcome.fields)
        if outcome.failure and not (own_type and (self.op is None or not self.op.arrays)):
            raise Refused(outcome.message or outcome.failure)
        if self.op is None or not self.op.arrays:
            self.record(stored, named, outcome.answer)
            return outcome.answer
        self.record(stored, named, outcome.values)
        if len(outcome.values) not in (1, len(self.op.outputs)):
            raise Refused(f"{len(outcome.values)} results")
        if any(y.dtype.kind not in "biuf" for y in outcome.values):
            raise Refused("results that are not numbers")
        values = tuple(y.astype(np.longdouble) for y in outcome.values)
        return values if len(self.op.outputs) > 1 else values[0]

    def record(self, args, kwargs, answer):
        """Store a few calls of each shape for the diagnosis."""
        kind = str(shape_of((*args, *kwargs.values())))
        self.calls.setdefault(kind, [])
        if len(self.calls[kind]) < MOST_CALLS:
            self.calls[kind].append((args, kwargs, answer))

    def narrow(self, a):
        """Convert long double to the format of the candidate, in which the numbers are exact."""
        if self.op is None or not self.op.arrays:
            return a
        if isinstance(a, np.ndarray) and a.dtype.kind == "f":
            return a.astype("float32" if self.profile.dtype == "bfloat16" else self.profile.dtype)
        return float(a) if isinstance(a, np.floating) else a


def smallest(drawn):
    """Operands and options of the case with the fewest numbers, but not of an empty one."""
    case = min(drawn, key=lambda case: sum(map(np.size, case.args)) or 10**9)
    return case.args, case.kwargs


def shape_of(a):
    """The shapes of the arrays of an argument, nested ones among them; a number or name itself."""
    if isinstance(a, (tuple, list)):
        return tuple(map(shape_of, a))
    return a.shape if isinstance(a, np.ndarray) else a if np.isscalar(a) else type(a).__name__


def parts(truth):
    return truth if isinstance(truth, tuple) else (truth,)


def misfit(outcome, truth, dtype):
    """The defect of an outcome other than wrong values, as fields of a finding, or None."""
    if outcome.failure:
        return {"kind": "call", "name": outcome.failure, "message": outcome.message,
                "trace": outcome.trace}
    wanted = [right.shape for right in parts(truth)]
    got = [y.shape for y in outcome.values]
    if len(got) == 1 and not outcome.many:
        wanted = wanted[:1]             # a stateless candidate is judged by its first result
    if len(got) != len(wanted):
        return {"kind": "call", "name": "wrong number of results",
                "message": f"{len(got)} results where {len(wanted)} are expected"}
    if got != wanted:
        return {"kind": "call", "name": "wrong shape",
                "message": f"shape {listed(got)} where {listed(wanted)} is expected"}
    for right, y in zip(parts(truth), outcome.values):
        if right.dtype.kind != "f" and y.dtype.kind in "biuf":
            continue                    # counts and indices may be of any kind
        if y.dtype.kind != "f" or dtype in ("float32", "float64") and \
                y.dtype.itemsize < np.dtype(dtype).itemsize:
            return {"kind": "call", "name": "wrong dtype",
                    "message": f"{y.dtype} where {dtype} went in"}
    return None


def listed(shapes):
    return ", ".join(str(tuple(s)) for s in shapes)
