"""The records of the papers' statements report measurements, and change when the rules change."""
import re
from functools import partial
from pathlib import Path
from types import SimpleNamespace

import numpy as np
import pytest
from scipy.stats import binom, norm

from hopref import features, retrieve, theory
from hopref.experiments import (
    STATEMENTS,
    estimators,
    fixed_points,
    margins,
    memories,
    reproduce,
    steep,
    summary,
)
from hopref.experiments import feature_memory as experiments_of_features
from hopref.experiments.drawing import COLOURS, Curve, draw_curves, exact, measured
from hopref.experiments.draws import flipped, polar, sphere, supports, with_norm
from hopref.experiments.intervals import (
    CONFIDENCE,
    Interval,
    exact_proportion,
    mean_interval,
    proportion,
    proportion_difference,
)
from hopref.experiments.page import as_html, as_json
from hopref.experiments.records import DEPENDS, FAILS, REPRODUCES, depends_on
from hopref.models import dense, feature_memory, modern, sparse
from hopref.storage import hebbian, willshaw_pairs
from tests.groups import each

SMALL = {                       # smaller sizes, for speed
    "crosstalk": dict(sizes=(64, 128), loads=(0.18, 0.35), bits=100_000),
    "hebbian": dict(sizes=(32, 64), loads=(0.1, 0.25), networks=(20, 20), steps=5),
    "projection": dict(sizes=(16, 32), loads=(0.25, 0.5, 1.0), networks=10),
    "willshaw": dict(sizes=((64, 6), (128, 7)), loads=(0.4, 0.6), networks=4, cues=50),
    "dense": dict(sizes=((2, (32,)), (3, (16, 24))), ratios=(0.5, 1.0, 4.0), networks=60),
    "exponential": dict(sizes=(8, 20), shares=(0.6, 0.9), networks=200),
    "threshold": dict(betas=(0.5,), sizes=(8, 12), apart=(-0.1, 0.1), binary=(6, 12),
                      shares=(0.7, 1.15), networks=60),
    "sphere": dict(settings=((1.0, 6.0, 8, 0.05),), sets=20, counts=(30, 100), asked=20),
    "separation": dict(norms=(2.5, 4.0, 3), sets=4),
    "margin": dict(sets=12, N=16, d=16),
    "sparse": dict(settings=((1.5, 6), (2.0, 4)), overlaps=(1.0, 0.9), failures=(0.3, 0.7),
                   networks=60),
    "draws": dict(sizes=(6, 10), ratios=(0.5, 1.0, 1.5), networks=20, features=(2, 5), d=4),
    "metastable": dict(betas=(0.05, 2000.0, 12)),
    "support": dict(alphas=(1.0, 1.5, 2.0), sizes=(8, 16), draws=60),
    "estimators": dict(counts=(4, 8), sums=(0.4, 0.9), draws=800),
    "haar": dict(sizes=(4,), draws=800),
    "leak": dict(length=12, m=32, factors=(1.0, 6.0), stabilisers=(0.0, 1e-4), sets=4),
}


def run(name, **changes):
    return STATEMENTS[name](**{**SMALL[name], **changes})


@pytest.fixture(scope="module")
def records():
    return {name: run(name) for name in STATEMENTS}


def test_every_statement_is_tested_and_has_a_name_in_lower_case():
    assert set(SMALL) == set(STATEMENTS)
    assert all(name.isalpha() and name.islower() for name in STATEMENTS)


@pytest.mark.parametrize("name", SMALL)
def test_a_record_is_complete(records, name):
    record = records[name]
    assert record.name == name and record.original_pictures == ""
    assert re.search(r"\[[A-Z]{2,3}-\d+", record.equation)
    assert all((record.title, record.claim, record.setting, record.test, record.outcome,
                record.explanation, record.tables))
    assert record.verdict in (REPRODUCES, FAILS) or record.verdict.startswith(DEPENDS)
    for table in record.tables:
        assert table.rows and all(len(row) == len(table.columns) for row in table.rows)
        assert all(isinstance(v, str | int | float) for row in table.rows for v in row)
        assert all(np.isfinite(v) for row in table.rows for v in row if isinstance(v, float))


def test_the_page_and_the_json_hold_them(records):
    page = as_html(tuple(records.values()))
    assert as_json(tuple(records.values()))
    for name, record in records.items():
        assert f'id="{name}"' in page and "Setting" in page
        assert record.verdict in page
    assert "Original pictures" not in page


@pytest.mark.parametrize("name", ["crosstalk", "willshaw", "estimators"])
def test_the_same_seed_gives_the_same_record(records, name):
    assert run(name) == records[name]


@each("name", SMALL, size=1, share=4)
def test_figures_are_drawn(name, tmp_path):
    image = pytest.importorskip("matplotlib.image", reason="drawing needs hopref[plot]")
    for picture in run(name, out=tmp_path).pictures:
        assert image.imread(tmp_path / picture.file)[..., :3].std() > 0.02


# --- verdicts change with the rules ---------------------------------------------------------------

def assert_verdict_changes(records, name, verdict, **changes):
    """Assert that the unmodified record reproduces, and that a new run has this verdict."""
    assert records[name].verdict == REPRODUCES
    assert run(name, **changes).verdict == verdict


def test_a_diagonal_that_is_kept_changes_crosstalk(monkeypatch, records):
    correct = theory.unstable_sites
    monkeypatch.setattr(theory, "unstable_sites", lambda X, zero_diagonal: correct(X))
    assert_verdict_changes(records, "crosstalk", FAILS)


@pytest.mark.parametrize("limit, verdict", [
    (0.138, REPRODUCES), (0.115, depends_on("the side")), (0.16, depends_on("the side")),
])
def test_the_trend_of_hebb_s_rule_changes_sign_at_the_limit(monkeypatch, limit, verdict):
    rng = np.random.default_rng(0)

    def ends(_, N, d, steps):       # a transition at ``limit`` that sharpens with d
        return float(rng.random() < 1 / (1 + np.exp((N / d - limit) * 4 * d**0.5)))

    monkeypatch.setattr(memories, "_ends_near", ends)
    record = STATEMENTS["hebbian"](sizes=(200, 3000), networks=(2000, 2000),
                                   loads=(0.1, 0.125, 0.15, 0.18))
    assert record.verdict == verdict


def test_memories_without_limit_or_without_memory_do_not_reproduce_hebb_s_limit(monkeypatch):
    for overlap in (0.0, 1.0):
        monkeypatch.setattr(memories, "_ends_near", lambda *_, overlap=overlap: overlap)
        assert run("hebbian").verdict == FAILS


def test_hebb_s_weights_in_place_of_a_projection_change_its_verdict(monkeypatch, records):
    monkeypatch.setattr(memories, "projection", hebbian)
    assert_verdict_changes(records, "projection", FAILS)


def test_omitting_every_second_pair_changes_willshaw(monkeypatch, records):
    assert records["willshaw"].verdict == depends_on("the quantity")
    monkeypatch.setattr(memories, "willshaw_pairs",
                        lambda X, Y: willshaw_pairs(X[::2], Y[::2]))
    assert run("willshaw").verdict == FAILS


@pytest.mark.parametrize("name", ["dense", "exponential"])
def test_a_shallow_interaction_changes_dense_and_exponential(monkeypatch, records, name):
    monkeypatch.setattr(steep, "dense", SimpleNamespace(
        update=lambda xi, X, **_: dense.update(xi, X, interaction="polynomial", n=2)))
    verdict = FAILS if name == "exponential" else depends_on("the degree")
    assert_verdict_changes(records, name, verdict)


def test_a_threshold_that_is_too_high_changes_threshold(monkeypatch, records):
    high = theory.capacity_random_energy
    monkeypatch.setattr(theory, "capacity_random_energy", lambda **how: 1.5 * high(**how))
    assert records["threshold"].verdict == REPRODUCES
    assert run("threshold").verdict == depends_on("the memory")


def test_a_margin_that_is_too_small_changes_sparse(monkeypatch, records):
    correct = theory.margin
    monkeypatch.setattr(theory, "margin", lambda rule, alpha: correct(rule, alpha=alpha) / 2)
    assert_verdict_changes(records, "sparse", FAILS)


@pytest.mark.parametrize("changed", [
    lambda xi, omega, sums, beta=1.0, step=0.5: -feature_memory.update(xi, omega, sums, beta=beta,
                                                                       step=step),
    lambda xi, omega, sums, beta=1.0, step=0.5: feature_memory.update(xi, omega, sums, beta=beta)])
def test_another_step_changes_draws(monkeypatch, records, changed):
    """With another sign, or half a step in place of a full one."""
    monkeypatch.setattr(experiments_of_features, "feature_memory", SimpleNamespace(
        update=changed, energy=feature_memory.energy, log_sums=feature_memory.log_sums))
    monkeypatch.setattr(experiments_of_features, "retrieve", lambda update, xi, *memory, **how:
                        retrieve(feature_memory.update, xi, *memory, **how))
    assert records["draws"].verdict == REPRODUCES
    assert run("draws").verdict == FAILS


def test_a_high_temperature_changes_sphere(monkeypatch, records):
    correct = margins.retrieve
    monkeypatch.setattr(margins, "retrieve",
                        lambda *a, beta, **k: correct(*a, beta=beta / 1e4, **k))
    assert_verdict_changes(records, "sphere", FAILS)


def test_an_update_at_twice_the_temperature_changes_separation(monkeypatch, records):
    correct = margins.retrieve
    monkeypatch.setattr(margins, "retrieve",
                        lambda update, *a, **k: correct(modern.update, *a, **k))
    monkeypatch.setattr(margins, "modern", SimpleNamespace(
        update=lambda xi, X, beta: modern.update(xi, X, beta=beta / 2)))
    assert_verdict_changes(records, "separation", FAILS)


def test_another_map_changes_margin(monkeypatch, records):
    monkeypatch.setattr(margins, "sparse", SimpleNamespace(
        update=lambda xi, X, beta, alpha: sparse.update(xi, X, beta=beta, alpha=1.2)))
    assert_verdict_changes(records, "margin", FAILS)


def test_one_temperature_changes_metastable(monkeypatch, records):
    correct = fixed_points._ends
    monkeypatch.setattr(fixed_points, "_ends", lambda X, beta: correct(X, 10.0))
    assert_verdict_changes(records, "metastable", depends_on("the kind"))


def test_a_softmax_changes_support(monkeypatch, records):
    correct = fixed_points.entmax
    monkeypatch.setattr(fixed_points, "entmax", lambda z, alpha: correct(z, alpha=1.0))
    assert_verdict_changes(records, "support", FAILS)


def test_features_of_another_temperature_change_estimators(monkeypatch, records):
    monkeypatch.setattr(estimators, "features", SimpleNamespace(
        positive=lambda x, omega: features.positive(x, omega, beta=1.3),
        hyperbolic=lambda x, omega: features.hyperbolic(x, omega, beta=1.3),
        trigonometric=lambda x, omega: features.trigonometric(x, omega, beta=1.3)))
    assert_verdict_changes(records, "estimators", FAILS)


def test_a_missing_sign_changes_haar(monkeypatch, records):
    assert records["haar"].verdict == depends_on("the draw")
    monkeypatch.setattr(estimators, "projections",
                        SimpleNamespace(orthogonal=estimators._uncorrected))
    assert run("haar").verdict == FAILS


def test_a_stabiliser_everywhere_changes_leak(monkeypatch, records):
    assert records["leak"].verdict == depends_on("the stabiliser")
    correct = estimators._causal
    monkeypatch.setattr(estimators, "_causal", lambda *a: correct(*a[:-1], 1e-4))
    assert run("leak").verdict == FAILS


# --- intervals and draws -------------------------------------------------------------------------

@pytest.mark.parametrize("p", [0.02, 0.1, 0.37, 0.5, 0.93])
def test_the_coverage_of_exact_intervals_is_at_least_their_confidence(p):
    n = 60
    chance = binom.pmf(np.arange(n + 1), n, p)
    assert chance[[exact_proportion(k, n).contains(p) for k in range(n + 1)]].sum() >= CONFIDENCE


@pytest.mark.parametrize("k, n", [(0, 9), (3, 10), (57, 60)])
def test_the_ends_of_wilson_s_interval_are_the_limits_of_the_normal_test(k, n):
    found, z = proportion(k, n), norm.isf((1 - CONFIDENCE) / 2)
    for p in found[1:]:                     # a dozen operations on numbers <= n, compared squared
        np.testing.assert_allclose((found.value - p)**2, z * z * p * (1 - p) / n, rtol=0,
                                   atol=30 * np.finfo(float).eps)


def test_the_interval_of_a_difference_is_antisymmetric():
    a, b = proportion(30, 100), proportion(70, 100)
    forward, backward = proportion_difference(a, b), proportion_difference(b, a)
    assert forward.low > 0 > backward.high
    np.testing.assert_allclose(forward, -np.array([backward.value, backward.high, backward.low]))


def test_the_interval_of_a_mean_has_four_standard_errors():
    found = mean_interval([0.0, 0.0, 4.0, 4.0])
    np.testing.assert_allclose(found, (2, 2 - 4 * (16 / 3 / 4)**0.5, 2 + 4 * (16 / 3 / 4)**0.5))
    assert not found.contains(8) and found.contains(8, allowance=2)


def test_draws_have_the_components_and_norms_of_their_distribution():
    rng = np.random.default_rng(0)
    assert set(np.unique(polar(rng, 5, 40))) == {-1.0, 1.0}
    assert (supports(rng, 7, 20, 3).sum(1) == 3).all()
    np.testing.assert_allclose(np.linalg.norm(sphere(rng, 4, 6, 2.5), axis=1), 2.5)
    np.testing.assert_allclose(with_norm(np.array([[3.0, 4.0]]), 1.0), [[0.6, 0.8]])
    x = polar(rng, 1, 30)[0]
    assert (flipped(rng, x, 7) != x).sum() == 7


def test_the_number_of_pairs_reaches_the_load_and_one_less_does_not():
    N = memories._pairs_for(0.5, 64, 6)
    low, high = (theory.willshaw_load(n, active=(6, 6), sites=(64, 64)) for n in (N - 1, N))
    assert low < 0.5 <= high


# --- names and drawing ---------------------------------------------------------------------------

def test_names_are_found_in_any_case_and_run_in_order(monkeypatch):
    for name in ("haar", "leak"):
        monkeypatch.setitem(STATEMENTS, name, partial(STATEMENTS[name], **SMALL[name]))
    assert [r.name for r in reproduce(["LEAK", "Haar", "f1"])] == ["F1", "haar", "leak"]
    assert summary("haar").startswith("Orthogonal rows")
    assert summary("F1").startswith("Each picture")


def test_the_page_of_experiments_lists_every_statement_with_its_ids(records):
    page = (Path(__file__).parents[2] / "docs" / "experiments.md").read_text(encoding="utf-8")
    rows = dict(re.findall(r"^\| `(\w+)` \|.*\| ([^|]+) \|$", page, re.M))
    assert list(rows) == list(STATEMENTS)
    for name, ids in rows.items():
        assert all(i in records[name].equation for i in re.findall(r"[A-Z]+-\d+", ids))


def test_curves_have_the_colours_of_the_gallery():
    style = Path(__file__).parents[2] / "docs" / "hopref.mplstyle"
    assert re.findall(r"'([0-9a-f]{6})'", style.read_text()) == [c[1:] for c in COLOURS]


def test_measured_points_are_not_connected_if_a_line_is_exact():
    pytest.importorskip("matplotlib", reason="drawing needs hopref[plot]")
    around = [Interval(1.0, 0.5, 2.0), Interval(2.0, 1.0, 3.0)]
    figure = draw_curves([measured("m", [1, 2], around, colour=1), exact("e", [1, 2], [1, 2], 1),
                          Curve("c", [1, 2], [3, 4])], xlabel="x", ylabel="y", marks=((1.5, "at"),))
    axes = figure.axes[0]
    styles = [line.get_linestyle() for line in axes.lines if len(line.get_xdata()) == 2]
    assert "None" in styles and "--" in styles and "-" in styles
    assert [t.get_text() for t in axes.get_legend().get_texts()] == ["m", "e", "c"]
