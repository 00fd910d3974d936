"""The page of results: every value is on it, failures are dashes, two commits make a history."""
import json

import pytest

from benchmarks import summary

SIZES, PATHS = ["256", "512"], ["'formula'", "'numba'"]


def results(folder, commit, date, exponent):
    """A result folder with one track and one timing, of which one was skipped."""
    (folder / "vm").mkdir(exist_ok=True)
    content = {
        "commit_hash": commit, "date": date, "env_name": "existing", "params": {"machine": "vm"},
        "result_columns": ["result", "params", "version"],
        "results": {"bench_x.Growth.track_work": [[exponent], [["'retrieval in N'"]], "1"],
                    "bench_x.Growth.track_memory": [None, [["'retrieval in N'"]], "1"],
                    "bench_x.Update.time_update": [[0.25, None, 0.5, 0.125], [SIZES, PATHS], "1"]}}
    (folder / "vm" / f"{commit}.json").write_text(json.dumps(content))
    (folder / "vm" / "machine.json").write_text("{}")
    names = {"bench_x.Update.time_update": {"param_names": ["patterns", "path"]}, "version": 2}
    (folder / "benchmarks.json").write_text(json.dumps(names))
    return folder


def page(folder, tmp_path):
    pytest.importorskip("matplotlib")
    summary.write(summary.read(folder), summary.parameter_names(folder), tmp_path / "out")
    return (tmp_path / "out" / "index.md").read_text()


def test_a_page_holds_every_value(tmp_path):
    text = page(results(tmp_path, "a" * 40, 1, 1.0), tmp_path)
    assert "| retrieval in N | 1.000 | - |" in text             # memory failed
    assert "| patterns | formula | numba |" in text
    assert "| 256 | 250 ms | - |" in text                       # numba was skipped
    assert "| 512 | 500 ms | 125 ms |" in text
    assert "History" not in text and "http" not in text
    figure = tmp_path / "out" / "bench_x.Update.time_update.png"
    assert figure.read_bytes().startswith(b"\x89PNG") and figure.name in text


def test_the_latest_commit_is_shown_and_all_make_a_history(tmp_path):
    results(tmp_path, "b" * 40, 2, 2.0)
    text = page(results(tmp_path, "a" * 40, 1, 1.0), tmp_path)
    assert "Commit bbbbbbbbbb" in text
    assert "| retrieval in N: work | 1.000 | 2.000 |" in text


def test_no_results_are_an_error(tmp_path, monkeypatch, capsys):
    monkeypatch.setattr("sys.argv", ["summary", str(tmp_path), str(tmp_path / "out")])
    with pytest.raises(SystemExit) as stop:
        summary.main()
    assert stop.value.code == 2 and "no results" in capsys.readouterr().err
