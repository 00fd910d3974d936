"""Reports as a table of verdicts, as text, as JSON and as JUnit XML."""
import json
from xml.etree import ElementTree

import numpy as np

from hopref._version import __version__
from hopref.check.report.findings import SCHEMA

__all__ = ["table", "details", "as_json", "as_junit"]

MARK = {"conforms": "ok", "fails": "FAILS", "skipped": "skipped"}


def table(reports):
    """A table with one line for each judgement."""
    head = ("verdict", "candidate", "judged as", "format", "cases", "laws", "error/tolerance, why")
    rows = [head] + [row(r) for r in reports]
    widths = [max(len(line[i]) for line in rows) for i in range(len(head))]
    return "\n".join("  ".join(cell.rjust(w) if i in (4, 5) else cell.ljust(w)
                               for i, (cell, w) in enumerate(zip(line, widths))).rstrip()
                     for line in rows)


def row(r):
    if r.verdict == "skipped":
        return "skipped", r.target, r.like, "", "", "", r.skipped
    inner = "" if r.arithmetic == r.dtype else f" ({r.arithmetic.rpartition('-')[2]} within)"
    return (MARK[r.verdict], r.target, r.like, r.dtype + inner, str(r.cases), str(r.laws),
            reason(r))


def reason(r):
    """A short reason for the verdict."""
    if r.verdict == "conforms":
        return f"{r.largest_error:.2g}" if r.cases else ""
    if r.named:
        return "; ".join(r.named)
    return "; ".join(f.name for f in r.findings[:3] if not f.expected)


def details(r):
    """All findings on one candidate, as text."""
    lines = [f"{r.target} as {r.like} ({r.dtype}): {r.verdict}, {r.cases} cases and {r.laws} laws "
             f"in {r.seconds:.1f} s"]
    if r.source:
        lines.append(f"  equation: {r.source}")
    if r.named:
        lines.append(f"  looks like: {'; '.join(r.named)}")
    lines += [line for f in r.findings for line in finding_lines(f)]
    lines += estimate_lines(r)
    if r.sharpness:
        s = r.sharpness
        lines.append(f"  zeros or the mean would have passed {s['passed']} of {s['asked']} cases; "
                     f"their median error is {s['median miss']:.2g} tolerances")
    if r.limits:
        lines.append("  limits, no failure: " + "; ".join(r.limits))
    if r.remarks:
        lines.append("  remarks, no failure: " + "; ".join(r.remarks))
    if r.not_offered:
        lines.append("  not offered: " + ", ".join(distinct(r.not_offered)))
    return "\n".join(lines)


def finding_lines(f):
    """One finding: its description, place, both values, bound, and a command to reproduce it."""
    times = f" ({f.times} cases)" if f.times > 1 else ""
    kind = {"value": "values", "law": f"law {f.id}".strip()}.get(f.kind, f.kind)
    expected = f" [expected: {f.expected}]" if f.expected else ""
    yield f"  {kind}: {f.name}{times}{expected}"
    where = f"   (case {f.case!r})" if f.case not in ("", "any", f.name) else ""
    yield f"      {f.message}{where}"
    if f.got is not None:
        yield (f"      at {list(f.index)}: got {f.got:.17g}, right is {f.want:.17g}, "
               f"bound {f.bound:.3g}" + (f", off by {f.excess:.3g} bounds" if f.bound else ""))
    if f.reproduce:
        yield f"      reproduce: {f.reproduce}"


def estimate_lines(r):
    """Recovered parameters whose error exceeds five standard errors and one thousandth."""
    found, noise = r.estimates.get("parameters", {}), r.estimates.get("standard errors", {})
    for name, value in found.items():
        if abs(value) > max(5 * noise[name], 1e-3) and r.estimates["unexplained"] < 0.5:
            wrong = {"gain": "the answer is multiplied by", "mixing": "mean(v) is mixed in at"}
            text = wrong.get(name, f"{name} is multiplied by")
            yield f"  estimate: {text} {value + (name != 'mixing'):.6g} +- {noise[name]:.1g}"


def distinct(reasons):
    """The distinct reasons why cases were not offered."""
    return sorted({line.rpartition(": ")[2] for line in reasons})


def as_json(reports):
    """The reports in schema hopref-check/1."""
    record = {"schema": SCHEMA, "hopref": __version__, "numpy": np.__version__,
              "reports": [r.as_dict() for r in reports]}
    return json.dumps(record, indent=1, default=str) + "\n"


def as_junit(reports):
    """JUnit XML, with one suite for each candidate and one test case for each finding."""
    suites = ElementTree.Element("testsuites", name="hopref check")
    for r in reports:
        failed = [f for f in r.findings if not f.expected]
        suite = ElementTree.SubElement(
            suites, "testsuite", name=f"{r.target} as {r.like} ({r.dtype})",
            tests=str(max(1, len(r.findings))), failures=str(len(failed)), time=f"{r.seconds:.3f}",
            skipped=str(int(r.verdict == "skipped")))
        if not r.findings:
            case = ElementTree.SubElement(suite, "testcase", name="conforms", classname=r.like)
            if r.verdict == "skipped":
                ElementTree.SubElement(case, "skipped", message=r.skipped)
        for f in r.findings:
            case = ElementTree.SubElement(suite, "testcase", name=f.name, classname=r.like)
            kind = "skipped" if f.expected else "failure"
            note = ElementTree.SubElement(case, kind, message=f.expected or f.message)
            note.text = "\n".join(finding_lines(f))
    return ElementTree.tostring(suites, encoding="unicode", xml_declaration=True) + "\n"
