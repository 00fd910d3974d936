"""Every example of the pages on judging and on vectors is executed, and gives what is shown.

Numbers are compared as numbers of any value, since last bits and times depend on the machine; a
line "..." stands for any lines.
"""
import argparse
import os
import re
import shutil
import subprocess
import sys

import pytest

from docs import pages
from hopref.check.engine.subprocess import environment
from hopref.cli import check as command

PAGE, VECTORS = ((pages.HERE / name).read_text() for name in ("judging.md", "vectors.md"))
BLOCK = re.compile(r"^```(\w+)\n(.*?)^```", re.M | re.S)


def files_of(page):
    """The files of a page by name; the first line of each is its name."""
    named = ((re.match(r"# (\w+\.\w+)\n", content), content) for _, content in
             BLOCK.findall(page))
    return {found[1]: content for found, content in named if found}


def commands_of(page):
    """Pairs of a command of a page and the output that is shown."""
    return [(lines[0], "".join(f"{line}\n" for line in lines[1:]))
            for kind, content in BLOCK.findall(page) if kind == "console"
            for lines in (part.rstrip().splitlines() for part in content.split("$ ")[1:])]


FILES, COMMANDS = files_of(PAGE), commands_of(PAGE)
LATER = {4, 5, 8, 9, 10}                    # commands that take as long as others, and differ less
ANYTHING = r"(?<!\.)\.\.\.(?!\.)"          # but not the dots of pytest
NUMBER = r"-?\d[\d.]*(?:e[+-]?\d+)?"


def pattern(shown):
    """A regular expression for an output as it is shown."""
    lines = []
    for line in shown.splitlines():
        if line == "...":
            lines.append(r"(?:.*\n)*?")
            continue
        pieces = [re.escape(piece) for piece in re.split(f"{NUMBER}|{ANYTHING}", line)]
        kinds = re.findall(f"{NUMBER}|{ANYTHING}", line)
        between = [".*" if kind == "..." else rf" *{NUMBER}" for kind in kinds] + [""]
        lines.append("".join(a + b for a, b in zip(pieces, between)) + r" *\n")
    return "".join(lines)


@pytest.fixture(scope="module")
def folder(tmp_path_factory):
    """A folder with the files of the page, and `hopref` and `python` on the path."""
    return with_files(tmp_path_factory.mktemp("page"), FILES)


@pytest.fixture(scope="module")
def other(tmp_path_factory):
    """The same of the page on vectors, with its readers."""
    readers = {file.name: file.read_text() for file in (pages.HERE / "readers").iterdir()}
    return with_files(tmp_path_factory.mktemp("vectors"), files_of(VECTORS) | readers)


def with_files(here, files):
    for name, content in files.items():
        (here / name).write_text(content)
    for name, words in (("hopref", "-m hopref"), ("python", "")):
        (here / "bin").mkdir(exist_ok=True)
        (here / "bin" / name).write_text(f'#!/bin/sh\nexec "{sys.executable}" {words} "$@"\n')
        (here / "bin" / name).chmod(0o755)
    return here


def test_the_page_on_vectors_prints_what_is_shown(other):
    """In order, since its commands write files for the next ones."""
    missing = {name for name in ("cc", "rustc") if not shutil.which(name)}
    for line, shown in commands_of(VECTORS):
        if line.split()[0] not in missing:
            done = output(line, other)
            assert re.fullmatch(pattern(shown), done.stdout), f"{line}\n{done.stdout}{done.stderr}"
    if missing:
        pytest.skip(f"NO COMPILER {', '.join(missing)}: a reader of the page is not compiled")


def output(line, folder):
    path = f"{folder / 'bin'}{os.pathsep}{os.environ['PATH']}"
    env = environment() | {"PATH": path, "PYTEST_ADDOPTS": ""}
    return subprocess.run(line, shell=True, cwd=folder, capture_output=True, text=True, env=env)


@pytest.mark.skipif(not shutil.which("sh"), reason="the commands of the page are of a POSIX shell")
@pytest.mark.parametrize("line, shown", [
    pytest.param(*it, id=it[0], marks=[pytest.mark.slow] if i in LATER else []) for i, it in
    enumerate(COMMANDS)])
def test_a_command_prints_what_is_shown(line, shown, folder):
    done = output(line, folder)
    assert re.fullmatch(pattern(shown), done.stdout), done.stdout + done.stderr


def test_a_wrong_output_is_found():
    shown = "fails, 16 of 16 cases in 1.2 s\n...\n  looks like: beta applied twice\n"
    assert re.fullmatch(pattern(shown), "fails, 9 of 16 cases in 31.0 s\na\nb\n"
                                        "  looks like: beta applied twice\n")
    assert not re.fullmatch(pattern(shown), shown.replace("fails", "conforms"))
    assert not re.fullmatch(pattern(shown), shown.replace("twice", "once"))


def test_the_commands_of_the_workflow_succeed(folder):
    lines = re.findall(r"- run: (.+)", FILES["conformance.yml"])
    assert lines[0].startswith("python -m pip install")
    for line in lines[1:]:
        done = output(line, folder)
        assert done.returncode == 0, done.stdout + done.stderr
    assert {"report.html", "report.xml"} <= {file.name for file in folder.iterdir()}


@pytest.mark.parametrize("page", [PAGE, VECTORS], ids=["judging", "vectors"])
def test_every_block_is_executed(page):
    """Files are written, pycon blocks are run by `test_pages`; the rest are lines of a file."""
    for kind, content in BLOCK.findall(page):
        file = re.match(r"# (\w+\.\w+)\n", content)
        assert kind in ("console", "pycon") or file or content.startswith("@parametrize"), content


def test_the_options_of_the_page_exist():
    parser = argparse.ArgumentParser()
    command.configure(parser)
    shown = {word for word in re.findall(r"(?<![\w-])--[a-z][\w-]*", PAGE)}
    assert shown and shown <= {o for a in parser._actions for o in a.option_strings}
