"""What a candidate must not do, each a verdict with a name."""
import subprocess
import sys

import numpy as np
import pytest

from hopref import modern
from hopref.check import NotOffered, assert_conforms, check
from hopref.check.engine.subprocess import environment


def right(xi, X, beta=1.0):
    return np.array(modern.update(xi, X, beta=beta))


def writes(xi, X, beta=1.0):
    y = right(xi, X, beta)
    X *= 2
    return y


def views(xi, X, beta=1.0):
    xi[...] = right(xi, X, beta)
    return xi


def prints(xi, X, beta=1.0):
    print("hello")
    return right(xi, X, beta)


def changes_errors(xi, X, beta=1.0):
    np.seterr(divide="ignore")
    return right(xi, X, beta)


def draws_globally(xi, X, beta=1.0):
    np.random.standard_normal()
    return right(xi, X, beta)


def adds_an_axis(xi, X, beta=1.0):
    return right(xi, X, beta)[None]


def narrows(xi, X, beta=1.0):
    return right(xi, X, beta).astype(np.float32)


def counts(xi, X, beta=1.0):
    return right(xi, X, beta).astype(int)


def generates(xi, X, beta=1.0):
    yield right(xi, X, beta)


def answers_objects(xi, X, beta=1.0):
    return np.array(right(xi, X, beta), dtype=object)


def answers_twice(xi, X, beta=1.0):
    return right(xi, X, beta), right(xi, X, beta)


def gives_up(xi, X, beta=1.0):
    raise ZeroDivisionError("no")


def leaves(xi, X, beta=1.0):
    raise SystemExit(0)


def runs_out(xi, X, beta=1.0):
    raise MemoryError("too much")


def counts_on_strides(xi, X, beta=1.0):
    return right(xi, X if X.flags.c_contiguous else X[::-1] * 1.5, beta)


def looks_at_neighbours(xi, X, beta=1.0):
    y = right(xi, X, beta)
    return y * (1 + 1e-3 * (xi.ndim == 2 and len(xi) == 3))


class Remembers:
    calls = 0

    def __call__(self, xi, X, beta=1.0):
        self.calls += 1
        return right(xi, X, beta) * (1 + (self.calls > 4) * self.calls)


@pytest.mark.parametrize("function, name", [
    (writes, "writes into its input"), (views, "returns a view of its input"), (prints, "prints"),
    (changes_errors, "changes np.seterr"), (draws_globally, "draws from a global generator"),
    (adds_an_axis, "wrong shape"), (narrows, "wrong dtype"), (counts, "wrong dtype"),
    (generates, "wrong type"), (answers_objects, "wrong type"),
    (answers_twice, "wrong number of results"), (gives_up, "raised"), (leaves, "crash"),
    (runs_out, "resource"), (counts_on_strides, "depends on strides"),
    (looks_at_neighbours, "depends on its neighbours in the batch"),
    (Remembers(), "remembers earlier calls"),
], ids=lambda x: getattr(x, "__name__", None))
def test_a_breach_is_named(function, name):
    report = check(function, like="modern.update")
    assert report.verdict == "fails" and name in [f.name for f in report.findings]


def test_good_manners_conform():
    report = check(right, like="modern.update")
    assert report.conforms and not report.findings
    assert_conforms(right, like="modern.update")


def test_the_assertion_tells_the_report():
    with pytest.raises(AssertionError, match=r"(?s)Ramsauer.*writes into its input"):
        assert_conforms(writes, like="modern.update")


def test_an_expected_finding_does_not_condemn():
    xfail = {"prints": "talkative by design"}
    assert check(prints, like="modern.update", xfail=xfail).conforms


def test_what_is_not_offered_is_not_offered():
    def no_large_beta(xi, X, *, beta=1.0):
        if beta > 100:
            raise NotOffered("beta > 100")
        return right(xi, X, beta)
    report = check(no_large_beta, like="modern.update")
    assert report.conforms and report.not_offered == ["beta 1e4: beta > 100"]
    without_beta = check(lambda xi, X: right(xi, X), like="modern.update")
    assert without_beta.verdict == "partial" and without_beta.cases == 1


def test_pytest_may_judge_by_a_fixture(tmp_path):
    (tmp_path / "test_mine.py").write_text(
        "from hopref import modern\n"
        "def test_right(hopref_conforms):\n"
        "    hopref_conforms(modern.update, like='modern.update')\n"
        "def test_wrong(hopref_conforms):\n"
        "    hopref_conforms(modern.weights, like='modern.update')\n")
    words = [sys.executable, "-m", "pytest", "-q", "-p", "hopref.check.plugin"]
    done = subprocess.run(words, cwd=tmp_path, capture_output=True, text=True, env=environment())
    assert "1 failed, 1 passed" in done.stdout


def test_global_error_state_is_put_back():
    before = np.geterr()
    check(changes_errors, like="modern.update")
    assert np.geterr() == before
