"""A static page of the results of asv, in Markdown, with figures of time, memory and errors.

    python -m benchmarks.summary RESULTS OUT [--keep FOLDER]

RESULTS is asv's folder, such as .asv/results, or docs/measured/asv, from which the documentation
makes its page.  OUT/index.md and OUT/*.png; nothing is loaded from the network.  Where several
commits were measured the tables show the latest, and a history of every exponent, error and ratio
follows.  --keep writes the part of the latest results that the page shows to FOLDER, in asv's form.
"""
import argparse
import datetime
import itertools
import json
import math
import re
from pathlib import Path
from typing import NamedTuple

from benchmarks.figures import Panel, crossing, draw, mark
from hopref.versions import versions

__all__ = ["at_sizes", "keep", "markdown", "memory", "parameter_names", "read", "time", "write"]


class Run(NamedTuple):
    """One result file: commit, date in milliseconds, machine, and {benchmark: [Point]}."""
    commit: str
    date: int
    machine: str
    environment: str
    benchmarks: dict


class Point(NamedTuple):
    """A value with its parameters; NaN if the benchmark failed or was skipped."""
    parameters: tuple
    value: float


class Section(NamedTuple):
    """A table of tracks: its heading, an explanation, and how a value is written."""
    heading: str
    text: str
    tracks: tuple
    written: object


def read(results):
    """Every run in the results folder of asv, in the order of time."""
    runs = []
    for file in sorted(Path(results).glob("*/*.json")):
        content = json.loads(file.read_text())
        if "results" in content:
            columns = content["result_columns"]
            rows = {name: dict(zip(columns, row)) for name, row in content["results"].items()}
            runs.append(Run(content["commit_hash"][:10], content["date"],
                            machine(file.with_name("machine.json"), content["params"]["machine"]),
                            content["env_name"], {name: points(row) for name, row in rows.items()}))
    return sorted(runs, key=lambda run: run.date)


def keep(results, folder):
    """Write the values of the latest run to a folder that `read` and `parameter_names` accept.

    An environment that was not made by asv is this one; its name, a path, becomes its versions.
    """
    files = {file: json.loads(file.read_text()) for file in Path(results).glob("*/*.json")}
    file, last = max(((file, it) for file, it in files.items() if "results" in it),
                     key=lambda pair: pair[1]["date"])
    columns, made = last["result_columns"], last["env_name"]
    rows = {name: dict(zip(columns, row)) for name, row in last["results"].items()}
    kept = {"commit_hash": last["commit_hash"], "date": last["date"],
            "env_name": built_with() if made.startswith("existing") else made,
            "params": {"machine": last["params"]["machine"]},
            "result_columns": ["result", "params"],
            "results": {name: [rounded(row["result"]), row["params"]]
                        for name, row in sorted(rows.items())}}
    names = {name: {"param_names": given} for name, given in parameter_names(results).items()
             if name in rows}
    below = folder / file.parent.name
    below.mkdir(parents=True, exist_ok=True)
    for old in below.glob("*.json"):
        old.unlink()
    write_json(folder / "benchmarks.json", names)
    write_json(below / f"{kept['commit_hash'][:8]}.json", kept)
    write_json(below / "machine.json", files.get(file.with_name("machine.json"), {}))


def built_with():
    """Versions of this environment, in words."""
    found = versions()
    return ", ".join(f"{name} {found[name]}" for name in ("python", "numpy", "numba")
                     if found[name])


def rounded(values):
    """The values with four digits, which the page shows at most; None for those that failed."""
    return values and [None if value is None or value != value else float(f"{value:.4g}")
                       for value in values]


def write_json(file, content):
    """Write JSON with a line for each benchmark."""
    text = json.dumps(content, separators=(",", ": "))
    file.write_text(re.sub(r'([]}]),"', '\\1,\n"', text) + "\n")


def machine(file, name):
    """The name of a machine, with its processor and the number of its cores if they are known."""
    known = json.loads(file.read_text()) if file.exists() else {}
    parts = [known.get("cpu"), known.get("num_cpu") and f"{known['num_cpu']} cores",
             known.get("os")]
    described = ", ".join(part for part in parts if part)
    return f"{name} ({described})" if described else name


def parameter_names(results):
    """Names of the parameters of every benchmark."""
    known = json.loads((Path(results) / "benchmarks.json").read_text())
    return {name: it["param_names"] for name, it in known.items() if isinstance(it, dict)}


def points(row):
    """The values of one benchmark with their parameters."""
    given = itertools.product(*(map(unquoted, values) for values in row["params"]))
    values = row["result"] or itertools.repeat(None)
    return [Point(parameters, math.nan if value is None else float(value))
            for parameters, value in zip(given, values)]


def unquoted(parameter):
    """A parameter without quotes, since asv stores its repr."""
    return int(parameter) if parameter.isdigit() else parameter.strip("'\"")


def write(runs, names, out):
    """Write OUT/index.md and its figures; ``names`` are the parameter names of the benchmarks."""
    out.mkdir(parents=True, exist_ok=True)
    last = runs[-1]
    day = datetime.datetime.fromtimestamp(last.date / 1000, datetime.UTC).date()
    lines = ["# Benchmarks", "",
             f"Commit {last.commit}, measured on {day} on the machine {last.machine}, environment "
             f"{last.environment}. Number of measured commits: {len(runs)}.", ""]
    lines += tables(last.benchmarks) + errors(last.benchmarks, out) + history(runs)
    for name in sorted({name.rpartition(".")[0] for name in last.benchmarks if ".time_" in name}):
        lines += timed(name, last.benchmarks, names, out)
    (out / "index.md").write_text("\n".join(lines) + "\n")


# ---- tables of tracks ---------------------------------------------------------------------------

def number(value):
    return f"{value:.3f}" if value == value else "-"


def plain(value):
    return f"{value:.3g}" if value == value else "-"


def whole(value):
    return f"{value:.0f}" if value == value else "-"


def time(value):
    return "-" if value != value else f"{value:.3g} s" if value >= 1 else f"{1e3 * value:.3g} ms"


def memory(value):
    if value != value:
        return "-"
    return f"{value / 2**30:.3g} GiB" if value >= 2**30 else f"{value / 2**20:.3g} MiB"


def in_seconds(value):
    return f"{value:.2f} s" if value == value else "-"


SECTIONS = [
    Section("Exponents", "The cost is proportional to the size to this power. Work is counted and "
            "memory traced, so that both repeat.", ("track_work", "track_memory"), number),
    Section("Numba paths and NumPy by hand", "Time of NumPy, written by hand in the same number "
            "format, over that of the path, in turn in one process: above 1 the path is faster.",
            ("track_ratio_by_hand",), plain),
    Section("First calls", "Elapsed seconds of the first call of a kernel in a new process, which "
            "compiles it (cold) or finds it in the cache (cached).",
            ("track_first_call_cold", "track_first_call_cached"), in_seconds),
    Section("Estimators", "Errors over the kernel of 64 features in 16 dimensions at "
            "|x + y|² = 1 and 60 degrees: measured, and in closed form where there is one.",
            ("track_error", "track_exact_error"), plain),
    Section("Operations of the estimators", "Number of operations of a map of 64 features for one "
            "vector of 16 components.", ("track_operations",), whole),
]
APART = {"track_accuracy", "track_peak"}        # are drawn as functions of the size


def tables(benchmarks):
    """The sections of the tracks that were measured, and those of other tracks by their names."""
    functions = {name.rpartition(".")[2] for name in benchmarks if ".track_" in name} - APART
    known = {track for section in SECTIONS for track in section.tracks}
    others = [Section(name, "", (name,), plain) for name in sorted(functions - known)]
    return [line for section in SECTIONS + others if functions & set(section.tracks)
            for line in table(section, benchmarks)]


def table(section, benchmarks):
    """A section: rows are parameters; columns are tracks or, of a single track, its last parameter.
    """
    found, single = {}, len(section.tracks) == 1
    for name, measured in benchmarks.items():
        track = name.rpartition(".")[2]
        for parameters, value in measured if track in section.tracks else ():
            *row, column = parameters if single and len(parameters) > 1 else (*parameters, track)
            found.setdefault(", ".join(map(str, row)), {})[column] = value
    given = dict.fromkeys(column for row in found.values() for column in row)
    columns = [track for track in section.tracks if track in given] or list(given)
    rows = [[title, *(section.written(row.get(column, math.nan)) for column in columns)]
            for title, row in sorted(found.items())]
    shown = [column.removeprefix("track_").replace("_", " ") for column in columns]
    return [f"## {section.heading}", "", section.text, "", *markdown(["", *shown], rows)]


def history(runs):
    """Table of the tracks at every commit, if there are several commits."""
    tracks = {name: measured for name, measured in runs[-1].benchmarks.items()
              if ".track_" in name and not name.endswith("track_peak")}
    if len(runs) < 2 or not tracks:
        return []
    rows = []
    for name, measured in sorted(tracks.items()):
        for parameters, _ in measured:
            then = [dict(run.benchmarks.get(name, ())).get(parameters, math.nan) for run in runs]
            title = f"{', '.join(map(str, parameters))}: {name.rpartition('.track_')[2]}"
            rows.append([title.replace("_", " "), *map(number, then)])
    return ["## History", "", *markdown(["track", *(run.commit for run in runs)], rows)]


def markdown(head, rows):
    """Lines of a table, with an empty line after it."""
    return ["| " + " | ".join(row) + " |" for row in [head, ["---"] * len(head), *rows]] + [""]


# ---- errors, time and memory as functions of the size -------------------------------------------

def errors(benchmarks, out):
    """Section of the errors in eps, with a figure of a panel for each operation."""
    panels, measured = {}, {}
    for name in benchmarks:
        for (case, path), value in benchmarks[name] if name.endswith(".track_accuracy") else ():
            measured.setdefault(case, {})[path] = value
            title, _, size = case.rpartition(" ")
            if value == value:
                panels.setdefault(title, {}).setdefault(path, {})[int(size)] = value
    if not measured:
        return []
    if panels:
        draw([Panel(title, "size", "error, eps", lines) for title, lines in panels.items()],
             out / "errors.png", across=4, scale="linear")
    paths = list(dict.fromkeys(path for row in measured.values() for path in row))
    rows = [[case, *(plain(row.get(path, math.nan)) for path in paths)]
            for case, row in measured.items()]
    return ["## Errors", "", "Largest error of a row over its largest entry, in units of the eps "
            "of the number format of the path, against the formula in long double. Their limits "
            "may only fall.", "", *["![errors against the size](errors.png)", ""] * bool(panels),
            *markdown(["operation and size", *paths], rows)]


def timed(name, benchmarks, names, out):
    """Section of a class of timings: a figure of time and memory, and a table of both."""
    timing = next(full for full in sorted(benchmarks) if full.startswith(f"{name}.time_"))
    sizes, *others, _ = names[timing]
    measured = {"time": benchmarks[timing], "memory": benchmarks.get(f"{name}.track_peak", [])}
    lines = {cost: curves(found, others) for cost, found in measured.items()}
    section = [f"## {name}", ""]
    if lines["time"]:
        faster = list(against_the_formula(lines["time"]))
        marks = tuple(point for *_, formula, line in faster for point in mark(formula, line))
        panels = [Panel("", sizes, "time, s", lines["time"], marks),
                  Panel("", sizes, "peak memory, bytes", lines["memory"])]
        draw([panel for panel in panels if panel.lines], out / f"{name}.png", across=2,
             scale="log", height=3.4)
        section += [f"![time and memory against {sizes}]({name}.png)", "",
                    *sentences({label: at_sizes(crossing(formula, line), sizes)
                                for label, formula, line in faster}), ""]
    return section + costs(measured, names[timing])


def curves(measured, others):
    """{label: {size: value}} of the positive values; the label is the path and other parameters."""
    found = {}
    for (size, *values, path), cost in measured:
        label = ", ".join([path, *(f"{name}={value}" for value, name in zip(values, others))])
        if cost > 0:
            found.setdefault(label, {})[size] = cost
    return found


def against_the_formula(lines):
    """The label of each other path, the curve of the formula, and that of this path."""
    for label, line in lines.items():
        path, comma, rest = label.partition(", ")
        if path != "formula" and f"formula{comma}{rest}" in lines:
            yield label, lines[f"formula{comma}{rest}"], line


def sentences(where):
    """Items on the sizes at which each path is faster; a single one if all are at all sizes."""
    if set(where.values()) == {"at all sizes"}:
        return ["The numba path is faster than the formula at all sizes."]
    return [f"* {label}: faster than the formula {sizes}" for label, sizes in where.items()]


def at_sizes(size, name):
    """The sizes at which a cost is lower, in words."""
    return {0.0: "at all sizes", math.inf: "not at the largest size"}.get(
        size, f"from about {name} = {size:.0f} on")


def costs(measured, names):
    """Table of time and memory with a column for each path and a row for the other parameters."""
    written = {"time": time, "memory": memory}
    found, columns = {}, {}
    for cost, values in measured.items():
        for (*size, path), value in values:
            column = path if cost == "time" else f"{path}: memory"
            columns[column] = written[cost]
            found.setdefault(tuple(size), {})[column] = value
    rows = [[", ".join(map(str, size)), *(write(row.get(column, math.nan))
                                          for column, write in columns.items())]
            for size, row in found.items()]
    return markdown([", ".join(names[:-1]), *columns], rows)


def main():
    parser = argparse.ArgumentParser(description=__doc__.partition("\n")[0])
    parser.add_argument("results", type=Path, help="asv's results folder")
    parser.add_argument("out", type=Path, help="folder for index.md and its figures")
    parser.add_argument("--keep", type=Path, metavar="FOLDER", help="also keep these results")
    given = parser.parse_args()
    runs = read(given.results)
    if not runs:
        parser.error(f"no results below {given.results}")
    write(runs, parameter_names(given.results), given.out)
    if given.keep:
        keep(given.results, given.keep)
    print(given.out / "index.md")


if __name__ == "__main__":
    main()
