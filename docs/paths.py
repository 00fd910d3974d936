"""The page of the operations and their paths; ``paths.toml`` says why some have no numba path.

For cupy there are no reasons yet: most operations do not have that path.
"""

import re
import tomllib
from pathlib import Path
from typing import NamedTuple

from hopref.dispatch.operation import load

FILE = Path(__file__).with_suffix(".toml")


class Group(NamedTuple):
    """Why the operations that these names and patterns match have no numba path."""
    reason: str
    operations: tuple


def groups(file=FILE):
    """{label: Group} in the order of the file."""
    read = tomllib.loads(file.read_text(encoding="utf-8"))
    return {label: Group(group["reason"], tuple(group["operations"]))
            for label, group in read.items()}


def matches(entry, name):
    """Whether a pattern matches a name; ``*`` stands for any letters of one part of it."""
    return re.fullmatch(re.escape(entry).replace(r"\*", r"[^.]*"), name) is not None


def labels(name, known):
    """Labels of the groups that match a name."""
    return [label for label, group in known.items()
            if any(matches(entry, name) for entry in group.operations)]


def without_path(ops):
    """Names of the operations without a numba path."""
    return [name for name, op in ops.items() if "numba" not in op.paths]


def gaps(ops, known):
    """Messages on operations without exactly one reason, and on entries that match none."""
    lacking, found = without_path(ops), []
    for name in lacking:
        given = labels(name, known)
        if not given:
            found.append(f"{name} has no numba path: write a kernel in hopref/fast/numba, or add "
                         f"the name to the group of docs/paths.toml whose reason is true of it")
        elif len(given) > 1:
            found.append(f"{name} is in the groups {', '.join(given)} of docs/paths.toml: keep one")
    for label, group in known.items():
        found += [f"{entry!r} in the group {label} of docs/paths.toml matches no operation without "
                  f"a numba path: remove it" for entry in group.operations
                  if not any(matches(entry, name) for name in lacking)]
    return found


def page():
    """Markdown of the page."""
    ops, known = dict(sorted(load().items())), groups()
    lacking = set(without_path(ops))
    device = sum("cupy" in op.paths for op in ops.values())
    lines = [_HEADING.format(count=len(ops), fast=len(ops) - len(lacking), device=device)]
    for label, group in known.items():
        number = sum(label in labels(name, known) for name in lacking)
        lines += [f"**{label}** ({number} operations)", f": {group.reason}", ""]
    for module in dict.fromkeys(name.rpartition(".")[0] for name in ops):
        lines += [f"## {module}", "", "| operation | formula | numba | cupy |", "|---|---|---|---|"]
        for name in ops:
            if name.rpartition(".")[0] == module:
                path = ", ".join(labels(name, known)) if name in lacking else "**yes**"
                device = "**yes**" if "cupy" in ops[name].paths else ""
                lines.append(f"| {{py:func}}`{name} <hopref.{name}>` | yes | {path} | {device} |")
        lines.append("")
    return "\n".join(lines)


_HEADING = """\
# Operations and their paths

Each of the {count} operations has the path `"formula"`, and {fast} have the path `"numba"`, which
is used on request ([reading guide](reading.md#paths)). An operation without it belongs to a group,
whose label is in the tables. The path `"cupy"`, of {device} so far, takes arrays on a
[GPU](gpu.md), on which every formula runs too:
"""
