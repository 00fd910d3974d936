"""A measurement: each mutant is judged in a copy of one process, which has imported everything."""
import ast
import gc
import importlib
import os
import random
import resource
import signal
import sys
from pathlib import Path

from tests.mutation.judges import Recorder, by_file, meets, module_name
from tests.mutation.live import Process
from tests.mutation.operators import MOST_LINES, ROOT, mutants, mutated

__all__ = ["PACKAGES", "Measurement", "SURVIVES", "ending", "files_of", "module_name",
           "sample"]

PACKAGES = ("models", "maps", "features", "storage", "dispatch", "dynamics", "parts")
SURVIVES = "survives"
DECLARES = "hopref/dispatch"    # its functions run where other modules declare operations
LIMIT = 10                  # seconds of CPU of a mutant; one that takes longer does not end
MOST_MEMORY = 12 << 30


def files_of(package):
    """The source files of a package, or the file of a module."""
    path = ROOT / "hopref" / package
    return sorted(path.rglob("*.py")) if path.is_dir() else [path.with_suffix(".py")]


def sample(package, count, seed, part=""):
    """Every mutant of a package, and a random sample of them in their order; 0 for all.

    ``part`` is a text that the names of the chosen mutants contain.
    """
    every = [m for file in files_of(package)
             for m in mutants(str(file.relative_to(ROOT)), file.read_text()) if part in m.name]
    if not 0 < count < len(every):
        return every, every
    places = random.Random(f"{seed} {package}").sample(range(len(every)), count)
    return every, [every[i] for i in sorted(places)]


class Measurement:
    """The sources in this process, and the judges, functions from a mutant to what kills it."""
    def __init__(self, files):
        self.files, recorder = [str(file) for file in files], Recorder(map(str, files))
        with recorder:
            for file in files:
                importlib.import_module(module_name(file))
        self.limit = LIMIT
        self.at_import, self.judges, self.process = by_file(recorder.lines), [], None

    def begin(self, judges):
        """Index the functions of this process, whose memory its copies share."""
        self.judges = judges
        self.process = Process(self.files)
        gc.collect()
        gc.freeze()

    def verdict(self, mutant):
        """What kills a mutant, or that it survives, in a copy of this process."""
        text = Path(mutant.file).read_text()
        again = mutant.path.startswith(DECLARES) and meets(mutant, self.at_import)
        return ending(lambda: self._judged(mutant, ast.parse(text), mutated(text, mutant), again),
                      self.limit)

    def unchanged(self, mutant):
        """The verdict on the original source in the place of a mutant, executed again."""
        tree = ast.parse(Path(mutant.file).read_text())
        return ending(lambda: self._judged(mutant, tree, tree, True), self.limit)

    def _judged(self, mutant, old, new, again):
        module = sys.modules[module_name(Path(mutant.file))]
        try:
            self.process.put(module, old, new, again)
        except BaseException as error:
            return f"import: {type(error).__name__}: {error}"
        if again:
            mutant = mutant._replace(lines=(1, MOST_LINES))
        try:
            found = next(filter(None, (judge(mutant) for judge in self.judges)), None)
        except BaseException as error:
            return f"raised {type(error).__name__}: {error}"
        return found or SURVIVES


def ending(judged, limit):
    """The text that a function returns in a copy of this process, or how the copy ends.

    It is ended after ``limit`` seconds of CPU.
    """
    read, write = os.pipe()
    child = os.fork()
    if child == 0:
        try:
            os.close(read)
            resource.setrlimit(resource.RLIMIT_AS, (MOST_MEMORY, MOST_MEMORY))
            signal.setitimer(signal.ITIMER_PROF, limit)
            signal.setitimer(signal.ITIMER_REAL, 10 * limit)
            os.write(write, judged()[:2000].encode())
        finally:
            os._exit(0)
    os.close(write)
    with os.fdopen(read, "rb") as pipe:
        text = pipe.read().decode()
    _, status = os.waitpid(child, 0)
    return text or f"ended with status {status}"
