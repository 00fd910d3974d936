"""Mutants of a source text: single changes of its syntax tree, in a fixed order.

Docstrings, annotations, imports, ``__all__``, strings and the messages of errors are not changed.
"""
import ast
import copy
from collections import Counter
from collections.abc import Iterator
from pathlib import Path
from typing import NamedTuple

__all__ = ["ROOT", "Mutant", "mutants", "mutated"]

ROOT = Path(__file__).parents[2]

COMPARISONS = {ast.Lt: (ast.LtE, ast.GtE), ast.LtE: (ast.Lt, ast.Gt), ast.Gt: (ast.GtE, ast.LtE),
               ast.GtE: (ast.Gt, ast.Lt), ast.Eq: (ast.NotEq,), ast.NotEq: (ast.Eq,),
               ast.Is: (ast.IsNot,), ast.IsNot: (ast.Is,), ast.In: (ast.NotIn,),
               ast.NotIn: (ast.In,)}
ARITHMETIC = {ast.Add: ast.Sub, ast.Sub: ast.Add, ast.Mult: ast.Div, ast.Div: ast.Mult,
              ast.FloorDiv: ast.Mult, ast.Mod: ast.Mult, ast.Pow: ast.Mult,
              ast.BitAnd: ast.BitOr, ast.BitOr: ast.BitAnd, ast.BitXor: ast.BitOr,
              ast.LShift: ast.RShift, ast.RShift: ast.LShift}
ORDERED = (ast.Sub, ast.Div, ast.Pow, ast.MatMult)      # operands may be exchanged
FUNCTIONS = (("max", "min"), ("maximum", "minimum"), ("argmax", "argmin"), ("any", "all"),
             ("zeros", "ones"), ("zeros_like", "ones_like"), ("floor", "ceil"), ("cos", "sin"),
             ("exp", "expm1"), ("log", "log1p"))
COMMUTATIVE = {"max", "min", "maximum", "minimum", "dot"}
EXCHANGED = {a: b for pair in FUNCTIONS for a, b in (pair, pair[::-1])}
REMOVED = (ast.Expr, ast.AugAssign, ast.Raise, ast.Assert, ast.Delete)
MOST_LINES = 10**6
UNTOUCHED = (ast.Import, ast.ImportFrom, ast.Raise, ast.JoinedStr, ast.Global, ast.Nonlocal)


class Mutant(NamedTuple):
    """One change: its place, its kind, and the text before and after it."""
    path: str
    scope: str              # the function or class, "" at the top of the file
    kind: str
    before: str
    after: str
    number: int             # of several equal changes in this scope
    lines: tuple[int, int]  # of which one is run if the change has an effect
    site: int               # of the places in the order of the tree
    variant: int            # of the changes at this place

    @property
    def file(self) -> str:
        """The full path of the source."""
        return str(ROOT / self.path)

    @property
    def name(self) -> str:
        """The identity of the change, without line numbers."""
        which = f" #{self.number}" if self.number else ""
        return f"{self.path}: {self.scope or '<module>'}: {self.before} -> {self.after}{which}"


def mutants(path: str, text: str) -> list[Mutant]:
    """Every mutant of a file."""
    found, seen = [], Counter()
    for site, (_, _, node, scope, lines) in enumerate(_sites(ast.parse(text))):
        for variant, (kind, new) in enumerate(_changes(node)):
            before, after = _texts(kind, node, new)
            number = seen[scope, before, after]
            seen[scope, before, after] += 1
            found.append(Mutant(path, scope, kind, before, after, number, lines, site, variant))
    return found


def mutated(text: str, mutant: Mutant) -> ast.Module:
    """The tree of the text with this change."""
    tree = ast.parse(text)
    holder, key, node, _, _ = next(found for i, found in enumerate(_sites(tree))
                                   if i == mutant.site)
    _, new = list(_changes(node))[mutant.variant]
    ast.fix_missing_locations(ast.copy_location(new, node))
    if isinstance(key, tuple):
        getattr(holder, key[0])[key[1]] = new
    else:
        setattr(holder, key, new)
    return tree


def _texts(kind: str, node, new) -> tuple[str, str]:
    """What is changed, and into what."""
    if kind == "keyword":
        function, left = ast.unparse(node.func), {id(keyword) for keyword in new.keywords}
        gone = next(ast.unparse(keyword) for keyword in node.keywords if id(keyword) not in left)
        return _shortened(f"{function}(..., {gone})"), f"{function}(...)"
    if kind == "decorator":
        left = {id(decorator) for decorator in new.decorator_list}
        gone = next(d for d in node.decorator_list if id(d) not in left)
        return f"@{ast.unparse(getattr(gone, 'func', gone))}", "none"
    return _shortened(ast.unparse(node)), _shortened(ast.unparse(new))


def _shortened(text: str) -> str:
    return " ".join(text.split())[:100]


# ---- places -------------------------------------------------------------------------------------

def _sites(node, scope="", lines=(1, MOST_LINES), inside=False) -> Iterator[tuple]:
    """The nodes that may change, with their place, scope and the lines that reach them."""
    for key, child in _children(node):
        reached, inner = lines, scope
        if isinstance(child, ast.stmt):
            if _left_out(child):
                continue
            if inside:
                reached = _lines(child)
            elif isinstance(child, ast.FunctionDef):
                reached = child.lineno, child.end_lineno
        if isinstance(child, ast.FunctionDef | ast.ClassDef):
            inner = f"{scope}.{child.name}" if scope else child.name
        yield node, key, child, inner, reached
        if not isinstance(child, UNTOUCHED):
            body = inside or isinstance(child, ast.FunctionDef)
            yield from _sites(child, inner, reached, body)


def _children(node) -> Iterator[tuple]:
    for name, value in ast.iter_fields(node):
        if name in ("annotation", "returns"):
            continue
        if isinstance(value, ast.AST):
            yield name, value
        elif isinstance(value, list):
            yield from (((name, i), child) for i, child in enumerate(value)
                        if isinstance(child, ast.AST))


def _lines(statement) -> tuple[int, int]:
    """The lines of a statement, without those of the statements in it."""
    inner = [child.lineno for child in ast.walk(statement)
             if isinstance(child, ast.stmt) and child is not statement]
    last = statement.end_lineno if not inner else max(statement.lineno, min(inner) - 1)
    return statement.lineno, last


def _left_out(statement) -> bool:
    """Docstrings, ``...`` and ``__all__``."""
    constant = isinstance(statement, ast.Expr) and isinstance(statement.value, ast.Constant)
    listed = isinstance(statement, ast.Assign) and ast.unparse(statement.targets[0]) == "__all__"
    return constant or listed


# ---- changes ------------------------------------------------------------------------------------

def _changes(node) -> Iterator[tuple[str, ast.AST]]:
    """The changes of one node, as pairs of their kind and the new node."""
    for kind, change in CHANGES:
        yield from ((kind, new) for new in change(node))


def _with(node, **fields):
    new = copy.copy(node)
    for name, value in fields.items():
        setattr(new, name, value)
    return new


def _comparison(node):
    if isinstance(node, ast.Compare):
        for i, sign in enumerate(node.ops):
            for other in COMPARISONS[type(sign)]:
                yield _with(node, ops=[*node.ops[:i], other(), *node.ops[i + 1:]])


def _arithmetic(node):
    if isinstance(node, ast.BinOp | ast.AugAssign) and type(node.op) in ARITHMETIC:
        yield _with(node, op=ARITHMETIC[type(node.op)]())
    if isinstance(node, ast.UnaryOp) and not isinstance(node.op, ast.Not) \
            and not isinstance(node.operand, ast.Constant):
        yield node.operand


def _operands(node):
    if isinstance(node, ast.BinOp) and isinstance(node.op, ORDERED) \
            and ast.dump(node.left) != ast.dump(node.right):
        yield _with(node, left=node.right, right=node.left)
    if isinstance(node, ast.Call) and len(node.args) > 1 \
            and not any(isinstance(arg, ast.Starred) for arg in node.args[:2]):
        first, second, *rest = node.args
        called = ast.unparse(node.func).rpartition(".")[2]
        if called not in COMMUTATIVE and ast.dump(first) != ast.dump(second):
            yield _with(node, args=[second, first, *rest])


def _constant(node):
    if not isinstance(node, ast.Constant):
        return
    if isinstance(node.value, bool):
        yield ast.Constant(not node.value)
    elif isinstance(node.value, int | float):
        yield ast.Constant(node.value + 1)
        yield ast.Constant(node.value - 1)


def _condition(node):
    if isinstance(node, ast.BoolOp):
        yield _with(node, op=ast.Or() if isinstance(node.op, ast.And) else ast.And())
    if isinstance(node, ast.UnaryOp) and isinstance(node.op, ast.Not):
        yield node.operand
    if isinstance(node, ast.If | ast.While | ast.IfExp) \
            and not isinstance(node.test, ast.Compare | ast.UnaryOp):
        yield _with(node, test=ast.UnaryOp(ast.Not(), node.test))


def _statement(node):
    if isinstance(node, REMOVED):
        yield ast.Pass()
    if isinstance(node, ast.Assign) and not isinstance(node.targets[0], ast.Name | ast.Tuple):
        yield ast.Pass()
    if isinstance(node, ast.Return) and node.value is not None:
        yield ast.Return(None)
    if isinstance(node, ast.Continue | ast.Break):
        yield ast.Break() if isinstance(node, ast.Continue) else ast.Continue()


def _keyword(node):
    if isinstance(node, ast.Call):
        for i, keyword in enumerate(node.keywords):
            if keyword.arg is not None:
                yield _with(node, keywords=[*node.keywords[:i], *node.keywords[i + 1:]])


def _decorator(node):
    if isinstance(node, ast.FunctionDef):
        for i in range(len(node.decorator_list)):
            others = [*node.decorator_list[:i], *node.decorator_list[i + 1:]]
            yield _with(node, decorator_list=others)


def _function(node):
    name = getattr(node, "attr", None) if isinstance(node, ast.Attribute) else \
        getattr(node, "id", None)
    if name in EXCHANGED and isinstance(getattr(node, "ctx", None), ast.Load):
        yield _with(node, **{"attr" if isinstance(node, ast.Attribute) else "id": EXCHANGED[name]})


CHANGES = (("comparison", _comparison), ("arithmetic", _arithmetic), ("operands", _operands),
           ("constant", _constant), ("condition", _condition), ("statement", _statement),
           ("keyword", _keyword), ("decorator", _decorator), ("function", _function))
