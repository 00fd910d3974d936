"""Reports as one HTML page without scripts or references to other files."""
from importlib.resources import files

import numpy as np

from hopref._version import __version__
from hopref.check.report.charts import error_axis, error_map
from hopref.check.report.markup import Markup, element
from hopref.check.report.text import (
    RELATION,
    cases,
    distinct,
    number_format,
    reason,
)

__all__ = ["as_html", "badge", "document", "finding"]

WORDS = {"conforms": "It conforms", "fails": "It fails", "partial": "It conforms in part",
         "skipped": "It was not judged"}
OUTCOMES = {"passes": "within the bound", "fails": "beyond the bound, or no valid result",
            "limit": "beyond the bound in a stress case, no failure",
            "not offered": "not offered by the candidate", "not put": "not put"}


def as_html(reports):
    """The page of one judgement, or of several with a table of them."""
    title = f"{reports[0].target} as {reports[0].like}" if len(reports) == 1 else "hopref check"
    shown = reports if len(reports) == 1 else \
        [r for r in reports if r.verdict in ("fails", "partial")]
    body = [element("p", f"hopref {__version__}, conformance report", class_="brand")]
    body += [overview(reports)] if len(reports) != 1 else []
    body += [section(r, i) for i, r in enumerate(shown)]
    return document(title, body)


def document(title, body):
    """A page with a title and the elements of its body."""
    footer = element("footer", f"hopref {__version__}, NumPy {np.__version__}. Errors are in "
                     "units of the bound: the largest error of an honest implementation in the "
                     "same number format, at the same inputs.")
    style = files("hopref.check.report").joinpath("page.css").read_text("utf-8")
    return ('<!doctype html>\n<html lang="en">\n<head>\n<meta charset="utf-8">\n'
            '<meta name="viewport" content="width=device-width, initial-scale=1">\n'
            f'{element("title", title)}\n<style>\n{style}</style>\n</head>\n<body>\n'
            f'{element("main", *body, footer)}\n</body>\n</html>\n')


def badge(verdict, word=""):
    """A verdict in its colour."""
    return element("span", word or verdict, class_=f"badge {verdict}")


def overview(reports):
    """The table of several judgements."""
    counts = [element("li", element("b", n), verdict) for verdict in WORDS
              if (n := sum(r.verdict == verdict for r in reports))]
    places = iter(range(len(reports)))
    rows = [element("tr", element("td", badge(r.verdict)),
                    element("th", link(r, places)), element("td", r.like),
                    element("td", number_format(r), class_="narrow-hidden"),
                    element("td", cases(r), class_="number narrow-hidden"),
                    element("td", r.laws, class_="number narrow-hidden"),
                    element("td", r.skipped or reason(r)))
            for r in reports]
    head = [element("th", name, class_=kind) for name, kind in (
        ("verdict", ""), ("candidate", ""), ("judged as", ""), ("format", "narrow-hidden"),
        ("cases", "number narrow-hidden"), ("laws", "number narrow-hidden"),
        ("largest error in bounds, or why", ""))]
    return element("div", element("h1", "What is installed here"),
                   element("ul", *counts, class_="tally"),
                   element("div", element("table", element("thead", element("tr", *head)),
                                          element("tbody", *rows)), class_="wide"), class_="hero")


def link(r, places):
    """The name of a candidate, with a link to its section if it has one."""
    if r.verdict not in ("fails", "partial"):
        return r.target
    return element("a", r.target, href=f"#r{next(places)}")


def section(r, number):
    """One judgement: verdict, names, findings, cases, laws, and what was not tried."""
    broken = [f for f in r.findings if f.kind == "law"]
    others = [f for f in r.findings if f.kind != "law"]
    parts = [hero(r, number), *map(finding, others), broken_laws(broken), case_table(r), laws(r),
             notes(r), not_tried(r)]
    return Markup("".join(filter(None, parts)))


def hero(r, number):
    """The verdict, what it rests on, and the names of the bugs."""
    numbers = [(f"{r.cases} of {r.due}", "cases put, of those due")] * bool(r.due)
    numbers += [(r.laws, "laws tried")]
    numbers += [(f"{r.largest_error:.2g}", "largest error, in bounds")] * bool(r.cases)
    numbers += [(sum(bool(p.truth) for p in r.records), "correct values certified")] * bool(r.cases)
    numbers += [(len(r.untried), "options never tried")] * bool(r.due)
    numbers += [(f"{r.seconds:.1f} s", "duration")]
    named = [element("p", element("span", "It looks like"), element("b", "; ".join(r.named)),
                     class_="named")] * bool(r.named)
    gaps = [element("p", element("span", "The verdict rests on part of the op"),
                    element("b", gap.partition(": ")[0]), element("code", gap.partition(": ")[2]),
                    class_="named gap") for gap in r.gaps]
    return element(
        "div", badge(r.verdict, WORDS[r.verdict]),
        element("h1", r.target, element("small", f"as {r.like}, {number_format(r)}")),
        element("p", r.skipped or f"Held to {r.source}" * bool(r.source), class_="soft"), *named,
        *gaps, element("ul", *(element("li", element("b", v), words) for v, words in numbers),
                       class_="tally"), class_=f"hero {r.verdict}", id=f"r{number}")


def finding(f):
    """One finding: both values, extent, place, arguments and how to reproduce it."""
    kind = {"value": "values"}.get(f.kind, f.kind)
    expected = f", expected: {f.expected}" if f.expected else ""
    message = element("p", f.message) if f.kind != "value" or f.message.startswith("output") else ""
    chart = element("figure", error_map(f.heat), element(
        "figcaption", f"Where the error is, in case {f.heat_case}: rows and columns are the last "
                      "two axes of the result, coloured beyond the bound, darker with the error.")
    ) if f.heat else None
    return element("div", element("span", f"{kind}{expected}",
                                  class_=f"kind {'expected' * bool(f.expected)}".strip()),
                   element("h3", f.name),
                   element("div", element("div", message or None, facts(f)), chart, class_="split"),
                   blocks(f), class_="card")


def broken_laws(findings):
    """The laws that fail, each with its statement; its numbers are opened on request."""
    items = [element("details", element(
        "summary", f"{f.name} ", element("small", f"{f.id}: {f.message}"
                                         + f", expected: {f.expected}" * bool(f.expected))),
        facts(f), blocks(f), open_="open" if i == 0 else None) for i, f in enumerate(findings)]
    count = f"{len(findings)} law{'s' * (len(findings) > 1)} that fail{'s' * (len(findings) == 1)}"
    return element("div", element("span", "laws", class_="kind"), element("h3", count), *items,
                   class_="card") if items else None


def facts(f):
    """The numbers of a finding, by name."""
    return element("dl", *(element(tag, v, class_=kind) for name, v, kind in values(f)
                           for tag, v, kind in (("dt", name, ""), ("dd", v, kind))), class_="facts")


def blocks(f):
    """The smallest input, the traceback, and the command that reproduces a finding."""
    texts = (("Smallest input that fails", "\n".join(filter(None, (f.smallest, f.smallest_gives)))),
             ("Where it was raised", "\n".join(f.trace)), ("Reproduce", f.reproduce))
    return Markup("".join(element("h4", title) + element("pre", text)
                          for title, text in texts if text))


def values(f):
    """Triples (name, value, class) of the facts of a finding."""
    if f.case not in ("", "any"):
        yield "case", f.case + (f", the simplest of {f.times}" if f.times > 1 else ""), ""
    if f.arguments:
        yield "arguments", f.arguments, ""
    if f.got is not None:
        both = RELATION[f.relation].format(got="\0", want="\0").split("\0")
        at = f" at {list(f.index)}" if f.index else ""
        yield f"{both[0].strip()}{at}", f"{f.got:.17g}", "number wrong"
        yield both[1].strip(" ,"), f"{f.want:.17g}", "number right"
        yield "error", (f"{f.excess:.3g} bounds of {f.bound:.3g}" if f.bound
                        else "only one value is right"), ""
    if f.wrong:
        relative = "" if f.max_rel is None else f", max rel {f.max_rel:.3g}"
        yield "extent", (f"{f.wrong} of {f.entries} entries wrong ({f.wrong / f.entries:.0%}), "
                         f"max abs {f.max_abs:.3g}{relative}"), ""
    if f.times > 1 and f.worst is not None and f.worst_case != f.case:
        yield "largest error", f"{f.worst:.3g} bounds, in case {f.worst_case}", ""


def case_table(r):
    """The cases by family and option, and their errors on an axis."""
    records = [c for c in r.records if c.kind == "case"]
    if not records:
        return None
    options = list(dict.fromkeys(o for c in records for o in c.options or ("no option",)))
    options.sort(key=lambda o: o != "no option")
    rows = []
    for family in dict.fromkeys(c.family for c in records):
        cells = [[square(c) for c in records
                  if c.family == family and o in (c.options or ("no option",))] for o in options]
        rows.append(element("tr", element("th", family), *(
            element("td", element("div", *cell, class_="cells")) for cell in cells)))
    head = element("tr", element("th", "numbers"), *(element("th", o) for o in options))
    outcomes = [o for o in OUTCOMES if any(c.outcome == o for c in records)]
    legend = [element("li", element("span", class_=f"dot {o.replace(' ', '-')}"), OUTCOMES[o])
              for o in outcomes]
    return element(
        "div", element("h2", "Cases"),
        element("p", "Each square is a case: a distribution of numbers, with the options that it "
                     "passes.", class_="soft"),
        element("div", element("table", element("thead", head), element("tbody", *rows)),
                class_="wide cases"), element("ul", *legend, class_="legend"),
        element("h4", "Largest error of each case, in bounds"),
        element("figure", error_axis(records), class_="axis wide"), class_="card")


def square(c):
    ratio = "" if c.ratio is None else f": {c.ratio:.3g} bounds"
    note = f" ({c.note})" if c.note and c.outcome != "fails" else ""
    return element("span", class_=f"dot {c.outcome.replace(' ', '-')}",
                   title=f"{c.name}, {c.outcome}{ratio}{note}")


def laws(r):
    """The laws, with the line of the ledger, those that fail first."""
    records = sorted((c for c in r.records if c.kind == "law"), key=lambda c: c.outcome != "fails")
    items = [element("li", element("span", class_=f"dot {c.outcome.replace(' ', '-')}"), c.name,
                     element("small", f" {c.family}")) for c in records]
    return element("div", element("h2", "Laws"),
                   element("p", "Identities that need no second implementation. A hollow square is "
                                "a law that could not be put.", class_="soft"),
                   element("ul", *items, class_="laws"), class_="card") if items else None


def notes(r):
    """What was seen and is no failure."""
    items = [element("li", line) for line in (*r.limits, *r.remarks)]
    return element("div", element("h2", "No failure"),
                   element("p", "Stress cases beyond the bound, and remarks of laws.",
                           class_="soft"), element("ul", *items), class_="card") if items else None


def not_tried(r):
    """Options that no case reached, and reasons why cases could not be put."""
    if not (r.untried or r.not_offered):
        return None
    reasons = [element("li", line) for line in distinct(r.not_offered)]
    words = f"No case reached: {', '.join(r.untried)}." if r.untried else \
        "Every option was tried, but not in every case."
    return element("div", element("h2", "Not tried"), element("p", words), *(
        [element("h4", "The candidate was not given"),
         element("ul", *reasons, class_="legend")] if reasons else []), class_="card")
