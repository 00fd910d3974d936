"""F7 to F10: the modern continuous network at beta = 25, plain and thresholded."""
from dataclasses import replace

import numpy as np

from hopref import theory
from hopref.experiments.continuous import empty_cues
from hopref.experiments.drawing import draw_recall
from hopref.experiments.recall import ORDERS, Recipe, recall
from hopref.experiments.records import Record, Table, counted, listed, pictured, verdict

__all__ = ["six_modern_pictures", "all_modern_pictures", "six_modern_thresholded_pictures",
           "all_modern_thresholded_pictures"]

PLAIN = Recipe("modern", normalisation="unit")
THRESHOLDED = Recipe("modern-thresholded", normalisation="unit", order="threshold-normalise")
NORMALISATIONS = ("unit", "centred-unit", "root-d", "fourth-root-d", "none", "centred",
                  "standardised")
RETRIEVED_AT_25 = "Retrieved after one update at β = 25, and the β from which on all would be"
RETRIEVED = "gets more weight than all others together from the half that is shown"


def six_modern_pictures(images, names, out=None):
    """F7: six pictures under the softmax."""
    return _plain("F7", "Six pictures, softmax", images[:6], names[:6], out, claimed=True,
                  claim="We choose the value β = 25, which enables useful pattern retrieval for 6 "
                        "stored patterns\u00a0…")


def all_modern_pictures(images, names, out=None):
    """F8: all 24 pictures under the softmax."""
    return _plain("F8", "24 pictures, softmax", images, names, out, claimed=False,
                  claim="…\u00a0but fails if 24 patterns are stored.")


def _plain(figure, title, images, names, out, *, claim, claimed):
    runs = {how: recall(images, replace(PLAIN, normalisation=how)) for how in NORMALISATIONS}
    N, unit = len(images), runs["unit"]
    measured = {how: bool(r.retrieved.all()) for how, r in runs.items()}
    return Record(
        figure, title, "Eq. 21, β = 25", claim=claim, test=f"works: every picture {RETRIEVED}",
        outcome=f"{unit.retrieved.sum()} of {N} pictures are retrieved with unit-norm patterns, "
                f"{_range(runs)} over the seven normalisations.",
        verdict=verdict(claimed, measured),
        why=(_by_choice(measured), *_why_lost(unit)),
        originals="Weight of the target with 6 and with 24 stored: raw 1 and 1; scores/√d 1 and 1; "
                  "unit norm 0.996 and 0.994; centred and unit 0.999 and 0.998; x/√d 0.244 and "
                  "0.066.  None of them works for 6 and fails for 24.",
        tables=(_table(runs),),
        pictures=pictured(out, f"{figure}.png", lambda: draw_recall(unit, names),
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
    plain = {how: recall(images, replace(PLAIN, normalisation=how)) for how in NORMALISATIONS}
    N, shown, without = len(images), runs["unit", ORDERS[1]], plain["unit"]
    return Record(
        figure, title, "Eq. 22, β = 25, θ = −0.5", claim="",
        test=f"counted: a picture {RETRIEVED}",
        outcome=f"{shown.retrieved.sum()} of {N} pictures are retrieved when pictures are "
                f"thresholded and then brought to unit norm, {without.retrieved.sum()} without "
                f"threshold; {_range(runs)} over all choices.",
        verdict=verdict(None, {}),
        why=(*empty_cues(shown, names), *_everything_dropped(runs), *_why_lost(shown)),
        originals="Weight of the target with 6 and with 24 stored: 0.32 and 0.09 (normalised "
                  "before thresholding), 1 and 1 (after).",
        tables=(_table({how: runs[how, ORDERS[1]] for how in NORMALISATIONS},
                       "First thresholded, then normalised"),
                _table({how: runs[how, ORDERS[0]] for how in NORMALISATIONS},
                       "First normalised, then thresholded")),
        pictures=pictured(out, f"{figure}.png", lambda: draw_recall(shown, names),
                          f"{N} pictures, thresholded at −0.5, brought to unit norm, β = 25, after "
                          "one update."))


def _table(runs, caption=RETRIEVED_AT_25):
    return Table(caption, ("normalisation", "retrieved", "nearest is right", "weight of the target",
                           "least", "β for all"),
                 tuple((how, f"{r.retrieved.sum()} of {len(r.retrieved)}",
                        f"{r.right.sum()} of {len(r.right)}", r.p_target.mean(), r.p_target.min(),
                        _beta(r)) for how, r in runs.items()))


def _beta(run):
    """The beta from which on every cue gives its picture half of the weight."""
    betas = theory.smallest_beta(run.stage.queries, run.stage.keys, tolerance=0.5)
    return float(betas.max()) if np.isfinite(betas).all() else "none"


def _why_lost(run):
    lost = ~run.retrieved
    if not lost.any():
        return ()
    elsewhere = theory.cue_separation(run.stage.queries, run.stage.keys) <= 0
    never, cold = int((lost & elsewhere).sum()), int((lost & ~elsewhere).sum())
    return (f"{counted(int(lost.sum()))} lost with unit norm.  {never} of them at every β: the "
            f"half that is shown scores at least as high with another picture.  {cold} would come "
            "back at a larger β.",)


def _everything_dropped(runs):
    blank = [how for how in NORMALISATIONS if not runs[how, ORDERS[0]].stage.keys.any()]
    if not blank:
        return ()
    return (f"Normalised first by {listed(blank)}, no component lies at or below θ: all are "
            "dropped, and all patterns weigh the same.",)


def _by_choice(measured):
    works = [how for how, ok in measured.items() if ok]
    fails = [how for how, ok in measured.items() if not ok]
    if not works or not fails:
        return f"All are retrieved under {'every' if works else 'none'} of the normalisations."
    return f"All are retrieved under {listed(works)}; not all under {listed(fails)}."


def _range(runs):
    counts = [int(r.retrieved.sum()) for r in runs.values()]
    return f"{min(counts)} to {max(counts)}" if min(counts) < max(counts) else f"{counts[0]}"
