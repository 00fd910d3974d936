"""The examples on the pages run, and their commands are those of the check."""
import doctest
import re
import shlex
from pathlib import Path

import pytest

from docs import pages
from hopref.cli import main
from tests.groups import each

ROOT = Path(pages.__file__).parent.parent
PAGES = {str(file.relative_to(ROOT)): file.read_text() for file in pages.written()}
COMMANDS = ('python -m pip install ".[all]" && hopref check',
            'python -m pip install ".[test]" && python -m pytest')


@each("name", [name for name, text in PAGES.items()
                                  if ">>>" in text and name != "docs/tutorial.md"])
def test_the_examples_of_a_page_run_as_shown(name):
    report = pages.failures(PAGES[name], name)
    assert not report, report


TUTORIAL = "docs/tutorial.md"


@pytest.fixture
def folder(tmp_path, monkeypatch):
    """An empty working directory; the pages draw and read pictures."""
    pytest.importorskip("matplotlib", reason="the pictures of the pages need hopref[plot]")
    monkeypatch.chdir(tmp_path)
    return tmp_path


def test_the_tutorial_runs_as_shown_example_by_example_and_command_by_command(folder, capsys):
    report = pages.failures(PAGES[TUTORIAL], TUTORIAL)
    assert not report, report
    commands = pages.commands(PAGES[TUTORIAL])
    assert len(commands) == 3 == len(re.findall("^hopref ", PAGES[TUTORIAL], re.M))
    capsys.readouterr()
    for command, shown in commands:
        assert main(shlex.split(command)[1:]) == ("diagnose" in command), command
        printed = capsys.readouterr().out
        same = doctest.OutputChecker().check_output(shown, printed, doctest.ELLIPSIS)
        assert same, f"{command}\n{printed}"
    assert {"one.png", "all.png"} <= {file.name for file in folder.iterdir()}


def test_the_readme_explains_the_pictures_that_its_command_loses(folder, capsys):
    """Both commands, word for word; the findings name the pictures without a blue frame."""
    retrieve, diagnose = re.findall(r"^hopref ((?:retrieve|diagnose) .+)$", PAGES["README.md"],
                                    re.M)
    assert main(shlex.split(retrieve)) == 0
    out = capsys.readouterr().out
    lost = {line.split()[0] for line in out.splitlines() if line.split()[1:2] == ["no"]}
    assert len(lost) == 7 and (folder / "out.png").is_file()
    assert "why: hopref diagnose --normalise centred-unit --corrupt mask:0.5 --beta 25" in out
    assert main(shlex.split(diagnose)) == 1
    explained = re.findall(r"^- (\w+) is lost from its cue", capsys.readouterr().out, re.M)
    assert set(explained) == lost


def test_a_wrong_example_is_reported_under_its_heading():
    report = pages.failures("## A claim\n\n```pycon\n>>> 1 + 1\n3\n\n```\n", "page.md")
    assert "A claim" in report and "Got:\n    2" in report


@each("name", PAGES)
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
