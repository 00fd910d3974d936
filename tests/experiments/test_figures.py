"""The records of the figures say what was measured, and change when the rules do."""
import json
from dataclasses import replace

import numpy as np
import pytest

from hopref.data import picture_names, pictures
from hopref.errors import DomainError
from hopref.experiments import FIGURES, binary, recall, reproduce
from hopref.experiments.page import SCHEMA, as_html, as_json, number, write_report
from hopref.experiments.records import (
    FAILS,
    REPRODUCES,
    SILENT,
    Record,
    Table,
    counted,
    depends,
    listed,
    verdict,
)

DEPENDS = depends()

IMAGES, NAMES = pictures()[:, ::4, ::4], picture_names()        # 16 x 16: the same code, sooner


@pytest.fixture(scope="module")
def records():
    return {figure: run(IMAGES, NAMES) for figure, run in FIGURES.items()}


def test_there_are_fourteen_figures_in_the_order_of_the_blog():
    assert list(FIGURES) == [f"F{k}" for k in range(1, 15)]


@pytest.mark.parametrize("figure", FIGURES)
def test_a_record_is_complete(records, figure):
    record = records[figure]
    assert record.figure == figure and record.title and record.equation.startswith("Eq")
    assert record.outcome and record.why and record.originals and record.test
    assert (record.verdict == SILENT) == (record.claim == "")
    assert record.verdict in (REPRODUCES, DEPENDS, FAILS, SILENT)
    for table in record.tables:
        assert table.rows and all(len(row) == len(table.columns) for row in table.rows)
        assert all(np.isfinite(v) for row in table.rows for v in row if isinstance(v, float))


def test_the_silent_figures_are_those_without_a_verdict_in_the_text(records):
    assert [f for f, r in records.items() if r.verdict == SILENT] == ["F9", "F10", "F11", "F12"]


# --- a verdict is computed: change the rule, and it changes ---------------------------------------

def test_a_rule_that_forgets_the_cue_changes_the_verdict_of_f1(monkeypatch, records):
    right = recall.RULES["classical"]
    monkeypatch.setitem(recall.RULES, "classical",
                        lambda recipe, it: right(recipe, replace(it, cues=-it.cues)))
    assert records["F1"].verdict == REPRODUCES
    assert FIGURES["F1"](IMAGES, NAMES).verdict == FAILS


def test_a_rule_that_returns_the_pattern_changes_the_verdicts_of_f2_and_f4(monkeypatch, records):
    def oracle(recipe, it):
        ones = np.ones(len(it.patterns), dtype=int)
        return it.patterns, None, ones, np.full(len(ones), "fixed_point")

    for rule in ("classical", "graded", "graded-thresholded"):
        monkeypatch.setitem(recall.RULES, rule, oracle)
    assert [records[f].verdict for f in ("F2", "F4")] == [REPRODUCES, REPRODUCES]
    assert [FIGURES[f](IMAGES, NAMES).verdict for f in ("F2", "F4")] == [FAILS, FAILS]
    assert FIGURES["F5"](IMAGES, NAMES).verdict == REPRODUCES


def test_a_softmax_that_ignores_beta_changes_the_verdict_of_f7(monkeypatch, records):
    right = recall.RULES["modern"]
    monkeypatch.setitem(recall.RULES, "modern",
                        lambda recipe, it: right(replace(recipe, beta=1e-9), it))
    mutant = FIGURES["F7"](IMAGES, NAMES)
    assert records["F7"].verdict in (REPRODUCES, DEPENDS) and mutant.verdict == FAILS
    assert mutant.outcome.startswith("0 of 6") and mutant.why != records["F7"].why


def test_a_performer_that_keeps_everything_changes_the_verdict_of_f13(monkeypatch):
    right = recall.RULES["performer-thresholded"]
    monkeypatch.setitem(recall.RULES, "performer-thresholded", lambda recipe, it: right(
        recipe, replace(it, keys=it.patterns, queries=it.cues)))
    assert FIGURES["F13"](IMAGES, NAMES).verdict == FAILS


@pytest.mark.parametrize("claimed, measured, said", [
    (None, {}, SILENT),
    (True, {"a": True, "b": True}, REPRODUCES),
    (True, {"a": True, "b": False}, DEPENDS),
    (True, {"a": False}, FAILS),
    (False, {"a": False, "b": False}, REPRODUCES),
    (False, {"a": True}, FAILS),
])
def test_a_verdict_compares_the_claim_with_every_choice(claimed, measured, said):
    assert verdict(claimed, measured) == said


def test_a_verdict_without_a_measurement_is_refused():
    with pytest.raises(ValueError, match="at least one measurement"):
        verdict(True, {})


def test_the_six_orthogonal_patterns_are_orthogonal_in_every_half():
    X = np.where(binary.walsh_pictures() > 128, -1, 1)
    for half in (X, X[:, :32], X[:, 32:]):
        flat = half.reshape(6, -1)
        np.testing.assert_array_equal(flat @ flat.T, np.eye(6) * flat.shape[1])


def test_storing_alone_is_storing_one_by_one():
    recipe = recall.Recipe("graded-thresholded")
    together = binary.alone(IMAGES[:3], recipe)
    for i in range(3):
        np.testing.assert_array_equal(together.results[i],
                                      recall.recall(IMAGES[i:i + 1], recipe).results[0])


# --- the report ----------------------------------------------------------------------------------

def test_the_named_figures_are_run_in_the_order_of_the_blog():
    assert [r.figure for r in reproduce(["F7", "F2"])] == ["F2", "F7"]


@pytest.mark.parametrize("name, said", [
    ("F15", "'F15', nearest F5, F1, F14"), ("hebian", "'hebian', nearest hebbian"), ("?", "'[?]'"),
])
def test_an_unknown_name_is_refused_with_the_nearest(name, said):
    with pytest.raises(DomainError, match=f"among those of hopref reproduce --list; got {said}[.]"):
        reproduce(["F1", name])


def test_the_json_holds_every_field_and_no_nan(records):
    said = json.loads(as_json(tuple(records.values())))
    assert said["schema"] == SCHEMA and len(said["records"]) == 14
    fields = {"figure", "title", "equation", "claim", "test", "outcome", "verdict", "why",
              "originals", "tables", "pictures", "seconds", "setting"}
    assert all(set(record) == fields for record in said["records"])


def test_the_page_shows_every_record_and_escapes_what_it_quotes(records):
    odd = Record("F0", "<b>", "Eq. 0", "a < b & c", "t", "o", REPRODUCES, ("w",), "none",
                 (Table("c", ("x", "y", "z"), ((1, 0.5, "3 of 6"),)),))
    page = as_html((*records.values(), odd))
    assert all(f'id="{figure}"' in page for figure in FIGURES)
    assert "a &lt; b &amp; c" in page and "&lt;b&gt;" in page and "<b></" not in page
    assert "--share:0.500" in page and page.count("<section") == page.count("</section>") == 15


@pytest.mark.parametrize("value, said", [
    (3, "3"), (0.0, "0"), (0.12345, "0.123"), (4.2e-68, "&lt; 0.001"), (-1e-9, "&gt; −0.001"),
    (1347.13, "1347"), (31.94, "31.9"),
])
def test_numbers_are_shown_with_three_digits(value, said):
    assert number(value) == said


def test_words_follow_their_numbers():
    assert counted(1) == "1 picture" and counted(0) == "0 pictures"
    assert listed([]) == "none" and listed(["a"]) == "a" and listed("abc") == "a, b and c"


def test_figures_are_drawn_beside_the_page(tmp_path):
    image = pytest.importorskip("matplotlib.image", reason="drawing needs hopref[plot]")
    drawn = [FIGURES[figure](IMAGES, NAMES, tmp_path) for figure in ("F2", "F11", "F13")]
    page = write_report(drawn, tmp_path).read_text(encoding="utf-8")
    files = [p.file for record in drawn for p in record.pictures]
    assert files == ["F2.png", "F11.png", "F11-features.png", "F13.png", "F13-theta.png"]
    for file in files:
        pixels = image.imread(tmp_path / file)
        assert pixels[..., :3].std() > 0.05 and f'src="{file}"' in page
    assert json.loads((tmp_path / "report.json").read_text(encoding="utf-8"))["records"]
