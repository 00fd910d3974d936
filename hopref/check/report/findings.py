"""Findings, records of cases and laws, and the report that contains those of one candidate."""
import ast
import re
import time
from dataclasses import asdict, dataclass, field

import numpy as np

__all__ = ["Finding", "Put", "Report", "SCHEMA", "abridged"]

SCHEMA = "hopref-check/2"
LONGEST = 300           # characters of a message
PRINTED = re.compile(r"\b(array|tensor|Array)\((?=\[)")
INVALID = re.compile("[^\t\n\r\x20-\ud7ff\ue000-\ufffd\U00010000-\U0010ffff]")    # in XML


@dataclass
class Finding:
    """One defect of a candidate, in the simplest of the cases that show it.

    ``name`` is the name of the tolerance, law or side effect; ``times`` is the number of cases.
    ``relation`` is what ``got`` should be to ``want``: "=", "<=", ">="; or "sides" for two sides of
    a law that both depend on the candidate, "before" for two results that should be equal.
    """
    kind: str                   # value | law | call | side effect
    name: str
    message: str
    case: str = ""
    index: tuple = ()
    got: float | None = None
    want: float | None = None
    bound: float | None = None
    relation: str = "="
    wrong: int | None = None    # entries beyond their bounds, of `entries`
    entries: int | None = None
    max_abs: float | None = None
    max_rel: float | None = None
    heat: list = field(default_factory=list)        # errors in units of the bound, as a table,
    heat_case: str = ""                             # in the case with the largest result
    arguments: str = ""         # their formats and shapes
    size: int = 0               # numbers in the arguments
    trace: list = field(default_factory=list)       # places in the code of the candidate
    smallest: str = ""          # the smallest failing input, as a call that can be pasted
    smallest_gives: str = ""    # both values at its worst entry
    times: int = 1
    worst: float | None = None  # largest error in units of the bound over all cases
    worst_case: str = ""
    id: str = ""
    reproduce: str = ""         # a command that reproduces it
    expected: str = ""          # the reason, where it was declared with --xfail

    def __post_init__(self):
        self.message = abridged(self.message)
        self.heat_case = self.heat_case or self.case * bool(self.heat)
        if self.got is not None and self.worst is None:
            self.worst, self.worst_case = self.excess, self.case

    @property
    def excess(self):
        """The error in units of its bound."""
        if self.got is None or self.want is None or not self.bound:
            return float("inf")
        error = abs(self.got - self.want)
        return error / self.bound if error == error else float("inf")

    def joined(self, other):
        """This finding and one of the same name: the simpler case, and the worst error of both."""
        simpler = other if other.size < self.size else self
        worst = max((self, other), key=lambda f: -1.0 if f.worst is None else f.worst)
        simpler.worst, simpler.worst_case = worst.worst, worst.worst_case
        larger = max((self, other), key=lambda f: sum(map(len, f.heat)))
        simpler.heat, simpler.heat_case = larger.heat, larger.heat_case
        simpler.times = self.times + other.times
        return simpler


@dataclass
class Put:
    """A case or law that was put to the candidate, or could not be; the family of a law is its id.

    ``outcome`` is "passes", "fails", "limit" (a stress case, which is no failure), "not offered" or
    "not put"; ``ratio`` is the largest error in units of the bound, ``finding`` the name of the
    finding; ``eps`` that error in eps of the format, of cases that are no stress cases.
    """
    kind: str                   # case | law
    name: str
    outcome: str = "passes"
    family: str = ""
    options: tuple = ()
    ratio: float | None = None
    eps: float | None = None
    judged: int = 0             # draws to which a law applied
    finding: str = ""
    note: str = ""
    truth: str = ""             # how the correct value of a case is known; "" in long double


@dataclass
class Report:
    """The judgement of one candidate as an implementation of one op."""
    target: str
    like: str
    dtype: str = "float64"
    arithmetic: str = "float64"
    seed: int = 0
    source: str = ""
    cases: int = 0                                  # that were put to the candidate
    due: int = 0                                    # that were drawn
    laws: int = 0
    untried: list = field(default_factory=list)     # options, or values of them, of no case put
    gaps: list = field(default_factory=list)        # why a verdict would rest on too little
    not_offered: list = field(default_factory=list)
    findings: list = field(default_factory=list)
    records: list = field(default_factory=list)     # a `Put` for each case and law
    limits: list = field(default_factory=list)      # stress cases that failed
    remarks: list = field(default_factory=list)     # properties that break no law
    named: list = field(default_factory=list)       # names of bugs that explain the findings
    estimates: dict = field(default_factory=dict)   # recovered parameters
    largest_error: float = 0.0                      # in units of the bound
    largest_eps: float = 0.0                        # relative to the result, in eps of the format
    sharpness: dict = field(default_factory=dict)   # errors of trivial results
    skipped: str = ""
    began: float = field(default_factory=time.monotonic, repr=False)
    seconds: float = 0.0

    @property
    def verdict(self):
        """"conforms", "partial", "fails" or "skipped"."""
        if any(not f.expected for f in self.findings):
            return "fails"
        if not (self.cases or self.laws):
            return "skipped"
        return "partial" if self.gaps else "conforms"

    @property
    def conforms(self):
        return self.verdict == "conforms"

    def add(self, finding):
        """Add a finding; those of the same name become one, with the simplest case."""
        for i, old in enumerate(self.findings):
            if (old.kind, old.name) == (finding.kind, finding.name):
                self.findings[i] = old.joined(finding)
                return
        self.findings.append(finding)

    def measured(self):
        """Set the largest errors, of all cases but those of expected findings and of limits."""
        expected = {f.name for f in self.findings if f.expected}
        counted = [r for r in self.records
                   if r.eps is not None and not (r.finding and r.finding in expected)]
        self.largest_error = max((r.ratio for r in counted), default=0.0)
        self.largest_eps = max((r.eps for r in counted), default=0.0)
        return self

    def done(self):
        self.measured()
        self.seconds = time.monotonic() - self.began
        return self

    def as_dict(self):
        """The report as a dictionary that can be written as JSON."""
        record = {k: v for k, v in asdict(self).items() if k != "began"}
        return plain({"verdict": self.verdict, **record})


def plain(v):
    """A value in the types of JSON; NaN and infinities are strings."""
    if isinstance(v, dict):
        return {str(k): plain(x) for k, x in v.items()}
    if isinstance(v, (list, tuple, set)):
        return [plain(x) for x in v]
    if isinstance(v, (np.generic, np.ndarray)):
        return plain(v.tolist())
    if isinstance(v, float) and not np.isfinite(v):
        return {"inf": "inf", "-inf": "-inf"}.get(str(v), "nan")
    return v if v is None or isinstance(v, (bool, int, float, str)) else str(v)


def abridged(text, limit=LONGEST):
    """A message on one line: shapes in place of printed arrays, no control characters."""
    while found := PRINTED.search(text):
        end = closing(text, found.end() - 1)
        text = f"{text[:found.start()]}{found[1]} of shape {shape_in(text[found.end():end])}" \
               f"{text[end + 1:]}"
    text = INVALID.sub(lambda c: f"\\x{ord(c[0]):02x}", " ".join(text.split()))
    return text if len(text) <= limit else f"{text[:limit - 4]} ..."


def closing(text, start):
    """The place of the bracket that closes the one at ``start``; the end of a text cut before."""
    depth = 0
    for at in range(start, len(text)):
        depth += (text[at] in "([") - (text[at] in ")]")
        if depth == 0:
            return at
    return len(text)


def shape_in(text):
    """The shape of an array as it is printed; "..." if entries are left out without the shape."""
    entries = text[:closing(text, 0) + 1]
    if "..." in entries:
        stated = re.search(r"shape=(\([\d, ]*\))", text)
        return stated[1] if stated else "..."
    try:
        return np.shape(ast.literal_eval(re.sub(r"\b(nan|inf)\b", "0", entries)))
    except (SyntaxError, ValueError):
        return "..."
