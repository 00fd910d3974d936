"""Drawings of recalls and of measured curves.  They require matplotlib."""
from collections.abc import Sequence
from pathlib import Path
from typing import NamedTuple

import numpy as np

from hopref.errors import DomainError
from hopref.extras import require

__all__ = ["Curve", "measured", "exact", "draw_recall", "draw_comparison", "draw_curves",
           "save", "FORMATS"]

RIGHT, WRONG, INK = "#1f77b4", "#d9541e", "#333333"
COLOURS = ("#2f5d8a", "#c8553d", "#588157", "#8d6a9f", "#b08900", "#555555")   # as in the gallery
COLUMNS = 12        # pictures in a row
INCH = 0.92         # side of one picture
MOST = 48           # pictures on a sheet
UNDATED = {".png": {"Software": None}, ".pdf": {"Creator": None, "Producer": None,
                                                "CreationDate": None},
           ".svg": {"Creator": None, "Date": None}}
FORMATS = tuple(UNDATED)


def _figure(width, height):
    Figure = require("matplotlib.figure", extra="plot", caller="experiments").Figure
    return Figure(figsize=(width, height), dpi=110, facecolor="white")


def draw_recall(recall, names):
    """Draw the stored pictures, the cues and the results; a frame marks what was retrieved."""
    shown = _shown([recall], len(names))
    return _sheet([*_inputs(recall), _results(recall, "retrieved", shown)], names, shown)


def draw_comparison(recalls, names):
    """Draw the results of several rules under the same pictures and cues, and their energies."""
    shown = _shown(recalls, len(names))
    grey = next((r for r in recalls if not _polar(r)), recalls[0])
    rows = [*_inputs(grey), *(_results(r, r.settings.rule, shown) for r in recalls)]
    strip = 2.0
    figure = _sheet(rows, names, shown, least_width=1.1 + 1.75 * len(recalls), below=strip)
    width, height = figure.get_size_inches()
    each = (width - 0.2) / len(recalls)
    for k, recall in enumerate(recalls):
        box = [(0.75 + k * each) / width, 0.42 / height, (each - 0.75) / width,
               (strip - 0.95) / height]
        _draw_energies(figure.add_axes(box), recall)
    figure.text(0.95 / width, (strip - 0.2) / height, "blue: retrieved, orange: lost",
                fontsize=9, color=INK)
    return figure


class _Row(NamedTuple):
    """A row of a sheet; ``scores`` maps pictures to texts below them, ``right`` to frames."""
    label: str
    images: np.ndarray
    colours: str
    scores: dict = {}
    right: np.ndarray | None = None


def _polar(recall):
    return recall.settings.normalisation == "polar"


def _inputs(recall):
    colours = "gray_r" if _polar(recall) else "gray"            # the blog's polar +1 is black
    return (_Row("stored", recall.inputs.values, colours),
            _Row("cue", recall.inputs.damaged, colours))


def _results(recall, label, shown):
    found = f"{recall.retrieved.sum()} of {len(recall.retrieved)}"
    return _Row(label.replace("-", "-\n") + f"\n{found}", recall.result_images,
                "gray_r" if _polar(recall) else "gray",
                {i: _score(recall, i) for i in shown}, recall.retrieved)


def _shown(recalls, N):
    """Indices of the drawn pictures: all, or the lost ones first if there are many."""
    if N <= MOST:
        return range(N)
    kept = np.all([r.retrieved for r in recalls], axis=0)
    return sorted(np.argsort(kept, kind="stable")[:MOST].tolist())


def _sheet(rows, names, shown, least_width=0.0, below=0.0):
    """Draw rows of pictures in blocks of at most `COLUMNS`."""
    columns, blocks = min(len(shown), COLUMNS), -(-len(shown) // COLUMNS)
    left, top, gap, score = 0.95, 0.26, 0.1, 0.2                # inches
    tops = np.cumsum([0.0, *(INCH + score * bool(row.scores) for row in rows)])
    block, note = top + tops[-1] + gap, 0.25 * (len(shown) < len(names))
    height = blocks * block + note + below
    figure = _figure(max(left + columns * INCH + 0.1, least_width), height)
    width, height = figure.get_size_inches()
    for at, i in enumerate(shown):
        down, column = divmod(at, columns)
        for row, offset in zip(rows, tops, strict=False):
            floor = height - down * block - top - offset - INCH
            axes = figure.add_axes([(left + column * INCH + 0.03) / width, (floor + 0.03) / height,
                                    (INCH - 0.06) / width, (INCH - 0.06) / height],
                                   xticks=[], yticks=[])
            _draw_picture(axes, row, i)
            if row is rows[0]:
                axes.set_title(_short(names[i]), fontsize=8.5, color=INK, pad=2)
            if column == 0:
                axes.set_ylabel(row.label, fontsize=9.5, color=INK, rotation=0, ha="right",
                                va="center", labelpad=5)
    if note:
        figure.text(left / width, (below + 0.08) / height, f"{len(shown)} of {len(names)} "
                    "pictures, those that are lost first", fontsize=9, color=INK)
    return figure


def _draw_picture(axes, row, i):
    axes.imshow(np.atleast_2d(np.clip(row.images[i], -1, 1)), interpolation="nearest",
                aspect="auto", cmap=row.colours, vmin=-1, vmax=1)
    axes.spines[:].set(color="#cccccc", linewidth=0.6)
    if row.right is not None:
        colour = RIGHT if row.right[i] else WRONG
        axes.spines[:].set(color=colour, linewidth=2.4)
        axes.set_xlabel(row.scores[i], fontsize=8.5, labelpad=2.5, color=colour)


def _draw_energies(axes, recall):
    """The energies of all pictures: a line from the cue to the result and to the pattern."""
    axes.set_title(recall.settings.rule, fontsize=9, color=INK)
    if recall.energies is None:
        axes.set_axis_off()
        axes.text(0.5, 0.5, "no energy", ha="center", va="center", fontsize=9, color="#666666",
                  transform=axes.transAxes)
        return
    stored, cue, result = recall.energies
    for right, colour in ((True, RIGHT), (False, WRONG)):
        some = recall.retrieved == right
        axes.plot([0, 1, 2], [cue[some], result[some], stored[some]], color=colour, linewidth=0.8,
                  marker="o", markersize=2.5, alpha=0.7, zorder=1 + right)
    axes.set_xticks([0, 1, 2], ["cue", "result", "stored"])
    axes.set_xlim(-0.3, 2.3)
    axes.tick_params(labelsize=7.5, colors=INK)
    axes.locator_params(axis="y", nbins=4)
    axes.ticklabel_format(axis="y", style="sci", scilimits=(-2, 3), useMathText=True)
    axes.yaxis.get_offset_text().set(fontsize=7, color=INK)
    axes.spines[["top", "right"]].set_visible(False)
    axes.set_ylabel("energy", fontsize=7.5, color=INK, labelpad=2)


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
    """Write a drawing in the format of its suffix, one of `FORMATS`.

    It holds neither a date nor a version, so that equal figures give equal files.
    """
    suffix = Path(path).suffix.lower()
    if suffix not in FORMATS:
        raise DomainError(f"hopref.experiments.save: the suffix must be one of "
                          f"{', '.join(FORMATS)}; got {str(path)!r}.")
    with require("matplotlib", extra="plot", caller="experiments").rc_context(
            {"svg.hashsalt": "hopref"}):
        figure.savefig(path, format=suffix[1:], metadata=UNDATED[suffix])
