"""``hopref check`` without a target: what is judged, in which order, by which processes."""
import json
import os
import re
import signal
import subprocess
import sys
import time
from random import Random

import pytest

from hopref.check import laws
from hopref.check.peers import installed
from hopref.check.report.findings import Finding, Report
from hopref.cli import check as command
from hopref.dispatch.operation import load
from tests.check.commands import hopref_check


def test_every_own_path_is_judged():
    """`hopref check`, the main job, demands that each conforms."""
    judged = {job.like for job in installed.jobs() if job.own}
    assert judged >= {op.name for op in load().values() if op.arrays}
    assert judged >= set(load()) & {name for law in laws.load().values() for name in law.subjects}


@pytest.fixture
def judgements(monkeypatch):
    """Reports in the place of those on what is installed."""
    def given(*reports):
        jobs = [installed.Job(r.target, r.like, "formula", r.dtype) for r in reports]
        monkeypatch.setattr(installed, "jobs", lambda like="", path="": jobs)
        monkeypatch.setattr(installed, "absent", lambda like="", path="": [])
        monkeypatch.setattr(installed, "reports", lambda wanted, seed: reversed(reports))
    return given


def test_the_exit_code_speaks_of_our_own_paths(judgements, capsys):
    def reports(*names):
        return [Report(name, "modern.update", cases=1) for name in names]
    good, bad = reports("hopref", "peer")
    bad.add(Finding("value", "tolerance of modern.update", "off", got=1.0, want=2.0, bound=0.1))
    judgements(good, bad)
    assert hopref_check() == 0
    assert "FAILS" in capsys.readouterr().out
    good.target, bad.target = bad.target, good.target
    judgements(good, bad)
    assert hopref_check() == 1


def test_the_reports_of_all_are_in_a_fixed_order(judgements, capsys, tmp_path):
    """They come as they end."""
    names = ["first", "second"]
    judgements(*(Report("hopref", name, cases=1) for name in names))
    assert hopref_check("--json", tmp_path / "r.json") == 0
    printed = capsys.readouterr().out
    assert printed.index("second") < printed.index("first")
    assert [r["like"] for r in json.loads((tmp_path / "r.json").read_text())["reports"]] == names


def test_without_a_target_options_choose_ops_and_paths():
    paths = {job.path for job in installed.jobs("modern.update")}
    assert {"formula", "numba"} <= paths
    assert {job.like for job in installed.jobs("modern", "formula")} \
        == {name for name in load() if name.startswith("modern.")}
    assert not any(job.own for job in installed.jobs(path=installed.THIRD_PARTY))
    assert all(r.like == "maps.softmax" for r in installed.absent("maps.softmax"))


def test_the_paths_of_a_device_that_is_not_there_are_one_skipped_line(monkeypatch):
    monkeypatch.setattr(installed, "available", lambda package, path: path != "cupy")
    for like, path in ("modern.update", ""), ("modern.update", "cupy"), ("modern", ""):
        line, = [r for r in installed.absent(like, path) if r.target == "hopref, cupy path"]
        assert line.verdict == "skipped" and line.like == like and "processors" in line.skipped
        assert "0 of 0 paths" in command.summary([line])
    for like, path in ("modern.update", "numba"), ("maps.softmax", ""):
        assert not [r for r in installed.absent(like, path) if r.target.startswith("hopref")]


def test_the_lines_of_all_are_aligned(judgements, capsys):
    judgements(Report("hopref", "first", cases=1), Report("another name", "second", cases=1))
    assert hopref_check() == 0
    head, *lines = capsys.readouterr().out.splitlines()[1:4]
    assert {line.index("float64") for line in lines} == {head.index("format")}


def test_processes_give_the_reports_of_one():
    jobs = installed.jobs("maps.sparsemax", "formula") + installed.jobs("maps.softmax", "formula")
    several = {r.like: r.largest_error for r in installed.reports(jobs, processes=2)}
    alone = {r.like: r.largest_error for r in installed.reports(jobs, processes=1)}
    assert several == alone and len(alone) == 2


@pytest.mark.parametrize("number", range(1, 6))
@pytest.mark.parametrize("count", [5, 6, 17, 100])
def test_each_group_is_judged_once_whichever_process_is_first(count, number):
    draw, judged = Random(count), []
    chains = installed.chained([[i] for i in range(count)], number)
    assert all(chains)
    while group := installed.following(draw.choice(chains), chains):
        judged += group
    assert sorted(judged) == list(range(count))


def attentive():
    """Receive interrupts, which a shell makes its background jobs ignore."""
    signal.signal(signal.SIGINT, signal.default_int_handler)


@pytest.mark.skipif(os.name != "posix", reason="sends an interrupt to a process group")
def test_an_interrupt_ends_all_processes():
    run = subprocess.Popen([sys.executable, "-m", "hopref", "check", "--path", "formula"],
                           stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True,
                           start_new_session=True, env=os.environ | {"PYTHONUNBUFFERED": "1"},
                           preexec_fn=attentive)
    try:
        lines = [run.stdout.readline() for _ in range(3)]
        assert re.match(r"hopref \S+: \d+ judgements", lines[0])
        assert lines[2].startswith("conforms")
        os.killpg(run.pid, signal.SIGINT)
        _, errors = run.communicate(timeout=60)
    except BaseException:
        os.killpg(run.pid, signal.SIGKILL)
        raise
    assert run.returncode == 130 and "Traceback" not in errors
    with pytest.raises(ProcessLookupError):         # soon, since a process may be ending
        for _ in range(100):
            os.killpg(run.pid, 0)
            time.sleep(0.1)
