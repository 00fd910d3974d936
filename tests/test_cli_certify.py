"""``hopref certify`` from end to end."""
import json

import numpy as np
import pytest

pytest.importorskip("flint", reason="certified values need python-flint (hopref[certify])")

from hopref.certify import certify  # noqa: E402
from hopref.cli import main  # noqa: E402

XI, X = [2.0, 0.0], [[1.0, 0.0], [-1.0, 0.5]]


@pytest.fixture
def case(tmp_path):
    """A file with the arguments of `modern.update`."""
    np.savez(tmp_path / "case.npz", xi=XI, X=X, beta=0.5)
    return tmp_path / "case.npz"


def test_values_are_printed_with_their_bounds(case, capsys):
    assert main(["certify", "modern.update", str(case)]) == 0
    out = capsys.readouterr().out
    found = certify("modern.update", XI, X, beta=0.5)
    assert out.startswith("modern.update: balls\n")
    assert all(repr(float(v)) in out for v in found.value)


def test_json_holds_every_bit(case, capsys):
    assert main(["certify", "modern.update", str(case), "--json"]) == 0
    printed, found = json.loads(capsys.readouterr().out), certify("modern.update", XI, X, beta=0.5)
    (result,) = printed["results"]
    assert printed["method"] == "balls" and result["shape"] == [2]
    assert [float.fromhex(v) for v in result["value"]] == found.value.tolist()
    assert [float.fromhex(v) for v in result["bound"]] == found.bound.tolist()


def test_results_are_written(case, tmp_path):
    np.savez(case, phi_k=[[1.0]], V=[[2.0]])
    assert main(["certify", "attention.key_state", str(case), "--out",
                 str(tmp_path / "out.npz")]) == 0
    with np.load(tmp_path / "out.npz") as written:
        assert written["value_0"].tolist() == [[2.0]] and written["bound_1"].tolist() == [0.0]


def test_options_are_read_by_name(tmp_path, capsys):
    np.savez(tmp_path / "c.npz", xi=[0.5, -0.5], W=[[0.0, 1.0], [1.0, 0.0]], activation="sigmoid")
    assert main(["certify", "graded.update", str(tmp_path / "c.npz")]) == 0
    value = certify("graded.update", [0.5, -0.5], [[0.0, 1.0], [1.0, 0.0]],
                    activation="sigmoid").value
    assert repr(float(value[0])) in capsys.readouterr().out


def test_a_bound_that_is_not_reached_exits_with_1(tmp_path, capsys):
    np.savez(tmp_path / "c.npz", z=np.log([0.25, 0.75]))
    assert main(["certify", "maps.logsumexp", str(tmp_path / "c.npz"), "--method",
                 "double-double"]) == 1
    assert "the bound must be at most 0.51 ulp" in capsys.readouterr().out


@pytest.mark.parametrize("content, message", [
    ({"xi": XI, "Y": X}, "arguments of modern.update"),
    ({"xi": XI}, "must hold X"),
    ({"xi": np.array([None]), "X": X}, "arrays of numbers"),
])
def test_wrong_files_are_errors(tmp_path, capsys, content, message):
    np.savez(tmp_path / "c.npz", **content)
    assert main(["certify", "modern.update", str(tmp_path / "c.npz")]) == 2
    assert message in capsys.readouterr().err


def test_unknown_operations_are_errors(case, capsys):
    assert main(["certify", "modern.updat", str(case)]) == 2
    assert "must be one of `hopref ops`" in capsys.readouterr().err
