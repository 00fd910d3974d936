"""A static page of the results of asv, in Markdown, with one figure for each benchmark.

    python -m benchmarks.summary .asv/results OUT

OUT/index.md and OUT/*.png; nothing is loaded from the network.  Where several commits were measured
the tables show the latest, and a history of every exponent follows.
"""
import argparse
import itertools
import json
import math
from pathlib import Path
from typing import NamedTuple

__all__ = ["read", "parameter_names", "write"]


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


def read(results):
    """Every run in the results folder of asv, in the order of time."""
    runs = []
    for file in sorted(Path(results).glob("*/*.json")):
        content = json.loads(file.read_text())
        if "results" in content:
            columns = content["result_columns"]
            rows = {name: dict(zip(columns, row)) for name, row in content["results"].items()}
            runs.append(Run(content["commit_hash"][:10], content["date"],
                            content["params"]["machine"], content["env_name"],
                            {name: points(row) for name, row in rows.items()}))
    return sorted(runs, key=lambda run: run.date)


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
    lines = ["# Benchmarks", "",
             f"Commit {last.commit}, machine {last.machine}, environment {last.environment}; "
             f"{len(runs)} measured in all.", ""]
    tracks = {k: v for k, v in last.benchmarks.items() if ".track_" in k}
    times = {k: v for k, v in last.benchmarks.items() if ".time_" in k}
    lines += exponents(tracks) + history(runs, tracks)
    for name, measured in sorted(times.items()):
        lines += [f"## {name}", ""]
        if any(value == value for _, value in measured):
            draw(name, measured, names[name], out / f"{name}.png")
            lines += [f"![seconds against {names[name][0]}]({name}.png)", ""]
        lines += seconds(measured, names[name])
    (out / "index.md").write_text("\n".join(lines) + "\n")


def exponents(tracks):
    """Table of the exponents of work and memory."""
    table = {}
    for name, measured in tracks.items():
        for (title, *_), value in measured:
            table.setdefault(title, {})[name.rpartition("_")[2]] = value
    if not table:
        return []
    kinds = sorted({kind for row in table.values() for kind in row}, reverse=True)
    rows = [[title, *(number(row.get(kind, math.nan)) for kind in kinds)]
            for title, row in sorted(table.items())]
    return ["## Exponents", "", "The cost is proportional to the size to this power.", "",
            *markdown(["growth", *kinds], rows)]


def history(runs, tracks):
    """Table of the exponents at every commit, if there are several commits."""
    if len(runs) < 2 or not tracks:
        return []
    rows = []
    for name, measured in sorted(tracks.items()):
        for parameters, _ in measured:
            then = [dict(run.benchmarks.get(name, ())).get(parameters, math.nan) for run in runs]
            rows.append([f"{parameters[0]}: {name.rpartition('_')[2]}", *map(number, then)])
    return ["## History", "", *markdown(["exponent", *(run.commit for run in runs)], rows)]


def seconds(measured, names):
    """Table of seconds with a column for each path and a row for the other parameters."""
    paths = list(dict.fromkeys(parameters[-1] for parameters, _ in measured))
    table = {}
    for (*size, path), value in measured:
        table.setdefault(tuple(size), {})[path] = value
    rows = [[", ".join(map(str, size)), *(milliseconds(row.get(path, math.nan)) for path in paths)]
            for size, row in table.items()]
    return markdown([", ".join(names[:-1]), *paths], rows)


def draw(name, measured, names, file):
    """Draw seconds as a function of the first parameter, with logarithmic axes."""
    import matplotlib
    matplotlib.use("Agg")
    from matplotlib import pyplot
    lines = {}
    for (size, *others, path), value in measured:
        label = ", ".join([path, *(f"{other} {of}" for other, of in zip(others, names[1:]))])
        if value == value:
            lines.setdefault(label, []).append((size, value))
    figure, axes = pyplot.subplots(figsize=(6, 4), layout="constrained")
    for label, line in lines.items():
        axes.loglog(*zip(*sorted(line)), marker="o", label=label)
    axes.set(title=name, xlabel=names[0], ylabel="seconds")
    axes.grid(True, which="both", alpha=0.2)
    axes.legend()
    figure.savefig(file, dpi=120)
    pyplot.close(figure)


def markdown(head, rows):
    """Lines of a table, with an empty line after it."""
    return ["| " + " | ".join(row) + " |" for row in [head, ["---"] * len(head), *rows]] + [""]


def number(value):
    return f"{value:.3f}" if value == value else "-"


def milliseconds(value):
    return f"{1e3 * value:.3g} ms" if value == value else "-"


def main():
    parser = argparse.ArgumentParser(description=__doc__.partition("\n")[0])
    parser.add_argument("results", type=Path, help="asv's results folder")
    parser.add_argument("out", type=Path, help="folder for index.md and its figures")
    given = parser.parse_args()
    runs = read(given.results)
    if not runs:
        parser.error(f"no results below {given.results}")
    write(runs, parameter_names(given.results), given.out)
    print(given.out / "index.md")


if __name__ == "__main__":
    main()
