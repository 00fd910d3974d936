"""A recall applies the rule, the preparation and the scores that its settings name."""
from dataclasses import replace

import numpy as np
import pytest

from hopref.data import normalise, pictures
from hopref.errors import DomainError
from hopref.experiments.recall import ORDERS, POLAR, RULES, Settings, prepare, recall
from hopref.experiments.rules import draw_omegas
from hopref.models import (
    attention,
    classical,
    dense,
    graded,
    modern,
    performer,
    sparse,
    structured,
)
from hopref.storage import hebbian

IMAGES = pictures(6)[:, ::4, ::4]           # 16 x 16
D, U = 256, np.finfo(float).eps / 2
# Two orders of the same sums: an overlap of D products of numbers <= 1 has an error of at most
# D U D, and a field adds six of them, in both orders.  Scores of patterns of norm <= 1 have errors
# of D U, a weight 2 beta times that, a mixture of patterns twice that: 8 * 25 D U, which is less.
SUMS = 12 * D * D * U


def flat(X):
    return X.reshape(len(X), -1)


def test_a_cue_does_not_depend_on_the_hidden_half():
    other = IMAGES.copy()
    other[:, 8:] = 255 - other[:, 8:]
    for how in ("none", "unit", "centred-unit", "standardised", "polar"):
        settings = Settings(normalisation=how)
        np.testing.assert_array_equal(prepare(IMAGES, settings).cues, prepare(other, settings).cues)


def test_polar_pictures_are_masked_with_plus_one_and_grey_ones_with_zero():
    polar, grey = (prepare(IMAGES, Settings(normalisation=how)) for how in ("polar", "none"))
    assert np.all(polar.damaged[:, 8:] == 1) and np.all(grey.damaged[:, 8:] == 0)
    assert set(np.unique(polar.cues)) == {-1.0, 1.0}


def test_the_orders_threshold_normalised_patterns_or_pictures():
    values = normalise(IMAGES)
    first = Settings("modern-thresholded", normalisation="unit", order=ORDERS[0])
    later = replace(first, order=ORDERS[1])
    assert not prepare(IMAGES, first).keys.any()                 # no unit component is below -0.5
    dark = np.where(values > -0.5, 0.0, values)
    np.testing.assert_array_equal(prepare(IMAGES, later).keys, flat(normalise(dark, "unit")))
    for settings in (first, later):
        np.testing.assert_array_equal(prepare(IMAGES, settings).patterns,
                                      flat(normalise(values, "unit")))


def expected(rule, inputs, settings):
    """One step of each rule, by a direct call of the operation."""
    xi, X = inputs.cues, inputs.patterns
    omega = draw_omegas(settings, X.shape[1])[0]
    return {
        "classical": lambda: classical.low_rank_update(xi, X),
        "graded": lambda: graded.update(xi, hebbian(X)),
        "graded-thresholded": lambda: graded.thresholded_update(xi, X, theta=-0.5),
        "dense": lambda: dense.update(xi, X, n=3),
        "modern": lambda: modern.update(xi, X, beta=25.0),
        "sparse": lambda: sparse.update(xi, X, beta=25.0, alpha=1.5),
        "structured": lambda: structured.top_k_update(xi, X, k=3, beta=25.0),
        "modern-thresholded": lambda: modern.thresholded_update(xi, X, beta=25.0, theta=-0.5),
        "performer": lambda: performer.update(xi, X, omega, beta=25.0),
        "performer-thresholded": lambda: performer.thresholded_update(
            xi, X, omega, beta=25.0, theta=-0.5),
    }[rule]()


@pytest.mark.parametrize("rule", RULES)
def test_one_step_is_one_update_of_the_operation(rule):
    how = "polar" if rule in POLAR else "none" if rule.startswith("graded") else "root-d"
    settings = Settings(rule, normalisation=how, features=32)
    run = recall(IMAGES, settings)
    np.testing.assert_allclose(run.results, expected(rule, run.inputs, settings), rtol=0, atol=SUMS)
    assert list(run.steps) == [1] * 6


@pytest.mark.parametrize("rule", ["modern-thresholded", "performer-thresholded"])
def test_thresholding_before_normalising_is_attention_to_thresholded_keys(rule):
    settings = Settings(rule, normalisation="unit", order=ORDERS[1], features=32)
    run = recall(IMAGES, settings)
    queries, keys, X = run.inputs.queries, run.inputs.keys, run.inputs.patterns
    if rule == "modern-thresholded":
        expected = attention.softmax_attention(queries, keys, X, scale=25.0)
    else:
        omega = draw_omegas(settings, 256)[0]
        expected = performer.attention(queries, keys, X, omega, scale=25.0)
    np.testing.assert_array_equal(run.results, expected)
    np.testing.assert_allclose(run.weights @ X, expected, rtol=0, atol=SUMS)


@pytest.mark.parametrize("steps", [1, 2, 5])
def test_the_weights_are_those_of_the_last_update(steps):
    for rule in ("modern", "sparse", "structured", "performer", "modern-thresholded",
                 "performer-thresholded"):
        run = recall(IMAGES, Settings(rule, normalisation="root-d", steps=steps, features=32))
        # the last change of a state that stopped early is at most 1e-12 of its size
        np.testing.assert_allclose(run.weights @ run.inputs.patterns, run.results,
                                   rtol=0, atol=SUMS + 1e-12)


def test_draws_are_averaged_with_their_standard_error():
    settings = Settings("performer", normalisation="root-d", features=16, draws=5)
    run = recall(IMAGES, settings)
    assert run.weights_of_draws.shape == (5, 6, 6)
    np.testing.assert_array_equal(run.weights, run.weights_of_draws.mean(0))
    each = run.weights_of_draws @ run.inputs.patterns
    np.testing.assert_allclose(run.results, each.mean(0), rtol=0, atol=SUMS)
    np.testing.assert_allclose(run.standard_error, each.std(0, ddof=1) / np.sqrt(5), rtol=0,
                               atol=SUMS)


def test_a_stored_pattern_is_retrieved_from_itself_without_error():
    run = recall(IMAGES, Settings("modern", corruption="mask:0", normalisation="standardised"))
    assert run.recognised.all() and run.retrieved.all() and run.relative_error.max() <= SUMS
    np.testing.assert_allclose(run.result_images, run.inputs.values, rtol=0, atol=SUMS)


def test_a_tie_between_two_patterns_is_not_recognised():
    equal = np.stack([IMAGES[0], IMAGES[0]])
    run = recall(equal, Settings("modern"))
    assert list(run.nearest) == [-1, -1] and not run.recognised.any() and not run.retrieved.any()
    assert run.rows(("a", "b"))[0]["nearest"] is None


def test_retrieval_requires_more_than_half_of_the_weight():
    run = recall(IMAGES, Settings("modern", normalisation="root-d", beta=1.0))
    assert np.all(run.target_weight < 0.5) and not run.retrieved.any()


def test_states_converge_within_fifty_steps():
    run = recall(IMAGES, Settings("modern", normalisation="unit", steps=50))
    assert set(run.reason) <= {"fixed_point", "tolerance"} and run.steps.max() < 50


@pytest.mark.parametrize("rule, energy", [
    ("classical", lambda xi, X: classical.low_rank_energy(xi, X)),
    ("dense", lambda xi, X: dense.energy(xi, X, n=3)),
    ("graded", lambda xi, X: graded.energy(xi, hebbian(X))),
    ("modern", lambda xi, X: modern.energy(xi, X, beta=25.0)),
    ("sparse", lambda xi, X: sparse.energy(xi, X, beta=25.0, alpha=1.5)),
    ("structured", lambda xi, X: structured.top_k_energy(xi, X, k=3, beta=25.0)),
])
def test_the_energies_are_those_of_pattern_cue_and_result(rule, energy):
    how = "polar" if rule in POLAR else "root-d"
    run = recall(IMAGES, Settings(rule, normalisation=how, steps=3))
    X = run.inputs.patterns
    expected = np.stack([energy(xi, X) for xi in (X, run.inputs.cues, run.results)])
    # the energies of a batch and of a single state are two orders of the same sums of D numbers
    np.testing.assert_allclose(run.energies, expected, rtol=SUMS, atol=SUMS)
    assert run.rows("abcdef")[1]["energies"]["cue"] == run.energies[1, 1]


def test_the_dense_rule_gives_the_same_bits_in_chunks_of_states(monkeypatch):
    whole = recall(IMAGES, Settings("dense", normalisation="polar", steps=3))
    monkeypatch.setattr("hopref.experiments.rules.CHUNK", 4 * 6 * D)        # four states, then two
    parts = recall(IMAGES, Settings("dense", normalisation="polar", steps=3))
    for field in ("results", "steps", "reason", "energies"):
        np.testing.assert_array_equal(getattr(parts, field), getattr(whole, field))


def test_a_rule_without_an_energy_has_none():
    run = recall(IMAGES, Settings("performer", features=16))
    assert run.energies is None and run.rows("abcdef")[0]["energies"] is None


def test_only_thresholded_rules_set_components_to_zero():
    assert recall(IMAGES, Settings("modern")).share_zeroed is None
    assert recall(IMAGES, Settings("modern-thresholded", theta=1.0)).share_zeroed == 0.0
    assert recall(IMAGES, Settings("modern-thresholded", normalisation="unit")).share_zeroed == 1.0


@pytest.mark.parametrize("changes, message", [
    (dict(rule="Modern"), "rule must be one of 'classical', .*got rule='Modern'"),
    (dict(order="both"), "order must be one of 'normalise-threshold'"),
    (dict(side="left"), "side must be one of 'above', 'below'; got side='left'"),
    (dict(order=ORDERS[1]), "must go with a thresholded modern or performer rule; got"),
    (dict(rule="modern-thresholded", order=ORDERS[1], steps=2), "must take one step"),
    (dict(rule="classical"), "normalisation must be 'polar' for the classical rule; got"),
    (dict(rule="dense"), "normalisation must be 'polar' for the dense rule; got"),
    (dict(rule="sparse", alpha=0.5), "alpha must be"),
    (dict(normalisation="max"), "how must be one of 'none'"),
    (dict(corruption="mask"), "how must be 'mask:SHARE'"),
    (dict(seed=-1, corruption="noise:1"), "rng must be an integer >= 0"),
    (dict(beta=0.0), "beta must be a finite number >= 1e-300; got beta=0"),
    (dict(steps=0), "max_steps must be an integer >= 1"),
    (dict(rule="performer", features=0), "m must be an integer >= 1"),
])
def test_invalid_settings_are_refused(changes, message):
    with pytest.raises(DomainError, match=message):
        recall(IMAGES, replace(Settings(), **changes))
