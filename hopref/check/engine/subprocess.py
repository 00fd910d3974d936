"""A candidate in a separate process, with limits on time and memory.

The candidate is imported and called once on small input; afterwards its resident memory may grow by
a budget.  (A limit on the address space would end processes that use JAX.)  A watchdog ends the
process beyond the budget, with the failure "resource".  A call without result in time is a
"timeout"; any other end of the process is a "crash".
"""
import os
import queue
import signal
import subprocess
import sys
import threading
import time
from dataclasses import replace
from pathlib import Path

from hopref.check.engine import wire
from hopref.check.engine.candidate import Outcome

__all__ = ["Subprocess", "resident"]

GIB = 2**30
HOME = str(Path(__file__).resolve().parents[3])
INTERVAL = 0.02         # seconds between two readings of the memory


def resident(pid):
    """Resident memory of a process in bytes; 0 if it is unknown."""
    try:
        pages = int(Path(f"/proc/{pid}/statm").read_text().split()[1])
        return pages * os.sysconf("SC_PAGE_SIZE")
    except (OSError, ValueError, IndexError):
        pass
    if sys.platform == "darwin":
        ps = subprocess.run(["ps", "-o", "rss=", "-p", str(pid)], capture_output=True, text=True)
        return 1024 * int(ps.stdout.strip() or 0)
    return 0


class Subprocess:
    """A candidate in a separate process, which is started on demand and restarted after its end."""
    def __init__(self, target, like, convention=None, adapter="", *, here=False, memory=4 * GIB,
                 seconds=60.0):
        self.name, self.memory, self.seconds = target, memory, seconds
        self.greeting = {"target": target, "like": like, "convention": convention or {},
                         "adapter": adapter, "here": here}
        self.process, self.deaths, self.refused = None, 0, Outcome()
        self.baseline = None            # bytes held after a first call
        self.never_passed = None        # parameters to which no call passed an argument

    def call(self, args, kwargs, layout="C"):
        """The outcome of one call; the end of the process is an outcome too."""
        if self.process is None and not self.refused.failure:
            greeted = self.start()
            if greeted.failure == "raised":
                self.refused = replace(greeted, failure="not loaded")
            if greeted.failure == "misuse":
                self.refused = greeted
        if self.refused.failure:
            return self.refused
        if self.process is None:
            return greeted
        try:
            message, arrays = wire.packed(args, kwargs)
        except TypeError as error:
            return Outcome(failure="not offered", message=str(error))
        return self.ask(message | {"layout": layout}, arrays)

    def start(self):
        self.process = subprocess.Popen(
            [sys.executable, "-P", "-m", "hopref.check.engine.worker"], stdin=subprocess.PIPE,
            stdout=subprocess.PIPE, stderr=subprocess.DEVNULL, env=environment(),
            start_new_session=os.name == "posix")
        self.answers, self.over = queue.Queue(), False
        threading.Thread(target=self.listen, args=(self.process,), daemon=True).start()
        threading.Thread(target=self.watch, args=(self.process,), daemon=True).start()
        return self.ask(self.greeting, [])

    def take_baseline(self):
        """Record the memory that is used after a first call on small input as the baseline."""
        if self.process is not None:
            self.baseline = resident(self.process.pid)

    def ask(self, message, arrays):
        began = time.monotonic()
        try:
            wire.send(self.process.stdin, message, arrays)
            header, values = self.answers.get(timeout=self.seconds)
        except queue.Empty:
            self.end()
            return Outcome(failure="timeout", message=f"no answer within {self.seconds:g} s")
        except OSError:
            header, values = None, []
        if header is None:
            return self.died(values, time.monotonic() - began)
        never, known = header.get("never_passed"), self.never_passed
        if never is not None:           # a new process does not know the calls of the last one
            self.never_passed = [k for k in never if known is None or k in known]
        return Outcome(values=tuple(values), many=bool(header["many"]),
                       fields=tuple(header["fields"]),
                       absent=tuple(header["absent"]), failure=header["failure"],
                       message=header["message"], trace=header["trace"],
                       side_effects=[tuple(f) for f in header["side_effects"]])

    def listen(self, process):
        """Queue the messages of the process; the end, or a malformed one, is (None, reason)."""
        answers = self.answers
        try:
            while True:
                answers.put(wire.receive(process.stdout))
        except EOFError:
            answers.put((None, ""))
        except (ValueError, KeyError, OSError) as error:
            answers.put((None, f"it broke the protocol: {error}"))

    def watch(self, process):
        """End the process if its memory exceeds the baseline by more than the budget."""
        start = resident(process.pid)
        while process.poll() is None:
            base, budget = (start, max(self.memory, 4 * GIB)) if self.baseline is None \
                else (self.baseline, self.memory)
            if resident(process.pid) - base > budget:
                self.over = True
                kill(process)
                return
            time.sleep(INTERVAL)

    def died(self, why, seconds):
        try:
            status = self.process.wait(timeout=5)
        except subprocess.TimeoutExpired:
            status = None
        over = self.over
        self.end()
        if over:
            how_much = f"more than {self.memory / GIB:.3g} GiB above its baseline"
            return Outcome(failure="resource", message=f"{how_much} after {seconds:.1f} s")
        return Outcome(failure="crash", message=why or ended(status))

    def end(self):
        if self.process is not None:
            kill(self.process)
            self.process.wait()
            for pipe in (self.process.stdin, self.process.stdout):
                try:
                    pipe.close()
                except OSError:
                    pass
        self.process, self.deaths = None, self.deaths + 1

    def close(self):
        self.end()


def environment():
    """The current environment, with absolute paths only and the location of hopref last."""
    paths = [p for p in os.environ.get("PYTHONPATH", "").split(os.pathsep) if os.path.isabs(p)]
    return os.environ | {"PYTHONPATH": os.pathsep.join([*paths, HOME])}


def kill(process):
    """End a process and its child processes."""
    try:
        if os.name == "posix":
            os.killpg(process.pid, signal.SIGKILL)
        else:
            process.kill()
    except (ProcessLookupError, PermissionError):
        pass


def ended(status):
    if status is not None and status < 0:
        return f"ended by {signal.Signals(-status).name}"
    return f"ended with status {status}"
