"""The command line: parse, call, print.

Exit codes: 0 all is well, 1 something was found, 2 the command was wrong or could not be carried
out.  Nothing heavy is imported before its sub-command is chosen.
"""
import argparse
import json
import os
import sys
from pathlib import Path

__all__ = ["main"]

EPILOG = "Exit codes: 0 all is well, 1 something was found, 2 wrong usage.  " \
         "Every command takes --json."


def main(argv=None):
    """Run one command; return its exit code."""
    argv = sys.argv[1:] if argv is None else list(argv)
    chosen = next((word for word in argv if word in COMMANDS), None)
    try:
        options = _parser(chosen).parse_args(argv)
        code = options.run(options)
        sys.stdout.flush()
        return code
    except SystemExit as leave:                 # argparse: 0 for --help, 2 for wrong usage
        return leave.code or 0
    except BrokenPipeError:                     # the reader of a pipe has gone: `hopref ops | head`
        os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())
        return 0
    except KeyboardInterrupt:
        return _complain("interrupted", 130)
    except Exception as error:
        if not _expected(error):
            raise
        return _complain(error, 2)


def _expected(error):
    """Refusals, unreadable files and missing packages are one line; anything else is a bug."""
    from hopref.errors import HoprefError
    return isinstance(error, (HoprefError, OSError)) \
        or isinstance(error, ImportError) and "must be installed" in str(error)


def _complain(error, code):
    said = f"{error.filename}: {error.strerror}" if getattr(error, "strerror", None) else error
    print(f"hopref: {' '.join(str(said).split())}", file=sys.stderr)
    return code


def _parser(chosen):
    parser = argparse.ArgumentParser(
        prog="hopref", epilog=EPILOG, formatter_class=_Wide,
        description="Ground truth for Hopfield networks and Performer attention.")
    parser.add_argument("-V", "--version", action=_Version)
    commands = parser.add_subparsers(metavar="COMMAND", required=True)
    for name, (summary, configure) in COMMANDS.items():
        command = commands.add_parser(name, help=summary, description=_sentence(summary),
                                      epilog=EPILOG, formatter_class=_Wide)
        if name == chosen:                      # the others cost an import each
            configure(command)
    return parser


def _Wide(prog):
    return argparse.HelpFormatter(prog, max_help_position=26)


def _sentence(summary):
    return f"{summary[0].upper()}{summary[1:]}."


class _Version(argparse.Action):
    """--version without importing the package's metadata first."""

    def __init__(self, option_strings, dest):
        super().__init__(option_strings, dest, nargs=0, help="print the version and leave")

    def __call__(self, parser, *_):
        from hopref._version import __version__
        print(f"hopref {__version__}")
        parser.exit()


def _print_json(content):
    print(json.dumps(content, indent=2, ensure_ascii=False, allow_nan=False))


def _print_table(columns, rows):
    """Left-aligned columns, as wide as they need to be."""
    rows = [[str(c) for c in columns], *([_cell(v) for v in row] for row in rows)]
    widths = [max(map(len, column)) for column in zip(*rows, strict=True)]
    for row in rows:
        print("  ".join(c.ljust(w) for c, w in zip(row, widths, strict=True)).rstrip())


def _cell(value):
    if value is None:
        return "-"
    if isinstance(value, bool):
        return "yes" if value else "no"
    return f"{value:.4g}" if isinstance(value, float) else str(value)


# --- check ---------------------------------------------------------------------------------------

def _configure_check(parser):
    from hopref.check import command
    command.configure(parser)
    parser.set_defaults(run=command.run)


# --- retrieve ------------------------------------------------------------------------------------

def _add_pictures(parser):
    source = parser.add_mutually_exclusive_group()
    source.add_argument("--data", choices=["pictures"],
                        help="the 24 pictures that come with hopref (the default)")
    source.add_argument("--images", metavar="DIR", help="your own: .png .jpg .pgm .npy, any size")
    parser.add_argument("--patterns", type=int, metavar="N", help="take the first N (default: all)")


def _add_preparation(parser, corruption):
    from hopref.data.prepare import NORMALISATIONS
    parser.add_argument("--normalise", choices=NORMALISATIONS, metavar="HOW",
                        help=f"one of {', '.join(NORMALISATIONS)}; cues are corrupted first and "
                             "normalised by what is left (default: none; polar for classical)")
    parser.add_argument("--corrupt", default=corruption, metavar="HOW",
                        help="mask:SHARE hides the lower rows, noise:SIGMA adds noise, flip:SHARE "
                             f"flips signs (default: {corruption or 'the patterns themselves'})")
    parser.add_argument("--seed", type=int, default=0, help="of noise, flips and features")


def _configure_retrieve(parser):
    from hopref.experiments.recall import ORDERS, RULES, Recipe
    default = Recipe()
    _add_pictures(parser)
    parser.add_argument("--rule", choices=RULES, default=default.rule, metavar="RULE",
                        help=f"one of {', '.join(RULES)} (default: {default.rule})")
    _add_preparation(parser, default.corruption)
    parser.add_argument("--steps", type=int, metavar="K",
                        help="updates at the most (default: 100; the blog's figures take 1)")
    parser.add_argument("--beta", type=float, default=default.beta,
                        help="inverse temperature of modern and performer rules (default: 25)")
    parser.add_argument("--theta", type=float,
                        help="thresholded rules set components above it to 0 (default: -0.5; +0.5 "
                             "for the performer, as in the blog)")
    parser.add_argument("--order", choices=ORDERS, default=default.order,
                        help="what a thresholded rule thresholds: normalised patterns (the "
                             "default), or pictures that are normalised afterwards (one step)")
    parser.add_argument("--scale", type=float, default=default.scale,
                        help="of the Hebbian weights of classical and graded rules (default: 1)")
    parser.add_argument("--zero-diagonal", action="store_true",
                        help="classical and graded: no weight of a pixel on itself")
    parser.add_argument("--ties", choices=["keep", "plus"], default=default.ties,
                        help="classical: what a field of 0 does; noisy cues need 'plus'")
    parser.add_argument("--features", type=int, default=default.features, metavar="M",
                        help="random features of the performer rules (default: 256)")
    parser.add_argument("--out", metavar="FILE.png",
                        help="draw the pictures: stored, shown and retrieved")
    parser.add_argument("--json", action="store_true", help="print JSON")
    parser.set_defaults(run=_retrieve)


def _retrieve(options):
    from hopref.experiments.recall import recall
    images, names = _pictures(options)
    recipe = _recipe(options)
    run = recall(images, recipe)
    if options.out:
        from hopref.experiments.drawing import draw_recall, save
        save(draw_recall(run, names), options.out)
    rows = run.rows(names)
    if options.json:
        _print_json({"schema": "hopref.retrieve/1", "recipe": vars(recipe), "pictures": rows,
                     "retrieved": int(run.retrieved.sum()), "dropped": run.dropped,
                     "out": options.out})
    else:
        _print_table(["picture", "retrieved", "nearest", "error", "weight", "steps", "reason"],
                     [[r["picture"], r["retrieved"], r["nearest"], r["error"], r["p_target"],
                       r["steps"], r["reason"]] for r in rows])
        if run.dropped is not None:
            print(f"theta = {recipe.theta:g} sets {run.dropped:.0%} of the patterns to 0")
        print(f"{run.retrieved.sum()} of {len(rows)} retrieved"
              + (f"; drawn in {options.out}" if options.out else ""))
    return 0


def _pictures(options):
    from hopref.data import load_images, picture_names, pictures
    if not options.images:
        return pictures(options.patterns), picture_names(options.patterns)
    images, names = load_images(options.images)
    return images[:_at_most(options.patterns, len(images))], names[:options.patterns]


def _at_most(n, available):
    from hopref.errors import DomainError
    if n is not None and not 1 <= n <= available:
        raise DomainError(f"--patterns must be from 1 to {available}, the number of pictures; "
                          f"got {n}.")
    return n


def _recipe(options):
    from hopref.experiments.recall import ORDERS, Recipe
    polar = "polar" if options.rule == "classical" else "none"
    theta = 0.5 if options.rule == "performer-thresholded" else -0.5
    steps = 100 if options.order == ORDERS[0] else 1
    return Recipe(
        rule=options.rule, normalisation=options.normalise or polar, corruption=options.corrupt,
        order=options.order, steps=steps if options.steps is None else options.steps,
        beta=options.beta,
        theta=theta if options.theta is None else options.theta, scale=options.scale,
        zero_diagonal=options.zero_diagonal, ties=options.ties, features=options.features,
        seed=options.seed)


# --- reproduce -----------------------------------------------------------------------------------

def _configure_reproduce(parser):
    parser.add_argument("names", nargs="*", metavar="NAME",
                        help="F1 ... F14 or one of the names of --list, in any case (default: all)")
    parser.add_argument("--list", action="store_true", help="print the names and leave")
    parser.add_argument("--out", default="report", metavar="DIR",
                        help="where index.html, report.json and the PNGs go (default: report/)")
    parser.add_argument("--json", action="store_true", help="print the records as JSON")
    parser.set_defaults(run=_reproduce)


def _reproduce(options):
    if not {"OMP_NUM_THREADS", "OPENBLAS_NUM_THREADS"} & set(os.environ):
        os.environ["OPENBLAS_NUM_THREADS"] = "1"    # small products: more threads only wait
    from hopref.experiments import reproduce
    from hopref.experiments.page import as_json, write_report
    from hopref.extras import require
    if options.list:
        return _list_experiments(options)
    require("matplotlib", extra="plot", who="reproduce")
    out = Path(options.out)
    records = reproduce(options.names, out)
    page = write_report(records, out)
    if options.json:
        print(as_json(records))
    else:
        _print_table(["name", "title", "verdict", "seconds"],
                     [[r.figure, r.title, r.verdict, r.seconds] for r in records])
        print(f"report: {page}")
    return 0


def _list_experiments(options):
    from hopref.experiments import EXPERIMENTS, summary
    if options.json:
        _print_json({"schema": "hopref.experiments/1",
                     "experiments": [{"name": n, "summary": summary(n)} for n in EXPERIMENTS]})
    else:
        _print_table(["name", "what is run"], [[n, summary(n)] for n in EXPERIMENTS])
    return 0


# --- diagnose ------------------------------------------------------------------------------------

def _configure_diagnose(parser):
    parser.add_argument("file", nargs="?", metavar="PATTERNS.npy",
                        help="an array (N, d); left out: pictures")
    _add_pictures(parser)
    _add_preparation(parser, None)
    parser.add_argument("--rule", choices=["modern", "classical"], default="modern",
                        help="which rule shall hold them (default: modern)")
    parser.add_argument("--tolerance", type=float, default=0.01,
                        help="modern: the share of the softmax that may be missed (default: 0.01)")
    parser.add_argument("--zero-diagonal", action="store_true",
                        help="classical: no weight of a component on itself")
    parser.add_argument("--json", action="store_true", help="print JSON")
    parser.set_defaults(run=_diagnose)


def _diagnose(options):
    from hopref import theory
    from hopref.theory.diagnosis import counted
    patterns, cues, names = _staged(options)
    if options.rule == "classical":
        cues = None
    found = theory.diagnose(patterns, cues=cues, rule=options.rule, names=names,
                            tolerance=options.tolerance, zero_diagonal=options.zero_diagonal)
    if options.json:
        _print_json({"schema": "hopref.diagnose/1", **found.as_dict()})
    else:
        print(f"{counted(len(names), 'pattern')} of {counted(found.d, 'component')}, "
              f"{sum(found.lost)} lost under the {found.rule} rule.")
        print("\n".join(f"- {sentence}" for sentence in found.findings))
    return 0 if found.retrievable else 1


def _staged(options):
    """Patterns (N, d), cues or None, and names, from a file or from pictures."""
    from hopref.experiments.recall import Recipe, stage
    if options.file:
        X, how, names = _array(options.file, options), options.normalise or "none", None
    else:
        X, names = _pictures(options)
        how = options.normalise or ("polar" if options.rule == "classical" else "none")
    it = stage(X, Recipe(normalisation=how, corruption=options.corrupt or "mask:0",
                         seed=options.seed))
    names = names or tuple(f"pattern {i}" for i in range(len(it.patterns)))
    return it.patterns, it.cues if options.corrupt else None, names


def _array(file, options):
    """The first patterns of an .npy file, as numbers: integers are no grey levels here."""
    import numpy as np

    from hopref.errors import DomainError
    if options.images:
        raise DomainError("give a file or --images, not both; got both.")
    try:
        X = np.load(file, allow_pickle=False)
    except (ValueError, EOFError) as error:
        raise DomainError(f"{file} must be an array saved by numpy.save; got {error}.") from None
    if not isinstance(X, np.ndarray):
        raise DomainError(f"{file} must hold one array (.npy); got {type(X).__name__}.")
    X = X.astype(np.float64) if X.dtype.kind in "iu" else X
    return X[:_at_most(options.patterns, len(X))] if X.ndim else X


# --- ops and info --------------------------------------------------------------------------------

def _configure_ops(parser):
    parser.add_argument("--json", action="store_true", help="print JSON")
    parser.set_defaults(run=_ops)


def _ops(options):
    from hopref.dispatch.operation import descent_of, gradient_of, load
    rows = [{"name": o.name, "shapes": o.shapes, "paths": list(o.paths), "ids": list(o.ids),
             "energy": o.lowers and o.lowers[0].name, "descent": descent_of(o),
             "condition": o.lowers and o.lowers[1], "parts": o.parts, "source": o.source,
             "gradient": gradient_of(o) and gradient_of(o).name}
            for _, o in sorted(load().items())]
    if options.json:
        _print_json({"schema": "hopref.ops/1", "ops": rows})
    else:
        _print_table(["name", "energy", "descent", "gradient", "parts", "paths", "shapes, source"],
                     [[r["name"], "no energy" if r["descent"] == "none" else r["energy"],
                       r["descent"], r["gradient"] and "yes", r["parts"], " ".join(r["paths"]),
                       f"{r['shapes']}  {r['source']}"] for r in rows])
    return 0


def _configure_info(parser):
    parser.add_argument("--json", action="store_true", help="print JSON")
    parser.set_defaults(run=_info)


def _info(options):
    from hopref.versions import show_versions
    show_versions(as_json=options.json)
    return 0


COMMANDS = {
    "check": ("judge an implementation against certified truth", _configure_check),
    "retrieve": ("store pictures, corrupt them, retrieve them", _configure_retrieve),
    "reproduce": ("run the blog's figures and the papers' statements, claims beside measurements",
                  _configure_reproduce),
    "diagnose": ("say why patterns cannot be retrieved", _configure_diagnose),
    "ops": ("list the operations: shapes, paths, catalogue ids", _configure_ops),
    "info": ("print the versions of everything that matters", _configure_info),
}
