"""Charts of the HTML page, as inline SVG: where errors are, and how large they are."""
import math

from hopref.check.report.markup import element

__all__ = ["error_map", "error_axis"]

CELL, MARGIN = 17, 26           # pixels
LIGHT, DARK = (250, 205, 170), (140, 32, 8)             # errors just beyond the bound, the largest
WIDTH, LEFT, RIGHT = 900, 12, 12


def error_map(heat):
    """The errors of an array in units of the bound, as a table of coloured cells."""
    finite = [v for row in heat for v in row if 1 < v < math.inf]
    most = math.log10(max(finite, default=10.0))
    cells = [element("rect", element("title", f"{label(v)} bounds"), x=MARGIN + CELL * j,
                     y=MARGIN + CELL * i, width=CELL - 1, height=CELL - 1, rx=2,
                     style=f"fill:{colour(v, most)}")
             for i, row in enumerate(heat) for j, v in enumerate(row)]
    rows, columns = len(heat), len(heat[0])
    ticks = [element("text", i, x=MARGIN - 6, y=MARGIN + CELL * i + 12, text_anchor="end")
             for i in {0, rows - 1}]
    ticks += [element("text", j, x=MARGIN + CELL * j + 8, y=MARGIN - 6, text_anchor="middle")
              for j in {0, columns - 1}]
    width, height = MARGIN + CELL * columns + 8, MARGIN + CELL * rows + 4
    return element("svg", *cells, *ticks, viewBox=f"0 0 {width} {height}", width=width,
                   height=height, role="img", aria_label="errors by entry")


def colour(v, most):
    """A neutral colour within the bound; beyond it, darker with the logarithm of the error."""
    if v <= 1:
        return "var(--cell)"
    part = 1.0 if v == math.inf else min(1.0, math.log10(v) / max(most, 0.1))
    return "rgb({},{},{})".format(*(round(a + part * (b - a)) for a, b in zip(LIGHT, DARK)))


def label(v):
    return "infinitely many" if v == math.inf else f"{v:.3g}"


def error_axis(records):
    """The largest error of every case on a logarithmic axis, with the bound at 1."""
    found = [r for r in records if r.ratio is not None]
    if not found:
        return ""
    logs = [exponent(r.ratio) for r in found]
    low, high = min(-2, math.floor(min(logs))), max(1, math.ceil(max(logs)))

    def place(log):
        return LEFT + (log - low) / (high - low) * (WIDTH - LEFT - RIGHT)
    step = max(1, -(-(high - low) // 9))
    ticks = [t for t in range(low, high + 1) if t % step == 0]
    marks = [element("line", x1=place(t), x2=place(t), y1=64, y2=70, stroke="var(--line)")
             for t in ticks]
    marks += [element("text", power(t), x=place(t), y=86, text_anchor="middle") for t in ticks]
    bound = element("line", x1=place(0), x2=place(0), y1=6, y2=70, stroke="var(--soft)",
                    stroke_dasharray="4 3")
    axis = element("line", x1=LEFT, x2=WIDTH - RIGHT, y1=64, y2=64, stroke="var(--line)")
    used = {}
    dots = [dot(r, place(log), used) for r, log in sorted(zip(found, logs), key=lambda p: p[1])]
    side = "end" if place(0) > WIDTH / 2 else "start"
    text = element("text", "the bound", x=place(0) + (6 if side == "start" else -6), y=14,
                   text_anchor=side)
    return element("svg", axis, *marks, bound, text, *dots, viewBox=f"0 0 {WIDTH} 92", width=WIDTH,
                   height=92, role="img", aria_label="largest error of every case")


def dot(record, x, used):
    """One case; cases at the same place are above each other."""
    level = used[round(x / 11)] = used.get(round(x / 11), -1) + 1
    fill = {"passes": "pass", "fails": "fail", "limit": "part"}[record.outcome]
    return element("circle", element("title", f"{record.name}: {label(record.ratio)} bounds"),
                   cx=f"{x:.1f}", cy=57 - 11 * min(level, 4), r=4.5, style=f"fill:var(--{fill})")


def exponent(ratio):
    """The decimal exponent of an error, limited to the axis."""
    return 18.0 if ratio == math.inf else math.log10(max(min(ratio, 1e18), 1e-4))


def power(exponent):
    return {0: "1", 1: "10", -1: "0.1", -2: "0.01"}.get(exponent, f"1e{exponent}")
