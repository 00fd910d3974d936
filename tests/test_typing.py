"""What a type checker sees: the stubs name what is public, and misspelt names are errors."""
import ast
import importlib
from pathlib import Path

import pytest

import hopref

ROOT = Path(hopref.__file__).parent


def names_in(stub):
    """The names that a stub defines or exports."""
    for node in ast.parse(stub.read_text()).body:
        if isinstance(node, ast.ImportFrom):
            yield from (alias.asname for alias in node.names)
        elif isinstance(node, ast.AnnAssign):
            yield node.target.id


@pytest.mark.parametrize("package, more", [("hopref", set()), ("hopref.parts", {"KINDS"})])
def test_a_stub_names_what_its_package_exports(package, more):
    """A name in one list only is missing from the other: add it to __init__.pyi."""
    module = importlib.import_module(package)
    stub = Path(module.__file__).with_suffix(".pyi")
    assert set(names_in(stub)) == set(module.__all__) | more


def errors_of(tmp_path, text):
    api = pytest.importorskip("mypy.api")
    file = tmp_path / "script.py"
    file.write_text(text)
    report, problem, _ = api.run(["--config-file", str(ROOT.parent / "setup.cfg"), "--cache-dir",
                                  str(tmp_path / "cache"), "--no-error-summary", str(file)])
    assert not problem
    return [line for line in report.splitlines() if ": error: " in line]


def test_misspelt_names_and_arguments_are_type_errors(tmp_path, monkeypatch):
    monkeypatch.setenv("MYPYPATH", str(ROOT.parent))
    wrong = ["from hopref import hebian", "modern.updat", "parts.strem", "modern.update.shaps",
             "modern.update([1.0], [[1.0]], bta=1.0)", 'modern.update([1.0], [[1.0]], backend="x")']
    right = ["modern.update([1.0], [[1.0]], beta=1.0)", "modern.update.paths, memory_limit",
             'modern.update([1.0], [[1.0]], backend="numba", nonfinite="raise")',
             'with use_backend("numba"): retrieve(modern.update, [1.0], [[1.0]])']
    head = "from hopref import memory_limit, modern, parts, retrieve, use_backend"
    found = errors_of(tmp_path, "\n".join([head, *right, *wrong]))
    assert [int(line.split(":")[1]) for line in found] == [*range(len(right) + 2,
                                                                  len(right) + len(wrong) + 2)]


@pytest.mark.slow                   # and of `tox -e lint`
def test_the_annotated_modules_pass_a_type_checker(tmp_path, monkeypatch):
    api = pytest.importorskip("mypy.api")
    monkeypatch.chdir(ROOT.parent)
    report, problem, status = api.run(["--config-file", "setup.cfg", "--cache-dir", str(tmp_path)])
    assert status == 0, report + problem
