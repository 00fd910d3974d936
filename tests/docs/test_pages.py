"""The examples on the pages run, and their commands are those of the check."""
import re
from pathlib import Path

import pytest

from docs import pages

ROOT = Path(pages.__file__).parent.parent
PAGES = {str(file.relative_to(ROOT)): file.read_text() for file in pages.written()}
COMMANDS = ('python -m pip install ".[all]" && hopref check',
            'python -m pip install ".[test]" && python -m pytest')


@pytest.mark.parametrize("name", [name for name, text in PAGES.items() if ">>>" in text])
def test_the_examples_of_a_page_run_as_shown(name):
    report = pages.failures(PAGES[name], name)
    assert not report, report


def test_a_wrong_example_is_reported_under_its_heading():
    report = pages.failures("## A claim\n\n```pycon\n>>> 1 + 1\n3\n\n```\n", "page.md")
    assert "A claim" in report and "Got:\n    2" in report


@pytest.mark.parametrize("name", PAGES)
def test_every_prompt_is_in_a_block_that_is_run(name):
    outside = pages.BLOCK.sub("", pages.prose(PAGES[name]))
    assert ">>>" not in outside


@pytest.mark.parametrize("command", COMMANDS)
def test_the_commands_of_the_readme_are_those_of_the_check(command):
    assert command in PAGES["README.md"]
    assert f"    {command}\n" in (ROOT / ".ci" / "run").read_text()


def test_the_readme_is_short_and_its_figures_exist():
    text = PAGES["README.md"]
    assert len(text.splitlines()) <= 120
    for figure in re.findall(r"!\[[^]]*\]\(([^)]+)\)", text):
        assert (ROOT / figure).is_file(), figure


STATED = re.findall(r"`theory\.(\w+)` \|(?:.*\|)? (.+?) \|$", PAGES["docs/theory.md"], re.M)


@pytest.mark.parametrize("name, status", STATED)
def test_the_status_of_a_theorem_is_that_of_its_docstring(name, status):
    from hopref import theory
    found = re.search(r"Status: (.+?)\.?\n *\n", getattr(theory, name).__doc__, re.S)
    assert found is None or " ".join(found[1].split()).startswith(status)


def test_the_page_of_the_theory_names_every_bound_and_capacity():
    from hopref import theory
    graded = {name for name in theory.__all__
              if "Status: " in (getattr(theory, name).__doc__ or "")}
    assert graded <= {name for name, _ in STATED} and len(graded) > 30
