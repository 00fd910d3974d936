"""Examples on the pages: fenced ``pycon`` blocks, which are executed as doctests."""

import doctest
import re
from pathlib import Path

HERE = Path(__file__).parent
BLOCK = re.compile(r"^```pycon\n(.*?)^```", re.M | re.S)
FILE = re.compile(r"^(`{3,})\w+\n(?:#|<!--) (\S+/\S+)(?: -->)?\n(.*?)^\1$", re.M | re.S)
SHOWN = re.compile(r"^```sh\n([^\n]*)\n```\n\n```text\n(.*?)^```", re.M | re.S)
HEADING = re.compile(r"^#+ (.+)$", re.M)


def written():
    """The Markdown pages of the source: README.md and docs/, without generated pages."""
    made = {"_build", "benchmarks", "equations.md", "changelog.md", "contributing.md", "paths.md",
            "accuracy.md"}
    below = [page for page in sorted(HERE.rglob("*.md"))
             if not made & set(page.relative_to(HERE).parts)]
    return [HERE.parent / "README.md", *below]


def files(text):
    """{path: content} of the fenced blocks that are whole files; their first line is the path."""
    return {path: content for _, path, content in FILE.findall(text)}


def prose(text):
    """The text of a page without these files; the numbers of the other lines are unchanged."""
    return FILE.sub(lambda found: "\n" * found[0].count("\n"), text)


def blocks(text):
    """Heading, line number and code of each pycon block."""
    text = prose(text)
    for found in BLOCK.finditer(text):
        headings = HEADING.findall(text, 0, found.start())
        line = text.count("\n", 0, found.start(1))
        yield headings[-1] if headings else "", line, found[1]


def commands(text):
    """Each command of one line of hopref on a page, with the output that is shown below it."""
    return [(command, output) for command, output in SHOWN.findall(text)
            if command.startswith("hopref ")]


def failures(text, name):
    """Report of the examples of a page that fail, which is empty if all pass."""
    names, report = {}, []
    runner = doctest.DocTestRunner(verbose=False)
    for heading, line, code in blocks(text):
        test = doctest.DocTestParser().get_doctest(code, names, heading or name, name, line)
        test.globs = names                       # the examples of a page share one session
        runner.run(test, out=report.append, clear_globs=False)
    return "".join(report)
