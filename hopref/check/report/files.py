"""Reports as JSON and as JUnit XML."""
import json
from importlib.resources import files
from xml.etree import ElementTree

import numpy as np

from hopref._version import __version__
from hopref.check.report.findings import INVALID, SCHEMA
from hopref.check.report.text import finding_lines

__all__ = ["as_json", "as_junit", "schema"]


def as_json(reports):
    """The reports in the schema that `schema` returns; NaN and infinities are strings."""
    record = {"schema": SCHEMA, "hopref": __version__, "numpy": np.__version__,
              "reports": [r.as_dict() for r in reports]}
    return json.dumps(record, indent=1, allow_nan=False) + "\n"


def schema():
    """The JSON Schema of the reports."""
    return json.loads(files("hopref.check.report").joinpath("schema.json").read_text("utf-8"))


def as_junit(reports):
    """JUnit XML: a suite for each candidate, a test case for each case, law and side effect."""
    suites = ElementTree.Element("testsuites", name="hopref check")
    for r in reports:
        suite = ElementTree.SubElement(
            suites, "testsuite", name=valid(f"{r.target} as {r.like} ({r.dtype})"),
            time=f"{r.seconds:.3f}")
        for name, kind, text, lines in junit_cases(r):
            case = ElementTree.SubElement(suite, "testcase", name=valid(name), classname=r.like)
            if kind:
                note = ElementTree.SubElement(case, kind, message=valid(text))
                note.text = valid("\n".join(lines))
        for key, tag in (("failures", "failure"), ("skipped", "skipped")):
            suite.set(key, str(len(suite.findall(f"testcase/{tag}"))))
        suite.set("tests", str(len(suite)))
    return ElementTree.tostring(suites, encoding="unicode", xml_declaration=True) + "\n"


def junit_cases(r):
    """(name, "" or "failure" or "skipped", message, lines) of each test case of a report."""
    by_name = {f.name: f for f in r.findings}
    for record in r.records:
        found = by_name.get(record.finding)
        if record.outcome == "fails" and found is not None:
            yield (f"{record.kind} {record.name}", *outcome(found, record.note))
        else:
            kind = "skipped" * (record.outcome in ("not offered", "not put", "limit"))
            yield f"{record.kind} {record.name}", kind, f"{record.outcome}: {record.note}", ()
    reported = {record.finding for record in r.records}
    for f in r.findings:
        if f.name not in reported:
            yield (f"{f.kind}: {f.name}", *outcome(f, f.message))
    if r.skipped:
        yield "judged", "skipped", r.skipped, ()
    if r.verdict == "partial":
        yield "coverage", "failure", "; ".join(r.gaps), ()


def outcome(f, note):
    """What a finding makes of its test case: a failure, or skipped where it is expected."""
    return "skipped" if f.expected else "failure", f.expected or note, finding_lines(f)


def valid(text):
    """The text without the characters that XML cannot hold."""
    return INVALID.sub(lambda c: f"\\x{ord(c[0]):02x}", text)
