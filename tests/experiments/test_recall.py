"""A recall follows its recipe: the right rule, on the right patterns, scored as said."""
from dataclasses import replace

import numpy as np
import pytest

from hopref.data import normalise, pictures
from hopref.errors import DomainError
from hopref.experiments.recall import ORDERS, RULES, Recipe, draw_omegas, recall, stage
from hopref.models import attention, classical, graded, modern, performer
from hopref.storage import hebbian

IMAGES = pictures(6)[:, ::4, ::4]           # 16 x 16
D, U = 256, np.finfo(float).eps / 2
# Two orders of the same sums: an overlap of D products of numbers <= 1 is off by D U D at most, a
# field adds six of them, both ways.  Scores of patterns of norm <= 1 are off by D U each, a weight
# by 2 beta times that, a mixture of patterns by its diameter 2 more: 8 * 25 D U, which is less.
SUMS = 12 * D * D * U


def flat(X):
    return X.reshape(len(X), -1)


def test_a_cue_knows_nothing_of_the_hidden_half():
    other = IMAGES.copy()
    other[:, 8:] = 255 - other[:, 8:]
    for how in ("none", "unit", "centred-unit", "standardised", "polar"):
        recipe = Recipe(normalisation=how)
        np.testing.assert_array_equal(stage(IMAGES, recipe).cues, stage(other, recipe).cues)


def test_polar_pictures_are_hidden_by_plus_one_and_grey_ones_by_zero():
    polar, grey = (stage(IMAGES, Recipe(normalisation=how)) for how in ("polar", "none"))
    assert np.all(polar.damaged[:, 8:] == 1) and np.all(grey.damaged[:, 8:] == 0)
    assert set(np.unique(polar.cues)) == {-1.0, 1.0}


def test_the_two_orders_differ_by_what_they_threshold():
    values = normalise(IMAGES)
    first = Recipe("modern-thresholded", normalisation="unit", order=ORDERS[0])
    later = replace(first, order=ORDERS[1])
    assert not stage(IMAGES, first).keys.any()                  # no unit component is below -0.5
    dark = np.where(values > -0.5, 0.0, values)
    np.testing.assert_array_equal(stage(IMAGES, later).keys, flat(normalise(dark, "unit")))
    for recipe in (first, later):
        np.testing.assert_array_equal(stage(IMAGES, recipe).patterns,
                                      flat(normalise(values, "unit")))


def expected(rule, it, recipe):
    """One step of each rule, called by hand."""
    omega = draw_omegas(recipe, it.patterns.shape[1])[0]
    return {
        "classical": lambda: classical.low_rank_update(it.cues, it.patterns),
        "graded": lambda: graded.update(it.cues, hebbian(it.patterns)),
        "graded-thresholded": lambda: graded.thresholded_update(it.cues, it.patterns, theta=-0.5),
        "modern": lambda: modern.update(it.cues, it.patterns, beta=25.0),
        "modern-thresholded": lambda: modern.thresholded_update(it.cues, it.patterns, beta=25.0,
                                                                theta=-0.5),
        "performer": lambda: performer.update(it.cues, it.patterns, omega, beta=25.0),
        "performer-thresholded": lambda: performer.thresholded_update(
            it.cues, it.patterns, omega, beta=25.0, theta=-0.5),
    }[rule]()


@pytest.mark.parametrize("rule", RULES)
def test_one_step_is_the_rule_s_own(rule):
    how = "polar" if rule == "classical" else "none" if rule.startswith("graded") else "root-d"
    recipe = Recipe(rule, normalisation=how, features=32)
    run = recall(IMAGES, recipe)
    np.testing.assert_allclose(run.results, expected(rule, run.stage, recipe), rtol=0, atol=SUMS)
    assert list(run.steps) == [1] * 6


@pytest.mark.parametrize("rule", ["modern-thresholded", "performer-thresholded"])
def test_thresholding_first_is_attention_to_thresholded_keys(rule):
    recipe = Recipe(rule, normalisation="unit", order=ORDERS[1], features=32)
    run = recall(IMAGES, recipe)
    it = run.stage
    if rule == "modern-thresholded":
        answer = attention.softmax_attention(it.queries, it.keys, it.patterns, scale=25.0)
    else:
        omega = draw_omegas(recipe, 256)[0]
        answer = performer.attention(it.queries, it.keys, it.patterns, omega, scale=25.0)
    np.testing.assert_array_equal(run.results, answer)
    np.testing.assert_allclose(run.weights @ it.patterns, answer, rtol=0, atol=SUMS)


@pytest.mark.parametrize("steps", [1, 2, 5])
def test_the_weights_are_those_of_the_last_update(steps):
    for rule in ("modern", "performer", "modern-thresholded", "performer-thresholded"):
        run = recall(IMAGES, Recipe(rule, normalisation="root-d", steps=steps, features=32))
        # a state that stopped early has moved by 1e-12 of its size at the most
        np.testing.assert_allclose(run.weights @ run.stage.patterns, run.results,
                                   rtol=0, atol=SUMS + 1e-12)


def test_draws_are_averaged_and_their_spread_is_kept():
    recipe = Recipe("performer", normalisation="root-d", features=16, draws=5)
    run = recall(IMAGES, recipe)
    assert run.draws.shape == (5, 6, 6)
    np.testing.assert_array_equal(run.weights, run.draws.mean(0))
    each = run.draws @ run.stage.patterns
    np.testing.assert_allclose(run.results, each.mean(0), rtol=0, atol=SUMS)
    np.testing.assert_allclose(run.deviation, each.std(0, ddof=1) / np.sqrt(5), rtol=0, atol=SUMS)


def test_what_equals_its_pattern_is_retrieved_without_error():
    run = recall(IMAGES, Recipe("modern", corruption="mask:0", normalisation="standardised"))
    assert run.right.all() and run.retrieved.all() and run.error.max() <= SUMS
    np.testing.assert_allclose(run.returned, run.stage.values, rtol=0, atol=SUMS)


def test_a_draw_between_two_patterns_is_not_right():
    twins = np.stack([IMAGES[0], IMAGES[0]])
    run = recall(twins, Recipe("modern"))
    assert list(run.nearest) == [-1, -1] and not run.right.any() and not run.retrieved.any()
    assert run.rows(("a", "b"))[0]["nearest"] is None


def test_weight_counts_as_retrieved_only_beyond_one_half():
    run = recall(IMAGES, Recipe("modern", normalisation="root-d", beta=1.0))
    assert np.all(run.p_target < 0.5) and not run.retrieved.any()


def test_more_steps_never_cost_a_retrieved_picture_its_stop_reason():
    run = recall(IMAGES, Recipe("modern", normalisation="unit", steps=50))
    assert set(run.reason) <= {"fixed_point", "tolerance"} and run.steps.max() < 50


def test_only_thresholded_rules_drop_components():
    assert recall(IMAGES, Recipe("modern")).dropped is None
    assert recall(IMAGES, Recipe("modern-thresholded", theta=1.0)).dropped == 0.0
    assert recall(IMAGES, Recipe("modern-thresholded", normalisation="unit")).dropped == 1.0


@pytest.mark.parametrize("changes, said", [
    (dict(rule="Modern"), "rule must be one of 'classical', .*got rule='Modern'"),
    (dict(order="both"), "order must be one of 'normalise-threshold'"),
    (dict(side="left"), "side must be one of 'above', 'below'; got side='left'"),
    (dict(order=ORDERS[1]), "must go with a thresholded modern or performer rule; got"),
    (dict(rule="modern-thresholded", order=ORDERS[1], steps=2), "must take one step"),
    (dict(rule="classical"), "normalisation must be 'polar' for the classical rule; got"),
    (dict(normalisation="max"), "how must be one of 'none'"),
    (dict(corruption="mask"), "how must be 'mask:SHARE'"),
    (dict(seed=-1, corruption="noise:1"), "rng must be an integer >= 0"),
    (dict(beta=0.0), "beta must be a finite number >= 1e-300; got beta=0"),
    (dict(steps=0), "max_steps must be an integer >= 1"),
    (dict(rule="performer", features=0), "m must be an integer >= 1"),
])
def test_a_recipe_that_makes_no_sense_is_refused(changes, said):
    with pytest.raises(DomainError, match=said):
        recall(IMAGES, replace(Recipe(), **changes))
