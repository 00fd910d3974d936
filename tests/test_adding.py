"""The page "Add a rule" is executed: in a copy of the project its files are a complete rule."""
import os
import re
import shutil
import subprocess
import sys
from pathlib import Path

import pytest

from docs import pages

ROOT = Path(__file__).parent.parent
PAGE = (ROOT / "docs" / "adding.md").read_text(encoding="utf-8")
FILES = pages.files(PAGE)
STEPS = ("tests/test_rules.py", "tests/docs/test_ledger.py", "tests/check/test_laws.py")
EVERYTHING = (*STEPS, "tests/check/test_bugs.py", "tests/check/test_tolerance.py",
              "tests/docs/test_pages.py", "tests/test_structure.py", "tests/test_language.py",
              "tests/test_namespaces.py", "tests/dispatch")


@pytest.fixture(scope="module")
def project(tmp_path_factory):
    """A copy of the files that the tests need, with the toy in it."""
    copy = tmp_path_factory.mktemp("project")
    for name in ("hopref", "tests", "docs", "benchmarks", ".ci"):
        shutil.copytree(ROOT / name, copy / name, ignore=shutil.ignore_patterns(
            "__pycache__", "_build", "gallery", "api", ".hypothesis"))
    for name in ("setup.cfg", "pyproject.toml", "README.md", "CONTRIBUTING.md", "CHANGELOG.md",
                 "tox.ini", "MANIFEST.in", "ruff.toml", "LICENSE", "CITATION.cff"):
        shutil.copy(ROOT / name, copy / name)
    for path, text in FILES.items():
        (copy / path).write_text(text, encoding="utf-8")
    return copy


def outcome(project, files, chosen="toy or TOY"):
    """What pytest reports of the chosen tests in the copy."""
    words = [sys.executable, "-m", "pytest", "-q", "-n", "0", "-p", "no:cacheprovider", "-rf",
             "-k", chosen, *files]
    environment = os.environ | {"PYTHONPATH": str(project), "PYTEST_ADDOPTS": ""}
    done = subprocess.run(words, cwd=project, env=environment, capture_output=True, text=True)
    return done.stdout + done.stderr


def test_the_page_holds_one_file_a_step():
    assert list(FILES) == ["hopref/models/toy.py", "hopref/check/laws/toy.py",
                           "hopref/check/bugs/toy.py", "docs/models/toy.md",
                           "docs/catalogue.d/TOY.toml"]


def test_with_all_steps_everything_is_green(project):
    report = outcome(project, EVERYTHING)
    assert re.search(r"^\d{2,} passed", report, re.M) and "failed" not in report, report[-3000:]


@pytest.mark.parametrize("left_out, step", [
    ("lowers=energy, ", "step 1, the formula"), ("hopref/check/laws/toy.py", "step 2, the laws"),
    *(pytest.param(*case, marks=pytest.mark.slow) for case in [
        ("hopref/check/bugs/toy.py", "step 3, the bugs"),
        ("docs/models/toy.md", "step 4, the page"),
        ("docs/catalogue.d/TOY.toml", "step 5, the catalogue")])])
def test_a_step_left_out_fails_one_test_that_names_it(project, left_out, step):
    path = left_out if left_out in FILES else "hopref/models/toy.py"
    whole = FILES[path]
    try:
        if path == left_out:
            (project / path).unlink()
        else:
            (project / path).write_text(whole.replace(left_out, ""), encoding="utf-8")
        report = outcome(project, STEPS)
    finally:
        (project / path).write_text(whole, encoding="utf-8")
    assert "1 failed" in report and step in report, report[-3000:]
