"""`hopref warmup` compiles all that later calls of an operation need."""
import json
import subprocess
import sys
from pathlib import Path

import pytest

from hopref.cli import main
from tests.fast.test_kernels import compiled

NAME = "attention.causal_linear_attention"
PROGRAM = f"""
import gc
import numpy as np
from numba.core.dispatcher import Dispatcher
from hopref import attention
from hopref.cli import main

def compiled():
    return sorted(f"{{f.__qualname__}} {{signature}}" for f in gc.get_objects()
                  if isinstance(f, Dispatcher) for signature in f.signatures)

main(["warmup", "{NAME}", "--json"])
print("--")
print(*compiled(), sep="\\n")
print("--")
for dtype in "float32", "float64":
    q, k, v = (np.ones(s, dtype) for s in ((2, 70, 3), (2, 70, 3), (2, 70, 5)))
    attention.causal_linear_attention(q, k, v, backend="numba")
print(*compiled(), sep="\\n")
"""


@compiled
def test_later_calls_compile_nothing():
    """Neither a kernel nor, for the other precision, the same kernel again."""
    done = subprocess.run([sys.executable, "-c", PROGRAM], capture_output=True, text=True)
    assert done.returncode == 0, done.stderr
    printed, before, after = done.stdout.split("--\n")
    printed = json.loads(printed)
    assert [(row["name"], row["precision"]) for row in printed["compiled"]] == [
        (NAME, "float32"), (NAME, "float64")]
    assert all(any(Path(folder).rglob("*.nbc")) for folder in printed["kept_in"])
    assert "float32" in before and "float64" in before
    assert after == before


@compiled
def test_an_operation_without_the_path_is_refused(capsys):
    assert main(["warmup", "maps.softmax"]) == 2
    assert "must have a numba path" in capsys.readouterr().err


def test_without_a_compiler_nothing_is_claimed(monkeypatch, capsys):
    numba = pytest.importorskip("numba")
    monkeypatch.setattr(numba.config, "DISABLE_JIT", 1)
    assert main(["warmup", NAME]) == 2
    assert "NUMBA_DISABLE_JIT" in capsys.readouterr().err
