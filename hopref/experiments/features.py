"""Figures F11 to F14: the Performer as a network of one step, without and with threshold."""
from dataclasses import replace

import numpy as np

from hopref.experiments.continuous import empty_cues
from hopref.experiments.drawing import Curve, draw_curves, draw_recall
from hopref.experiments.recall import ORDERS, Settings, recall
from hopref.experiments.records import Record, Table, joined, saved_picture, verdict
from hopref.experiments.rules import draw_omegas
from hopref.experiments.softmax import RETRIEVED
from hopref.models import modern, performer

__all__ = ["six_performer_pictures", "all_performer_pictures", "six_thresholded_performer_pictures",
           "all_thresholded_performer_pictures"]

BASE = Settings("performer", normalisation="unit", features=256, draws=8)
THRESHOLDED = replace(BASE, rule="performer-thresholded", order="threshold-normalise", theta=0.5)
NORMALISATIONS = ("unit", "centred-unit", "root-d", "none")
BETAS = (1.0, 5.0, 25.0)
SIZES = (16, 64, 256, 1024)
NO_THRESHOLD = 1.0          # no pixel is brighter
THETAS = (-0.75, -0.5, -0.25, 0.0, 0.25, 0.5, 0.75, NO_THRESHOLD)
UNKNOWN = "Not known: neither the number of random features nor the normalisation is stated."


def six_performer_pictures(images, names, out=None):
    """F11: six pictures are retrieved by random features."""
    return _without_threshold("F11", "Six pictures, Performer", images[:6], names[:6], out)


def all_performer_pictures(images, names, out=None):
    """F12: 24 pictures are retrieved by random features."""
    return _without_threshold("F12", "24 pictures, Performer", images, names, out)


def _without_threshold(figure, title, images, names, out):
    runs = {how: recall(images, replace(BASE, normalisation=how)) for how in NORMALISATIONS}
    exact = {how: recall(images, replace(BASE, rule="modern", normalisation=how))
             for how in NORMALISATIONS}
    N, unit, softmax = len(images), runs["unit"], exact["unit"]
    gaps = _distance_from_softmax(unit)
    rows = tuple((how, f"{r.retrieved.sum()} of {N}", f"{e.retrieved.sum()} of {N}",
                  r.target_weight.mean(), e.target_weight.mean(), _relative(r))
                 for (how, r), e in zip(runs.items(), exact.values(), strict=True))
    return Record(
        figure, title, "Eq. 23, β = 25", claim="",
        test=f"counted: a picture {RETRIEVED}",
        outcome=f"{unit.retrieved.sum()} of {N} pictures are retrieved with unit-norm patterns and "
                f"{BASE.features} features ({softmax.retrieved.sum()} by the softmax they stand "
                f"for), {unit.recognised.sum()} are nearest to themselves.",
        verdict=verdict(None, {}),
        explanation=(
             f"The mean over {BASE.draws} draws gives the target {_of_target(unit)} of the "
             f"weight, the softmax {softmax.target_weight.mean():.2f}.",
             f"With {SIZES[-1]} features the weights are off by {gaps[25.0][-1]:.3f} on average at "
             f"β = 25, by {gaps[1.0][-1]:.3f} at β = 1.",
             "The mean of a ratio is not the ratio of the means: the expectation over draws of "
             "Eq. 23 is the softmax only in the limit of many features."),
        original_pictures=UNKNOWN,
        tables=(Table("Retrieved after one update at β = 25",
                      ("normalisation", "Performer", "softmax", "weight of the target", "softmax’s",
                       "standard error / size"), rows),),
        pictures=saved_picture(out, f"{figure}.png", lambda: draw_recall(unit, names),
                          f"{N} pictures with unit norm, β = 25, {BASE.features} orthogonal "
                          f"features, mean of {BASE.draws} draws.")
        + saved_picture(out, f"{figure}-features.png", lambda: draw_curves(
            [Curve(f"β = {beta:g}", SIZES, gap) for beta, gap in gaps.items()],
            xscale="log", xticks=SIZES, xlabel="number of features",
            ylabel="mean |weight − softmax|"),
            "How far the weights of one draw are from the softmax."))


def _relative(run):
    """Norm of the standard error of the mean over the norm of the mean."""
    return float(np.linalg.norm(run.standard_error) / np.linalg.norm(run.results))


def _distance_from_softmax(run):
    """{beta: mean |weights - softmax| for each number of features}, from the same draws.

    The first rows of an orthogonal block are a smaller draw; several blocks are a larger one.
    """
    inputs, rows = run.inputs, draw_omegas(BASE, run.inputs.patterns.shape[1]).reshape(
        -1, run.inputs.patterns.shape[1])
    gaps = {}
    for beta in BETAS:
        exact = modern.weights(inputs.cues, inputs.patterns, beta=beta)
        gaps[beta] = []
        for m in SIZES:
            step = max(m, BASE.features)
            draws = [rows[at:at + m] for at in range(0, len(rows) - step + 1, step)]
            weights = [performer.weights(inputs.cues, inputs.patterns, w, beta=beta) for w in draws]
            gaps[beta].append(float(np.mean(np.abs(np.array(weights) - exact))))
    return gaps


def six_thresholded_performer_pictures(images, names, out=None):
    """F13: six pictures are retrieved by random features, without their brightest pixels."""
    return _thresholded("F13", "Six thresholded pictures, Performer", images[:6], names[:6], out)


def all_thresholded_performer_pictures(images, names, out=None):
    """F14: 24 pictures are retrieved by random features, without their brightest pixels."""
    return _thresholded("F14", "24 thresholded pictures, Performer", images, names, out)


def _thresholded(figure, title, images, names, out):
    N, choices = len(images), [(how, order) for order in reversed(ORDERS)
                               for how in NORMALISATIONS[:3]]
    runs = {choice: {theta: recall(images, replace(THRESHOLDED, normalisation=choice[0],
                                                   order=choice[1], theta=theta))
                     for theta in (-0.5, 0.5, NO_THRESHOLD)} for choice in choices}
    drops = {choice: [_drop(r[-0.5], r[other]) for other in (0.5, NO_THRESHOLD)]
             for choice, r in runs.items()}
    measured = {choice: all(drop > 2 * error for drop, error in both)
                for choice, both in drops.items()}
    shown = runs["unit", ORDERS[1]]
    curves = {"Performer": _by_theta(images, THRESHOLDED),
              "softmax": _by_theta(images, replace(THRESHOLDED, rule="modern-thresholded"))}
    rows = tuple((how, _words(order), *(_of_target(r) for r in runs[how, order].values()),
                  *(f"{r.retrieved.sum()} of {N}" for r in runs[how, order].values()))
                 for how, order in choices)
    return Record(
        figure, title, "Eq. 24, β = 25, θ = +0.5",
        claim="Interestingly, in this case too much sparseness hurts more than it helps.",
        test="at θ = −0.5 the target’s mean weight lies below that at θ = +0.5 and below that "
             "without threshold, by more than two standard errors over the draws",
        outcome="Unit norm after thresholding: the target gets "
                + ", ".join(f"{_of_target(r)} of the weight {where}" for r, where in
                            zip(shown.values(), ("at θ = −0.5", "at +0.5", "without threshold"),
                                strict=True)) + ".",
        verdict=verdict(True, measured),
        explanation=(
             f"The share of components set to 0 is {shown[-0.5].share_zeroed:.0%} at θ = −0.5 and "
             f"{shown[0.5].share_zeroed:.0%} at θ = +0.5.",
             *empty_cues(shown[-0.5], names),
             *_all_or_nothing(runs),
             "The softmax of the same patterns gives {:.2f} at −0.5, {:.2f} at +0.5 and {:.2f} "
             "without.".format(*(curves["softmax"][THETAS.index(t)] for t in shown))),
        original_pictures=
                  "Weight of the target under the softmax with 6 and with 24 stored: 0.98 and 0.94 "
                  "(normalised before thresholding), 1 and 1 (after).",
        tables=(Table("Weight of the target (± standard error over draws) and pictures retrieved",
                      ("normalisation", "order", "weight, θ = −0.5", "θ = +0.5", "no θ",
                       "retrieved, θ = −0.5", "θ = +0.5", "no θ"), rows),),
        pictures=saved_picture(out, f"{figure}.png", lambda: draw_recall(shown[0.5], names),
                          f"{N} pictures, thresholded at +0.5, brought to unit norm, β = 25, "
                          f"{BASE.features} features, mean of {BASE.draws} draws.")
        + saved_picture(out, f"{figure}-theta.png", lambda: draw_curves(
            [Curve(label, THETAS, weight) for label, weight in curves.items()],
            xlabel="threshold θ (components above it become 0)",
            ylabel="weight of the target", marks=((-0.5, "Eqs. 20, 22"), (0.5, "Eq. 24"))),
            "Mean weight of the right picture, unit norm after thresholding.  At θ = 1 nothing is "
            "dropped."))


def _by_theta(images, settings):
    return [float(recall(images, replace(settings, theta=t)).target_weight.mean()) for t in THETAS]


def _targets(run):
    """The mean weight of the targets in each draw."""
    return np.diagonal(run.weights_of_draws, axis1=1, axis2=2).mean(-1)


def _mean(values):
    """Mean and standard error."""
    return float(values.mean()), float(values.std(ddof=1) / np.sqrt(len(values)))


def _of_target(run):
    mean, error = _mean(_targets(run))
    return f"{mean:.2f} ± {error:.2f}"


def _drop(low, high):
    """Weight of the targets in ``high`` less that in ``low``: mean over draws, standard error."""
    return _mean(_targets(high) - _targets(low))


def _all_or_nothing(runs):
    """A sentence on the normalisations under which a threshold drops all components or none."""
    void = [how for (how, order), r in runs.items() if order == ORDERS[0]
            and r[-0.5].share_zeroed == 1 and r[0.5].share_zeroed == r[NO_THRESHOLD].share_zeroed]
    if not void:
        return ()
    return (f"Normalised first by {joined(void)}, θ = −0.5 drops every component and θ = +0.5 "
            "none, so that the claim holds there trivially.",)


def _words(order):
    return " → ".join(order.split("-"))
