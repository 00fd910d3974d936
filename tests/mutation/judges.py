"""What judges a mutant: rows of the golden vectors, then tests, each if it runs the changed lines.

The lines that each of them runs are recorded once, with the original code.
"""
import contextlib
import hashlib
import pickle
import sys
import time
from pathlib import Path

from hopref import vectors
from hopref.dispatch.operation import load
from hopref.vectors.judging import judge
from tests.mutation.operators import ROOT

__all__ = ["Recorder", "Rows", "Tests"]

MOST_ROWS = 600             # rows that judge one mutant


def module_name(file):
    """The dotted name of the module of a source file."""
    return ".".join(file.relative_to(ROOT).with_suffix("").parts).removesuffix(".__init__")


class Recorder:
    """Lines of the files that are run in a block."""
    def __init__(self, files):
        self.files, self.lines = set(files), set()

    def __enter__(self):
        self.lines = set()
        self.before = sys.gettrace()
        sys.settrace(self._call)
        return self

    def __exit__(self, *error):
        sys.settrace(self.before)

    def _call(self, frame, event, arg):
        return self._line if frame.f_code.co_filename in self.files else None

    def _line(self, frame, event, arg):
        if event == "line":
            self.lines.add((frame.f_code.co_filename, frame.f_lineno))
        return self._line


def by_file(lines):
    """{file: numbers of its lines} of recorded lines."""
    found = {}
    for file, number in lines:
        found.setdefault(file, set()).add(number)
    return found


def meets(mutant, lines):
    """Whether lines by file contain one that reaches the change."""
    first, last = mutant.lines
    return any(first <= number <= last for number in lines.get(mutant.file, ()))


class Known:
    """Records by name, kept in a file that is valid for the text of these sources; "" for none."""
    def __init__(self, file, sources):
        self.file, self.found = file and Path(file), {}
        key = hashlib.sha256(b"".join(Path(f).read_bytes() for f in sources)).digest()
        if file and self.file.exists():
            with self.file.open("rb") as stream, contextlib.suppress(EOFError):
                while pickle.load(stream) == key:
                    self.found.update([pickle.load(stream)])
        if file and not self.found:
            self.file.write_bytes(b"")          # of other sources
        self.key = key

    def add(self, name, record):
        """Keep a record."""
        self.found[name] = record
        if self.file:
            with self.file.open("ab") as stream:
                pickle.dump(self.key, stream)
                pickle.dump((name, record), stream)


class Rows:
    """The rows of the vectors, by operation, with the lines that each operation runs."""
    def __init__(self, names, files, known):
        self.rows, self.lines = {}, {}
        for name in names:
            op, recorder = load()[name], Recorder(files)
            rows = [row for row in vectors.rows(name) if not row.limit]
            if name not in known.found:
                with recorder:
                    failed = {row.id for row, _ in judge(op, rows).failures}
                known.add(name, (recorder.lines, failed))
            lines, failed = known.found[name]
            self.lines[name] = by_file(lines)
            self.rows[name] = [row for row in rows if row.id not in failed]

    def kills(self, mutant):
        """The first row that the mutant fails, or an empty string."""
        names = [name for name, lines in self.lines.items() if meets(mutant, lines)]
        own = Path(mutant.path).stem
        names.sort(key=lambda name: own not in name.split("."))
        each = -(-MOST_ROWS // max(1, len(names)))
        for name in names:
            rows = self.rows[name]
            step = max(1, len(rows) // max(each, 8))
            found = judge(load()[name], rows[::step])
            if found.failures:
                return found.failures[0][0].id
        return ""


class Tests:
    """Collected tests of pytest, with the lines that each runs and its seconds.

    Tests among ``every`` that are named after an operation judge the mutants of its function, of
    which they need not run a line.  A mutant is judged by tests of ``limit`` seconds, as measured
    with the original code.
    """
    def __init__(self, items, every, files, known, limit):
        self.items, self.lines, self.seconds, self.failed = [], {}, {}, []
        self.every, self.limit = every, limit
        texts = {path: hashlib.sha256(path.read_bytes()).hexdigest()
                 for path in {item.path for item in items}}
        for item in items:
            name = f"{item.nodeid} {texts[item.path]}"
            if name not in known.found:
                began, recorder = time.process_time(), Recorder(files)
                with recorder:
                    passed = run(item)
                known.add(name, (passed, recorder.lines, time.process_time() - began))
            passed, lines, seconds = known.found[name]
            if passed:
                self.items.append(item)
                self.lines[item.nodeid], self.seconds[item.nodeid] = by_file(lines), seconds
            elif passed is False:
                self.failed.append(item.nodeid)

    def of(self, mutant):
        """The tests of a mutant: those of its module first, and quick ones first."""
        found = [item for item in self.items if meets(mutant, self.lines[item.nodeid])]
        own, package = Path(mutant.path).stem, mutant.path.split("/")[1].removesuffix(".py")
        found.sort(key=lambda item: (own not in item.nodeid, package not in item.nodeid,
                                     self.seconds[item.nodeid]))
        own, others = self.about(mutant)
        return own + found + others

    def about(self, mutant):
        """The tests that are named after the operation of a mutant, or those of its module."""
        module, top = module_name(Path(mutant.file)), mutant.scope.partition(".")[0]
        ops = [op for op in load().values() if op.__module__ == module]
        named = [self._about(op) for op in ops if op.__name__ == top]
        return (named[0], []) if named else ([], sum(map(self._about, ops), []))

    def _about(self, op):
        return [item for item in self.every if item.nodeid.endswith(f"[{op.name}]")]

    def kills(self, mutant):
        """The first test that fails, or an empty string."""
        spent = 0.0
        for item in self.of(mutant):
            spent += self.seconds.get(item.nodeid, 0.0)
            if spent > self.limit:
                break
            if run(item) is False:
                return item.nodeid
        return ""


OUTCOMES = []


class Outcomes:
    """A plugin that keeps the outcomes of tests."""
    def pytest_runtest_logreport(self, report):
        OUTCOMES.append(report)


def run(item):
    """Whether a test passes; None if it is skipped."""
    OUTCOMES.clear()
    item.ihook.pytest_runtest_protocol(item=item, nextitem=None)
    if any(report.failed for report in OUTCOMES):
        return False
    return None if any(report.skipped for report in OUTCOMES) else True
