"""A candidate in its own process: crash, hang, exit and hunger are verdicts, not our deaths."""
import numpy as np
import pytest

from hopref.check.engine import wire
from hopref.check.engine.judge import judge
from hopref.check.engine.subprocess import Subprocess, resident

MIB = 2**20
CANDIDATES = '''
import os, sys, time
import numpy as np
from hopref import modern

def right(xi, X, beta=1.0):
    return np.array(modern.update(xi, X, beta=beta))

def chatty(xi, X, beta=1.0):
    os.write(1, b"straight to the pipe")
    sys.stdin.read()
    return right(xi, X, beta)

def crashes(xi, X, beta=1.0):
    os.kill(os.getpid(), 11)

def leaves(xi, X, beta=1.0):
    os._exit(3)

def exits(xi, X, beta=1.0):
    sys.exit("done")

def hangs(xi, X, beta=1.0):
    time.sleep(1000)

def allocates(xi, X, beta=1.0):
    if beta == 25.0:
        hoard = [np.ones(2**21) for _ in range(1000)]
    return right(xi, X, beta)

def imports_late(xi, X, beta=1.0):
    import scipy.special
    return right(xi, X, beta)
'''


@pytest.fixture
def candidates(tmp_path, monkeypatch):
    (tmp_path / "candidates.py").write_text(CANDIDATES)
    monkeypatch.chdir(tmp_path)

    def judged(name, **limits):
        candidate = Subprocess(f"candidates:{name}", "modern.update", here=True, **limits)
        try:
            return judge(candidate, "modern.update")
        finally:
            candidate.close()
    return judged


@pytest.mark.parametrize("name", ["right", "chatty", "imports_late"])
def test_an_honest_candidate_conforms(candidates, name):
    report = candidates(name)
    assert report.conforms and report.cases > 10, report.findings


@pytest.mark.parametrize("name, verdict, words", [
    ("crashes", "crash", "SIGSEGV"), ("leaves", "crash", "status 3"), ("exits", "crash", "exit"),
    ("absent", "not loaded", "no attribute 'absent'")])
def test_a_death_is_a_verdict(candidates, name, verdict, words):
    report = candidates(name)
    assert report.verdict == "fails"
    assert report.findings[0].name == verdict and words in report.findings[0].message


def test_a_hang_is_a_timeout(candidates):
    report = candidates("hangs", seconds=1.0)
    assert [f.name for f in report.findings] == ["timeout"] and report.findings[0].times <= 2


@pytest.mark.skipif(not resident(1), reason="the memory of a process is unknown here")
def test_a_death_under_the_memory_limit_is_a_matter_of_resources(candidates):
    report = candidates("allocates", memory=300 * MIB)
    assert [f.name for f in report.findings] == ["resource"]
    assert "GiB above its baseline" in report.findings[0].message


def test_the_current_folder_is_not_on_the_path_unless_asked(tmp_path, monkeypatch):
    (tmp_path / "candidates.py").write_text(CANDIDATES)
    monkeypatch.chdir(tmp_path)
    candidate = Subprocess("candidates:right", "modern.update")
    outcome = candidate.call((np.ones((1, 2)), np.ones((1, 2))), {})
    candidate.close()
    assert outcome.failure == "not loaded" and "No module named 'candidates'" in outcome.message


@pytest.mark.parametrize("target", ["os.system", "os:system()", "../x:y", "a b:c", ":f", "a:"])
def test_a_target_has_a_strict_pattern(target):
    candidate = Subprocess(target, "modern.update")
    outcome = candidate.call((), {})
    candidate.close()
    assert outcome.failure == "not loaded" and "must be written pkg.mod:function" in outcome.message


def test_messages_keep_arrays_numbers_and_sequences():
    message, arrays = wire.packed((np.arange(3.0), 2.5, "x"), {"k": (1, np.eye(2)), "n": None})
    args, kwargs = wire.unpacked(message, arrays)
    assert args[1:] == [2.5, "x"] and kwargs["n"] is None
    np.testing.assert_array_equal(args[0], np.arange(3.0))
    np.testing.assert_array_equal(kwargs["k"][1], np.eye(2))


def test_a_message_of_absurd_length_is_refused():
    import io
    with pytest.raises(ValueError, match="bytes"):
        wire.receive(io.BytesIO(b"\xff" * 8))
