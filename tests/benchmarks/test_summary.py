"""The page of results: every value is on it, failures are dashes, two commits make a history."""
import json
import math

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
                    "bench_x.Accuracy.track_accuracy":
                        [[1.5, 2.5, None, 4.5],
                         [["'retrieval 256'", "'retrieval 8192'"], PATHS], "1"],
                    "bench_x.Ratio.track_ratio_by_hand":
                        [[1.25, 2.75], [["'update, N=8'"], ["'float32'", "'float64'"]], "1"],
                    "bench_x.FirstCall.track_first_call_cold": [[7.5], [["'update'"]], "1"],
                    "bench_x.FirstCall.track_first_call_cached": [[0.5], [["'update'"]], "1"],
                    "bench_x.New.track_something": [[42.0], [["'one'"]], "1"],
                    "bench_x.Update.track_peak":
                        [[2.0**20, 0.0, 2.0**31, None], [SIZES, PATHS], "1"],
                    "bench_x.Update.time_update": [[0.25, None, 0.5, 0.125], [SIZES, PATHS], "1"]}}
    (folder / "vm" / f"{commit}.json").write_text(json.dumps(content))
    known = {"cpu": "Model 7", "num_cpu": "2", "os": ""}
    (folder / "vm" / "machine.json").write_text(json.dumps(known))
    names = {"bench_x.Update.time_update": {"param_names": ["patterns", "path"]}, "version": 2}
    (folder / "benchmarks.json").write_text(json.dumps(names))
    return folder


def page(folder, tmp_path):
    pytest.importorskip("matplotlib")
    summary.write(summary.read(folder), summary.parameter_names(folder), tmp_path / "out")
    return (tmp_path / "out" / "index.md").read_text()


def test_a_page_holds_every_value(tmp_path):
    text = page(results(tmp_path, "a" * 40, 1, 1.0), tmp_path)
    assert "measured on 1970-01-01 on the machine vm (Model 7, 2 cores)" in text
    assert "| retrieval in N | 1.000 | - |" in text             # memory failed
    assert "| update, N=8 | 1.25 | 2.75 |" in text
    assert "|  | first call cold | first call cached |" in text
    assert "| update | 7.50 s | 0.50 s |" in text
    assert "## track_something" in text and "| one | 42 |" in text
    assert "| retrieval 256 | 1.5 | 2.5 |" in text and "| retrieval 8192 | - | 4.5 |" in text
    assert "| patterns | formula | numba | formula: memory | numba: memory |" in text
    assert "| 256 | 250 ms | - | 1 MiB | 0 MiB |" in text       # numba was skipped
    assert "| 512 | 500 ms | 125 ms | 2 GiB | - |" in text
    assert "The numba path is faster than the formula at all sizes." in text
    assert "History" not in text and "http" not in text
    for figure in "errors.png", "bench_x.Update.png":
        assert f"({figure})" in text
        assert (tmp_path / "out" / figure).read_bytes().startswith(b"\x89PNG")


def test_the_latest_commit_is_shown_and_all_make_a_history(tmp_path):
    results(tmp_path, "b" * 40, 2, 2.0)
    text = page(results(tmp_path, "a" * 40, 1, 1.0), tmp_path)
    assert "Commit bbbbbbbbbb" in text
    assert "| update, N=8, float32: ratio by hand | 1.250 | 1.250 |" in text
    assert "| retrieval in N: work | 1.000 | 2.000 |" in text


def test_each_path_has_an_item_if_one_is_slower_somewhere():
    found = summary.sentences({"numba, rows=1": "from about N = 9 on", "numba, rows=8": "at all"})
    assert found == ["* numba, rows=1: faster than the formula from about N = 9 on",
                     "* numba, rows=8: faster than the formula at all"]
    assert not summary.sentences({})


@pytest.mark.parametrize("size, words", [
    (0.0, "at all sizes"), (math.inf, "not at the largest size"), (893.7, "from about N = 894 on"),
])
def test_a_crossover_is_stated_in_words(size, words):
    assert summary.at_sizes(size, "N") == words


def test_the_committed_results_are_read_with_machine_and_date():
    folder = summary.Path(summary.__file__).parents[1] / "docs" / "measured" / "asv"
    (run,) = summary.read(folder)
    names = summary.parameter_names(folder)
    assert "cores" in run.machine and run.date > 0 and run.benchmarks.keys() <= names.keys()
    kinds = {name.rpartition(".")[2] for name in run.benchmarks}
    assert {"time_call", "track_peak", "track_accuracy", "track_work", "track_memory",
            "track_ratio_by_hand", "track_first_call_cold", "track_first_call_cached"} <= kinds


def test_what_is_kept_makes_the_same_page(tmp_path):
    """But for the name of the environment, which is a path: its versions take its place."""
    text = page(results(tmp_path, "a" * 40, 1, 1.0), tmp_path)
    summary.keep(tmp_path, tmp_path / "kept")
    again = page(tmp_path / "kept", tmp_path)
    assert again == text.replace("environment existing.", f"environment {summary.built_with()}.")
    assert "python 3" in summary.built_with()


def test_no_results_are_an_error(tmp_path, monkeypatch, capsys):
    monkeypatch.setattr("sys.argv", ["summary", str(tmp_path), str(tmp_path / "out")])
    with pytest.raises(SystemExit) as stop:
        summary.main()
    assert stop.value.code == 2 and "no results" in capsys.readouterr().err
