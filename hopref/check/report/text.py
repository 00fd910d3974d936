"""Reports as text: a table of verdicts, and the details of one.

Errors are in units of the *bound*, the largest error of an honest implementation in the same
number format; an error is wrong beyond 1.
"""
from collections import Counter

__all__ = ["HEAD", "Columns", "row", "table", "details", "finding_lines", "headline",
           "number_format", "place"]

HEAD = ("verdict", "candidate", "judged as", "format", "cases", "laws", "error/bound, why")
RIGHT = (4, 5)          # columns of numbers
RELATION = {"=": "got {got}, right is {want}", "<=": "got {got}, right is at most {want}",
            ">=": "got {got}, right is at least {want}",
            "sides": "one side is {got}, the other {want}",
            "before": "now {got}, before {want}"}


METHODS = {"exact": "exact", "balls": "certified in ball arithmetic",
           "double-double": "certified in double-double arithmetic",
           "": "of the formula in long double"}


class Columns:
    """Lines of a table whose widths are known before its rows, so that rows can be printed singly.
    """
    def __init__(self, rows):
        self.widths = [max(map(len, column)) for column in zip(HEAD, *rows)]

    def line(self, cells):
        return "  ".join(c.rjust(w) if i in RIGHT else c.ljust(w)
                         for i, (c, w) in enumerate(zip(cells, self.widths))).rstrip()


def table(reports):
    """A table with one line for each judgement."""
    rows = [row(r) for r in reports]
    columns = Columns(rows)
    return "\n".join(map(columns.line, (HEAD, *rows)))


def row(r):
    """The cells of one judgement."""
    if r.verdict == "skipped":
        return "skipped", r.target, r.like, "", "", "", r.skipped
    verdict = "FAILS" if r.verdict == "fails" else r.verdict
    return (verdict, r.target, r.like, number_format(r), cases(r), str(r.laws), reason(r))


def number_format(r):
    return r.dtype + ("" if r.arithmetic == r.dtype
                      else f" ({r.arithmetic.rpartition('-')[2]} within)")


def cases(r):
    """The number of cases; where not all could be put, of those due."""
    return f"{r.cases}/{r.due}" if r.cases < r.due else str(r.cases)


def reason(r):
    """A short reason for the verdict."""
    if r.verdict == "conforms":
        return f"{r.largest_error:.2g}" if r.cases else ""
    if r.verdict == "partial":
        return "; ".join(gap.partition(": ")[0] for gap in r.gaps)
    if r.named:
        return "; ".join(r.named)
    return "; ".join(f.name for f in r.findings[:3] if not f.expected)


def headline(r):
    """What was put to the candidate of what was due, and the options that were never tried."""
    put = f"{r.cases} of {r.due} cases" if r.due else f"{r.cases} cases"
    put = f"{put} and {r.laws} laws in {r.seconds:.1f} s"
    return put + (f"; never tried: {', '.join(r.untried)}" if r.untried else "")


def details(r):
    """All findings on one candidate, as text."""
    lines = [f"{r.target} as {r.like} ({number_format(r)}): {r.verdict}, {headline(r)}"]
    lines += [f"  equation: {r.source}"] * bool(r.source)
    lines += [f"  looks like: {'; '.join(r.named)}"] * bool(r.named)
    lines += [f"  partial: {gap}" for gap in r.gaps]
    lines += [line for f in r.findings for line in finding_lines(f)]
    lines += estimate_lines(r)
    lines += [f"  correct values: {', '.join(truths(r))}"] * (r.cases > 0)
    if r.sharpness:
        s = r.sharpness
        lines.append(f"  zeros or the mean would have passed {s['passed']} of {s['asked']} cases; "
                     f"their median error is {s['median miss']:.2g} bounds")
    lines += [f"  limits, no failure: {'; '.join(r.limits)}"] * bool(r.limits)
    lines += [f"  remarks, no failure: {'; '.join(r.remarks)}"] * bool(r.remarks)
    lines += [f"  not offered: {', '.join(distinct(r.not_offered))}"] * bool(r.not_offered)
    return "\n".join(lines)


def truths(r):
    """How the correct values of the cases put are known, and of how many each."""
    counts = Counter(p.truth for p in r.records
                     if p.kind == "case" and p.outcome not in ("not put", "not offered"))
    return [f"{counts[method]} {words}" for method, words in METHODS.items() if counts[method]]


def finding_lines(f):
    """One finding in its simplest case: arguments, extent, both values, and how to reproduce it."""
    times = f" ({f.times} cases)" if f.times > 1 else ""
    kind = {"value": "values", "law": f"law {f.id}".strip()}.get(f.kind, f.kind)
    expected = f" [expected: {f.expected}]" if f.expected else ""
    yield f"  {kind}: {f.name}{times}{expected}"
    where = f"   (case {f.case!r})" if f.case not in ("", "any", f.name) else ""
    yield f"      {f.message}{where}"
    if f.arguments:
        yield f"      arguments: {f.arguments}"
    yield from (f"      in {line}" for line in f.trace)
    if f.got is not None:
        yield f"      {place(f)}"
    if f.wrong:
        relative = "" if f.max_rel is None else f", max rel {f.max_rel:.3g}"
        yield (f"      {f.wrong} of {f.entries} entries wrong ({f.wrong / f.entries:.0%}), "
               f"max abs {f.max_abs:.3g}{relative}")
    if f.times > 1 and f.worst is not None and f.worst_case != f.case:
        yield f"      largest error: {f.worst:.3g} bounds, in case {f.worst_case!r}"
    if f.smallest:
        yield f"      smallest input: {f.smallest}"
    if f.smallest_gives:
        yield f"      gives {f.smallest_gives}"
    if f.reproduce:
        yield f"      reproduce: {f.reproduce}"


def place(f):
    """Both values of a finding at its worst entry, and the error in units of the bound."""
    values = RELATION[f.relation].format(got=f"{f.got:.17g}", want=f"{f.want:.17g}")
    at = f"at {list(f.index)}: " if f.index else ""
    return f"{at}{values}, bound {f.bound:.3g}" \
        + (f", off by {f.excess:.3g} bounds" if f.bound and f.kind != "value" else "")


def estimate_lines(r):
    """The estimated numbers, each of a name that explains every case, with their errors."""
    for name, found in r.estimates.items():
        yield f"  estimate: {name} (+- {found['standard error']:.1g})"


def distinct(reasons):
    """The distinct reasons why cases were not offered."""
    return sorted({line.rpartition(": ")[2] for line in reasons})
