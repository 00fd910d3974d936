"""The command line from end to end: output, files and exit codes."""
import json
import subprocess
import sys

import numpy as np
import pytest

import hopref
from hopref.cli import COMMANDS, main
from hopref.data import pictures
from hopref.dispatch.operation import descent_of, load
from hopref.experiments import FIGURES, STATEMENTS


@pytest.fixture
def tiny(tmp_path):
    """A directory of three pictures, 8 x 8."""
    folder = tmp_path / "own"
    folder.mkdir()
    for name, image in zip("abc", pictures(3)[:, ::8, ::8], strict=True):
        np.save(folder / f"{name}.npy", image)
    return folder


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


def test_python_m_hopref_is_the_same_command():
    run = subprocess.run([sys.executable, "-m", "hopref", "--version"], capture_output=True,
                         text=True, check=True)
    assert run.stdout == f"hopref {hopref.__version__}\n"


@pytest.mark.parametrize("argv", [
    [], ["nonsense"], ["retrieve", "--rule", "nonsense"], ["retrieve", "--beta", "warm"],
    ["retrieve", "--data", "faces"], ["retrieve", "--images", "x", "--data", "pictures"],
    ["diagnose", "--rule", "graded"],
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
    (["retrieve", "--order", "threshold-normalise"], "must go with a thresholded modern"),
    (["retrieve", "--images", "/nowhere"], "directory must exist; got '/nowhere'"),
    (["retrieve", "--patterns", "2", "--out", "/nowhere/a.png"], "/nowhere/a.png: No such file"),
    (["diagnose", "/nowhere.npy"], "/nowhere.npy: No such file or directory"),
    (["diagnose", "--tolerance", "1"], "tolerance must be a number between 0 and 1"),
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


# --- retrieve ------------------------------------------------------------------------------------

def test_retrieve_prints_a_row_for_each_picture(capsys):
    assert main(["retrieve", "--patterns", "2", "--normalise", "unit"]) == 0
    head, *lines, total = capsys.readouterr().out.splitlines()
    assert head.split() == ["picture", "retrieved", "nearest", "error", "weight", "steps", "reason"]
    assert [line.split()[:3] for line in lines] == [["astronaut", "yes", "astronaut"],
                                                    ["brick", "yes", "brick"]]
    assert total == "2 of 2 retrieved"


@pytest.mark.parametrize("rule", ["modern", "modern-thresholded", "classical", "graded",
                                  "graded-thresholded", "performer", "performer-thresholded"])
def test_retrieve_accepts_every_rule_and_prints_json(rule, tiny, capsys):
    assert main(["retrieve", "--images", str(tiny), "--rule", rule, "--steps", "3",
                 "--features", "8", "--beta", "2", "--json"]) == 0
    content = printed_json(capsys)
    assert content["schema"] == "hopref.retrieve/1" and content["settings"]["rule"] == rule
    assert content["retrieved"] == sum(p["retrieved"] for p in content["pictures"])
    assert (content["share_zeroed"] is not None) == rule.endswith("-thresholded")
    for picture, name in zip(content["pictures"], "abc", strict=True):
        assert set(picture) == {"picture", "retrieved", "recognised", "nearest", "relative_error",
                                "target_weight", "steps", "reason"}
        assert picture["picture"] == name and 1 <= picture["steps"] <= 3
        assert (picture["target_weight"] is None) == rule.startswith(("classical", "graded"))


def test_the_performer_has_its_own_default_threshold(tiny, capsys):
    argv = ["retrieve", "--images", str(tiny), "--json", "--features", "4", "--rule"]
    for rule, extra, theta in [("performer-thresholded", [], 0.5), ("modern-thresholded", [], -0.5),
                               ("performer-thresholded", ["--theta", "0"], 0.0)]:
        assert main([*argv, rule, *extra]) == 0
        assert printed_json(capsys)["settings"]["theta"] == theta


def test_the_share_of_components_set_to_zero_is_printed(capsys):
    assert main(["retrieve", "--patterns", "2", "--rule", "modern-thresholded",
                 "--normalise", "unit"]) == 0
    assert "theta = -0.5 sets 100% of the patterns to 0" in capsys.readouterr().out


def test_thresholding_pictures_takes_one_step_by_default(capsys):
    assert main(["retrieve", "--patterns", "2", "--rule", "modern-thresholded", "--json",
                 "--order", "threshold-normalise", "--normalise", "unit"]) == 0
    assert printed_json(capsys)["settings"]["steps"] == 1


@pytest.mark.parametrize("how", ["mask:0.5", "noise:0.1", "flip:0.1"])
def test_the_same_seed_prints_the_same_bytes(how, tiny, capsys):
    argv = ["retrieve", "--images", str(tiny), "--corrupt", how, "--seed", "5", "--json"]
    assert main(argv) == 0
    first = capsys.readouterr().out
    assert main(argv) == 0
    assert capsys.readouterr().out == first


def test_retrieve_draws_three_rows(tmp_path, capsys):
    image = pytest.importorskip("matplotlib.image", reason="drawing needs hopref[plot]")
    file = tmp_path / "out.png"
    assert main(["retrieve", "--patterns", "3", "--normalise", "unit", "--out", str(file)]) == 0
    pixels = image.imread(file)
    assert pixels.shape[0] > 250 and pixels.shape[1] > 300 and pixels[..., :3].std() > 0.1
    assert capsys.readouterr().out.endswith(f"3 of 3 retrieved; drawn in {file}\n")


# --- diagnose ------------------------------------------------------------------------------------

@pytest.mark.parametrize("X, code", [([[1.0, 0.0], [0.0, 1.0]], 0), ([[1.0, 0.0], [3.0, 4.0]], 1)])
def test_diagnose_exits_with_1_if_a_pattern_is_lost(X, code, tmp_path, capsys):
    np.save(tmp_path / "X.npy", X)
    assert main(["diagnose", str(tmp_path / "X.npy")]) == code
    out = capsys.readouterr().out
    assert out.startswith(f"2 patterns of 2 components, {code} lost under the modern rule.\n- ")
    assert ("pattern 0 is lost at every beta: pattern 1 scores 3" in out) == bool(code)


def test_diagnose_counts_one_pattern_in_the_singular(tmp_path, capsys):
    np.save(tmp_path / "X.npy", [[2.0]])
    assert main(["diagnose", str(tmp_path / "X.npy")]) == 0
    assert capsys.readouterr().out.startswith("1 pattern of 1 component, 0 lost under the modern")


def test_diagnose_takes_integers_of_a_file_as_numbers(tmp_path, capsys):
    np.save(tmp_path / "X.npy", [[1, -1, 1], [-1, 1, 1]])
    assert main(["diagnose", str(tmp_path / "X.npy"), "--rule", "classical", "--json"]) == 0
    content = printed_json(capsys)
    assert content["schema"] == "hopref.diagnose/1" and content["retrievable"] is True
    assert content["unstable"] == [0, 0]


def test_diagnose_examines_pictures_and_their_cues(capsys):
    assert main(["diagnose"]) == 1
    assert "Norm domination" in capsys.readouterr().out
    assert main(["diagnose", "--normalise", "unit"]) == 0
    assert "0 lost" in capsys.readouterr().out
    assert main(["diagnose", "--normalise", "unit", "--corrupt", "mask:0.5", "--json"]) == 1
    content = printed_json(capsys)
    assert sum(content["lost"]) == 7 and None in content["smallest_beta"]


@pytest.mark.parametrize("content, line", [
    (b"not an array", "must be an array saved by numpy.save"),
    (b"", "must be an array saved by numpy.save"),
])
def test_a_file_that_holds_no_array_is_refused(content, line, tmp_path, capsys):
    (tmp_path / "X.npy").write_bytes(content)
    assert main(["diagnose", str(tmp_path / "X.npy")]) == 2
    assert line in capsys.readouterr().err


@pytest.mark.parametrize("X, line", [
    (np.float64(1), "must have shape (N, ...)"), (np.ones(3), "must have shape (N, ...)"),
    (np.ones((2, 2), complex), "real numbers; got complex128"),
    (np.array([[np.nan]]), "must be finite"), (np.zeros((0, 3)), "n must be at least 1"),
])
def test_an_array_that_holds_no_patterns_is_refused(X, line, tmp_path, capsys):
    np.save(tmp_path / "X.npy", X)
    assert main(["diagnose", str(tmp_path / "X.npy")]) == 2
    assert line in capsys.readouterr().err


def test_a_file_and_a_directory_at_once_are_refused(tiny, capsys):
    assert main(["diagnose", "X.npy", "--images", str(tiny)]) == 2
    assert "not both" in capsys.readouterr().err


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
