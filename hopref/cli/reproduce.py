"""``hopref reproduce``: reproduce the figures of the blog and the statements of the papers."""
import os
from pathlib import Path

from hopref.cli.output import add_json, print_json, print_table

__all__ = ["configure", "run"]


def configure(parser):
    """Add the options of the command."""
    parser.description += (
        "  All of them take about two minutes on one core, most of it for a few statements; one "
        "figure takes seconds.  They need matplotlib (the extra plot), no network and no input: "
        "the pictures are part of hopref, and the draws have fixed seeds.  The exit code is 0 "
        "whatever the verdicts.")
    parser.add_argument("names", nargs="*", metavar="NAME",
                        help="F1 ... F14 or a name printed by --list, in any case (default: all)")
    parser.add_argument("--list", action="store_true", help="print the names and exit")
    parser.add_argument("--out", default="report", metavar="DIR",
                        help="directory of index.html, report.json and the PNG files "
                             "(default: report/)")
    add_json(parser)


def run(options):
    """Run the experiments, write the report, and print one row for each experiment."""
    if not {"OMP_NUM_THREADS", "OPENBLAS_NUM_THREADS"} & set(os.environ):
        os.environ["OPENBLAS_NUM_THREADS"] = "1"    # small products: more threads only wait
    from hopref.experiments import reproduce
    from hopref.experiments.page import as_json, write_report
    from hopref.extras import require
    if options.list:
        return _list_experiments(options)
    require("matplotlib", extra="plot", caller="reproduce")
    out = Path(options.out)
    records = reproduce(options.names, out)
    page = write_report(records, out)
    if options.json:
        print(as_json(records))
    else:
        print_table(["name", "title", "verdict", "seconds"],
                    [[r.name, r.title, r.verdict, r.seconds] for r in records])
        print(f"report: {page}")
    return 0


def _list_experiments(options):
    from hopref.experiments import EXPERIMENTS, summary
    if options.json:
        print_json({"schema": "hopref.experiments/1",
                    "experiments": [{"name": n, "summary": summary(n)} for n in EXPERIMENTS]})
    else:
        print_table(["name", "summary"], [[n, summary(n)] for n in EXPERIMENTS])
    return 0
