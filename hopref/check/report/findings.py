"""Findings, and the report that contains those of one candidate."""
import time
from dataclasses import asdict, dataclass, field

__all__ = ["Finding", "Report", "SCHEMA"]

SCHEMA = "hopref-check/1"
DEADLY = ("crash", "timeout", "resource", "raised", "protocol", "wrong type")


@dataclass
class Finding:
    """One defect of a candidate, in the case of largest error.

    ``name`` is the name of the tolerance, law or side effect; ``times`` is the number of cases.
    """
    kind: str                   # value | law | call | side effect
    name: str
    message: str
    case: str = ""
    index: tuple = ()
    got: float | None = None
    want: float | None = None
    bound: float | None = None
    times: int = 1
    id: str = ""
    reproduce: str = ""         # a command that reproduces it
    expected: str = ""          # the reason, where it was declared with --xfail

    @property
    def excess(self):
        """The ratio of the error to its bound."""
        if self.got is None or self.want is None or not self.bound:
            return float("inf")
        error = abs(self.got - self.want)
        return error / self.bound if error == error else float("inf")


@dataclass
class Report:
    """The judgement of one candidate as an implementation of one op."""
    target: str
    like: str
    dtype: str = "float64"
    arithmetic: str = "float64"
    seed: int = 0
    source: str = ""
    cases: int = 0
    laws: int = 0
    not_offered: list = field(default_factory=list)
    findings: list = field(default_factory=list)
    limits: list = field(default_factory=list)      # stress cases that failed
    remarks: list = field(default_factory=list)     # properties that break no law
    named: list = field(default_factory=list)       # names of bugs that explain the findings
    estimates: dict = field(default_factory=dict)   # recovered parameters
    largest_error: float = 0.0                      # relative to the tolerance
    sharpness: dict = field(default_factory=dict)   # errors of trivial results
    skipped: str = ""
    began: float = field(default_factory=time.monotonic, repr=False)
    seconds: float = 0.0

    @property
    def verdict(self):
        """"conforms", "fails" or "skipped"."""
        if any(not f.expected for f in self.findings):
            return "fails"
        return "conforms" if self.cases or self.laws else "skipped"

    @property
    def conforms(self):
        return self.verdict == "conforms"

    def add(self, finding):
        """Add a finding; of findings with the same name the worst is kept."""
        for i, old in enumerate(self.findings):
            if (old.kind, old.name) == (finding.kind, finding.name):
                worse = finding if finding.excess > old.excess else old
                worse.times = old.times + 1
                self.findings[i] = worse
                return
        self.findings.append(finding)

    def done(self):
        self.seconds = time.monotonic() - self.began
        return self

    def as_dict(self):
        """The report as a dictionary that can be written as JSON."""
        record = {k: v for k, v in asdict(self).items() if k != "began"}
        return {"verdict": self.verdict, **record}
