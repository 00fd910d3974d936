"""The equation ledger: equation -> function -> laws -> tests -> page, read from the code.

A function names its equations in the Source line of its docstring.  A law names its functions and
its line of the catalogue in its declaration.  A page names the line in an anchor, ``(mh-2)=``.
`rows` collects these for the equations of the blog, `entries` for the catalogue; `gaps` and `lacks`
report what is missing; `page` is the page of the documentation.
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
    """An equation of the blog with its functions, their laws and its errata."""
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
    """A line of the catalogue with the functions and laws that name it, and its page."""
    id: str
    functions: list
    laws: list
    page: str | None


class Law(NamedTuple):
    """A statement about functions that a test checks."""
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
    """The laws of `hopref.check.laws`, and the tests of the theory."""
    laws = [Law(it.name, it.subjects, it.id, it.claims.__module__.replace(".", "/") + ".py")
            for it in importlib.import_module("hopref.check.laws").load().values()]
    for file in sorted((ROOT / "tests" / "theory").glob("test_*.py")):
        laws += theory_tests(file.read_text(), file.relative_to(ROOT).as_posix())
    return laws


def theory_tests(text, path):
    """The test functions of a file that are not declared as laws, as laws of ``theory``."""
    for test in ast.parse(text).body:
        if isinstance(test, ast.FunctionDef) and test.name.startswith("test_") \
                and not any(ast.unparse(d).startswith("law(") for d in test.decorator_list):
            called = re.findall(r"\btheory\.(\w+)\(", ast.unparse(test))
            if called:
                yield Law(test.name, tuple(f"theory.{name}" for name in called), "theory", path)


def stated(ops):
    """{name: lines of the catalogue} of operations and of public functions."""
    lines = {name: list(op.ids) for name, op in ops.items()}
    for module in hopref.__all__:
        for name in getattr(getattr(hopref, module), "__all__", ()):
            function = getattr(getattr(hopref, module), name)
            if inspect.isfunction(function) and not hasattr(function, "formula"):
                source = re.search(r"Source: .+?(?:\n\s*\n|\Z)", function.__doc__ or "", re.S)
                if source:
                    lines[f"{module}.{name}"] = re.findall(r"\b[A-Z]{2,3}-\d+\b", source[0])
    return lines


def anchors():
    """{line of the catalogue: page with its anchor}."""
    found = {}
    for page in sorted((ROOT / "docs").rglob("*.md")):
        for line in re.findall(r"^\(([a-z]{2,3}-\d+)\)=$", pages.prose(page.read_text()), re.M):
            found[line.upper()] = page.relative_to(ROOT / "docs").as_posix()
    return found


def entries(lines, laws, pages):
    """The entries of the catalogue; without a function that states it, those of its laws count."""
    for line in CATALOGUE:
        kept = [law for law in laws if line in law.ids or not law.ids and any(
            line in lines.get(name, ()) for name in law.ops)]
        stating = [name for name, ids in lines.items() if line in ids]
        judged = dict.fromkeys(name for law in kept for name in law.ops)
        yield Entry(line, stating or list(judged), kept, pages.get(line))


def lacks(entry):
    """Sentences on what this line of the catalogue lacks; a test requires that there are none."""
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
    """The rows of the equations of the blog."""
    defects = errata() if defects is None else defects
    table = []
    for equation in BLOG:
        here = [op for op in ops.values() if equation in blog_equations(op.source)]
        names = {op.name for op in here}
        kept = [law for law in laws if names & set(law.ops)]
        table.append(Row(equation, here, kept, defects.get(equation, [])))
    return table


def gaps(row):
    """Sentences on what this equation lacks; a test requires that there are none."""
    if not row.ops:
        return [f"blog eq. ({row.equation}) has no function"]
    judged = {name for law in row.laws for name in law.ops}
    return [f"{op.name}, blog eq. ({row.equation}), has no law"
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

The ledger lists the function of each equation and the laws that test it. It is generated from the
code: a function names its equations in the *Source* line of its docstring, and a law names its
functions in its declaration. The tests fail if an equation has no function or a function has no
law.

## The blog's equations
"""
_CATALOGUE = """\
Every rule, energy, map, estimator, gradient and bound of hopref, with its page (the link), its
functions, and the number of their laws. The laws are listed below, under the functions.
"""
_LAWS = """\
A law is satisfied by every correct implementation and rejects at least one wrong one. The brackets
enclose its line in the catalogue, and are followed by the file that declares it; the laws in
`hopref/check/laws` also test other implementations.
"""
