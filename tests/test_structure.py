"""The package follows the rules of its structure, and each rule detects violations."""
import ast
import importlib
import inspect
import pathlib
import subprocess
import sys

import pytest

import hopref
from hopref.dispatch import operation
from hopref.dispatch.declaration import Declaration
from hopref.dispatch.registry import NO_OPERATIONS
from tests import structure_rules as rules
from tests.doubles import cupy_names
from tests.groups import each

ROOT = pathlib.Path(hopref.__file__).parent.parent
LIBRARY = {p.relative_to(ROOT).as_posix(): p.read_text()
           for p in sorted((ROOT / "hopref").rglob("*.py"))}
TESTS = {p.relative_to(ROOT).as_posix(): p.read_text()
         for p in sorted((ROOT / "tests").rglob("*.py"))}
FORMULAS = {k: v for k, v in LIBRARY.items() if k != "hopref/gradients/preconditions.py"
            and k.startswith(("hopref/models/", "hopref/gradients/"))}
ON_DEVICE = [k for k in LIBRARY if rules.package_of(k) in rules.FORMULAS | {"gradients"}]
OPS = operation.load()

files = each("path", LIBRARY)
ops = each("name", OPS)


# ---- the rules hold -----------------------------------------------------------------------------

@files
def test_packages_import_only_what_they_may(path):
    assert not rules.forbidden_imports(path, LIBRARY[path])


def test_no_modules_import_each_other_in_a_cycle():
    """At the top of a file or inside a function."""
    assert not rules.cycles(rules.import_graph(LIBRARY))


def test_packages_are_on_levels():
    assert not rules.cycles(rules.MAY_IMPORT)


@each("path", FORMULAS)
def test_formulas_are_assignments_operators_and_calls(path):
    assert not rules.formula_violations(path, FORMULAS[path])


@each("path", ON_DEVICE)
def test_formulas_take_only_names_that_cupy_has(path):
    listed = {*cupy_names.UFUNCS, *cupy_names.FUNCTIONS, *cupy_names.CONSTANTS}
    assert not rules.namespace_names(LIBRARY[path]) - listed - {"__name__"}


@each("path", [*LIBRARY, *TESTS])
def test_files_are_short_and_finished(path):
    assert not rules.untidy_file(path, (LIBRARY | TESTS)[path])


@each("path", [p for p in LIBRARY if p != "hopref/__main__.py"])
def test_importing_a_file_has_no_side_effects(path):
    assert not rules.import_time_effects(path, LIBRARY[path])


@ops
def test_every_parameter_is_declared(name):
    assert not rules.undeclared(OPS[name])


@ops
def test_every_operation_is_documented(name):
    assert not rules.undocumented(name, OPS[name].__doc__)
    assert OPS[name].source and OPS[name].ids


@ops
def test_operations_are_plain_functions_under_their_own_name(name):
    op = OPS[name]
    _, _, function = name.rpartition(".")
    assert inspect.isfunction(op) and op.name == name and op.__name__ == function
    module = sys.modules[op.__module__]
    assert getattr(module, function) is op and function in module.__all__
    assert "backend" in inspect.signature(op).parameters
    assert "backend" not in op.signature.parameters
    assert "formula" in op.paths


def test_few_public_names_beside_the_models_each_documented():
    """Models are a module each, whose number is that of the catalogue's families."""
    names = set(hopref.__all__)
    assert len(hopref.__all__) == len(names) and len(names - set(hopref._MODELS)) <= 20
    for name in hopref.__all__:
        value = getattr(hopref, name)
        plain = isinstance(value, str | int | type(None))
        assert plain or (inspect.getdoc(value) or "").strip(), name


@each("path", [p for p in LIBRARY if rules.package_of(p) not in {
    "check", "experiments", "cli", "__main__", "fast", "gpu_check", "certify"}])
def test_every_name_in_all_exists(path):
    module = importlib.import_module(rules.module_of(path))
    for name in getattr(module, "__all__", ()):
        assert hasattr(module, name), f"{module.__name__}.{name}"


def test_only_what_load_imports_declares_operations():
    """A module that declares operations and is not imported by `load` would never be checked."""
    for path in LIBRARY:
        if rules.package_of(path) not in {"__main__", "fast"}:
            importlib.import_module(rules.module_of(path))
    left_out = {name for name, op in operation.OPS.items()
                if op.__module__.split(".")[1] in NO_OPERATIONS}
    assert not left_out and set(operation.OPS) == set(OPS)


# ---- cost of imports ----------------------------------------------------------------------------

HEAVY = {"scipy", "numba", "cupy", "matplotlib", "dask", "torch", "jax", "sklearn", "hypothesis",
         "flint", "mpmath", "PIL", "tqdm", "pytest"}


def loaded_by(statement):
    code = f"import sys; {statement}; print(*sorted({{m.partition('.')[0] for m in sys.modules}}))"
    run = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True,
                         cwd=ROOT)
    return set(run.stdout.split())


@pytest.mark.parametrize("statement", [
    "import hopref",
    "import hopref.models.classical, hopref.models.modern, hopref.models.performer",
    "from hopref import modern, graded, attention, retrieve",
    "import hopref.dispatch.operation; hopref.dispatch.operation.load()",
])
def test_importing_loads_no_heavy_package(statement):
    assert not loaded_by(statement) & HEAVY


def test_a_heavy_import_would_be_seen():
    assert "scipy" in loaded_by("import hopref, scipy.special") & HEAVY


def added_seconds(importtime):
    """Seconds that hopref takes on top of NumPy, from the output of ``-X importtime``."""
    rows = [line.split("|") for line in importtime.splitlines() if line.count("|") == 2]
    own = {name.strip(): (int(self_us.split(":")[-1]), int(total_us))
           for self_us, total_us, name in rows if total_us.strip().isdigit()}
    return own["hopref"][1] / 1e6


def test_importing_hopref_adds_at_most_a_quarter_of_a_second_to_numpy():
    def once():
        run = subprocess.run([sys.executable, "-X", "importtime", "-c", "import numpy, hopref"],
                             capture_output=True, text=True, check=True, cwd=ROOT)
        return added_seconds(run.stderr)

    assert min(once() for _ in range(3)) <= 0.25


def test_import_times_are_read_from_the_cumulative_column():
    report = ("import time: self [us] | cumulative | imported package\n"
              "import time:       120 |     300100 | numpy\n"
              "import time:        20 |     200000 |   scipy\n"
              "import time:        50 |     260000 | hopref\n")
    assert added_seconds(report) == 0.26


# ---- the rules detect violations ----------------------------------------------------------------

@pytest.mark.parametrize("path, text, why", [
    ("hopref/models/modern.py", "import numpy as np", "models may not import numpy"),
    ("hopref/models/modern.py", "from hopref.fast.numba import modern", "may not import fast"),
    ("hopref/models/modern.py", "from hopref import dynamics", "may not import dynamics"),
    ("hopref/models/modern.py", "def f():\n    from scipy import special", "may not import scipy"),
    ("hopref/gradients/modern.py", "import hopref.dynamics", "may not import dynamics"),
    ("hopref/maps.py", "from hopref.models import modern", "maps may not import models"),
    ("hopref/maps.py", "from .models import modern", "relative"),
    ("hopref/dispatch/operation.py", "from hopref.maps import softmax",
     "dispatch may not import maps"),
    ("hopref/dynamics.py", "from scipy import integrate", "only be imported inside"),
    ("hopref/dynamics.py", "from hopref.fast.numba import modern", "may not import fast"),
    ("hopref/theory/bounds.py", "from hopref.check import laws", "theory may not import check"),
    ("hopref/certify/softmax.py", "from hopref.maps import softmax", "certify may not import maps"),
    ("hopref/experiments/fig1.py", "import matplotlib.pyplot", "only be imported inside"),
    ("hopref/layers.py", "import torch", "layers may not import torch"),
    ("hopref/utils.py", "import math", "does not name"),
])
def test_a_forbidden_import_is_found(path, text, why):
    violations = rules.forbidden_imports(path, text)
    assert len(violations) == 1 and why in violations[0]


@pytest.mark.parametrize("path, text", [
    ("hopref/models/performer.py", "import math\nfrom hopref.models import attention"),
    ("hopref/dynamics.py", "def solve_flow():\n    from scipy import integrate"),
    ("hopref/fast/cupy/modern.py", "import cupy"),
    ("hopref/experiments/fig1.py", "from hopref import classical, modern"),
])
def test_an_allowed_import_is_left_alone(path, text):
    assert not rules.forbidden_imports(path, text)


def test_a_cycle_is_found_with_its_path():
    texts = {"hopref/a/__init__.py": "from hopref.a.b import f", "hopref/a/b.py": "import math",
             "hopref/a/c.py": "from hopref.a.b import f",
             "hopref/d.py": "def f():\n    import hopref.e",
             "hopref/e.py": "from hopref.a import b"}
    graph = rules.import_graph(texts)
    assert graph["hopref.d"] == {"hopref.e"} and graph["hopref.e"] == {"hopref.a", "hopref.a.b"}
    assert graph["hopref.a.c"] == {"hopref.a.b"} and not rules.cycles(graph)
    for name in ("from hopref import a", "from hopref.a import f"):
        graph = rules.import_graph(texts | {"hopref/a/b.py": name})
        assert rules.cycles(graph) == [("hopref.a", "hopref.a.b")]
    graph = rules.import_graph(texts | {"hopref/a/b.py": "from hopref.d import f"})
    assert ("hopref.a.b", "hopref.d", "hopref.e") in rules.cycles(graph)


FORMULA = "def energy(xi, X, /, *, beta=1.0):\n    xp = namespace(xi)\n    {}\n"


@pytest.mark.parametrize("line, why", [
    ("return 1 if beta else 2", "IfExp"),
    ("if beta: return 1", "If"),
    ("return beta or 1.0", "BoolOp"),
    ("return beta is None", "Is"),
    ("return 'a' in beta", "In"),
    ("return not beta", "Not"),
    ("return 0 < xi < 1", "chained comparison"),
    ("for x in X: xi = xi + x", "For"),
    ("while beta: xi = xi / 2", "While"),
    ("return [x @ xi for x in X]", "ListComp"),
    ("return (x for x in X)", "GeneratorExp"),
    ("try: return xi @ X\n    except ValueError: return xi", "Try"),
    ("with quiet(): return xi @ X", "With"),
    ("match beta:\n        case 1: return xi", "Match"),
    ("return scan(lambda c, x: c, xi, X)", "Lambda"),
    ("assert beta > 0", "Assert"),
    ("raise ValueError(beta)", "Raise"),
    ("xi += 1", "AugAssign"),
    ("def helper(x): return x", "FunctionDef"),
    ("import math", "Import"),
    ("return xi.sum(axis=-1)", "the array method .sum"),
    ("return (xi @ X.T).max()", "the array method .max"),
    ("return np.exp(xi)", "np in place of xp"),
    ("return xi / len(X)", "the builtin len()"),
    ("return float(xi)", "the builtin float()"),
    ("return max(xi, 0)", "the builtin max()"),
])
def test_what_is_not_in_the_formula_language_is_found(line, why):
    found = rules.formula_violations("hopref/models/modern.py", FORMULA.format(line))
    assert any(why in violation for violation in found), found


def test_a_formula_is_left_alone():
    text = FORMULA.format("z = xi @ X.T\n    return -lse(beta * z[..., None], axis=(-1, *rest)) "
                          "+ xp.sum(xi * xi, axis=-1) / 2 * activation.f(namespace(X).max(X))")
    assert not rules.formula_violations("hopref/models/modern.py", "import math\n" + text)


@pytest.mark.parametrize("path, text, why", [
    ("hopref/models/modern.py", "x = 1\n" * 401, "401 lines"),
    ("hopref/core.py", "x = 1", "does not name"),
    ("hopref/check/laws/helpers.py", "x = 1", "does not name"),
    ("hopref/maps.py", "x = 1  # TO" + "DO: more", "TO" + "DO"),
])
def test_an_untidy_file_is_found(path, text, why):
    violations = rules.untidy_file(path, text)
    assert len(violations) == 1 and why in violations[0]


@pytest.mark.parametrize("text", [
    "print('hello')", "rng.seed(0)", "for i in range(3):\n    print(i)", "if DEBUG:\n    x = 1"])
def test_a_file_that_does_something_at_import_is_found(text):
    assert rules.import_time_effects("hopref/maps.py", '"""Maps."""\n' + text)


def test_missing_parts_of_a_docstring_are_named():
    whole = OPS["modern.update"].__doc__
    assert not rules.undocumented("modern.update", whole)
    for part, named in [("Source:", "Source"), (".. math::", "equation"), (">>> ", "doctest"),
                        ("[MH-2]", "catalogue id")]:
        assert any(named in v for v in rules.undocumented("modern.update", whole.replace(part, "")))
    assert len(rules.undocumented("modern.update", None)) == 5


def test_an_undeclared_parameter_is_found():
    def formula(x, /, loose=1.0, *, beta=1.0):
        return x

    declared = Declaration(formula, "(...,d)->(...,d)", {"gamma": None})
    assert len(rules.undeclared(declared)) == 4


def test_every_source_file_parses_with_the_oldest_python_promised():
    for path, text in LIBRARY.items():
        ast.parse(text, path, feature_version=(3, 11))
