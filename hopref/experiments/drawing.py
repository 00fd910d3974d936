"""Drawings of recalls and of measured curves.  They require matplotlib."""
from collections.abc import Sequence
from typing import NamedTuple

import numpy as np

from hopref.extras import require

__all__ = ["Curve", "measured", "exact", "draw_recall", "draw_curves", "save"]

RIGHT, WRONG, INK = "#1f77b4", "#d9541e", "#333333"
COLOURS = ("#2f5d8a", "#c8553d", "#588157", "#8d6a9f", "#b08900", "#555555")   # as in the gallery
COLUMNS = 12        # pictures in a row
INCH = 0.92         # side of one picture


def _figure(width, height):
    Figure = require("matplotlib.figure", extra="plot", caller="experiments").Figure
    return Figure(figsize=(width, height), dpi=110, facecolor="white")


def draw_recall(recall, names):
    """Draw the stored pictures, the cues and the results; a frame marks what was retrieved."""
    N = len(names)
    columns, blocks = min(N, COLUMNS), -(-N // COLUMNS)
    left, top, gap = 0.95, 0.26, 0.30               # inches
    height = blocks * (3 * INCH + top + gap)
    figure = _figure(left + columns * INCH + 0.1, height)
    width, height = figure.get_size_inches()
    back = np.clip(recall.result_images, -1, 1)
    if recall.settings.normalisation == "polar":
        grey = {"cmap": "gray_r", "vmin": -1, "vmax": 1}        # the blog's polar +1 is black
    else:
        grey = {"cmap": "gray", "vmin": -1, "vmax": 1}
    for i in range(N):
        block, column = divmod(i, COLUMNS)
        ceiling = height - block * (3 * INCH + top + gap) - top
        for row, picture in enumerate([recall.inputs.values[i], recall.inputs.damaged[i], back[i]]):
            box = [(left + column * INCH + 0.03) / width,
                   (ceiling - (row + 1) * INCH + 0.03) / height,
                   (INCH - 0.06) / width, (INCH - 0.06) / height]
            axes = figure.add_axes(box, xticks=[], yticks=[])
            axes.imshow(np.atleast_2d(picture), interpolation="nearest", aspect="auto", **grey)
            for spine in axes.spines.values():
                spine.set(color="#cccccc", linewidth=0.6)
                if row == 2:
                    spine.set(color=RIGHT if recall.retrieved[i] else WRONG, linewidth=2.4)
            if row == 0:
                axes.set_title(_short(names[i]), fontsize=8.5, color=INK, pad=2)
            if row == 2:
                axes.set_xlabel(_score(recall, i), fontsize=9, labelpad=2.5,
                                color=RIGHT if recall.retrieved[i] else WRONG)
            if column == 0:
                axes.set_ylabel(["stored", "cue", "retrieved"][row], fontsize=9.5, color=INK,
                                rotation=0, ha="right", va="center", labelpad=5)
    return figure


def _short(name):
    name = name.replace("_", " ")
    return name if len(name) <= 12 else name[:10] + "…"


def _score(recall, i):
    if recall.weights is not None:
        return f"weight {recall.target_weight[i]:.2f}"
    if recall.settings.normalisation == "polar":
        return f"{(recall.results[i] != recall.inputs.patterns[i]).sum()} wrong"
    return f"cos {recall.cosines[i, i]:.2f}"


class Curve(NamedTuple):
    """Measured points with intervals, or an exact line."""
    label: str
    x: Sequence
    y: Sequence
    low: Sequence = ()
    high: Sequence = ()
    exact: bool = False
    colour: int | None = None           # index into COLOURS


def measured(label, x, intervals, colour=None):
    """A curve of measurements: one `Interval` for each x."""
    y, low, high = zip(*intervals, strict=True)
    return Curve(label, x, y, low, high, colour=colour)


def exact(label, x, y, colour=None):
    """A curve of exact values."""
    return Curve(label, x, y, exact=True, colour=colour)


def draw_curves(curves, *, xlabel, ylabel, marks=(), xscale="linear", yscale="linear", ylim=None,
                xticks=None, yticks=None):
    """Draw curves on common axes; ``marks`` is ((x, text), ...).

    Measured points with the same colour as an exact line are not connected.
    """
    figure = _figure(7.6, 3.3)
    axes = figure.add_axes([0.095, 0.155, 0.585, 0.77])
    axes.set_xscale(xscale)
    axes.set_yscale(yscale)
    colours = [k if c.colour is None else c.colour for k, c in enumerate(curves)]
    theory = {colour for colour, c in zip(colours, curves, strict=True) if c.exact}
    drawn = [_draw_curve(axes, c, colour, "osD^vP"[k % 6], colour not in theory)
             for k, (c, colour) in enumerate(zip(curves, colours, strict=True))]
    if ylim:
        axes.set_ylim(*ylim)
    for set_ticks, ticks in ((axes.set_xticks, xticks), (axes.set_yticks, yticks)):
        if ticks is not None:
            set_ticks(ticks, [f"{tick:g}" for tick in ticks])
            set_ticks([], minor=True)
    for at, text in marks:
        axes.axvline(at, color="#999999", linewidth=0.9, linestyle=":", zorder=0)
        axes.annotate(text, (at, 1.0), xycoords=("data", "axes fraction"), fontsize=8,
                      color="#666666", xytext=(0, 3), textcoords="offset points", ha="center")
    axes.set_xlabel(xlabel, fontsize=9, color=INK)
    axes.set_ylabel(ylabel, fontsize=9, color=INK)
    axes.tick_params(labelsize=8, colors=INK)
    axes.spines[["top", "right"]].set_visible(False)
    axes.grid(color="#e6e6e6", linewidth=0.6)
    axes.set_axisbelow(True)
    named = [(line, c.label) for line, c in zip(drawn, curves, strict=True) if c.label]
    axes.legend(*zip(*named, strict=True), fontsize=8, frameon=False, loc="upper left",
                bbox_to_anchor=(1.01, 1.02))
    return figure


def _draw_curve(axes, curve, colour, marker, connected):
    style = {"color": COLOURS[colour % len(COLOURS)], "linewidth": 1.5}
    if curve.exact:
        return axes.plot(curve.x, curve.y, linestyle="--", zorder=1, **style)[0]
    style |= {"marker": marker, "markersize": 4, "linestyle": "-" if connected else "none"}
    if not len(curve.low):
        return axes.plot(curve.x, curve.y, **style)[0]
    y, low, high = (np.asarray(v, dtype=float) for v in (curve.y, curve.low, curve.high))
    return axes.errorbar(curve.x, y, yerr=[y - low, high - y], elinewidth=1.0, capsize=2.0, **style)


def save(figure, path):
    """Write a PNG file without date or version, so that equal figures give equal files."""
    figure.savefig(path, format="png", metadata={"Software": None})
