"""The table of least times: how bytes and operations are counted, and what follows from them."""
import re
from pathlib import Path

import numpy as np
import pytest

from hopref.check.devices import SMALL, WORKLOADS
from hopref.dispatch.operation import load
from tests.doubles import cupy as double
from tests.gpu import nvrtc, raw
from tests.gpu.model import BEGIN, DEVICES, END, HEAD, Counts, counted, digits, line, shown

PAGE = (Path(__file__).parents[2] / "docs" / "gpu.md").read_text("utf-8")
TABLE = PAGE.partition(BEGIN)[2].partition(END)[0].strip().splitlines()
CALLS = [(work, dtype) for work in WORKLOADS for dtype in ("float32", "float64")]


def work_of(call, *arrays):
    """Bytes and operations of the launches of a call."""
    with double.installed() as cupy:
        given = [cupy.asarray(a) for a in arrays]
        double.stats.reset()
        double.stats.count_work()
        call(cupy, *given)
        assert len(double.stats.work) == double.stats.launches
        return double.stats.work


@pytest.mark.parametrize("call, expected", [
    (lambda cupy, a, b: a @ b, (8 * (6 + 12 + 8), 2 * 2 * 4 * 3)),
    (lambda cupy, a, b: cupy.matmul(a, b), (8 * (6 + 12 + 8), 2 * 2 * 4 * 3)),
    (lambda cupy, a, b: a + 1.0, (8 * 12, 6)),
    (lambda cupy, a, b: cupy.sum(a, axis=-1), (8 * (6 + 2), 2)),
    (lambda cupy, a, b: cupy.exp(a, out=a), (8 * 12, 6)),
    (lambda cupy, a, b: cupy.copyto(a, 0.0, where=a > 2), None),
    (lambda cupy, a, b: cupy.broadcast_to(a[:1], (5, 3)) + 0.0, (8 * (3 + 15), 15))])
def test_a_launch_reads_its_operands_and_writes_its_result_once(call, expected):
    found = work_of(call, np.ones((2, 3)), np.ones((3, 4)))
    assert found == ([(48 + 6, 6), (6 + 48, 6)] if expected is None else [expected])


def test_a_part_is_assigned_and_not_the_whole():
    def assign(cupy, a):
        a[:1] = a[1:]
        a *= 2.0
    assert work_of(assign, np.ones((2, 3))) == [(8 * 6, 3), (8 * 12, 6)]


def test_kernels_are_counted_by_what_their_source_reads():
    """A query, or a tile of queries, reads all keys and values, and a tile of 64 rows all random
    directions; each block of 16 of the 65 columns of the causal kernel reads all features."""
    few, features, causal = WORKLOADS[3], WORKLOADS[5], WORKLOADS[-1]
    (moved, flops, *_), _ = counted(few, "float32").launches
    parts = 32                                      # of 1024 keys, for 16 queries and 512 blocks
    assert flops == few.flops == 4 * 16 * 2**15 * 64
    assert moved == 4 * 16 * (64 + 2 * 2**15 * 64 + parts * (64 + 2))
    (moved, flops, *_), _ = counted(WORKLOADS[1], "float32").launches
    parts, blocks = 32, 16                          # of 2048 keys, and of 64 queries
    assert flops == WORKLOADS[1].flops == 4 * 2**10 * 2**16 * 64
    assert moved == 4 * (2**10 * parts * (2 * 64 + 2) + blocks * 2 * 2**16 * 64)
    assert counted(features, "float32").launches == [
        (4 * 2**18 * (64 + 256) + 2**12 * 4 * 256 * 64, features.flops, "float32", "vector")]
    kernel, = (of for of in counted(causal, "float32").launches if of[2:] == ("float64", "vector"))
    n = 16 * 2**14
    assert kernel[:2] == (4 * (5 * 2 * 64 * n + 64 * n) + 8 * (2 * 16 * 64 * 65 + 65 * n),
                          4 * 64 * 65 * n)


@pytest.mark.parametrize("work", [pytest.param(work, id=shown(work), marks=nvrtc.required())
                                  for work in SMALL])
def test_the_launches_are_those_that_the_substitute_counts(work, monkeypatch):
    monkeypatch.setattr(raw, "launch", lambda *args, **kwargs: None)
    counts = counted(work, "float32")
    with double.installed() as cupy:
        given = [cupy.asarray(np.ones(shape, np.float32)) for shape in work.shapes]
        double.stats.reset()
        load()[work.like](*given, **work.options, backend="cupy")
        assert len(counts.launches) == double.stats.launches


def test_a_time_is_bound_by_bytes_or_operations():
    H100 = DEVICES["H100"]
    counts = Counts(67, 134.0, [(67, 1.0, "float32", "tensor"), (1, 3400.0, "float64", "vector")])
    assert counts.least(H100, "float32") == (67 / 3.35e12, "copy")
    assert counts.launched(H100) == 67 / 3.35e12 + 3400 / 34e12
    assert Counts(0, 134.0, []).least(H100, "float64") == (134 / 67e12, "product")
    assert list(map(digits, (1234.5, 12.34, 0.0996, 0.1))) == ["1200", "12", "0.10", "0.10"]


def test_the_page_has_a_row_for_each_call_and_states_no_measurement():
    """The whole table is compared by ``python -m tests.gpu.model --check``."""
    assert TABLE[:2] == HEAD and len(TABLE) == 2 + len(CALLS)
    for row, (work, dtype) in zip(TABLE[2:], CALLS):
        assert row.startswith(f"| {shown(work)} | {dtype} | ") and re.search(r"\|  \|$", row)


@pytest.mark.parametrize("work", [WORKLOADS[0], WORKLOADS[3]], ids=shown)
def test_the_rows_of_calls_by_kernels_are_those_of_the_page(work):
    assert line(work, "float32", counted(work, "float32")) in TABLE
