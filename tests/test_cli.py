"""The command line from end to end: output, files and exit codes."""
import json
import subprocess
import sys

import numpy as np
import pytest

import hopref
from hopref.cli import COMMANDS, main
from hopref.dispatch.operation import descent_of, load
from hopref.experiments import FIGURES, STATEMENTS


def printed_json(capsys):
    """The JSON that was printed."""
    return json.loads(capsys.readouterr().out)


# --- exit codes ----------------------------------------------------------------------------------

def test_help_lists_every_command_and_imports_nothing_heavy():
    script = ("import sys; from hopref.cli import main; code = main(['--help']); "
              "print(sorted({'numpy', 'scipy', 'matplotlib', 'numba'} & set(sys.modules))); "
              "sys.exit(code)")
    run = subprocess.run([sys.executable, "-c", script], capture_output=True, text=True, check=True)
    assert all(name in run.stdout for name in COMMANDS)
    assert run.stdout.rstrip().endswith("[]")


@pytest.mark.parametrize("command", COMMANDS)
def test_every_command_has_help_and_a_json_option(command, capsys):
    assert main([command, "--help"]) == 0
    out = capsys.readouterr().out
    assert "--json" in out and "Exit codes" in out


def test_the_help_states_what_a_command_takes_and_compares_with(capsys):
    assert main(["--help"]) == 0
    out = " ".join(capsys.readouterr().out.split())
    assert "against certified values and formulas" in out
    assert main(["reproduce", "--help"]) == 0
    out = " ".join(capsys.readouterr().out.split())
    assert "about two minutes" in out and "extra plot" in out and "F1 ... F14" in out


def test_python_m_hopref_is_the_same_command():
    run = subprocess.run([sys.executable, "-m", "hopref", "--version"], capture_output=True,
                         text=True, check=True)
    assert run.stdout == f"hopref {hopref.__version__}\n"


@pytest.mark.parametrize("argv", [
    [], ["nonsense"], ["retrieve", "--rule", "nonsense"], ["retrieve", "--beta", "warm"],
    ["retrieve", "--data", "faces"], ["retrieve", "--images", "x", "--data", "pictures"],
    ["diagnose", "--rule", "graded"], ["info", "extra"],
    ["retrieve", "--rule", "modern,nonsense"], ["retrieve", "--out", "a.gif"],
    ["retrieve", "--out", "png"], ["retrieve", "--out", ".png"],
])
def test_wrong_usage_exits_with_2(argv, capsys):
    assert main(argv) == 2
    assert "usage: hopref" in capsys.readouterr().err


@pytest.mark.parametrize("argv, line", [
    (["retrieve", "--patterns", "25"], "hopref.data.pictures: n must be None or an integer"),
    (["retrieve", "--beta", "0"], "beta must be a finite number >= 1e-300; got beta=0.0."),
    (["retrieve", "--steps", "0"], "max_steps must be an integer >= 1"),
    (["retrieve", "--corrupt", "blur:1"], "how must be 'mask:SHARE', 'noise:SIGMA'"),
    (["retrieve", "--seed", "-1"], "rng must be an integer >= 0"),
    (["retrieve", "--rule", "classical", "--normalise", "unit"], "normalisation must be 'polar'"),
    (["retrieve", "--rule", "classical", "--corrupt", "noise:1"], "xi must hold -1 and 1 only"),
    (["retrieve", "--order", "threshold-normalise"], "--order must go with --rule modern-thresh"),
    (["retrieve", "--images", "/nowhere"], "directory must exist; got '/nowhere'"),
    (["retrieve", "--patterns", "2", "--out", "/nowhere/a.png"], "/nowhere/a.png: No such file"),
    (["diagnose", "/nowhere.npy"], "/nowhere.npy: No such file or directory"),
    (["diagnose", "--tolerance", "1"], "tolerance must be a number between 0 and 1"),
    (["diagnose", "--beta", "-1"], "hopref.diagnose: beta must be a finite number >= 1e-300"),
    (["diagnose", "."], ".: Is a directory"),
    (["diagnose", ""], "No such file or directory"),
    (["retrieve", "--images", ""], "hopref"),
    (["retrieve", "--corrupt", "noise:1.7e308"], "cues must be in the range of float64"),
    (["retrieve", "--beta", "inf"], "beta must be a finite number"),
    (["retrieve", "--theta", "0"], "--theta must go with --rule graded-thresholded or"),
    (["retrieve", "--rule", "classical,dense", "--beta", "1"], "got --rule classical,dense."),
    (["retrieve", "--zero-diagonal"], "--zero-diagonal must go with --rule classical or graded"),
    (["retrieve", "--rule", "structured", "--k", "0"], "k must be an integer >= 1"),
    (["retrieve", "--rule", "sparse", "--alpha", "0.5"], "alpha must be"),
    (["retrieve", "--rule", "dense", "--power", "200"], "hopref.dense"),
    (["diagnose", "--rule", "classical", "--corrupt", "mask:0.5"], "--corrupt must go with"),
    (["diagnose", "X.npy", "--data", "pictures"], "not two of them"),
    (["reproduce", "hebian"], "got 'hebian', nearest hebbian."),
])
def test_an_invalid_argument_is_one_line_on_stderr_and_exits_with_2(argv, line, capsys, tmp_path):
    if "--out" in argv or argv[0] == "reproduce":
        pytest.importorskip("matplotlib", reason="drawing needs hopref[plot]")
    if argv[0] == "reproduce":
        argv = [*argv, "--out", str(tmp_path / "report")]
    assert main(argv) == 2
    out, err = capsys.readouterr()
    assert err.startswith("hopref: ") and line in err and err.count("\n") == 1 and out == ""


def test_a_missing_extra_is_named(monkeypatch, capsys, tmp_path):
    for module in [m for m in sys.modules if m.partition(".")[0] == "matplotlib"] + ["matplotlib"]:
        monkeypatch.setitem(sys.modules, module, None)      # as if it were not installed
    for argv in (["reproduce", "F1", "--out", str(tmp_path)],
                 ["retrieve", "--patterns", "1", "--out", str(tmp_path / "a.png")]):
        assert main(argv) == 2
        assert 'matplotlib must be installed (python -m pip install "hopref[plot]")' \
            in capsys.readouterr().err


def test_a_bug_is_not_reported_as_an_invalid_argument(monkeypatch):
    monkeypatch.setattr("hopref.cli.info.run", lambda options: [][1])
    with pytest.raises(IndexError):
        main(["info"])


def test_a_closed_pipe_is_no_error():
    run = subprocess.run(f"{sys.executable} -m hopref ops | head -1", shell=True, text=True,
                         capture_output=True)
    assert run.stdout.startswith("name") and run.stderr == ""


# --- reproduce, ops, info ------------------------------------------------------------------------

def test_reproduce_writes_a_page_a_json_file_and_png_files(tmp_path, capsys, monkeypatch):
    pytest.importorskip("matplotlib", reason="drawing needs hopref[plot]")
    monkeypatch.setenv("OMP_NUM_THREADS", "1")
    assert main(["reproduce", "f2", "F7", "--out", str(tmp_path / "report"), "--json"]) == 0
    content = printed_json(capsys)
    assert [r["name"] for r in content["records"]] == ["F2", "F7"]
    assert json.loads((tmp_path / "report" / "report.json").read_text("utf-8")) == content
    page = (tmp_path / "report" / "index.html").read_text("utf-8")
    for record in content["records"]:
        assert record["outcome"] in page and record["seconds"] > 0
        for picture in record["pictures"]:
            content = (tmp_path / "report" / picture["file"]).read_bytes()
            assert content.startswith(b"\x89PNG") and len(content) > 10_000


def test_reproduce_lists_its_names_without_drawing_anything(tmp_path, monkeypatch, capsys):
    monkeypatch.chdir(tmp_path)
    monkeypatch.setitem(sys.modules, "matplotlib", None)        # as if it were not installed
    assert main(["reproduce", "--list"]) == 0
    head, *lines = capsys.readouterr().out.splitlines()
    assert head.split() == ["name", "summary"]
    assert [line.split()[0] for line in lines] == [*FIGURES, *STATEMENTS]
    assert all(len(line.split()) > 3 for line in lines)
    assert main(["reproduce", "--list", "--json"]) == 0
    content = printed_json(capsys)
    assert content["schema"] == "hopref.experiments/1"
    assert [e["name"] for e in content["experiments"]] == [*FIGURES, *STATEMENTS]
    assert not list(tmp_path.iterdir())


@pytest.mark.parametrize("names", [["modern"], ["modern.update", "maps.softmax"]])
def test_ops_prints_the_named_modules_and_operations(names, capsys):
    assert main(["ops", *names, "--json"]) == 0
    shown = {o["name"] for o in json.loads(capsys.readouterr().out)["ops"]}
    assert shown == {name for name in load() for given in names
                     if name == given or name.startswith(f"{given}.")}


def test_ops_suggests_a_name(capsys):
    assert main(["ops", "modrn"]) == 2
    assert "did you mean modern" in capsys.readouterr().err


def test_ops_prints_the_registry(capsys):
    assert main(["ops", "--json"]) == 0
    content = printed_json(capsys)
    assert content["schema"] == "hopref.ops/1"
    assert [o["name"] for o in content["ops"]] == sorted(load())
    row = next(o for o in content["ops"] if o["name"] == "modern.update")
    assert row["shapes"] == "(...,d),(n,d)->(...,d)" and row["energy"] == "modern.energy"
    assert "formula" in row["paths"] and "MH-2" in row["ids"] and "Ramsauer" in row["source"]
    assert row["descent"] == "always" and row["parts"] == "softmax"
    assert row["gradient"] == "gradients.modern.update"


@pytest.mark.parametrize("name, cells", [
    ("modern.update", "modern.energy always yes softmax"),
    ("classical.asynchronous_update", "classical.energy under condition"),
    ("performer.update", "no energy none yes linear"),
    ("storage.storkey", "- - - -"),
])
def test_ops_prints_energy_descent_gradient_and_parts(name, cells, capsys):
    assert main(["ops"]) == 0
    row = next(line for line in capsys.readouterr().out.splitlines() if line.startswith(f"{name} "))
    assert cells in " ".join(row.split())


@pytest.mark.parametrize("name", [n for n, op in load().items() if op.lowers])
def test_an_operation_that_lowers_an_energy_declares_when(name):
    assert descent_of(load()[name]) in ("always", "under condition")


def test_info_prints_versions(capsys):
    assert main(["info", "--json"]) == 0
    assert printed_json(capsys)["numpy"] == np.__version__
    assert main(["info"]) == 0
    assert hopref.__version__ in capsys.readouterr().out
