"""hopref retrieve and hopref diagnose from end to end."""
import json

import numpy as np
import pytest

from hopref.cli import main
from hopref.data import pictures
from hopref.experiments.recall import RULES


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


# --- retrieve ------------------------------------------------------------------------------------

def test_retrieve_prints_a_row_for_each_picture(capsys):
    assert main(["retrieve", "--patterns", "2", "--normalise", "unit"]) == 0
    head, *lines, total = capsys.readouterr().out.splitlines()
    assert head.split() == ["picture", "retrieved", "nearest", "error", "weight", "E(stored)",
                            "E(cue)", "E(result)", "steps", "reason"]
    assert [line.split()[:3] for line in lines] == [["astronaut", "yes", "astronaut"],
                                                    ["brick", "yes", "brick"]]
    assert total == "2 of 2 retrieved"


@pytest.mark.parametrize("rule", RULES)
def test_retrieve_accepts_every_rule_and_prints_json(rule, tiny, capsys):
    options = {"performer": ["--features", "8"], "modern": ["--beta", "2"]}
    assert main(["retrieve", "--images", str(tiny), "--rule", rule, "--steps", "3", "--json",
                 *options.get(rule.removesuffix("-thresholded"), [])]) == 0
    report = printed_json(capsys)
    assert report["schema"] == "hopref.retrieve/2" and len(report["rules"]) == 1
    content = report["rules"][0]
    assert content["settings"]["rule"] == rule
    assert content["retrieved"] == sum(p["retrieved"] for p in content["pictures"])
    assert (content["share_zeroed"] is not None) == rule.endswith("-thresholded")
    for picture, name in zip(content["pictures"], "abc", strict=True):
        assert set(picture) == {"picture", "retrieved", "recognised", "nearest", "relative_error",
                                "target_weight", "energies", "steps", "reason"}
        assert picture["picture"] == name and 1 <= picture["steps"] <= 3
        assert (picture["target_weight"] is None) == rule.startswith(("classical", "dense",
                                                                      "graded"))
        assert (picture["energies"] is None) == ("thresholded" in rule or rule == "performer")


def test_the_performer_has_its_own_default_threshold(tiny, capsys):
    argv = ["retrieve", "--images", str(tiny), "--json", "--rule"]
    for rule, extra, theta in [("performer-thresholded", [], 0.5), ("modern-thresholded", [], -0.5),
                               ("performer-thresholded", ["--theta", "0"], 0.0)]:
        assert main([*argv, rule, *extra]) == 0
        assert printed_json(capsys)["rules"][0]["settings"]["theta"] == theta


def test_the_share_of_components_set_to_zero_is_printed(capsys):
    assert main(["retrieve", "--patterns", "2", "--rule", "modern-thresholded",
                 "--normalise", "unit"]) == 0
    assert "theta = -0.5 sets 100% of the patterns to 0" in capsys.readouterr().out


def test_thresholding_pictures_takes_one_step_by_default(capsys):
    assert main(["retrieve", "--patterns", "2", "--rule", "modern-thresholded", "--json",
                 "--order", "threshold-normalise", "--normalise", "unit"]) == 0
    assert printed_json(capsys)["rules"][0]["settings"]["steps"] == 1


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


def test_retrieve_compares_rules_with_their_energies(tiny, tmp_path, capsys):
    pytest.importorskip("matplotlib", reason="drawing needs hopref[plot]")
    file = tmp_path / "all.png"
    assert main(["retrieve", "--images", str(tiny), "--rule", "all", "--normalise", "centred-unit",
                 "--features", "8", "--k", "2", "--out", str(file)]) == 0
    out = capsys.readouterr().out
    note, head, *lines = out.splitlines()
    assert note == "3 grey pictures: resized to 64x64"
    assert head.split()[:3] == ["rule", "pictures", "as"] and "E(result)" in head
    rules = ["classical", "dense", "modern", "sparse", "structured", "performer"]
    assert [line.split()[:2] for line in lines[:6]] == [
        [rule, "polar" if rule in ("classical", "dense") else "centred-unit"] for rule in rules]
    assert "no energy" in lines[5] and lines[7].split() == ["picture", *rules]
    assert [line.split()[0] for line in lines[8:11]] == ["a", "b", "c"]
    assert lines[11] == f"drawn in {file}" and file.stat().st_size > 30_000


@pytest.mark.parametrize("suffix, magic", [(".png", b"\x89PNG"), (".pdf", b"%PDF"),
                                           (".SVG", b"<?xml")])
def test_a_drawing_is_what_its_suffix_says_and_the_same_again(suffix, magic, tiny, tmp_path):
    pytest.importorskip("matplotlib", reason="drawing needs hopref[plot]")
    written = []
    for _ in range(2):
        assert main(["retrieve", "--images", str(tiny), "--out", str(tmp_path / f"a{suffix}")]) == 0
        written.append((tmp_path / f"a{suffix}").read_bytes())
    assert written[0].startswith(magic) and written[0] == written[1]


@pytest.mark.parametrize("colours, note", [
    ((True, True), "2 colour pictures: grey, cropped to 64x64"),
    ((True, False), "2 pictures, 1 in colour: grey, cropped to 64x64"),
    ((False,), "1 grey picture: cropped to 64x64"),
])
def test_what_was_done_to_the_pictures_is_printed(colours, note, tmp_path, capsys):
    rng = np.random.default_rng(0)
    for i, colour in enumerate(colours):
        np.save(tmp_path / f"{i}.npy", rng.random((5, 6, 3) if colour else (5, 6)))
    assert main(["retrieve", "--images", str(tmp_path)]) == 0
    out = capsys.readouterr().out
    assert out.startswith(note + "\n")
    assert ("a single pattern is retrieved from any cue" in out) == (len(colours) == 1)


def test_equal_pictures_are_reported(tiny, capsys):
    np.save(tiny / "d.npy", np.load(tiny / "a.npy"))
    for command in ("retrieve", "diagnose"):
        main([command, "--images", str(tiny)])
        assert "1 of the pictures equal an earlier one (d = a)" in capsys.readouterr().out


def test_many_pictures_are_a_short_table_and_a_sheet_of_the_lost_ones(tmp_path, capsys):
    image = pytest.importorskip("matplotlib.image", reason="drawing needs hopref[plot]")
    rng = np.random.default_rng(0)
    for i in range(60):                     # 50 faint pictures, which the 10 others dominate
        contrast = 0.05 if i < 50 else 0.4
        np.save(tmp_path / f"p{i}.npy", 0.5 + contrast * rng.uniform(-1, 1, (8, 8)))
    file = tmp_path / "out.png"
    assert main(["retrieve", "--images", str(tmp_path), "--beta", "0.01", "--out", str(file)]) == 0
    lines = capsys.readouterr().out.splitlines()
    assert len(lines) < 50 and lines[-2].endswith(f"retrieved; drawn in {file}")
    lost = 60 - int(lines[-2].split()[0])
    assert lost > 48 and lines[-3] == f"(40 of the {lost} lost pictures; --json lists all 60)"
    assert image.imread(file).shape[0] < 1600


@pytest.mark.parametrize("argv, command", [
    (["--normalise", "centred-unit"],
     ["hopref diagnose --normalise centred-unit --corrupt mask:0.5 --beta 25"]),
    (["--rule", "modern,sparse,classical", "--patterns", "20", "--beta", "30", "--seed", "1"],
     ["hopref diagnose --patterns 20 --normalise none --corrupt mask:0.5 --seed 1 --beta 30",
      "hopref diagnose --patterns 20 --rule classical"]),
    (["--patterns", "2", "--normalise", "unit"], []),           # nothing is lost
])
def test_retrieve_names_the_command_that_explains_its_losses(argv, command, capsys):
    assert main(["retrieve", *argv]) == 0
    found = [line.removeprefix("why: ") for line in capsys.readouterr().out.splitlines()
             if line.startswith("why: ")]
    assert found == command
    for line in found:
        assert main(line.split()[1:]) == 1
        assert " lost under the " in capsys.readouterr().out


# --- diagnose ------------------------------------------------------------------------------------

@pytest.mark.parametrize("X", [np.zeros((3, 4)), np.full((2, 3), 1e-320)])
def test_diagnose_explains_patterns_of_norm_zero(X, tmp_path, capsys):
    np.save(tmp_path / "X.npy", X)
    assert main(["diagnose", str(tmp_path / "X.npy")]) == 1
    assert "ties with it at 0" in capsys.readouterr().out


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
    (b"PK\3\4 broken", "must be an array saved by numpy.save"),
    (b"\x93NUMPY\1\0\x0a\0xxxxxxxxxx", "must be an array saved by numpy.save"),
    (b"\x93NUMPY\1\0\x46\0{'descr': '<f8', 'fortran_order': False, 'shape': (3000000, 99999999)}",
     "Unable to allocate"),
])
def test_a_file_that_holds_no_array_is_refused(content, line, tmp_path, capsys):
    (tmp_path / "X.npy").write_bytes(content)
    assert main(["diagnose", str(tmp_path / "X.npy")]) == 2
    assert line in capsys.readouterr().err


def test_diagnose_names_the_patterns_for_which_beta_is_too_small(tmp_path, capsys):
    np.save(tmp_path / "X.npy", np.diag([1.0, 2.0]))
    # pattern i scores x_i^2 against 0: 0.01 is left to the other where beta = ln(99) / x_i^2
    for beta, line in [("4", f"beta = 4 is too small for 1 pattern: pattern 0 (beta >= "
                             f"{np.log(99):.4g})."),
                       ("5", "beta = 5 is large enough for every pattern that is not lost.")]:
        assert main(["diagnose", str(tmp_path / "X.npy"), "--beta", beta]) == 0
        assert capsys.readouterr().out.endswith(f"- {line}\n")


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
    assert "not two of them" in capsys.readouterr().err
