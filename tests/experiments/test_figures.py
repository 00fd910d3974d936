"""The records of the figures report measurements, and change when the rules change."""
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
    NO_VERDICT,
    REPRODUCES,
    Record,
    Table,
    depends_on,
    joined,
    verdict,
)
from hopref.theory.diagnosis import counted

DEPENDS = depends_on()
IMAGES, NAMES = pictures()[:, ::4, ::4], picture_names()        # 16 x 16, for speed


@pytest.fixture(scope="module")
def records():
    return {figure: run(IMAGES, NAMES) for figure, run in FIGURES.items()}


def test_there_are_fourteen_figures_in_the_order_of_the_blog():
    assert list(FIGURES) == [f"F{k}" for k in range(1, 15)]


@pytest.mark.parametrize("figure", FIGURES)
def test_a_record_is_complete(records, figure):
    record = records[figure]
    assert record.name == figure and record.title and record.equation.startswith("Eq")
    assert record.outcome and record.explanation and record.original_pictures and record.test
    assert (record.verdict == NO_VERDICT) == (record.claim == "")
    assert record.verdict in (REPRODUCES, DEPENDS, FAILS, NO_VERDICT)
    for table in record.tables:
        assert table.rows and all(len(row) == len(table.columns) for row in table.rows)
        assert all(np.isfinite(v) for row in table.rows for v in row if isinstance(v, float))


def test_the_figures_without_a_claim_have_no_verdict(records):
    assert [f for f, r in records.items() if r.verdict == NO_VERDICT] == ["F9", "F10", "F11", "F12"]


# --- verdicts change with the rules ---------------------------------------------------------------

def test_a_rule_that_inverts_the_cue_changes_the_verdict_of_f1(monkeypatch, records):
    correct = recall.RULES["classical"]
    monkeypatch.setitem(recall.RULES, "classical", lambda settings, inputs: correct(
        settings, replace(inputs, cues=-inputs.cues)))
    assert records["F1"].verdict == REPRODUCES
    assert FIGURES["F1"](IMAGES, NAMES).verdict == FAILS


def test_a_rule_that_returns_the_pattern_changes_the_verdicts_of_f2_and_f4(monkeypatch, records):
    def oracle(settings, inputs):
        ones = np.ones(len(inputs.patterns), dtype=int)
        return inputs.patterns, None, ones, np.full(len(ones), "fixed_point")

    for rule in ("classical", "graded", "graded-thresholded"):
        monkeypatch.setitem(recall.RULES, rule, oracle)
    assert [records[f].verdict for f in ("F2", "F4")] == [REPRODUCES, REPRODUCES]
    assert [FIGURES[f](IMAGES, NAMES).verdict for f in ("F2", "F4")] == [FAILS, FAILS]
    assert FIGURES["F5"](IMAGES, NAMES).verdict == REPRODUCES


def test_a_softmax_that_ignores_beta_changes_the_verdict_of_f7(monkeypatch, records):
    correct = recall.RULES["modern"]
    monkeypatch.setitem(recall.RULES, "modern",
                        lambda settings, inputs: correct(replace(settings, beta=1e-9), inputs))
    mutant = FIGURES["F7"](IMAGES, NAMES)
    assert records["F7"].verdict in (REPRODUCES, DEPENDS) and mutant.verdict == FAILS
    assert mutant.outcome.startswith("0 of 6") and mutant.explanation != records["F7"].explanation


def test_a_performer_without_threshold_changes_the_verdict_of_f13(monkeypatch):
    correct = recall.RULES["performer-thresholded"]
    monkeypatch.setitem(recall.RULES, "performer-thresholded", lambda settings, inputs: correct(
        settings, replace(inputs, keys=inputs.patterns, queries=inputs.cues)))
    assert FIGURES["F13"](IMAGES, NAMES).verdict == FAILS


@pytest.mark.parametrize("claimed, measured, expected", [
    (None, {}, NO_VERDICT),
    (True, {"a": True, "b": True}, REPRODUCES),
    (True, {"a": True, "b": False}, DEPENDS),
    (True, {"a": False}, FAILS),
    (False, {"a": False, "b": False}, REPRODUCES),
    (False, {"a": True}, FAILS),
])
def test_a_verdict_compares_the_claim_with_every_choice(claimed, measured, expected):
    assert verdict(claimed, measured) == expected


def test_a_verdict_without_a_measurement_is_refused():
    with pytest.raises(ValueError, match="at least one measurement"):
        verdict(True, {})


def test_the_six_orthogonal_patterns_are_orthogonal_in_every_half():
    X = np.where(binary.walsh_pictures() > 128, -1, 1)
    for half in (X, X[:, :32], X[:, 32:]):
        flat = half.reshape(6, -1)
        np.testing.assert_array_equal(flat @ flat.T, np.eye(6) * flat.shape[1])


def test_storing_one_by_one_gives_the_results_of_single_recalls():
    settings = recall.Settings("graded-thresholded")
    together = binary.store_one_by_one(IMAGES[:3], settings)
    for i in range(3):
        np.testing.assert_array_equal(together.results[i],
                                      recall.recall(IMAGES[i:i + 1], settings).results[0])


# --- the report ----------------------------------------------------------------------------------

def test_the_named_figures_are_run_in_the_order_of_the_blog():
    assert [r.name for r in reproduce(["F7", "F2"])] == ["F2", "F7"]


@pytest.mark.parametrize("name, message", [
    ("F15", "'F15', nearest F5, F1, F14"), ("hebian", "'hebian', nearest hebbian"), ("?", "'[?]'"),
])
def test_an_unknown_name_is_refused_with_the_nearest(name, message):
    with pytest.raises(DomainError,
                       match=f"among those of hopref reproduce --list; got {message}[.]"):
        reproduce(["F1", name])


def test_the_json_holds_every_field_and_no_nan(records):
    content = json.loads(as_json(tuple(records.values())))
    assert content["schema"] == SCHEMA and len(content["records"]) == 14
    fields = {"name", "title", "equation", "claim", "test", "outcome", "verdict", "explanation",
              "original_pictures", "tables", "pictures", "seconds", "setting"}
    assert all(set(record) == fields for record in content["records"])


def test_the_page_shows_every_record_and_escapes_quotations(records):
    odd = Record("F0", "<b>", "Eq. 0", "a < b & c", "t", "o", REPRODUCES, ("w",), "none",
                 (Table("c", ("x", "y", "z"), ((1, 0.5, "3 of 6"),)),))
    page = as_html((*records.values(), odd))
    assert all(f'id="{figure}"' in page for figure in FIGURES)
    assert "a &lt; b &amp; c" in page and "&lt;b&gt;" in page and "<b></" not in page
    assert "--share:0.500" in page and page.count("<section") == page.count("</section>") == 15


@pytest.mark.parametrize("value, text", [
    (3, "3"), (0.0, "0"), (0.12345, "0.123"), (4.2e-68, "&lt; 0.001"), (-1e-9, "&gt; −0.001"),
    (1347.13, "1347"), (31.94, "31.9"),
])
def test_numbers_are_shown_with_three_digits(value, text):
    assert number(value) == text


def test_nouns_agree_with_their_numbers():
    assert counted(1, "picture") == "1 picture" and counted(0, "picture") == "0 pictures"
    assert joined([]) == "none" and joined(["a"]) == "a" and joined("abc") == "a, b and c"


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
