"""Figure of the costs against the size, with their exponents.  It requires matplotlib."""
import numpy as np

from hopref.extras import require

__all__ = ["drawn"]

TITLES = {"memory": "traced peak memory", "resident": "resident peak memory",
          "work": "counted work", "time": "time"}
UNITS = {"bytes": "MiB", "operations": "operations",
         "seconds of the processor": "seconds of the processor"}
COST, GUIDE = "#2f5d8a", "0.6"


def drawn(result):
    """The figure of a `hopref.check.growth.scaling.Scaling`, a panel for each measure."""
    Figure = require("matplotlib.figure", extra="plot", caller="check.scaling").Figure
    shown = {name: m for name, m in result.measures.items() if m.exponent}
    figure = Figure(figsize=(3.1 * len(shown), 3.3), dpi=120, layout="constrained")
    figure.suptitle(f"{result.target} over {result.over}: {result.verdict}", fontsize=10)
    for ax, (name, m) in zip(figure.subplots(1, len(shown), squeeze=False)[0], shown.items()):
        _panel(ax, TITLES[name], m, result.over)
    return figure


def _panel(ax, title, measure, over):
    sizes = np.array(measure.sizes, float)
    costs = np.array(measure.costs, float) / (2**20 if measure.unit == "bytes" else 1)
    for power in (1, 2):
        ax.plot(sizes, costs[-1] * (sizes / sizes[-1]) ** power, color=GUIDE, ls=":", lw=1)
        ax.annotate(f"slope {power}", (sizes[0], costs[-1] * (sizes[0] / sizes[-1]) ** power),
                    fontsize=7, color="0.4", xytext=(2, 2), textcoords="offset points")
    ax.plot(sizes, costs, "o-", color=COST, ms=4, lw=1.4)
    p, low, high = measure.exponent
    ax.set_title(f"{title}: {measure.verdict}\nexponent {p:.2f} in [{low:.2f}, {high:.2f}]",
                 fontsize=8, loc="left")
    ax.set(xscale="log", yscale="log", xticks=sizes, xlabel=over)
    ax.set_xticklabels([f"{n:g}" for n in measure.sizes], rotation=45)
    ax.set_ylabel(UNITS[measure.unit], fontsize=8)
    ax.tick_params(labelsize=7)
    ax.minorticks_off()
    ax.spines[["top", "right"]].set_visible(False)
