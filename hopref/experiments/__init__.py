"""The blog's figures and the papers' statements, run again.

An experiment is a function that returns a `Record`: a claim, what was measured, and a verdict by a
stated rule.  Those of `FIGURES` retrieve pictures, for the blog *Looking at the Performer from a
Hopfield point of view*: ``figure(images, names, out=None)``.  Those of `STATEMENTS` draw random
patterns, for the papers: ``statement(out=None, **sizes)``.  Formulas live elsewhere.
"""
import inspect
import time
from dataclasses import replace
from difflib import get_close_matches

from hopref.data import picture_names, pictures
from hopref.errors import DomainError
from hopref.experiments import (
    binary,
    continuous,
    estimators,
    features,
    fixed_points,
    margins,
    memories,
    softmax,
    steep,
)
from hopref.progress import progress

__all__ = ["FIGURES", "STATEMENTS", "EXPERIMENTS", "reproduce", "summary"]

FIGURES = {
    "F1": binary.one_polar_picture,
    "F2": binary.six_polar_pictures,
    "F3": continuous.one_grey_picture,
    "F4": continuous.six_grey_pictures,
    "F5": continuous.six_thresholded_pictures,
    "F6": continuous.all_thresholded_pictures,
    "F7": softmax.six_modern_pictures,
    "F8": softmax.all_modern_pictures,
    "F9": softmax.six_modern_thresholded_pictures,
    "F10": softmax.all_modern_thresholded_pictures,
    "F11": features.six_performer_pictures,
    "F12": features.all_performer_pictures,
    "F13": features.six_thresholded_performer_pictures,
    "F14": features.all_thresholded_performer_pictures,
}
STATEMENTS = {
    "crosstalk": memories.crosstalk,
    "hebbian": memories.hebbian,
    "projection": memories.projections,
    "willshaw": memories.willshaw,
    "dense": steep.polynomial,
    "exponential": steep.exponential,
    "sphere": margins.on_the_sphere,
    "separation": margins.separation,
    "margin": margins.margin,
    "metastable": fixed_points.metastable,
    "support": fixed_points.support,
    "estimators": estimators.mean_squared_errors,
    "haar": estimators.haar,
    "leak": estimators.leak,
}
EXPERIMENTS = FIGURES | STATEMENTS


def reproduce(names=None, out=None):
    """Run the named experiments (all of them by default); draw them into the directory ``out``.

    Names are found whatever their case, and run in the order of `EXPERIMENTS`.

    >>> from hopref.experiments import reproduce
    >>> [record.verdict for record in reproduce(["F1"])]
    ['reproduces']
    """
    wanted = {_known(name) for name in names or EXPERIMENTS}
    chosen = [name for name in EXPERIMENTS if name in wanted]
    if out is not None:
        out.mkdir(parents=True, exist_ok=True)
    records = []
    for name in progress(chosen, label="experiments"):
        began = time.perf_counter()
        record = FIGURES[name](pictures(), picture_names(), out) if name in FIGURES \
            else STATEMENTS[name](out)
        records.append(replace(record, seconds=round(time.perf_counter() - began, 3)))
    return tuple(records)


def summary(name):
    """What an experiment does, in one line."""
    said = inspect.getdoc(EXPERIMENTS[name]).partition("\n")[0].removeprefix(f"{name}: ")
    return said[0].upper() + said[1:]


def _known(name):
    """The name of an experiment as it is written here."""
    written = {known.casefold(): known for known in EXPERIMENTS}
    if name.casefold() in written:
        return written[name.casefold()]
    near = [written[n] for n in get_close_matches(name.casefold(), written)]
    said = f", nearest {', '.join(near)}" if near else ""
    raise DomainError("hopref.experiments.reproduce: names must be among those of hopref reproduce "
                      f"--list; got {name!r}{said}.")
