"""Judgement of all that is installed: every path of hopref, and every known third party.

The judgements run in processes of their own, as many as there are cores, and their reports come in
the order in which they end.
"""
import gc
import multiprocessing
import os
import signal
import threading
from concurrent.futures import FIRST_COMPLETED, ProcessPoolExecutor, wait
from contextlib import contextmanager
from dataclasses import dataclass
from importlib.util import find_spec
from itertools import pairwise

import numpy as np

from hopref.check.engine.candidate import InProcess
from hopref.check.engine.judge import judge
from hopref.check.engine.subprocess import Subprocess
from hopref.check.laws import laws_of
from hopref.check.laws import load as load_laws
from hopref.check.peers.commands import options_of, repeating
from hopref.check.peers.conventions import convention_from
from hopref.check.peers.known import PEERS, UNCOVERED
from hopref.check.report.findings import Report
from hopref.dispatch.operation import BACKENDS, load

__all__ = ["Job", "THIRD_PARTY", "absent", "jobs", "judged", "peer_report", "reports"]

THIRD_PARTY = "third-party"     # in the place of a path
FEW_DRAWS = 4           # arguments of each law; the tests of hopref try its formulas with more
SINGLE = ("OMP_NUM_THREADS", "OPENBLAS_NUM_THREADS", "MKL_NUM_THREADS")


@dataclass(frozen=True)
class Job:
    """One judgement: a path of an operation of hopref, or a third party, in a number format."""
    name: str
    like: str
    path: str
    dtype: str
    within: str = ""        # its arithmetic, where it is not that of the format

    @property
    def own(self):
        return self.path != THIRD_PARTY


def jobs(like="", path=""):
    """The judgements that can be made here, of the ops whose name begins with ``like``."""
    judged = [op for op in load().values() if op.arrays or laws_of(op.name)]
    own = [Job("hopref" + (f", {p} path" if p != "formula" else ""), op.name, p, dtype)
           for op in judged for p in op.paths
           for dtype in (("float64",) if p == "formula" else ("float64", "float32"))
           if p == "formula" or available(BACKENDS[p].package, p)]
    peers = [Job(peer.name, peer.like, THIRD_PARTY, dtype, peer.within.get(dtype, ""))
             for peer in PEERS if peer.installed for dtype in peer.dtypes]
    return [job for job in (*peers, *own) if chosen(job.like, like) and path in ("", job.path)]


def chosen(name, like):
    """Whether an op is the one called ``like``, or in the module of this name."""
    return like in ("", name) or name.startswith(f"{like}.")


def absent(like="", path=""):
    """Reports on known third parties that are not installed, or that no op can judge, and on the
    paths of a device that is not there."""
    found = [Report(p.name, p.like, skipped=f"{p.package} is not installed")
             for p in PEERS if not p.installed]
    found += [Report(u.name, "-", skipped=u.why) for u in UNCOVERED if u.installed]
    found = [r for r in found if chosen(r.like, like) and path in ("", THIRD_PARTY)]
    return found + _without_device(like, path)


def _without_device(like, path):
    """One report on all paths on CuPy arrays, where there is no device."""
    own = [op.name for op in load().values() if "cupy" in op.paths and chosen(op.name, like)]
    if path not in ("", "cupy") or not own or available(BACKENDS["cupy"].package, "cupy"):
        return []
    return [Report("hopref, cupy path", like or f"{len(own)} operations",
                   skipped="no device here: executed on processors only, by its tests")]


def available(package, path):
    """Whether the package of a backend is installed, and for cupy a device is present."""
    if find_spec(package) is None:
        return False
    if path != "cupy":
        return True
    try:
        import cupy
        return cupy.cuda.runtime.getDeviceCount() > 0
    except Exception:
        return False


def on_device(path, args, kwargs):
    """The arrays among the arguments, where the path takes them."""
    if path != "cupy":
        return args, kwargs
    import cupy

    def moved(a):
        return cupy.asarray(a) if isinstance(a, np.ndarray) else a
    return tuple(map(moved, args)), {k: moved(v) for k, v in kwargs.items()}


def to_host(path, result):
    """A result as NumPy arrays."""
    if path != "cupy":
        return result
    import cupy
    return tuple(map(cupy.asnumpy, result)) if isinstance(result, tuple) else cupy.asnumpy(result)


def judged(job, seed=0):
    """The report of one job."""
    if not job.own:
        return peer_report(next(p for p in PEERS if p.name == job.name), job.dtype, seed)
    op, fixed = load()[job.like], ["--fixed", f"backend={job.path}"] * (job.path != "formula")

    def call(*args, **kwargs):
        args, kwargs = on_device(job.path, args, kwargs)
        return to_host(job.path, op(*args, backend=job.path, **kwargs))
    return judge(InProcess(call, job.name), op.name, dtype=job.dtype, seed=seed, strict=True,
                 draws=FEW_DRAWS,
                 again=repeating(["hopref", "check", f"hopref:{op.name}", "--like", op.name,
                                  "--dtype", job.dtype, *fixed]))


def peer_report(peer, dtype, seed=0):
    """The report on one installed third party."""
    record, within = peer.record(dtype), peer.within.get(dtype, "")
    candidate = Subprocess(peer.target, peer.like, record)
    try:
        report = judge(candidate, peer.like, dtype=dtype, arithmetic=within, seed=seed,
                       again=repeated(peer, dtype), convention=convention_from(peer.like, record),
                       certify=True)
    finally:
        candidate.close()
    for f in report.findings:
        reasons = [peer.expected.get((f.name, r.name), "") for r in report.records
                   if r.outcome == "fails" and r.finding == f.name]
        f.expected = reasons[0] if reasons and all(reasons) else ""
    report.target = peer.name
    report.named = [name for name in report.named if name not in peer.refuted]
    return report.measured()


def repeated(peer, dtype):
    """The command that reproduces a case of a third party, as a function of the case."""
    within = peer.within.get(dtype, "")
    line = ["hopref", "check", peer.target, "--like", peer.like, "--dtype", dtype,
            *["--arithmetic", within] * bool(within), *options_of(peer.record(dtype))]
    return repeating(line)


def cores():
    """The number of cores that this process may use."""
    if hasattr(os, "sched_getaffinity"):
        return len(os.sched_getaffinity(0))
    return os.cpu_count() or 1


def reports(wanted, seed=0, processes=None):
    """The reports of jobs as they end, from one process for each core.

    If the caller stops early, as at Ctrl-C, the processes are ended.
    """
    groups = grouped(wanted)
    processes = min(processes or cores(), len(groups))
    if processes <= 1:
        yield from (judged(job, seed) for job in wanted)
        return
    chains = chained(groups, processes)
    with inherited():
        pool = ProcessPoolExecutor(processes, multiprocessing.get_context("spawn"), prepare)
        pending = {pool.submit(several, chain.pop(0), seed): chain for chain in chains}
    try:
        while pending:
            for done in wait(pending, return_when=FIRST_COMPLETED).done:
                chain = pending.pop(done)
                if group := following(chain, chains):
                    pending[pool.submit(several, group, seed)] = chain
                yield from done.result()
    except BaseException:       # the pool sees that they ended; its shutdown could wait for them
        for process in multiprocessing.active_children():
            process.kill()
        raise
    pool.shutdown()


def chained(groups, number):
    """Chains of neighbouring groups, one for each process.

    Two processes that meet neighbouring operations at a time would both compile their kernels.
    Every other chain is therefore reversed: two processes begin at the two ends of the list.
    """
    ends = [len(groups) * i // number for i in range(number + 1)]
    return [groups[a:b][::(-1)**i] for i, (a, b) in enumerate(pairwise(ends))]


def following(chain, chains):
    """The next group of a process: of its chain, or the last of the longest; None at the end."""
    if not chain:
        chain = max(chains, key=len)
        return chain.pop() if chain else None
    return chain.pop(0)


def prepare():
    """Import what all judgements need, and keep it out of the search for garbage."""
    load(), load_laws()
    gc.freeze()


@contextmanager
def inherited():
    """Processes that start here have one thread each, and leave Ctrl-C to their parent."""
    before = {k: os.environ[k] for k in SINGLE if k in os.environ}
    os.environ.update({k: "1" for k in SINGLE})
    main = threading.current_thread() is threading.main_thread()
    handler = signal.signal(signal.SIGINT, signal.SIG_IGN) if main else None
    try:
        yield
    finally:
        if main:
            signal.signal(signal.SIGINT, handler)
        for k in SINGLE:
            os.environ.pop(k, None)
        os.environ.update(before)


def grouped(wanted):
    """Jobs of one op together, whose evaluations are kept in a process, and ops beside their
    gradients, which share kernels."""
    groups = {}
    for job in wanted:
        groups.setdefault(job if not job.own else job.like, []).append(job)
    return sorted(groups.values(), key=lambda group: group[0].like.removeprefix("gradients."))


def several(group, seed):
    return [judged(job, seed) for job in group]
