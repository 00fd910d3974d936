"""The table of third parties, and the pages of ``hopref atlas`` for a made-up library."""
import re
import shlex
from argparse import ArgumentParser
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest

from hopref.check.peers import installed, known
from hopref.check.peers.conventions import convention_from
from hopref.check.peers.peer import NO_EMPTY, Peer, Profile
from hopref.check.report import atlas as page
from hopref.cli import atlas, check, main
from hopref.cli.check_options import convention_record

LIBRARY = """
import numpy as np

def softmax(z, *, beta=1.0):
    e = np.exp(beta * z - np.max(beta * z, axis=-1, keepdims=True))
    return e / e.sum(axis=-1, keepdims=True)

def not_empty(z, *, beta=1.0):
    if z.size == 0:
        raise ValueError("nothing")
    return softmax(z, beta=beta)

def sharper(z, *, beta=1.0):
    return softmax(z, beta=beta * beta)

def gradient(g, z, *, beta=1.0):
    p = softmax(z, beta=beta)
    top = z.max(axis=-1)
    lse = top + np.log(np.exp(beta * (z - top[..., None])).sum(axis=-1)) / beta
    seen = np.where(z == -np.inf, 0, z)
    return g[..., None] * p, (g * ((p * seen).sum(axis=-1) - lse)).sum() / beta
"""
MADE_UP = (
    Peer("made up softmax", "maps.softmax", "made_up:softmax", "made_up", dtypes=("float64",),
         call={"given": {"empty_row": "undefined"}}),
    Peer("made up | sharper", "maps.softmax", "made_up:sharper", "made_up", dtypes=("float64",),
         call={"given": {"empty_row": "undefined"}}, profile=Profile(scale="beta squared")),
    Peer("absent", "maps.sparsemax", "no_such_library:sparsemax", "no_such_library"),
)


@pytest.fixture
def made_up(tmp_path, monkeypatch):
    """A library of two functions, one of them wrong, in the place of all others."""
    (tmp_path / "made_up.py").write_text(LIBRARY)
    monkeypatch.syspath_prepend(tmp_path)
    monkeypatch.setenv("PYTHONPATH", str(tmp_path))
    monkeypatch.setattr(installed, "cores", lambda: 1)
    monkeypatch.setattr(installed, "UNCOVERED", ())
    for module in (installed, atlas):
        monkeypatch.setattr(module, "PEERS", MADE_UP)
    return tmp_path


def test_the_pages_state_verdicts_differences_profiles_and_what_is_absent(made_up, capsys):
    out = made_up / "pages"
    assert main(["atlas", "--out", str(out)]) == 0
    printed = capsys.readouterr().out
    assert "conforms  made up softmax" in printed and "FAILS     made up | sharper" in printed
    text, page = (out / "atlas.md").read_text(), (out / "atlas.html").read_text()
    assert text.count("| conforms | made up softmax |") == 1
    assert text.count("| differs | made up \\| sharper |") == 1
    assert "beta applied twice" in text and "beta applied twice" in page
    assert "tolerance of maps.softmax" in text.partition("### made up | sharper")[2]
    assert "### made up softmax" not in text
    assert "no_such_library is not installed" in text and "no_such_library is not installed" in page
    assert "beta squared" in text and "beta squared" in page
    assert 'href="#made-up---sharper"' in page and 'id="made-up---sharper"' in page
    assert main(["atlas", "--out", str(out)]) == 0
    assert (out / "atlas.md").read_text() == text and (out / "atlas.html").read_text() == page


def test_the_errors_are_those_of_cases_without_expected_differences(made_up):
    """A NaN that is expected does not make the error of all other cases infinite."""
    peer = Peer("made up gradient", "gradients.maps.logsumexp", "made_up:gradient", "made_up")
    report = installed.peer_report(peer, "float64")
    finding = "tolerance of gradients.maps.logsumexp"
    empty = {(finding, r.name): "0 / 0" for r in report.records if r.finding == finding}
    assert report.verdict == "fails" and report.largest_error == np.inf and empty
    report = installed.peer_report(replace(peer, expected=empty), "float64")
    assert report.conforms and 0 < report.largest_error <= 1 and report.largest_eps < 64
    assert page.cells_of(report)[5:] == (page.digits(report.largest_error),
                                         page.digits(report.largest_eps), "0 / 0")


@pytest.mark.parametrize("section, head", [("verdicts", page.HEAD),
                                           ("conventions", page.PROFILE_HEAD)])
def test_narrow_tables_of_the_documentation_have_the_names_of_their_columns(section, head):
    style = (Path(__file__).parents[2] / "docs" / "_static" / "hopref.css").read_text("utf-8")
    found = re.findall(rf'#{section} td:nth-child\((\d)\)::before {{ content: "(.*) "', style)
    assert found == [(str(i), name) for i, name in enumerate(head, 1)][-len(found):]
    assert len(found) == len(head) - (2 if section == "verdicts" else 1)


def test_the_reports_are_json_on_request(made_up, capsys):
    assert main(["atlas", "--out", str(made_up / "pages"), "--json"]) == 0
    printed = capsys.readouterr()
    assert printed.out.startswith("{") and "written:" in printed.err


@pytest.mark.parametrize("words, message", [
    (["--like", "maps.softmaxx"], "did you mean maps.softmax or maps.sparsemax?"),
    (["--like", "maps.sparsemax"], "none of the known third parties is installed here: no_such"),
    (["--out", "made_up.py/pages"], "Not a directory"),
    (["--out", "made_up.py"], "File exists"),
])
def test_wrong_usage_exits_with_2_before_anything_is_judged(made_up, monkeypatch, capsys, words,
                                                            message):
    monkeypatch.chdir(made_up)
    monkeypatch.setattr(installed, "reports", lambda *_: pytest.fail("judged"))
    assert main(["atlas", *words]) == 2
    assert message in capsys.readouterr().err


def test_an_expected_finding_in_its_own_case_alone_is_no_failure(made_up):
    picky = Peer("made up, not empty", "maps.softmax", "made_up:not_empty", "made_up",
                 call={"given": {"empty_row": "undefined"}})
    assert installed.peer_report(picky, "float64").verdict == "fails"
    report = installed.peer_report(replace(picky, expected=NO_EMPTY), "float64")
    assert report.verdict == "conforms"
    assert [f.expected for f in report.findings] == ["it raises for arrays without entries"]
    wrong = replace(MADE_UP[1], expected={("tolerance of maps.softmax", "gauss"): "a choice"})
    assert installed.peer_report(wrong, "float64").verdict == "fails"


def test_every_file_of_a_library_is_in_the_table():
    files = {p.stem for p in Path(known.__file__).parent.glob("*.py")} - {"__init__"}
    assert files == set(known.LIBRARIES)
    assert len({p.name for p in known.PEERS}) == len(known.PEERS)


@pytest.mark.parametrize("peer", known.PEERS, ids=lambda p: p.name)
def test_a_command_states_the_call_of_a_third_party(peer):
    """The convention is valid, and the printed command has the same one."""
    parser = ArgumentParser()
    check.configure(parser)
    for dtype in peer.dtypes:
        line = installed.repeated(peer, dtype)("case", "gauss", 0)
        options = parser.parse_args(shlex.split(line)[2:])
        ours, theirs = (convention_from(peer.like, record)
                        for record in (peer.record(dtype), convention_record(options)))
        assert ours == theirs and options.target == peer.target and options.dtype == dtype
