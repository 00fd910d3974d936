"""Programs that others could have written get the names of their bugs, and no others do."""
import pytest

from hopref.check.engine.candidate import InProcess
from hopref.check.engine.judge import judge
from hopref.check.peers.adapters import bound
from tests.check.named import NAMED, PAIRS, UNNAMED
from tests.groups import each


def diagnosed(like, program):
    return judge(InProcess(bound(program, like), "program"), like, draws=1)


@each("like, name, program", NAMED, ids=[f"{k}-{v}" for k, v, _ in NAMED], size=4, share=3)
def test_a_bug_gets_its_name_first(like, name, program):
    report = diagnosed(like, program)
    assert report.verdict == "fails"
    assert report.named[:1] == [name], report.named


@pytest.mark.parametrize("like, names, program", PAIRS, ids=[" and ".join(v) for _, v, _ in PAIRS])
def test_two_bugs_at_once_are_found_as_a_pair(like, names, program):
    (found, *_) = diagnosed(like, program).named
    assert set(found.split(", together with ")) == set(names)


@pytest.mark.parametrize("like, name, program", UNNAMED, ids=[v for _, v, _ in UNNAMED])
def test_a_program_without_a_known_bug_gets_no_name(like, name, program):
    report = diagnosed(like, program)
    assert report.verdict == "fails" and not report.named
