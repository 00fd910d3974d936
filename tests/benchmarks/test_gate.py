"""The check of asv's result file sees what is missing, failed or outside its window."""
import importlib
import json
import math
import pathlib

import pytest

from benchmarks import gate, growth
from hopref.dispatch.operation import load

GOOD = {(track, title): sum(getattr(it, cost)) / 2
        for title, it in growth.GROWTHS.items() for track, cost in gate.TRACKS.items()}
FIRST = next(iter(GOOD))


def result_file(found):
    """What asv writes: a row of values and their parameters for every benchmark."""
    rows = {}
    for (track, title), value in found.items():
        values, titles = rows.setdefault(f"bench_x.Growth.{track}", [[], [[]]])
        values.append(value)
        titles[0].append(repr(title))
    return {"results": rows}


@pytest.fixture
def results(tmp_path):
    (tmp_path / "here").mkdir()
    (tmp_path / "here" / "machine.json").write_text("{}")
    return tmp_path


def written(results, found):
    (results / "here" / "abc-existing.json").write_text(json.dumps(result_file(found)))
    return gate.measured(results)


def test_good_results_pass(results):
    assert written(results, GOOD) == GOOD and not gate.complaints(GOOD)


@pytest.mark.parametrize("value", [None, math.nan, 0.5, 3.0])
def test_a_failed_or_wrong_exponent_is_named(results, value):
    wrong = gate.complaints(written(results, GOOD | {FIRST: value}))
    assert len(wrong) == 1 and FIRST[1] in wrong[0] and str(value) in wrong[0]


def test_a_run_that_measured_nothing_does_not_pass(results):
    assert gate.measured(results) == {} and len(gate.complaints({})) == len(GOOD)
    nothing = {"results": {"bench_x.Growth.track_work": [None, [["'retrieval in N'"]]]}}
    (results / "here" / "abc-existing.json").write_text(json.dumps(nothing))
    assert len(gate.complaints(gate.measured(results))) == len(GOOD)


def test_every_growth_is_tracked_and_every_benchmark_mirrors_a_model():
    pytest.importorskip("asv_runner")
    files = pathlib.Path(gate.__file__).parent.glob("bench_*.py")
    modules = [importlib.import_module(f"benchmarks.{file.stem}") for file in files]
    growing = [module.Growth for module in modules if hasattr(module, "Growth")]
    tracked = [title for growth in growing for title in growth.params]
    assert sorted(tracked) == sorted(growth.GROWTHS)
    models = {name.partition(".")[0] for name in load()}
    assert {module.__name__.rpartition("bench_")[2] for module in modules} <= models


def test_asv_finds_the_benchmarks_and_no_base_class():
    discovery = pytest.importorskip("asv_runner.discovery")
    folder = pathlib.Path(gate.__file__).parent
    found = {it.name.partition(".")[0] for it in discovery.disc_benchmarks(str(folder))}
    assert found == {file.stem for file in folder.glob("bench_*.py")}


def test_the_gate_measures_away_from_the_checkout(tmp_path):
    config = json.loads(pathlib.Path(gate.write_config(tmp_path)).read_text())
    assert pathlib.Path(config["benchmark_dir"]).samefile(gate.ROOT / "benchmarks")
    for folder in "results_dir", "env_dir", "html_dir":
        assert pathlib.Path(config[folder]).is_relative_to(tmp_path)
