"""Figures of costs as functions of a size, in the style of the documentation, and where they cross.
"""
import math
from pathlib import Path
from typing import NamedTuple

__all__ = ["Panel", "crossing", "draw", "mark"]

STYLE = Path(__file__).parents[1] / "docs" / "hopref.mplstyle"


class Panel(NamedTuple):
    """Lines {label: {size: value}} with the names of the axes, and marked points (size, value)."""
    title: str
    x: str
    y: str
    lines: dict
    marks: tuple = ()


def crossing(first, second):
    """The size after which the second cost, {size: cost}, stays below the first.

    It is found between two measured sizes by straight lines in logarithms; 0 if the second is lower
    at all common sizes, and inf if it is not at the last.
    """
    both = sorted(first.keys() & second.keys())
    gap = [math.log(second[size] / first[size]) for size in both]
    i = max((i for i, value in enumerate(gap) if value >= 0), default=None)
    if i is None:
        return 0.0
    if i == len(gap) - 1:
        return math.inf
    return both[i] * (both[i + 1] / both[i])**(gap[i] / (gap[i] - gap[i + 1]))


def mark(first, second):
    """The point (size, cost) in which the costs cross, if there is one, in a list."""
    size = crossing(first, second)
    if not 0 < size < math.inf:
        return []
    below = max(s for s in first if s <= size)
    above = min(s for s in first if s > size)
    share = math.log(size / below) / math.log(above / below)
    return [(size, first[below] * (first[above] / first[below])**share)]


def draw(panels, file, *, across, scale, height=2.6):
    """Draw the panels, so many in a row, with sizes on a logarithmic axis."""
    import matplotlib
    matplotlib.use("Agg")
    from matplotlib import pyplot
    down, across = -(-len(panels) // across), min(across, len(panels))
    with pyplot.style.context(STYLE):
        figure, grid = pyplot.subplots(down, across, figsize=(9, height * down), squeeze=False,
                                       layout="constrained")
        for axes, panel in zip(grid.flat, panels):
            _draw(axes, panel, scale)
        for axes in grid.flat[len(panels):]:
            axes.axis("off")
        longest = max(grid.flat, key=lambda axes: len(axes.get_legend_handles_labels()[0]))
        figure.legend(*longest.get_legend_handles_labels(), loc="outside lower center", ncols=4)
        figure.savefig(file)
        pyplot.close(figure)


def _draw(axes, panel, scale):
    for label, line in panel.lines.items():
        axes.plot(*zip(*sorted(line.items())), "o-", label=label)
    for i, (size, value) in enumerate(sorted(panel.marks)):
        below = {"xytext": (8, -8), "va": "top", "ha": "left"}
        above = {"xytext": (-8, 8), "va": "bottom", "ha": "right"}
        axes.plot(size, value, "o", ms=9, mfc="none", mec="k", mew=1)
        axes.annotate(f"{size:.0f}", (size, value), textcoords="offset points", fontsize=8,
                      bbox={"facecolor": "w", "edgecolor": "none", "pad": 1, "alpha": 0.8},
                      **(below if i % 2 else above))
    sizes = sorted({size for line in panel.lines.values() for size in line})
    ticks = sizes[::-1][::1 + len(sizes) // 6][::-1]
    axes.set(xscale="log", yscale=scale, xticks=ticks, xticklabels=ticks, title=panel.title,
             xlabel=panel.x, ylabel=panel.y)
    if scale == "linear":
        axes.set_ylim(0, None)
    axes.minorticks_off()
