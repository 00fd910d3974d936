"""The equation ledger: equation of the blog -> function -> laws -> tests, read from the code itself.

A function names its equations in the Source line of its docstring, a law its functions in its
declaration.  `rows` joins them; `gaps` says what an equation still lacks; `page` is the docs page.
"""

import importlib
import re
from pathlib import Path
from typing import NamedTuple

ROOT = Path(__file__).parent.parent

# The blog's equations in the blog's letters; a defect is a heading of errata.md.
BLOG = {
    1: r"\boldsymbol W = \boldsymbol X \boldsymbol X^T",
    2: r"\boldsymbol\xi^{t+1} = \mathrm{sgn}(\boldsymbol W \boldsymbol\xi^t - \boldsymbol b)",
    3: r"E = -\tfrac12 \boldsymbol\xi^T \boldsymbol W \boldsymbol\xi + \boldsymbol\xi^T \boldsymbol b",
    4: r"\widetilde{\boldsymbol Q} = \mathrm{sgn}(\boldsymbol W \boldsymbol Q)",
    5: r"\boldsymbol W = \boldsymbol x \boldsymbol x^T",
    6: r"\boldsymbol W = \sum_{i=1}^6 \boldsymbol x_i \boldsymbol x_i^T",
    7: r"E = -\tfrac12 \boldsymbol\xi^T \boldsymbol W \boldsymbol\xi + \boldsymbol\xi^T \boldsymbol b"
       r" + \sum_i \int_0^{\xi_i} f^{-1}(y)\, dy",
    8: r"\nabla E_1(\boldsymbol\xi^{t+1}) = -\nabla E_2(\boldsymbol\xi^t)",
    9: r"\nabla \big(\sum_i \int_0^{\xi_i} f^{-1}\big)(\boldsymbol\xi^{t+1})"
       r" = \nabla \big(-\tfrac12 \boldsymbol\xi^T \boldsymbol W \boldsymbol\xi"
       r" + \boldsymbol\xi^T \boldsymbol b\big)(\boldsymbol\xi^t)",
    10: r"f^{-1}(\boldsymbol\xi^{t+1}) = \boldsymbol W \boldsymbol\xi^t - \boldsymbol b",
    11: r"\tanh^{-1}(\boldsymbol\xi^{t+1}) = \boldsymbol W \boldsymbol\xi^t - \boldsymbol b",
    12: r"\boldsymbol\xi^{t+1} = \tanh(\boldsymbol W \boldsymbol\xi^t - \boldsymbol b)",
    13: r"\widetilde{\boldsymbol Q} = \tanh(\boldsymbol W \boldsymbol Q)",
    14: r"\boldsymbol Z = \mathrm{softmax}\big(\tfrac{1}{\sqrt{d_K}} \boldsymbol Q \boldsymbol K^T\big)"
        r" \boldsymbol V",
    15: r"\boldsymbol A = \mathrm{softmax}\big(\tfrac{1}{\sqrt{d_K}} \boldsymbol Q \boldsymbol K^T\big)",
    16: r"\boldsymbol A_{\text{Perf}} = \widehat{\boldsymbol D}^{-1} \boldsymbol Q' \boldsymbol K'",
    17: r"\boldsymbol Z' = \widehat{\boldsymbol D}^{-1}(\boldsymbol Q'(\boldsymbol K'^T \boldsymbol V)),\;"
        r" \widehat{\boldsymbol D}^{-1} = \mathrm{diag}(\boldsymbol Q' \boldsymbol K'^T \boldsymbol 1_L)",
    18: r"\widetilde{\boldsymbol Q'} = \boldsymbol Q' \boldsymbol W,\; \boldsymbol W = \boldsymbol K'^T"
        r" \boldsymbol V",
    19: r"\phi(\boldsymbol z) = \tfrac{h(\boldsymbol z)}{\sqrt r}"
        r" (f_1(\boldsymbol w_1^T \boldsymbol z), \dots, f_l(\boldsymbol w_m^T \boldsymbol z))",
    20: r"\boldsymbol\xi^{\text{new}} = \tanh(\boldsymbol X \boldsymbol X^T_{\text{sparse}}"
        r" \boldsymbol\xi_{\text{sparse}})",
    21: r"\boldsymbol\xi^{\text{new}} = \boldsymbol X \mathrm{softmax}(\beta \boldsymbol X^T"
        r" \boldsymbol\xi)",
    22: r"\boldsymbol\xi^{\text{new}} = \boldsymbol X \mathrm{softmax}(\beta"
        r" \boldsymbol X^T_{\text{sparse}} \boldsymbol\xi_{\text{sparse}})",
    23: r"\boldsymbol\xi'^{\text{new}} = \boldsymbol X\, \mathbb E[\boldsymbol X'^T \boldsymbol\xi'"
        r" \widehat{\boldsymbol D}^{-1}]",
    24: r"\boldsymbol\xi'^{\text{new}} = \boldsymbol X\, \mathbb E[\boldsymbol X'^T_{\text{sparse}}"
        r" \boldsymbol\xi'_{\text{sparse}} \widehat{\boldsymbol D}^{-1}]",
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


def tested_laws():
    """The laws that the tests run, by importing every test module: {name: law}."""
    for file in sorted((ROOT / "tests").rglob("test_*.py")):
        if "@law(" in file.read_text():
            module = ".".join(file.relative_to(ROOT).with_suffix("").parts)
            importlib.import_module(module)
    return importlib.import_module("tests.laws").LAWS


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
        kept = [law for law in laws.values() if names & set(law.ops)]
        table.append(Row(equation, here, kept, defects.get(equation, [])))
    return table


def gaps(row):
    """What this equation lacks, as sentences; none is the promise."""
    if not row.ops:
        return [f"blog eq. ({row.equation}) has no function"]
    judged = {name for law in row.laws for name in law.ops}
    return [f"{op.name}, blog eq. ({row.equation}), keeps no law" for op in row.ops if op.name not in judged]


def page():
    """The ledger as Markdown."""
    from hopref.check import laws as kit
    from hopref.op import load

    ops, laws, kit_laws = load(), tested_laws(), kit.load()
    parts = [_INTRODUCTION, "| eq. | the blog prints | function | laws | errata |", "|---|---|---|---|---|"]
    for row in rows(ops, laws):
        parts.append(f"| {row.equation} | ${BLOG[row.equation]}$ | {' '.join(map(_link, row.ops))} | "
                     f"{len(row.laws)} | {', '.join(map(_erratum, row.errata))} |")
    parts += ["", "## Functions and their laws", "", _LAWS]
    for op in sorted(ops.values(), key=lambda op: op.name):
        parts += _section(op, laws, kit_laws)
    return "\n".join(parts) + "\n"


def _section(op, laws, kit_laws):
    yield f"\n(ledger-{_slug(op.name)})=\n### {op.name}\n"
    yield f"{op.source[0].upper()}{op.source[1:]}\n"
    if op.lowers:
        energy, condition = op.lowers
        yield f"Lowers {_link(energy)}: {condition}.\n"
    for law in laws.values():
        if op.name in law.ops:
            file = law.statement.__module__.replace(".", "/") + ".py"
            yield f"* {law.name.removeprefix('test_').replace('_', ' ')} **[{law.id}]** `{file}`"
    for law in kit_laws.values():
        if op.name in law.ops:
            yield f"* {law.name} **[{law.id}]** `hopref check`"


def _slug(name):
    return name.replace(".", "-").replace("_", "-")


def _link(op):
    return f"[`{op.name}`](#ledger-{_slug(op.name)})"


def _erratum(heading):
    anchor = re.sub(r"[^\w\- ]", "", heading.lower()).replace(" ", "-")
    return f"[erratum](errata.md#{anchor})"


_INTRODUCTION = """\
# Equation ledger

Which function states an equation, and which laws hold it to that. The table is made from the code: a function names its
equations in the *Source* line of its docstring, a law names its functions where it is declared. The tests fail when an
equation has no function or a function keeps no law.

## The blog's equations
"""
_LAWS = """\
A law is a test that every right implementation passes and at least one wrong one fails; the bracket is its line in the
catalogue, and behind it stands the file that runs it, or `hopref check` where the kit judges other implementations by it.
"""
