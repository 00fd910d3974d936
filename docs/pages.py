"""The code on the pages: fenced ``pycon`` blocks, executed as doctests just as they are shown."""

import doctest
import re
from pathlib import Path

HERE = Path(__file__).parent
BLOCK = re.compile(r"^```pycon\n(.*?)^```", re.M | re.S)
HEADING = re.compile(r"^#+ (.+)$", re.M)


def written():
    """The Markdown pages that people write: README.md and docs/, without what a build makes."""
    made = {"_build", "equations.md", "changelog.md"}
    return [HERE.parent / "README.md",
            *(page for page in sorted(HERE.rglob("*.md")) if not made & set(page.parts))]


def blocks(text):
    """(heading above it, line number, code) of each pycon block."""
    for found in BLOCK.finditer(text):
        headings = HEADING.findall(text, 0, found.start())
        line = text.count("\n", 0, found.start(1))
        yield headings[-1] if headings else "", line, found[1]


def failures(text, name):
    """What the examples of a page get wrong, as one report; empty if nothing."""
    names, said = {}, []
    runner = doctest.DocTestRunner(verbose=False)
    for heading, line, code in blocks(text):
        test = doctest.DocTestParser().get_doctest(code, names, heading or name, name, line)
        test.globs = names                       # a page is one session, from top to bottom
        runner.run(test, out=said.append, clear_globs=False)
    return "".join(said)
