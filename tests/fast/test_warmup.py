"""`hopref warmup` compiles all that later calls of an operation need."""
import json
import os
import subprocess
import sys

import pytest

from hopref.cli import main
from tests.fast.test_kernels import compiled

NAME = "attention.causal_linear_attention"
LATER = """
import numpy as np
from hopref import attention
for dtype in "float32", "float64":
    q, k, v = (np.ones(s, dtype) for s in ((2, 70, 3), (2, 70, 3), (2, 70, 5)))
    attention.causal_linear_attention(q, k, v, backend="numba")
"""


def in_process(folder, *words):
    done = subprocess.run([sys.executable, *words], capture_output=True, text=True,
                          env=os.environ | {"NUMBA_CACHE_DIR": str(folder)})
    assert done.returncode == 0, done.stderr
    return done.stdout


@compiled
def test_later_calls_compile_nothing(tmp_path):
    printed = json.loads(in_process(tmp_path, "-m", "hopref", "warmup", NAME, "--json"))
    assert [(row["name"], row["precision"]) for row in printed["compiled"]] == [
        (NAME, "float32"), (NAME, "float64")]
    assert all(folder.startswith(str(tmp_path)) for folder in printed["kept_in"])
    files = sorted(tmp_path.rglob("*.nbc"))
    in_process(tmp_path, "-c", LATER)
    assert files and sorted(tmp_path.rglob("*.nbc")) == files


@compiled
def test_an_operation_without_the_path_is_refused(capsys):
    assert main(["warmup", "maps.softmax"]) == 2
    assert "must have a numba path" in capsys.readouterr().err


def test_without_a_compiler_nothing_is_claimed(monkeypatch, capsys):
    numba = pytest.importorskip("numba")
    monkeypatch.setattr(numba.config, "DISABLE_JIT", 1)
    assert main(["warmup", NAME]) == 2
    assert "NUMBA_DISABLE_JIT" in capsys.readouterr().err
