"""Experiments that reproduce the figures of the blog and test the statements of the papers.

An experiment is a function that returns a `Record`: a claim, the measurements, and a verdict by a
stated rule.  `FIGURES` holds the experiments on pictures, for the blog *Looking at the Performer
from a Hopfield point of view*, with the signature ``figure(images, names, out=None)``.
`STATEMENTS` holds the experiments on random patterns, for the papers, with the signature
``statement(out=None, **sizes)``.
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
    feature_memory,
    features,
    fixed_points,
    margins,
    memories,
    random_energy,
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
    "threshold": random_energy.random_energy,
    "sphere": margins.on_the_sphere,
    "separation": margins.separation,
    "margin": margins.margin,
    "sparse": margins.random_patterns,
    "draws": feature_memory.features_needed,
    "metastable": fixed_points.metastable,
    "support": fixed_points.support,
    "estimators": estimators.mean_squared_errors,
    "haar": estimators.haar,
    "leak": estimators.leak,
}
EXPERIMENTS = FIGURES | STATEMENTS


def reproduce(names=None, out=None):
    """Run experiments in the order of `EXPERIMENTS`.

    Parameters
    ----------
    names : names of experiments, in any case (default: all)
    out : directory for the drawings (default: nothing is drawn)

    Returns
    -------
    one `Record` for each experiment

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
    """Summary of an experiment in one line.

    Parameters
    ----------
    name : name of the experiment, a key of `EXPERIMENTS`

    Returns
    -------
    str, the first sentence of its docstring

    >>> from hopref.experiments import summary
    >>> summary("crosstalk")
    'Share of bits that one synchronous step from a stored pattern turns wrong.'
    """
    line = inspect.getdoc(EXPERIMENTS[name]).partition("\n")[0].removeprefix(f"{name}: ")
    return line[0].upper() + line[1:]


def _known(name):
    """The key of `EXPERIMENTS` that equals ``name`` up to case."""
    keys = {key.casefold(): key for key in EXPERIMENTS}
    if name.casefold() in keys:
        return keys[name.casefold()]
    near = [keys[n] for n in get_close_matches(name.casefold(), keys)]
    suggestion = f", nearest {', '.join(near)}" if near else ""
    raise DomainError("hopref.experiments.reproduce: names must be among those of hopref reproduce "
                      f"--list; got {name!r}{suggestion}.")
