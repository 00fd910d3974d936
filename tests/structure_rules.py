"""Rules of the package's structure, as functions from text to violations; `test_structure` applies
them."""
import ast
import builtins
import re
import sys

import numpy as np

import hopref

# ---- which package may import which -------------------------------------------------------------

DISPATCH = {"dispatch", "errors"}
MAPS = DISPATCH | {"maps"}
FORMULAS = MAPS | {"features", "storage", "models"}
LIBRARY = FORMULAS | {"projections", "dynamics", "gradients", "layers", "parts", "theory",
                      "progress", "extras", "versions"}

# A package (or module) of hopref, and the others that it may import, anywhere in its files.  A test
# checks that this graph has no cycle, so that packages are on levels.
MAY_IMPORT = {
    "_version": set(),
    "errors": set(),
    "extras": set(),
    "progress": set(),
    "versions": {"_version"},
    "dispatch": {"errors"},
    "maps": DISPATCH,
    "storage": MAPS,
    "features": MAPS,
    "projections": MAPS,
    "models": MAPS | {"features", "storage"},
    "dynamics": FORMULAS | {"progress"},
    "layers": FORMULAS | {"dynamics"},
    "gradients": FORMULAS | {"layers"},
    "parts": FORMULAS | {"extras"},
    "distributed": FORMULAS | {"parts", "dynamics", "extras", "progress"},
    "data": DISPATCH | {"extras"},
    "theory": FORMULAS | {"projections", "data"},
    "fast": FORMULAS | {"gradients", "parts"},
    "certify": DISPATCH | {"extras"},
    "vectors": LIBRARY | {"certify"},
    "check": LIBRARY | {"_version", "certify", "vectors", "data", "fast"},
    "experiments": LIBRARY | {"data"},
    "cli": LIBRARY | {"_version", "certify", "check", "data", "experiments", "fast", "vectors"},
    "__main__": {"cli"},
    "__init__": {"_version", "dispatch", "errors"},
}

LIBRARIES = {"numpy", "torch", "jax", "flax", "keras", "equinox", "onnx", "hflayers",
             "performer_pytorch", "entmax", "sparsemax", "fla", "torchhd",
             "optax", "jaxopt", "scipy", "sklearn", "transformers"}
# Third-party packages that may be imported, anywhere in a package; the other packages may import
# only the standard library and NumPy.
THIRD_PARTY = {
    "models": set(),
    "gradients": set(),
    "theory": {"numpy", "scipy"},
    "dispatch": {"numpy", "scipy"},
    "projections": {"numpy", "scipy"},
    "distributed": {"numpy", "dask", "distributed"},
    "dynamics": {"numpy", "scipy"},
    "certify": {"numpy", "flint"},
    "fast": {"numpy", "numba", "llvmlite", "cupy"},
    "data": {"numpy", "PIL"},
    "experiments": {"numpy", "scipy", "matplotlib", "PIL"},
    "check": {"numpy", "scipy", "hypothesis", "pytest", "mpmath", "flint", "matplotlib", "torch",
              "cupy", "jax", "ml_dtypes", "psutil"},
    "check/peers/known": LIBRARIES,     # each file imports the library that it is about
    "cli": {"numpy", "matplotlib", "PIL", "cupy"},
    "progress": {"tqdm"},
}

# These packages may only be imported inside functions.
ONLY_INSIDE = {"matplotlib", "dask", "distributed", "cupy", "PIL", "tqdm"} | LIBRARIES - {"numpy"}


def imports(text):
    """Triples (line, dotted module, whether at the top of the file) for every import."""
    tree = ast.parse(text)
    top = {id(node) for node in tree.body}
    for node in ast.walk(tree):
        if isinstance(node, ast.Import):
            for alias in node.names:
                yield node.lineno, alias.name, id(node) in top
        elif isinstance(node, ast.ImportFrom):
            for alias in node.names:
                yield node.lineno, f"{'.' * node.level}{node.module or ''}.{alias.name}", \
                    id(node) in top


def package_of(path):
    """``hopref/models/modern.py`` is in models, ``hopref/dynamics.py`` is dynamics."""
    _, *folders, file = path.split("/")
    return folders[0] if folders else file.removesuffix(".py")


def forbidden_imports(path, text):
    """Imports that the package of ``path`` may not make."""
    package = package_of(path)
    if package not in MAY_IMPORT:
        return [f"{path}: MAY_IMPORT does not name {package!r}"]
    found, folder = [], path.removeprefix("hopref/").rpartition("/")[0]
    allowed = THIRD_PARTY.get(folder) or THIRD_PARTY.get(package, {"numpy"})
    for line, name, at_top in imports(text):
        first, *rest = _exported(name).split(".")
        if first == "":
            found.append(f"{path}:{line}: a relative import")
        elif first == "hopref":
            other = rest[0] if rest and rest[0] in MAY_IMPORT else "__init__"
            if other not in MAY_IMPORT[package] | {package}:
                found.append(f"{path}:{line}: {package} may not import {other}")
        elif first not in sys.stdlib_module_names:
            if first not in allowed:
                found.append(f"{path}:{line}: {package} may not import {first}")
            elif at_top and first in ONLY_INSIDE and not path.startswith(f"hopref/fast/{first}/"):
                found.append(f"{path}:{line}: {first} may only be imported inside a function")
    return found


def _exported(name):
    """``hopref.modern`` and ``hopref.retrieve`` by the module in which they are defined."""
    first, _, rest = name.partition(".")
    exports = {**hopref._HOME, **hopref._FROM} if first == "hopref" else {}
    return exports.get(rest, name)


# ---- cycles -------------------------------------------------------------------------------------

def import_graph(texts):
    """{module: the modules that it imports, anywhere in it}, of {path: text}.

    Importing a module imports the packages above it as well.  Those above the importing module are
    being imported already: they count only if something is taken from them by name.
    """
    modules = {module_of(path): text for path, text in texts.items()}
    return {module: _imported(module, text, modules) for module, text in modules.items()}


def module_of(path):
    return path.removesuffix(".py").replace("/", ".").removesuffix(".__init__")


def _imported(module, text, modules):
    found = set()
    for _, name, _ in imports(text):
        loaded = _with_packages(_exported(name)) & modules.keys()
        named = {max(loaded, key=len)} if loaded else set()
        found |= loaded - _with_packages(module) | named
    return found - {module}


def _with_packages(name):
    """``a.b.c`` with ``a.b`` and ``a``."""
    parts = name.split(".")
    return {".".join(parts[:i]) for i in range(1, len(parts) + 1)}


def cycles(graph):
    """A shortest cycle through each node of a cycle, listed once, from its smallest node."""
    found = set()
    for start in graph:
        paths, seen = [[start]], {start}
        while paths and paths[0]:
            path, *paths = paths
            if start in graph[path[-1]]:
                least = path.index(min(path))
                found.add((*path[least:], *path[:least]))
                break
            new = sorted(graph[path[-1]] & graph.keys() - seen)
            seen |= set(new)
            paths += [[*path, node] for node in new]
    return sorted(found)


# ---- the formula language -----------------------------------------------------------------------

STATEMENTS = (ast.Assign, ast.Return, ast.Expr)
EXPRESSIONS = (
    ast.Name, ast.Attribute, ast.Subscript, ast.Slice, ast.Starred, ast.Constant, ast.Tuple,
    ast.List,
    ast.BinOp, ast.UnaryOp, ast.Compare, ast.Call, ast.keyword,
)
OPERATORS = (ast.operator, ast.unaryop, ast.cmpop, ast.expr_context)
NO_OPERATORS = (ast.Not, ast.In, ast.NotIn, ast.Is, ast.IsNot)
METHODS = frozenset(dir(np.ndarray)) - {"T", "shape", "dtype", "ndim"}


def formula_violations(path, text):
    """What a formula file contains beyond assignments, operators and calls."""
    tree = ast.parse(text)
    modules = {a.asname or a.name for n in ast.walk(tree) for a in getattr(n, "names", ())
               if isinstance(n, ast.Import | ast.ImportFrom)}
    functions = [n for n in tree.body if isinstance(n, ast.FunctionDef)]
    stated = (ast.FunctionDef, ast.Import, ast.ImportFrom, ast.Expr, ast.Assign, ast.ClassDef)
    found = [f"{path}:{n.lineno}: {type(n).__name__} at the top of a formula file"
             for n in tree.body if not isinstance(n, stated)]
    for function in functions:
        for statement in function.body:
            found += [f"{path}:{line}: {what}" for line, what in _beyond(statement, modules)]
    found += [f"{path}:{n.lineno}: a lambda" for n in ast.walk(tree) if isinstance(n, ast.Lambda)]
    return sorted(set(found))


def _beyond(node, modules, line=0):
    line = getattr(node, "lineno", line)
    if isinstance(node, NO_OPERATORS) or not isinstance(node, STATEMENTS + EXPRESSIONS + OPERATORS):
        yield line, type(node).__name__
    if isinstance(node, ast.Compare) and len(node.ops) > 1:
        yield line, "a chained comparison (an `and`)"
    if isinstance(node, ast.Attribute) and node.attr in METHODS:
        if not _a_namespace(node.value, modules):
            yield line, f"the array method .{node.attr}"
    if isinstance(node, ast.Name) and node.id in {"np", "numpy"}:
        yield line, "np in place of xp"
    if isinstance(node, ast.Call) and isinstance(node.func, ast.Name) \
            and hasattr(builtins, node.func.id) and node.func.id not in modules:
        yield line, f"the builtin {node.func.id}()"
    for child in ast.iter_child_nodes(node):
        yield from _beyond(child, modules, line)


def _a_namespace(node, modules):
    """``xp``, ``namespace(x)`` or an imported module."""
    name = node.func if isinstance(node, ast.Call) else node
    return isinstance(name, ast.Name) and name.id in {"xp", "namespace"} | modules


def namespace_names(text):
    """Every name asked of ``xp`` or ``namespace(x)``."""
    return {n.attr for n in ast.walk(ast.parse(text))
            if isinstance(n, ast.Attribute) and _a_namespace(n.value, frozenset())}


# ---- files, names, docstrings -------------------------------------------------------------------

VAGUE_NAMES = {"utils", "util", "core", "helpers", "helper", "common", "misc", "base", "tools"}
UNFINISHED = re.compile("TO" "DO|FIX" "ME|X" "XX|NotImplemented" "Error|assert " "True")


def untidy_file(path, text):
    """A file too long, badly named, or with work left to do."""
    name = path.rpartition("/")[2].removesuffix(".py")
    lines = text.splitlines()
    found = [f"{path}: {name} does not name what the file contains"] if name in VAGUE_NAMES else []
    found += [f"{path}: {len(lines)} lines, more than 400"] if len(lines) > 400 else []
    return found + [f"{path}:{i}: {word}" for i, line in enumerate(lines, 1)
                    for word in UNFINISHED.findall(line)]


def import_time_effects(path, text):
    """Statements that do something while a file of the library is imported."""
    allowed = (ast.Import, ast.ImportFrom, ast.FunctionDef, ast.ClassDef, ast.Assign, ast.AnnAssign)
    return [f"{path}:{n.lineno}: {type(n).__name__} runs at import" for n in ast.parse(text).body
            if not isinstance(n, allowed) and not _string(n) and not _is_main(n)
            and not _defines(n)]


def _string(node):
    return isinstance(node, ast.Expr) and isinstance(node.value, ast.Constant)


def _defines(node):
    """A loop that gives a class its methods."""
    return isinstance(node, ast.For) and all(
        isinstance(n, ast.Assign) or ast.unparse(n).startswith("setattr(") for n in node.body)


def _is_main(node):
    return isinstance(node, ast.If) and ast.unparse(node.test) == "__name__ == '__main__'"


def undeclared(op):
    """Parameters of an operation that are not declared, and declarations without parameter."""
    parameters = op.signature.parameters
    found = [f"{op.name}: {k} is not declared" for k in parameters if k not in op.domains]
    found += [f"{op.name}: {k} is no parameter" for k in op.domains if k not in parameters]
    return found + [f"{op.name}: {p.name} may be given by position and by name"
                    for p in parameters.values()
                    if p.kind not in (p.POSITIONAL_ONLY, p.KEYWORD_ONLY)]


def undocumented(name, docstring):
    """What the docstring of an operation lacks: first line, equation, Source, id, doctest."""
    doc = docstring or ""
    first = doc.partition("\n")[0].strip()
    wanted = {
        "a first line that says what it is": bool(first) and first[0].isupper() and "." in doc,
        "an equation (.. math::)": ".. math::" in doc,
        "a Source line": "Source:" in doc,
        "a catalogue id such as [MH-2]": bool(re.search(r"\[[^]]*\b[A-Z]{2,3}-\d+[^]]*\]", doc)),
        "a doctest": ">>> " in doc,
    }
    return [f"{name} lacks {what}" for what, there in wanted.items() if not there]

