"""The atlas: how published implementations differ, as a page in Markdown and in HTML."""
import platform

import numpy as np

from hopref._version import __version__
from hopref.check.report.html import badge, document, finding
from hopref.check.report.markup import Markup, element
from hopref.check.report.text import cases, finding_lines, number_format, reason

__all__ = ["Subject", "as_markdown", "as_page"]

TITLE = "How published implementations differ"
INTRO = (
    "Each line of the first table is one judgement by `hopref check`: a function of another "
    "library, called as an operation of hopref, in one number format. It *differs* where a case, a "
    "law or a side effect distinguishes it from the definition of that operation; the differences "
    "are listed below, each with an input that shows it. A difference is not a reproach: several "
    "are choices that suit the library, and all of them matter to a person who replaces one "
    "implementation by another.",
    "An error in *bounds* is relative to the largest error of an honest implementation in the same "
    "number format at the same input, and one in *eps* to the largest entry of the result, over "
    "the cases that are well-conditioned. It is infinite where only one value is right, or a "
    "number is NaN. Both are the largest of all cases but those of expected differences, which the "
    "last column then states. A verdict in part rests on few cases, because the function has few "
    "of the options of the operation.")
PROFILES = ("What the functions do where definitions leave a choice: in a mask, for the causal "
            "mask of unequal lengths, in a row without a visible entry, and without further "
            "arguments.")
VERDICTS = {"conforms": "conforms", "partial": "in part", "fails": "differs"}
INFINITE = 1e100        # an error where only one value is right
HEAD = ("verdict", "function", "judged as", "format", "cases", "error in bounds", "in eps",
        "what it looks like")
PROFILE_HEAD = ("function", "mask", "causal from the", "empty row", "scale", "eps",
                "arithmetic")


class Subject:
    """A function of another library, with the reports on it, one for each number format."""
    def __init__(self, peer, reports):
        self.peer, self.reports = peer, reports

    @property
    def differences(self):
        """Pairs of a finding and the formats that show it; the finding is that of the first."""
        found = {}
        for r in self.reports:
            for f in r.findings:
                found.setdefault((f.kind, f.name), (f, []))[1].append(number_format(r))
        return list(found.values())

    @property
    def differs(self):
        return any(r.verdict == "fails" for r in self.reports)

    @property
    def profile(self):
        """The cells of its profile, or None if it has no choices."""
        p = self.peer.profile
        cells = (p.mask, p.align, p.empty_row, p.scale, p.eps)
        return (self.peer.name, *cells, p.inside) if any(cells) else None


def cells_of(r):
    """The cells of one judgement."""
    expected = [f.expected for f in r.findings if f.expected]
    looks = "; ".join(r.named or expected) or ("" if r.verdict == "conforms" else reason(r))
    return (VERDICTS[r.verdict], r.target, r.like, number_format(r), cases(r), digits(
        r.largest_error), digits(r.largest_eps), looks)


def digits(error):
    """Two digits of an error; nothing where no case measures it."""
    return "" if error == 0 else "inf" if error >= INFINITE else f"{error:.2g}"


def versions(subjects):
    """(distribution, version) of each library, those of hopref and NumPy first."""
    found = {"hopref": __version__, "numpy": np.__version__, "python": platform.python_version()}
    libraries = {s.peer.distribution or s.peer.package: s.peer.version for s in subjects}
    return [*found.items(), *sorted(libraries.items())]


def as_markdown(subjects, skipped, date):
    """The page in Markdown.

    Parameters
    ----------
    subjects : list of `Subject`
    skipped : reports on functions that were not judged
    date : the day of the judgement, as text
    """
    lines = [f"# {TITLE}", "", f"{date}; {len(subjects)} functions; made by `hopref atlas`.", ""]
    lines += [line for text in INTRO for line in (text, "")]
    lines += ["## Verdicts", "", *table(HEAD, [cells_of(r) for s in subjects for r in s.reports])]
    lines += ["", "## Conventions", "", PROFILES, ""]
    lines += table(PROFILE_HEAD, [s.profile for s in subjects if s.profile])
    lines += ["", "## Differences"]
    for s in subjects:
        lines += differences_of(s)
    lines += ["", "## Versions", "", *table(("library", "version"), versions(subjects))]
    lines += ["", "## Not judged", "", *table(("function", "why"),
                                              [(r.target, r.skipped) for r in skipped])] \
        if skipped else []
    return "\n".join(lines) + "\n"


def differences_of(subject):
    """The section of one function in Markdown; nothing where it has no finding."""
    if not subject.differences:
        return []
    first = subject.reports[0]
    lines = ["", f"### {subject.peer.name}", "", f"Judged as `{first.like}`: {first.source}"
             .rstrip(": "), *["", subject.peer.remark] * bool(subject.peer.remark)]
    for f, formats in subject.differences:
        head, *rest = (line.strip() for line in finding_lines(f)
                       if line.removeprefix("      in ") not in f.trace)
        lines += ["", f"{head} ({', '.join(dict.fromkeys(formats))})", "", "```text", *rest, "```"]
    return lines


def table(head, rows):
    """A table in Markdown."""
    cleaned = [[str(c).replace("|", "\\|") for c in row] for row in rows]
    return [f"| {' | '.join(row)} |" for row in (head, ["---"] * len(head), *cleaned)]


def as_page(subjects, skipped, date):
    """The page in HTML; the parameters are those of `as_markdown`."""
    reports = [r for s in subjects for r in s.reports]
    counts = [element("li", element("b", n), word) for verdict, word in VERDICTS.items()
              if (n := sum(r.verdict == verdict for r in reports))]
    intro = [element("p", text.replace("`", "").replace("*", "")) for text in INTRO]
    verdicts = [(badge(r.verdict, VERDICTS[r.verdict]),
                 Markup(element("b", named(s)) + element("small", r.like)), *cells_of(r)[3:])
                for s in subjects for r in s.reports]
    profiles = [s.profile for s in subjects if s.profile]
    body = [
        element("div", element("h1", TITLE, element("small", f"{date}; made by hopref atlas")),
                element("ul", *counts, class_="tally"), *intro,
                in_table((*HEAD[:2], *HEAD[3:]), verdicts, heading=1), class_="hero"),
        element("div", element("h2", "Conventions"), element("p", PROFILES, class_="soft"),
                in_table(PROFILE_HEAD, profiles), class_="card"),
        *(section(s) for s in subjects if s.differences),
        listed("Versions", ("library", "version"), versions(subjects)),
        listed("Not judged", ("function", "why"), [(r.target, r.skipped) for r in skipped])]
    return document(TITLE, [part for part in body if part is not None])


def named(subject):
    """The name of a function, with a link to its differences."""
    if not subject.differences:
        return subject.peer.name
    return element("a", subject.peer.name, href=f"#{anchor(subject)}")


def anchor(subject):
    return "".join(c if c.isalnum() else "-" for c in subject.peer.name)


def section(subject):
    """The differences of one function as cards."""
    cards = [Markup(element("p", f"In {', '.join(dict.fromkeys(formats))}:", class_="soft")
                    + finding(f)) for f, formats in subject.differences]
    verdict = "fails" if subject.differs else "conforms"
    head = element("div", element("h2", subject.peer.name),
                   element("p", f"{subject.peer.version}, as {subject.reports[0].like}",
                           class_="soft"), element("p", subject.peer.remark),
                   class_=f"hero {verdict}", id=anchor(subject))
    return Markup(head + "".join(cards))


def listed(title, head, rows):
    """A card with a table; None without rows."""
    return element("div", element("h2", title), in_table(head, rows),
                   class_="card") if rows else None


def in_table(head, rows, heading=0):
    """A table with the names of its columns in every cell, and the column that heads a row.

    On a narrow screen each row is a paragraph, in which the cells show these names.
    """
    filled = [element("tr", *(element("th" if i == heading else "td", cell, data_name=name)
                              for i, (name, cell) in enumerate(zip(head, row)))) for row in rows]
    heads = [element("th", name) for name in head]
    return element("div", element("table", element("thead", element("tr", *heads)),
                                  element("tbody", *filled)), class_="wide atlas")
