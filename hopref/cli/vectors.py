"""``hopref vectors``: certified results for implementations in any language."""
import sys
from pathlib import Path

from hopref import vectors
from hopref.check.peers.targets import imported
from hopref.cli.output import add_json, print_json, print_table
from hopref.errors import CallError, PluginError, naming
from hopref.vectors.export import json_lines, verified, write_npz
from hopref.vectors.reading import content_of, rows_of
from hopref.vectors.records import line_of

__all__ = ["configure", "run"]

MOST_SHOWN = 5          # failures and flags that are printed


def configure(parser):
    """Add the subcommands and their options."""
    actions = parser.add_subparsers(metavar="ACTION", required=True, dest="action")
    listing = actions.add_parser("list", help="operations, or flags, with their numbers of rows")
    listing.add_argument("--flags", action="store_true", help="list the flags and their bugs")
    showing = actions.add_parser("show", help="print a row")
    showing.add_argument("id", metavar="ID", help="such as modern.update/0")
    exporting = actions.add_parser("export", help="write rows to a file")
    exporting.add_argument("--format", choices=("jsonl", "npz"), default="jsonl")
    exporting.add_argument("--out", metavar="FILE", help="default: standard output")
    for action in (listing, exporting):
        action.add_argument("--op", action="append", default=[], metavar="OPERATION")
        action.add_argument("--flag", metavar="FLAG", help="only rows that detect this bug")
    verifying = actions.add_parser("verify", help="compare a file with the packaged rows")
    verifying.add_argument("file", metavar="FILE")
    running = actions.add_parser("run", help="judge a Python function by its rows")
    running.add_argument("target", metavar="PKG.MOD:FUNCTION")
    running.add_argument("--like", required=True, metavar="OPERATION")
    running.add_argument("--file", metavar="FILE", help="rows of this file, not the packaged ones")
    running.add_argument("--invalid", action="store_true", help="judge invalid calls too")
    running.add_argument("--here", action="store_true", help="look for modules in this folder too")
    for action in (listing, showing, verifying, running):
        add_json(action)


def run(options):
    """Carry out the action; the exit code is 1 if a file differs or a function fails."""
    with naming("hopref.vectors"):
        return {"list": _list, "show": _show, "export": _export, "verify": _verify,
                "run": _run}[options.action](options)


def _list(options):
    known = vectors.manifest()
    if options.flags:
        table = [(flag, row["rows"], len(row["operations"]), row["bug"])
                 for flag, row in known["flags"].items()
                 if options.flag in (None, flag) and _selected(options.op, row["operations"])]
        columns = ["flag", "rows", "operations", "bug"]
    else:
        table = [(op, row["rows"], row["invalid"]) for op, row in known["files"].items()
                 if op in _operations(options)]
        columns = ["operation", "rows", "invalid"]
    if options.json:
        print_json({"schema": known["schema"], "hopref": known["hopref"],
                    "rows": [dict(zip(columns, row, strict=True)) for row in table]})
    else:
        print_table(columns, table)
    return 0


def _selected(chosen, known):
    return not chosen or not set(chosen).isdisjoint(known)


def _operations(options):
    """The operations that are asked for; those of a flag, if only that is named."""
    known = vectors.manifest()
    if options.flag is not None and options.flag not in known["flags"]:
        raise CallError("--flag must be one of `hopref vectors list --flags`; "
                        f"got {options.flag!r}")
    if unknown := [op for op in options.op if op not in known["files"]]:
        raise PluginError(f"--op must be one of `hopref vectors list`; got {unknown[0]!r}")
    of_flag = known["flags"][options.flag]["operations"] if options.flag else known["files"]
    return [op for op in of_flag if _selected(options.op, [op])]


def _rows(options):
    """The rows that are asked for."""
    for op in _operations(options):
        yield from (row for row in vectors.rows(op)
                    if options.flag is None or options.flag in row.flags)


def _show(options):
    row = vectors.row(options.id)
    if options.json:
        print(line_of(row))
        return 0
    print(f"{row.id}: {row.case}, {row.dtype}" + ", invalid" * bool(row.error))
    for k, v in (row.args | row.params).items():
        print(f"{k} = {v!r}")
    for i, result in enumerate(row.results):
        shown = {"value": result.value, "bound": result.bound, "tolerance": result.tolerance}
        for k, v in shown.items():
            print(f"{k} {i} = {v!r}")
    print(f"error: {row.error}" if row.error else f"certified by: {row.method}")
    print(*(f"flag: {flag}" for flag in row.flags), sep="\n")
    return 0


def _export(options):
    if options.format == "npz":
        if options.out is None:
            raise CallError("--out must name a file for --format npz; got none")
        write_npz(options.out, _rows(options))
    elif options.out is None:
        for row in _rows(options):
            sys.stdout.write(json_lines([row]))
    else:
        Path(options.out).write_text(json_lines(_rows(options)), encoding="ascii",
                                     newline="\n")
    return 0


def _verify(options):
    count, wrong = verified(options.file)
    if options.json:
        print_json({"rows": count, "different": wrong})
    else:
        print(f"{options.file}: {count} rows, {len(wrong)} of them differ from those of this "
              "version of hopref")
        print(*(f"  {name}" for name in wrong[:MOST_SHOWN]), sep="\n", end="\n" * bool(wrong))
    return int(bool(wrong))


def _run(options):
    if options.like not in vectors.operations():
        raise PluginError(f"--like must be one of `hopref vectors list`; got {options.like!r}")
    if options.here:
        sys.path.insert(0, "")
    rows = rows_of(content_of(options.file)) if options.file else vectors.rows(options.like)
    chosen = [row for row in rows if row.op == options.like and (options.invalid or not row.error)]
    found = vectors.judge(_target(options), chosen)
    if options.json:
        print_json({"target": options.target, "like": options.like, "conforms": found.conforms,
                    "judged": found.judged, "left_out": found.left_out,
                    "limits": [row.id for row, _ in found.limits],
                    "failures": [{"id": row.id, "message": m} for row, m in found.failures],
                    "flags": _explaining(found)})
    else:
        _print(options, found)
    return int(not found.conforms)


def _target(options):
    """The function that is judged."""
    try:
        return imported(options.target)
    except AttributeError as error:
        raise PluginError(f"a target must be written pkg.mod:function; got {options.target!r}: "
                          f"{error}") from error


def _print(options, found):
    print(f"{options.target} as {options.like}: {'conforms' if found.conforms else 'fails'}, "
          f"{len(found.failures)} of {found.judged} rows fail, {len(found.limits)} are beyond the "
          f"limits of the format, {found.left_out} left out")
    for row, message in found.failures[:MOST_SHOWN]:
        print(f"  {row.id} ({row.case}, {row.dtype}): {message}")
    if found.failures[MOST_SHOWN:]:
        print(f"  and {len(found.failures) - MOST_SHOWN} more")
    print(*(f"  looks like: {flag}" for flag in _explaining(found)[:MOST_SHOWN]),
          sep="\n", end="\n" * bool(_explaining(found)))


def _explaining(found):
    """The flags that exactly the failing rows have."""
    return [flag for flag, share in found.flags().items() if share == 1]
