"""How kernels are compiled: each is kept in the cache, and none is parallel or starts a thread.

Numba's threading layers (tbb, omp, workqueue) differ in what they allow: one aborts the process on
concurrent calls, another a forked child.  They are loaded by parallel kernels only.
"""
import gc
import importlib
import os
import subprocess
import sys

import numpy as np
import pytest

from hopref.dispatch.operation import load
from tests.fast.test_kernels import compiled

numba = pytest.importorskip("numba")
MODULES = sorted({f"hopref.fast.numba.{name.rpartition('.')[0]}" for name, op in load().items()
                  if "numba" in op.paths})

PROGRAM = f"""
import importlib, threading
from pathlib import Path
import numpy as np

def threads():
    tasks = Path("/proc/self/task")
    return threading.active_count(), len(list(tasks.iterdir())) if tasks.is_dir() else 0

np.ones((200, 200)) @ np.ones((200, 200))           # BLAS has its threads
before = threads()
for module in {MODULES}:
    importlib.import_module(module)
from hopref import modern
modern.update(np.ones(3), np.eye(3), backend="numba")
import numba
try:
    print(numba.threading_layer())
except ValueError:
    print("no-layer")
print(threads() == before)
"""


def dispatchers():
    """The compiled functions of all kernels, also those that no module names."""
    from numba.core.dispatcher import Dispatcher
    for module in MODULES:
        importlib.import_module(module)
    gc.unfreeze()                           # what judgements in this process have set apart
    return [f for f in gc.get_objects() if issubclass(type(f), Dispatcher)
            and f.py_func.__module__.startswith("hopref.fast.numba")]


def uncached(functions):
    """Names of the functions that every process compiles anew, where a folder can be written."""
    return [f.py_func.__name__ for f in functions if f.stats.cache_path is None]


def parallel(functions):
    """Names of the functions that numba may run in threads of its own."""
    return [f.py_func.__name__ for f in functions if f.targetoptions.get("parallel")]


@compiled
def test_no_kernel_is_parallel():
    """Nor a function of `hopref.fast.numba` that kernels call."""
    functions = dispatchers()
    files = {f.py_func.__module__ for f in functions}
    assert "hopref.fast.numba._softmax" in files and len(files) > 1
    assert not parallel(functions)


@compiled
def test_every_kernel_is_cached():
    assert not uncached(dispatchers())


def total(x):
    return np.sum(x)


@compiled
def test_a_parallel_and_an_uncached_kernel_would_be_found():
    from hopref.fast.numba._jit import njit
    assert parallel([njit(total, parallel=True)]) == uncached([numba.njit(total)]) == ["total"]
    assert not parallel([njit(total)]) and not uncached([njit(total)])


@compiled
def test_a_kernel_starts_no_thread_and_loads_no_threading_layer():
    run = subprocess.run([sys.executable, "-W", "error", "-c", PROGRAM], capture_output=True,
                         text=True, env=os.environ)
    assert run.returncode == 0, run.stderr
    assert run.stdout.split() == ["no-layer", "True"]
