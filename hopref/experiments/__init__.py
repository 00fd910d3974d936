"""The figures of the blog *Looking at the Performer from a Hopfield point of view*, run again.

Each figure is a function ``figure(images, names, out=None) -> Record``: it stores the pictures,
measures what the blog claims, and says whether the two agree.  Formulas live elsewhere.
"""
import time
from dataclasses import replace

from hopref.data import picture_names, pictures
from hopref.errors import DomainError
from hopref.experiments import binary, continuous, features, softmax
from hopref.progress import progress

__all__ = ["FIGURES", "reproduce"]

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


def reproduce(figures=None, out=None):
    """Run the named figures (all of them by default); draw them into the directory ``out``."""
    unknown = sorted(set(figures or ()) - set(FIGURES))
    if unknown:
        raise DomainError(f"hopref.experiments.reproduce: figures must be among "
                          f"{', '.join(FIGURES)}; got {', '.join(map(repr, unknown))}.")
    chosen = [f for f in FIGURES if not figures or f in figures]
    if out is not None:
        out.mkdir(parents=True, exist_ok=True)
    images, names, records = pictures(), picture_names(), []
    for figure in progress(chosen, label="figures"):
        began = time.perf_counter()
        record = FIGURES[figure](images, names, out)
        records.append(replace(record, seconds=round(time.perf_counter() - began, 3)))
    return tuple(records)
