"""pytest plugin of the conformance kit, which pytest loads where hopref is installed. ::

    from hopref.check import parametrize_conformance

    @parametrize_conformance(my_package.retrieve, like="modern.update", dtype="float32")
    def test_retrieve(conformance):
        conformance()

is one test for each case and each law.  The function is judged once, by the first test that runs.
"""
from functools import lru_cache

import pytest

from hopref.check import assert_conforms, check

__all__ = ["Conformance", "hopref_conforms", "parametrize_conformance"]

EFFECTS, COVERAGE = "side effects and calls", "coverage"


@pytest.fixture(scope="session")
def hopref_conforms():
    """Return `hopref.check.assert_conforms`, which fails with the report of the candidate."""
    return assert_conforms


def parametrize_conformance(function, like, **options):
    """Parametrize a test by the cases and laws of a judgement, as the argument ``conformance``.

    Parameters
    ----------
    function : callable with the arguments of the operation
    like : name of the operation, such as "modern.update"
    **options : keyword arguments of `hopref.check.check`, as of ``hopref check``; ``xfail`` is a
        dictionary from the names of cases, laws or findings to the reasons why they are expected
        to fail, and one that does not fail is a failure

    Returns
    -------
    decorator of a test, which calls its argument ``conformance``

    Raises
    ------
    PluginError : no operation or function is called ``like``
    TypeError : an option does not exist
    """
    from hopref.check.judgement import items
    named = [*items(like, options), ("", EFFECTS), ("", COVERAGE)]
    xfail = options.pop("xfail", None) or {}

    @lru_cache(maxsize=1)
    def report():
        return check(function, like, **options)
    return pytest.mark.parametrize("conformance", [
        pytest.param(Conformance(report, kind, name, xfail), id=f"{kind} {name}".strip())
        for kind, name in named])


class Conformance:
    """One case or law of a judgement; a call fails the test if the candidate fails it."""
    def __init__(self, report, kind, name, xfail):
        self.report, self.kind, self.name, self.xfail = report, kind, name, xfail

    def __repr__(self):
        return f"<{self.kind} {self.name!r}>"

    def __call__(self):
        report = self.report()
        if self.name == COVERAGE and not self.kind:
            self.covered(report)
        elif not self.kind:
            of_records = {record.finding for record in report.records}
            self.judged(report, [f for f in report.findings if f.name not in of_records])
        else:
            record = next(r for r in report.records if (r.kind, r.name) == (self.kind, self.name))
            if record.outcome in ("not offered", "not put", "limit"):
                pytest.skip(f"{record.outcome}: {record.note}".removesuffix(": "))
            self.judged(report, [f for f in report.findings if f.name == record.finding]
                        if record.outcome == "fails" else [], record)

    def judged(self, report, findings, record=None):
        """Fail with the findings, unless all of them are expected."""
        expected = [self.xfail.get(self.name) or self.xfail.get(f.name) for f in findings]
        if findings and all(expected):
            pytest.xfail("; ".join(dict.fromkeys(expected)))
        if findings:
            from hopref.check.report.text import finding_lines
            named = [f"  looks like: {'; '.join(report.named)}"] * bool(report.named)
            note = [f"  {self.name}: {record.note}"] if record is not None else []
            lines = [line for f in findings for line in finding_lines(f)]
            pytest.fail("\n".join([f"{report.target} as {report.like}", *note, *named, *lines]),
                        pytrace=False)
        if self.name in self.xfail:
            pytest.fail(f"[XPASS(strict)] {self.xfail[self.name]}", pytrace=False)

    def covered(self, report):
        """Fail if the verdict rests on too little, or an expected finding did not occur."""
        found = {f.name for f in report.findings} | {r.name for r in report.records}
        gone = [f"[XPASS(strict)] {name}: {why}" for name, why in self.xfail.items()
                if name not in found]
        if gone or report.gaps:
            pytest.fail("\n".join([*gone, *report.gaps]), pytrace=False)
