"""The equation ledger: equation -> function -> laws -> tests -> page, read from the code.

A function names its equations in the Source line of its docstring, a law its functions and its
line of the catalogue in its declaration, a page the line in an anchor, ``(mh-2)=``.  `rows` joins
them for the blog's equations, `entries` for the catalogue; `gaps` and `lacks` say what is missing;
`page` is the docs page.
"""

import ast
import importlib
import inspect
import re
from pathlib import Path
from typing import NamedTuple

import hopref
from docs import pages
from docs.catalogue import CATALOGUE, FAMILIES

ROOT = Path(__file__).parent.parent

# The blog's equations as it prints them, without its bold face.
BLOG = {
    1: r"W = XX^T",
    2: r"\xi^{t+1} = \mathrm{sgn}(W \xi^t - b)",
    3: r"E = -\tfrac12 \xi^T W \xi + \xi^T b",
    4: r"\widetilde Q = \mathrm{sgn}(W Q)",
    5: r"W = x x^T",
    6: r"W = \sum_{i=1}^6 x_i x_i^T",
    7: r"E = -\tfrac12 \xi^T W \xi + \xi^T b + \sum_i \int_0^{\xi_i} f^{-1}(y)\, dy",
    8: r"\nabla E_1(\xi^{t+1}) = -\nabla E_2(\xi^t)",
    9: r"\nabla \big(\sum_i \int_0^{\xi_i} f^{-1}\big)(\xi^{t+1}) = "
       r"\nabla \big(-\tfrac12 \xi^T W \xi + \xi^T b\big)(\xi^t)",
    10: r"f^{-1}(\xi^{t+1}) = W \xi^t - b",
    11: r"\tanh^{-1}(\xi^{t+1}) = W \xi^t - b",
    12: r"\xi^{t+1} = \tanh(W \xi^t - b)",
    13: r"\widetilde Q = \tanh(W Q)",
    14: r"Z = \mathrm{softmax}\big(\tfrac{1}{\sqrt{d_K}} Q K^T\big) V",
    15: r"A = \mathrm{softmax}\big(\tfrac{1}{\sqrt{d_K}} Q K^T\big)",
    16: r"A_{\text{Perf}} = \widehat D^{-1} Q' K'",
    17: r"Z' = \widehat D^{-1}(Q'(K'^T V)),\; \widehat D^{-1} = \mathrm{diag}(Q' K'^T 1_L)",
    18: r"\widetilde{Q'} = Q' W,\; W = K'^T V",
    19: r"\phi(z) = \tfrac{h(z)}{\sqrt r} (f_1(w_1^T z), \dots, f_l(w_m^T z))",
    20: r"\xi^{\text{new}} = \tanh(X X^T_{\text{sparse}} \xi_{\text{sparse}})",
    21: r"\xi^{\text{new}} = X \mathrm{softmax}(\beta X^T \xi)",
    22: r"\xi^{\text{new}} = X \mathrm{softmax}(\beta X^T_{\text{sparse}} \xi_{\text{sparse}})",
    23: r"\xi'^{\text{new}} = X\, \mathbb E[X'^T \xi' \widehat D^{-1}]",
    24: r"\xi'^{\text{new}} = X\, \mathbb E[X'^T_{\text{sparse}} \xi'_{\text{sparse}}"
        r" \widehat D^{-1}]",
}


class Row(NamedTuple):
    """One equation, the functions that state it, and the laws that these must keep."""
    equation: int
    ops: list
    laws: list
    errata: list


def blog_equations(source):
    """The blog's equation numbers in a Source line: "blog eqs. (2), (4)-(6)" gives [2, 4, 5, 6]."""
    numbers = []
    for cited in re.findall(r"blog eqs?\. ((?:\(\d+\)(?:, | and |-)?)+)", source):
        for first, last in re.findall(r"\((\d+)\)(?:-\((\d+)\))?", cited):
            numbers += range(int(first), int(last or first) + 1)
    return numbers


class Entry(NamedTuple):
    """One line of the catalogue, the functions and laws that name it, and its place on a page."""
    id: str
    functions: list
    laws: list
    page: str | None


class Law(NamedTuple):
    """A statement that a test holds functions to."""
    name: str
    ops: tuple
    id: str
    file: str

    @property
    def ids(self):
        return re.findall(r"\b[A-Z]{2,3}-\d+\b", self.id)

    @property
    def sentence(self):
        return self.name.removeprefix("test_").replace("_", " ")


def every_law():
    """The laws of `hopref.check.laws`, and the theory's tests."""
    laws = [Law(it.name, it.subjects, it.id, it.claims.__module__.replace(".", "/") + ".py")
            for it in importlib.import_module("hopref.check.laws").load().values()]
    for file in sorted((ROOT / "tests" / "theory").glob("test_*.py")):
        laws += theory_tests(file.read_text(), file.relative_to(ROOT).as_posix())
    return laws


def theory_tests(text, path):
    """The test functions of a file that are no declared laws, as laws of the ``theory`` functions
    that they call."""
    for test in ast.parse(text).body:
        if isinstance(test, ast.FunctionDef) and test.name.startswith("test_") \
                and not any(ast.unparse(d).startswith("law(") for d in test.decorator_list):
            called = re.findall(r"\btheory\.(\w+)\(", ast.unparse(test))
            if called:
                yield Law(test.name, tuple(f"theory.{name}" for name in called), "theory", path)


def stated(ops):
    """{function: the lines of the catalogue that it states}: operations, and plain functions."""
    lines = {name: list(op.ids) for name, op in ops.items()}
    for room in hopref.__all__:
        for name in getattr(getattr(hopref, room), "__all__", ()):
            function = getattr(getattr(hopref, room), name)
            if inspect.isfunction(function) and not hasattr(function, "formula"):
                source = re.search(r"Source: .+?(?:\n\s*\n|\Z)", function.__doc__ or "", re.S)
                if source:
                    lines[f"{room}.{name}"] = re.findall(r"\b[A-Z]{2,3}-\d+\b", source[0])
    return lines


def anchors():
    """{line of the catalogue: the page on which it stands}."""
    found = {}
    for page in sorted((ROOT / "docs").rglob("*.md")):
        for line in re.findall(r"^\(([a-z]{2,3}-\d+)\)=$", pages.prose(page.read_text()), re.M):
            found[line.upper()] = page.relative_to(ROOT / "docs").as_posix()
    return found


def entries(lines, laws, pages):
    """One entry a line of the catalogue; functions that a law names count where none states it."""
    for line in CATALOGUE:
        kept = [law for law in laws if line in law.ids or not law.ids and any(
            line in lines.get(name, ()) for name in law.ops)]
        stating = [name for name, ids in lines.items() if line in ids]
        judged = dict.fromkeys(name for law in kept for name in law.ops)
        yield Entry(line, stating or list(judged), kept, pages.get(line))


def lacks(entry):
    """What this line of the catalogue lacks, as sentences; none is the promise."""
    there = {"function (step 1, the formula)": entry.functions,
             "law (step 2, the laws)": entry.laws or entry.functions,     # see tests/test_rules.py
             "anchor on a page (step 4, the page)": entry.page}
    return [f"{entry.id}, {CATALOGUE[entry.id]}, has no {what}"
            for what, it in there.items() if not it]


def errata():
    """The headings of errata.md by the equation that they name."""
    found = {}
    for heading in re.findall(r"^### (.+)$", (ROOT / "docs" / "errata.md").read_text(), re.M):
        for number in re.findall(r"Eq\. \((\d+)\)", heading):
            found.setdefault(int(number), []).append(heading)
    return found


def rows(ops, laws, defects=None):
    """One row an equation of the blog."""
    defects = errata() if defects is None else defects
    table = []
    for equation in BLOG:
        here = [op for op in ops.values() if equation in blog_equations(op.source)]
        names = {op.name for op in here}
        kept = [law for law in laws if names & set(law.ops)]
        table.append(Row(equation, here, kept, defects.get(equation, [])))
    return table


def gaps(row):
    """What this equation lacks, as sentences; none is the promise."""
    if not row.ops:
        return [f"blog eq. ({row.equation}) has no function"]
    judged = {name for law in row.laws for name in law.ops}
    return [f"{op.name}, blog eq. ({row.equation}), keeps no law"
            for op in row.ops if op.name not in judged]


def page():
    """The ledger as Markdown."""
    from hopref.dispatch.operation import load

    ops, laws = load(), every_law()
    parts = [_INTRODUCTION, "| eq. | the blog prints | id | function | laws | errata |",
             "|---|---|---|---|---|---|"]
    for row in rows(ops, laws):
        ids = dict.fromkeys(line for op in row.ops for line in op.ids)
        functions, defects = map(_link, row.ops), map(_erratum, row.errata)
        parts.append(f"| {row.equation} | ${BLOG[row.equation]}$ | {' '.join(ids)} | "
                     f"{' '.join(functions)} | {len(row.laws)} | {', '.join(defects)} |")
    parts += ["", "## The catalogue", "", _CATALOGUE]
    for entry in entries(stated(ops), laws, anchors()):
        family, _, number = entry.id.partition("-")
        if number == "1":
            parts += ["", f"### {FAMILIES[family][0]}", "",
                      "| id | statement | functions | laws | tests |", "|---|---|---|---|---|"]
        functions = (_link(ops[it]) if it in ops else f"`{it}`" for it in entry.functions)
        files = dict.fromkeys(f"`{law.file}`" for law in entry.laws)
        parts.append(f"| [{entry.id}](#{entry.id.lower()}) | {CATALOGUE[entry.id]} | "
                     f"{' '.join(functions)} | {len(entry.laws)} | {' '.join(files)} |")
    parts += ["", "## Functions and their laws", "", _LAWS]
    for op in sorted(ops.values(), key=lambda op: op.name):
        parts += _section(op, laws)
    return "\n".join(parts) + "\n"


def _section(op, laws):
    yield f"\n(ledger-{_slug(op.name)})=\n### {op.name}\n"
    yield f"{op.source[0].upper()}{op.source[1:]}\n"
    if op.lowers:
        energy, condition = op.lowers
        yield f"Lowers {_link(energy)}: {condition}.\n"
    for law in laws:
        if op.name in law.ops:
            yield f"* {law.sentence} **[{law.id}]** `{law.file}`"


def _slug(name):
    return name.replace(".", "-").replace("_", "-")


def _link(op):
    return f"[`{op.name}`](#ledger-{_slug(op.name)})"


def _erratum(heading):
    anchor = re.sub(r"[^\w\- ]", "", heading.lower()).replace(" ", "-")
    return f"[erratum](errata.md#{anchor})"


_INTRODUCTION = """\
# Equation ledger

Which function states an equation, and which laws hold it to that. The table is made from the
code: a function names its equations in the *Source* line of its docstring, a law names its
functions where it is declared. The tests fail when an equation has no function or a function keeps
no law.

## The blog's equations
"""
_CATALOGUE = """\
Every rule, energy, map, estimator, gradient and bound that hopref states, each with the page on
which it stands (the link), the functions that state it, and how many laws hold them to it. The
sentences of the laws stand below, under the functions.
"""
_LAWS = """\
A law is satisfied by every right implementation and rejects at least one wrong one. The bracket
is its line in the catalogue, followed by the file that declares it; the laws in
`hopref/check/laws` also judge other implementations.
"""
