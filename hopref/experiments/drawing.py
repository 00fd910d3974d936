"""Pictures of pictures: what was stored, what was shown, what came back.  Needs matplotlib."""
import numpy as np

from hopref.extras import require

__all__ = ["draw_recall", "draw_curves", "save"]

RIGHT, WRONG, INK = "#1f77b4", "#d9541e", "#333333"
COLUMNS = 12        # pictures beside each other
INCH = 0.92         # side of one picture


def _figure(width, height):
    Figure = require("matplotlib.figure", extra="plot", who="experiments").Figure
    return Figure(figsize=(width, height), dpi=110, facecolor="white")


def draw_recall(recall, names):
    """Three rows for every twelve pictures; the frame tells what was retrieved."""
    N = len(names)
    columns, blocks = min(N, COLUMNS), -(-N // COLUMNS)
    left, top, gap = 0.95, 0.26, 0.30               # inches
    height = blocks * (3 * INCH + top + gap)
    figure = _figure(left + columns * INCH + 0.1, height)
    width, height = figure.get_size_inches()
    back = np.clip(recall.returned, -1, 1)
    if recall.recipe.normalisation == "polar":
        grey = {"cmap": "gray_r", "vmin": -1, "vmax": 1}        # the blog's polar +1 is black
    else:
        grey = {"cmap": "gray", "vmin": -1, "vmax": 1}
    for i in range(N):
        block, column = divmod(i, COLUMNS)
        ceiling = height - block * (3 * INCH + top + gap) - top
        for row, picture in enumerate([recall.stage.values[i], recall.stage.damaged[i], back[i]]):
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
                axes.set_ylabel(["stored", "shown", "retrieved"][row], fontsize=9.5, color=INK,
                                rotation=0, ha="right", va="center", labelpad=5)
    return figure


def _short(name):
    name = name.replace("_", " ")
    return name if len(name) <= 12 else name[:10] + "…"


def _score(recall, i):
    if recall.weights is not None:
        return f"weight {recall.p_target[i]:.2f}"
    if recall.recipe.normalisation == "polar":
        return f"{(recall.results[i] != recall.stage.patterns[i]).sum()} wrong"
    return f"cos {recall.cosines[i, i]:.2f}"


def draw_curves(x, curves, *, xlabel, ylabel, marks=(), log=False):
    """Lines over ``x``: curves is {label: values}, marks is ((x, text), ...)."""
    figure = _figure(7.2, 3.1)
    axes = figure.add_axes([0.09, 0.17, 0.62, 0.76])
    for k, (label, values) in enumerate(curves.items()):
        axes.plot(x, values, marker="osD^v"[k % 5], markersize=4, linewidth=1.4, label=label)
    for at, text in marks:
        axes.axvline(at, color="#999999", linewidth=0.9, linestyle=":")
        axes.annotate(text, (at, 1.0), xycoords=("data", "axes fraction"), fontsize=7.5,
                      color="#777777", xytext=(3, -9), textcoords="offset points")
    if log:
        axes.set_xscale("log", base=2)
    axes.set_xlabel(xlabel, fontsize=8.5, color=INK)
    axes.set_ylabel(ylabel, fontsize=8.5, color=INK)
    axes.tick_params(labelsize=8, colors=INK)
    axes.spines[["top", "right"]].set_visible(False)
    axes.grid(axis="y", color="#e8e8e8", linewidth=0.7)
    axes.legend(fontsize=7.5, frameon=False, loc="upper left", bbox_to_anchor=(1.01, 1.0))
    return figure


def save(figure, path):
    """Write a PNG without dates or versions in it: equal pictures, equal files."""
    figure.savefig(path, format="png", metadata={"Software": None})
