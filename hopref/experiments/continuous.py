"""Figures F3 to F6: the continuous classical network, without and with threshold."""
from dataclasses import replace

from hopref import theory
from hopref.experiments.binary import store_one_by_one
from hopref.experiments.drawing import draw_recall
from hopref.experiments.recall import Settings, recall
from hopref.experiments.records import Record, Table, joined, saved_picture, verdict
from hopref.theory.diagnosis import counted

__all__ = ["one_grey_picture", "six_grey_pictures", "six_thresholded_pictures",
           "all_thresholded_pictures"]

UNTHRESHOLDED, THRESHOLDED = Settings("graded"), Settings("graded-thresholded")
NORMALISATIONS = ("none", "centred", "standardised")
NEAREST = "every result is more similar (cosine) to its own picture than to any other stored one"


def one_grey_picture(images, names, out=None):
    """F3: each of six pictures is stored alone, without and with a scale of the weights."""
    d = images[0].size
    runs = {label: store_one_by_one(images[:6], replace(UNTHRESHOLDED, scale=scale))
            for label, scale in _scales(images).items()}
    raw, scaled = runs.values()
    measured = {label: bool(run.sign_agreement.min() == 1) for label, run in runs.items()}
    return Record(
        "F3", "One continuous picture", "Eq. 12",
        claim="We start again with the retrieval of only one stored pattern, which is not a too "
              "hard job.",
        test="one update gives every pixel the correct sign, for each of six pictures stored alone",
        outcome=f"{raw.sign_agreement.min():.0%} of the signs are correct in the worst picture "
                f"(unscaled W), {scaled.sign_agreement.min():.0%} with W/d.",
        verdict=verdict(True, measured),
        explanation=(
             f"The signs are restored, the grey levels are not: with unscaled W the fields grow as "
             f"d = {d}: {(abs(raw.results) > 0.99).mean():.0%} of the pixels end beyond ±0.99 "
             f"and the relative error is {raw.relative_error.mean():.2f} on average; with W/d "
             f"{(abs(scaled.results) > 0.99).mean():.0%} and {scaled.relative_error.mean():.2f}.",),
        original_pictures=
                  "All signs correct; root mean square error 0.784, unscaled.",
        tables=(Table("After one update, means over six pictures",
                      ("weights", "signs correct", "relative error", "cosine to the picture"),
                      tuple((label, run.sign_agreement.mean(), run.relative_error.mean(),
                             run.cosines.diagonal().mean()) for label, run in runs.items())),),
        pictures=saved_picture(out, "F3.png", lambda: draw_recall(raw, names[:6]),
                          "Each picture stored alone, unscaled W, after one update."))


def six_grey_pictures(images, names, out=None):
    """F4: six pictures are stored, without threshold."""
    runs = _variants(images[:6], UNTHRESHOLDED)
    first = next(iter(runs.values()))
    return Record(
        "F4", "Six continuous pictures", "Eq. 12",
        claim="The next task is again a retrieval out of six stored patterns, which already does "
              "not work any more.",
        test=f"works: {NEAREST}",
        outcome=_counted(runs, 6),
        verdict=verdict(False, {k: bool(r.recognised.all()) for k, r in runs.items()}),
        explanation=(_overlaps(first),),
        original_pictures=
                  "80 % of the signs correct; the cosine to the target is tied for second place.",
        tables=(_table(runs),),
        pictures=saved_picture(out, "F4.png", lambda: draw_recall(first, names[:6]),
                          "Six pictures stored, unscaled W, after one update."))


def six_thresholded_pictures(images, names, out=None):
    """F5: six pictures are stored, and only their darkest pixels are compared."""
    return _thresholded(
        "F5", "Six thresholded pictures", images[:6], names[:6], out, claimed=True,
        claim="Pattern retrieval now works for 6 stored patterns\u00a0…",
        original_pictures=
                  "90 % of the signs correct; cosine 0.837 to the target, 0.536 to the next.")


def all_thresholded_pictures(images, names, out=None):
    """F6: 24 pictures are stored, and only their darkest pixels are compared."""
    return _thresholded(
        "F6", "24 thresholded pictures", images, names, out, claimed=False,
        claim="…\u00a0but what about more patterns? (A failure is implied; the printed picture is "
              "that of the Performer, F12, by mistake.)",
        original_pictures=
                  "77 % of the signs correct, cosine 0.709 to the target and 0.577 to the next: "
                  "there the target is the nearest, so the implied failure does not reproduce.  "
                  "Eq. 12 without threshold: 74 % of the signs, wrong nearest.")


def _thresholded(figure, title, images, names, out, *, claim, claimed, original_pictures):
    runs = _variants(images, THRESHOLDED)
    unthresholded = _variants(images, replace(THRESHOLDED, theta=1e9))
    first, N = next(iter(runs.values())), len(images)
    gains = sum(int(r.recognised.sum() > p.recognised.sum())
                for r, p in zip(runs.values(), unthresholded.values(), strict=True))
    return Record(
        figure, title, "Eq. 20, θ = −0.5",
        claim=claim, test=f"works: {NEAREST}",
        outcome=_counted(runs, N),
        verdict=verdict(claimed, {k: bool(r.recognised.all()) for k, r in runs.items()}),
        explanation=(
             *empty_cues(first, names), _overlaps(first),
             f"In {gains} of {len(runs)} choices more pictures are recognised with the threshold "
             "than without."),
        original_pictures=original_pictures,
        tables=(_table(runs), _table(unthresholded, "The same without threshold (Eq. 12)")),
        pictures=saved_picture(out, f"{figure}.png", lambda: draw_recall(first, names),
                          f"{N} pictures stored, unscaled, θ = −0.5, after one update."))


def _scales(images):
    return {"W = X Xᵀ": 1.0, "W = X Xᵀ / d": 1 / images[0].size}


def _variants(images, settings):
    return {(how, label): recall(images, replace(settings, normalisation=how, scale=scale))
            for label, scale in _scales(images).items() for how in NORMALISATIONS
            if how == "none" or scale == 1}


def _table(runs, caption="Recognised after one update"):
    rows = tuple((how, label, f"{r.recognised.sum()} of {len(r.recognised)}",
                  r.sign_agreement.mean(), r.cosines.diagonal().mean(), r.relative_error.mean())
                 for (how, label), r in runs.items())
    return Table(caption, ("normalisation", "weights", "recognised", "signs correct",
                           "cosine to the picture", "relative error"), rows)


def _counted(runs, N):
    counts = [int(r.recognised.sum()) for r in runs.values()]
    number = f"{min(counts)}" if min(counts) == max(counts) else f"{min(counts)} to {max(counts)}"
    return f"{number} of {N} pictures are recognised, depending on normalisation and scale; " \
           f"{counts[0]} with pictures in [−1, 1] and unscaled W."


def _overlaps(run):
    """How many pictures are lost to one other picture, and how many to the sum of all."""
    misled = theory.cue_separation(run.inputs.queries, run.inputs.keys) <= 0
    crosstalk = int((~misled & ~run.recognised).sum())
    pixels = "dark pixels" if run.settings.rule == "graded-thresholded" else "pixels"
    lost = counted(int(misled.sum()), "picture")
    lines = [f"For {lost} of {len(misled)}, the visible {pixels} overlap at least as much "
             "with those of another picture." if misled.any()
             else "Every cue overlaps most with its own picture."]
    if crosstalk:
        further = "further " * bool(misled.any())
        verb = "is" if crosstalk == 1 else "are"
        lines.append(f"{counted(crosstalk, further + 'picture')} {verb} lost by crosstalk: the "
                     "field adds up all stored pictures, each weighted by its overlap.")
    return "  ".join(lines)


def empty_cues(run, names):
    """A sentence that names the cues of which the threshold sets every component to 0."""
    blank = [n for n, cue in zip(names, run.inputs.queries, strict=True) if not cue.any()]
    if not blank:
        return ()
    return (f"The visible half of {joined(blank)} has no pixel at or below θ, so that all "
            "components of the cue are 0.",)
