"""The code on the pages: fenced ``pycon`` blocks, executed as doctests just as they are shown."""

import doctest
import re
from pathlib import Path

HERE = Path(__file__).parent
BLOCK = re.compile(r"^```pycon\n(.*?)^```", re.M | re.S)
FILE = re.compile(r"^(`{3,})\w+\n(?:#|<!--) (\S+/\S+)(?: -->)?\n(.*?)^\1$", re.M | re.S)
HEADING = re.compile(r"^#+ (.+)$", re.M)


def written():
    """The Markdown pages that people write: README.md and docs/, without what a build makes."""
    made = {"_build", "equations.md", "changelog.md"}
    return [HERE.parent / "README.md",
            *(page for page in sorted(HERE.rglob("*.md")) if not made & set(page.parts))]


def files(text):
    """{path: content} of the fenced blocks that are whole files: their first line is the path."""
    return {path: content for _, path, content in FILE.findall(text)}


def prose(text):
    """A page without its files, line for line."""
    return FILE.sub(lambda found: "\n" * found[0].count("\n"), text)


def blocks(text):
    """(heading above it, line number, code) of each pycon block."""
    text = prose(text)
    for found in BLOCK.finditer(text):
        headings = HEADING.findall(text, 0, found.start())
        line = text.count("\n", 0, found.start(1))
        yield headings[-1] if headings else "", line, found[1]


def failures(text, name):
    """What the examples of a page get wrong, as one report; empty if nothing."""
    names, report = {}, []
    runner = doctest.DocTestRunner(verbose=False)
    for heading, line, code in blocks(text):
        test = doctest.DocTestParser().get_doctest(code, names, heading or name, name, line)
        test.globs = names                       # a page is one session, from top to bottom
        runner.run(test, out=report.append, clear_globs=False)
    return "".join(report)
