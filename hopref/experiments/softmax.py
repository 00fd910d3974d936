"""Figures F7 to F10: the modern network at beta = 25, without and with threshold."""
from dataclasses import replace

import numpy as np

from hopref import theory
from hopref.experiments.continuous import empty_cues
from hopref.experiments.drawing import draw_recall
from hopref.experiments.recall import ORDERS, Settings, recall
from hopref.experiments.records import Record, Table, joined, saved_picture, verdict
from hopref.theory.diagnosis import counted

__all__ = ["six_modern_pictures", "all_modern_pictures", "six_modern_thresholded_pictures",
           "all_modern_thresholded_pictures"]

SOFTMAX = Settings("modern", normalisation="unit")
THRESHOLDED = Settings("modern-thresholded", normalisation="unit", order="threshold-normalise")
NORMALISATIONS = ("unit", "centred-unit", "root-d", "fourth-root-d", "none", "centred",
                  "standardised")
RETRIEVED_AT_25 = "Retrieved after one update at β = 25, and the smallest β that retrieves all"
RETRIEVED = "gets more weight than all others together from its visible half"


def six_modern_pictures(images, names, out=None):
    """F7: six pictures are retrieved by the softmax."""
    return _without_threshold(
        "F7", "Six pictures, softmax", images[:6], names[:6], out, claimed=True,
        claim="We choose the value β = 25, which enables useful pattern retrieval for 6 "
              "stored patterns\u00a0…")


def all_modern_pictures(images, names, out=None):
    """F8: 24 pictures are retrieved by the softmax."""
    return _without_threshold("F8", "24 pictures, softmax", images, names, out, claimed=False,
                              claim="…\u00a0but fails if 24 patterns are stored.")


def _without_threshold(figure, title, images, names, out, *, claim, claimed):
    runs = {how: recall(images, replace(SOFTMAX, normalisation=how)) for how in NORMALISATIONS}
    N, unit = len(images), runs["unit"]
    measured = {how: bool(r.retrieved.all()) for how, r in runs.items()}
    return Record(
        figure, title, "Eq. 21, β = 25", claim=claim, test=f"works: every picture {RETRIEVED}",
        outcome=f"{unit.retrieved.sum()} of {N} pictures are retrieved with unit-norm patterns, "
                f"{_range(runs)} over the seven normalisations.",
        verdict=verdict(claimed, measured),
        explanation=(
             _by_choice(measured), *_explain_losses(unit)),
        original_pictures=
                  "Weight of the target with 6 and with 24 stored: raw 1 and 1; scores/√d 1 and 1; "
                  "unit norm 0.996 and 0.994; centred and unit 0.999 and 0.998; x/√d 0.244 and "
                  "0.066.  None of them works for 6 and fails for 24.",
        tables=(_table(runs),),
        pictures=saved_picture(out, f"{figure}.png", lambda: draw_recall(unit, names),
                          f"{N} pictures stored with unit norm, β = 25, after one update."))


def six_modern_thresholded_pictures(images, names, out=None):
    """F9: six pictures under the softmax, only their darkest pixels compared."""
    return _thresholded("F9", "Six thresholded pictures, softmax", images[:6], names[:6], out)


def all_modern_thresholded_pictures(images, names, out=None):
    """F10: all 24, only their darkest pixels compared."""
    return _thresholded("F10", "24 thresholded pictures, softmax", images, names, out)


def _thresholded(figure, title, images, names, out):
    runs = {(how, order): recall(images, replace(THRESHOLDED, normalisation=how, order=order))
            for order in reversed(ORDERS) for how in NORMALISATIONS}
    plain = {how: recall(images, replace(SOFTMAX, normalisation=how)) for how in NORMALISATIONS}
    N, shown, without = len(images), runs["unit", ORDERS[1]], plain["unit"]
    return Record(
        figure, title, "Eq. 22, β = 25, θ = −0.5", claim="",
        test=f"counted: a picture {RETRIEVED}",
        outcome=f"{shown.retrieved.sum()} of {N} pictures are retrieved when pictures are "
                f"thresholded and then brought to unit norm, {without.retrieved.sum()} without "
                f"threshold; {_range(runs)} over all choices.",
        verdict=verdict(None, {}),
        explanation=(
             *empty_cues(shown, names), *_explain_zero_patterns(runs), *_explain_losses(shown)),
        original_pictures=
                  "Weight of the target with 6 and with 24 stored: 0.32 and 0.09 (normalised "
                  "before thresholding), 1 and 1 (after).",
        tables=(_table({how: runs[how, ORDERS[1]] for how in NORMALISATIONS},
                       "First thresholded, then normalised"),
                _table({how: runs[how, ORDERS[0]] for how in NORMALISATIONS},
                       "First normalised, then thresholded")),
        pictures=saved_picture(out, f"{figure}.png", lambda: draw_recall(shown, names),
                          f"{N} pictures, thresholded at −0.5, brought to unit norm, β = 25, after "
                          "one update."))


def _table(runs, caption=RETRIEVED_AT_25):
    return Table(caption, ("normalisation", "retrieved", "recognised", "mean weight of the target",
                           "smallest weight", "β for all"),
                 tuple((how, f"{r.retrieved.sum()} of {len(r.retrieved)}",
                        f"{r.recognised.sum()} of {len(r.recognised)}", r.target_weight.mean(),
                        r.target_weight.min(), _beta(r)) for how, r in runs.items()))


def _beta(run):
    """The smallest beta at which every cue gives half of the weight to its picture."""
    betas = theory.smallest_beta(run.inputs.queries, run.inputs.keys, tolerance=0.5)
    return float(betas.max()) if np.isfinite(betas).all() else "none"


def _explain_losses(run):
    lost = ~run.retrieved
    if not lost.any():
        return ()
    misled = theory.cue_separation(run.inputs.queries, run.inputs.keys) <= 0
    always, at_this_beta = int((lost & misled).sum()), int((lost & ~misled).sum())
    verb = "is" if lost.sum() == 1 else "are"
    pictures = counted(int(lost.sum()), "picture")
    return (f"{pictures} {verb} lost with unit norm: {always} at every β, since the visible half "
            f"scores at least as high with another picture, and {at_this_beta} at this β but not "
            "at a larger one.",)


def _explain_zero_patterns(runs):
    blank = [how for how in NORMALISATIONS if not runs[how, ORDERS[0]].inputs.keys.any()]
    if not blank:
        return ()
    return (f"Normalised first by {joined(blank)}, no component lies at or below θ: all "
            "components become 0, and all patterns have the same weight.",)


def _by_choice(measured):
    works = [how for how, ok in measured.items() if ok]
    fails = [how for how, ok in measured.items() if not ok]
    if not works or not fails:
        return f"All are retrieved under {'every' if works else 'none'} of the normalisations."
    return f"All are retrieved under {joined(works)}; not all under {joined(fails)}."


def _range(runs):
    counts = [int(r.retrieved.sum()) for r in runs.values()]
    return f"{min(counts)} to {max(counts)}" if min(counts) < max(counts) else f"{counts[0]}"
