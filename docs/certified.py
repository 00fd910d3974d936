"""The page of the errors of every operation against its certified value, by family of arguments.

    python -m docs.certified [PART...]

measures those whose names contain one of the parts, or all, and writes ``measured/certified.json``,
which the page is made of.
"""

import json
import sys
from pathlib import Path

import numpy as np

from hopref.certify import certify
from hopref.certify.evaluation import has_form
from hopref.check.cases.families import FAMILIES
from hopref.check.cases.generator import cases
from hopref.check.tolerance.expected import honest
from hopref.dispatch.operation import load
from hopref.errors import CertificationError

FILE = Path(__file__).parent / "measured" / "certified.json"
EPS = 2.0**-52
MOST = 4000             # numbers of a case
# Not measured, since a query with a denominator below 2^-1000 contributes 0 by convention.
LEFT_OUT = {("gradients.attention.linear_attention", "subnormal numbers"),
            ("gradients.attention.causal_linear_attention", "subnormal numbers")}
COLUMNS = {             # the families with a column, and its head
    "gauss": "gauss", "unit norm, beta 25": "unit, beta 25", "scores about 30": "scores 30",
    "beta 1e4": "beta 1e4", "norms 1e8": "norms 1e8", "offset 1e6": "offset 1e6",
    "one ulp apart": "ulp apart", "equal patterns": "equal", "small numbers": "small",
    "subnormal numbers": "subnormal", "integers": "integers",
}


def measured(parts=()):
    """{operation: {family: [error in eps, share of the tolerance]}} of the plainest cases."""
    found = {}
    for name, op in sorted(load().items()):
        chosen = not parts or any(part in name for part in parts)
        if has_form(name) and op.arrays and chosen:
            rows = {case.name: errors(op, case) for case in cases(op)
                    if case.name in FAMILIES and (name, case.name) not in LEFT_OUT}
            found[name] = {family: row for family, row in rows.items() if row is not None}
    return found


def errors(op, case):
    """The error of an operation in eps of the largest entry, and its share of the tolerance.

    None where the case is large or has no certified value.
    """
    if sum(np.size(v) for v in case.args) > MOST:
        return None
    try:
        found = certify(op, *case.args, **case.kwargs)
    except CertificationError:
        return None
    tuples = (x if isinstance(x, tuple) else (x,) for x in (
        op(*case.args, **case.kwargs), found.value, found.bound,
        honest(op, *case.args, **case.kwargs)))
    pairs = [_error(*part) for part in zip(*tuples, strict=True)]
    return [float(f"{max(column):.3g}") for column in zip(*pairs, strict=True)]


def _error(got, value, bound, right):
    got, value = np.asarray(got, float), np.asarray(value, float)
    known = np.isfinite(got) & np.isfinite(value)
    off = np.abs(np.where(known, got, 0) - np.where(known, value, 0))
    largest = np.max(np.abs(value[known]), initial=0.0)
    with np.errstate(all="ignore"):
        share = np.where(off == 0, 0.0, off / (np.asarray(right.radius, float) + bound))
    return np.max(off, initial=0.0) / (largest or 1.0) / EPS, np.max(share, initial=0.0)


def stored():
    return json.loads(FILE.read_text(encoding="utf-8"))


def worst(table, count=5):
    """The operations with the largest errors: (error in eps, operation, family)."""
    rows = [(row[0], name, family) for name, families in table.items()
            for family, row in families.items()]
    best = {}
    for error, name, family in sorted(rows, reverse=True):
        best.setdefault(name, (error, name, family))
    return list(best.values())[:count]


def sentence(name, table):
    """The accuracy of an operation, for its API page; None if it is not measured."""
    if name not in table:
        return None
    (ordinary, _), families = table[name]["gauss"], table[name]
    (largest, _), family = max((row, family) for family, row in families.items())
    return (f"Measured error, in eps of the largest entry: {ordinary:.2g} for ordinary arguments, "
            f"at most {largest:.2g} in all families ({family}). See :doc:`accuracy <../accuracy>`.")


def page():
    """Markdown of the page."""
    table = stored()
    share = max(row[1] for families in table.values() for row in families.values())
    lines = [_HEADING.format(count=len(table), share=share), "| error | operation | family |",
             "|---|---|---|"]
    lines += [f"| {error:.3g} | {_link(name, name)} | {family} |"
              for error, name, family in worst(table)]
    for module in dict.fromkeys(name.rpartition(".")[0] for name in table):
        heads = " | ".join(COLUMNS.values())
        lines += ["", f"## {module}", "", f"| operation | {heads} | largest |",
                  "|---" * (len(COLUMNS) + 2) + "|"]
        for name, families in table.items():
            if name.rpartition(".")[0] == module:
                cells = [_cell(families.get(family)) for family in COLUMNS]
                largest = max((row for row in families.values()), default=None)
                lines.append(f"| {_link(name)} | {' | '.join(cells)} | {_cell(largest)} |")
    return "\n".join([*lines, ""])


def _link(name, text=None):
    """The operation, by its name within its module or by another text."""
    return f"{{py:func}}`{text or name.rpartition('.')[2]} <hopref.{name}>`"


def _cell(row):
    return "" if row is None else "0" if row[0] == 0 else f"{row[0]:.2g}"


_HEADING = """\
# Accuracy against certified values

The error of {count} operations in float64, measured against [certified values](certify.md): the
largest error over the largest entry of the result, in eps = 2<sup>-52</sup>, for families of
arguments from ordinary to adversarial. The last column is the largest of all families, those
without a column included. Where scores are large, an error of the scores of one eps is an error of
the result of many; the derived tolerance of an honest implementation includes this, and no error
exceeds {share:.2f} of it. Where a result cancels, as a derivative that is 0 in exact arithmetic,
the error in eps of the result has no limit.

The five largest errors:
"""

if __name__ == "__main__":
    kept = stored() if sys.argv[1:] else {}
    text = json.dumps(kept | measured(sys.argv[1:]), sort_keys=True)
    FILE.write_text(text.replace("}, ", "},\n") + "\n", encoding="utf-8")     # a line for each
