"""``hopref vectors`` from end to end."""
import json

import numpy as np
import pytest

from hopref import vectors
from hopref.cli import main

OP = "modern.update"
MINE = """
import numpy as np


def retrieve(xi, X, *, beta=1.0):
    z = xi.astype(float) @ X.T.astype(float)
    p = np.exp(beta * (z - np.max(z, axis=-1, keepdims=True)))
    return p @ X / np.sum(p, axis=-1, keepdims=True)


def twice(xi, X, *, beta=1.0):
    return retrieve(xi, X, beta=beta**2)


def careful(xi, X, *, beta=1.0):
    raise ValueError("no")
"""


@pytest.fixture
def mine(tmp_path, monkeypatch):
    """A module with a right and with wrong implementations."""
    (tmp_path / "mine_by_vectors.py").write_text(MINE)
    monkeypatch.syspath_prepend(tmp_path)
    return "mine_by_vectors"


def export(tmp_path, *options, name="rows.jsonl"):
    file = tmp_path / name
    assert main(["vectors", "export", *options, "--out", str(file)]) == 0
    return file


def test_operations_are_listed_with_their_numbers_of_rows(capsys):
    assert main(["vectors", "list"]) == 0
    lines = capsys.readouterr().out.splitlines()
    entry = vectors.manifest()["files"][OP]
    assert lines[0].split() == ["operation", "rows", "invalid"]
    assert [OP, str(entry["rows"]), str(entry["invalid"])] in map(str.split, lines)
    assert len(lines) == len(vectors.operations()) + 1


def test_flags_are_listed_with_their_bugs(capsys):
    assert main(["vectors", "list", "--flags", "--op", OP]) == 0
    out = capsys.readouterr().out
    assert "beta applied twice" in out and "scale missing" not in out
    flag = next(flag for flag, entry in vectors.manifest()["flags"].items()
                if "graded.update" in entry["operations"] and OP not in entry["operations"])
    assert main(["vectors", "list", "--flag", flag]) == 0
    out = capsys.readouterr().out
    assert "graded.update" in out and OP not in out
    assert main(["vectors", "list", "--json"]) == 0
    assert {"operation": OP, "rows": len(list(vectors.rows(OP))), "invalid": sum(
        bool(row.error) for row in vectors.rows(OP))} in json.loads(capsys.readouterr().out)["rows"]


def test_a_row_is_shown(capsys):
    assert main(["vectors", "show", f"{OP}/0"]) == 0
    out = capsys.readouterr().out
    assert f"{OP}/0: gauss, float64" in out and "flag: beta-applied-twice" in out
    assert main(["vectors", "show", f"{OP}/0", "--json"]) == 0
    assert json.loads(capsys.readouterr().out)["id"] == f"{OP}/0"
    invalid = next(row for row in vectors.rows(OP) if row.error)
    assert main(["vectors", "show", invalid.id]) == 0
    assert f"error: {invalid.error}" in capsys.readouterr().out


@pytest.mark.parametrize("kind", ["jsonl", "npz"])
def test_an_exported_file_is_verified(kind, tmp_path, capsys):
    file = export(tmp_path, "--op", OP, "--format", kind, name=f"rows.{kind}")
    assert main(["vectors", "verify", str(file)]) == 0
    assert f": {len(list(vectors.rows(OP)))} rows, 0 of them differ" in capsys.readouterr().out


def test_exports_are_of_one_flag(tmp_path, capsys):
    file = export(tmp_path, "--op", OP, "--flag", "beta-applied-twice")
    rows = [json.loads(line) for line in file.read_text().splitlines()]
    assert rows and all("beta-applied-twice" in row["flags"] for row in rows)
    assert main(["vectors", "export", "--op", OP, "--flag", "beta-applied-twice"]) == 0
    assert capsys.readouterr().out == file.read_text()


def test_a_changed_row_is_found(tmp_path, capsys):
    file = export(tmp_path, "--op", OP)
    file.write_text(file.read_text().replace('"beta":{"dtype":"float64","value":"0x1.8p-1"}',
                                             '"beta":{"dtype":"float64","value":"0x1p-1"}', 1))
    assert main(["vectors", "verify", str(file), "--json"]) == 1
    assert json.loads(capsys.readouterr().out)["different"] == [f"{OP}/0"]


def test_a_changed_array_is_found(tmp_path, capsys):
    file = export(tmp_path, "--op", OP, "--format", "npz", name="rows.npz")
    with np.load(file) as content:
        arrays = dict(content)
    np.savez_compressed(file, **arrays | {"0.args.X": -arrays["0.args.X"]})
    assert main(["vectors", "verify", str(file)]) == 1
    assert f"1 of them differ from those of this version of hopref\n  {OP}/0\n" \
        in capsys.readouterr().out


def test_a_function_is_judged(mine, tmp_path, capsys):
    assert main(["vectors", "run", f"{mine}:retrieve", "--like", OP]) == 0
    assert f"{mine}:retrieve as {OP}: conforms, 0 of " in capsys.readouterr().out
    assert main(["vectors", "run", f"{mine}:twice", "--like", OP]) == 1
    assert "looks like: beta-applied-twice\n" in capsys.readouterr().out
    file = export(tmp_path, "--op", OP, "--flag", "beta-applied-twice")
    assert main(["vectors", "run", f"{mine}:twice", "--like", OP, "--file", str(file),
                 "--json"]) == 1
    found = json.loads(capsys.readouterr().out)
    assert len(found["failures"]) == found["judged"] and "beta-applied-twice" in found["flags"]


def test_invalid_calls_are_judged_on_request(mine, capsys):
    assert main(["vectors", "run", f"{mine}:retrieve", "--like", OP, "--invalid"]) == 1
    assert "DomainError expected" in capsys.readouterr().out
    assert main(["vectors", "run", f"{mine}:careful", "--like", OP]) == 1
    assert "raised ValueError: no" in capsys.readouterr().out


@pytest.mark.parametrize("words, message", [
    (["show", "modern.update/99999"], "ID must be the id of a row"),
    (["list", "--op", "modern.updat"], "--op must be one of"),
    (["export", "--flag", "no-such-flag"], "--flag must be one of"),
    (["export", "--op", OP, "--format", "npz"], "--out must name a file"),
    (["verify", "no-such-file"], "No such file"),
    (["run", "json:nope", "--like", OP], "has no attribute 'nope'"),
    (["run", "math:sin", "--like", "math.sin"], "--like must be one of"),
    (["run", "math.sin", "--like", OP], "a target must be written"),
])
def test_wrong_usage_is_one_line(words, message, capsys):
    assert main(["vectors", *words]) == 2
    err = capsys.readouterr().err
    assert message in err and err.count("\n") == 1


def test_a_damaged_file_is_one_line(tmp_path, capsys):
    (tmp_path / "rows.jsonl").write_text('{"id": NaN}\n')
    assert main(["vectors", "verify", str(tmp_path / "rows.jsonl")]) == 2
    err = capsys.readouterr().err
    assert "hopref.vectors: line 1: real numbers must be strings" in err and err.count("\n") == 1
