"""``hopref retrieve``: store pictures, corrupt them, retrieve them."""
import shlex
from pathlib import Path

import numpy as np

from hopref.cli.images import (
    add_images,
    add_preparation,
    default_normalisation,
    read_images,
    refuse_unused,
)
from hopref.cli.output import add_json, print_json, print_table
from hopref.experiments.recall import ORDERS, POLAR, RULES, Settings, recall
from hopref.progress import progress

__all__ = ["configure", "run"]

ALL = ("classical", "dense", "modern", "sparse", "structured", "performer")
THRESHOLDED = tuple(rule for rule in RULES if rule.endswith("-thresholded"))
SCORED = tuple(rule for rule in RULES if rule.startswith(("modern", "performer", "s")))
USES = {                                # option: the rules that use it
    "beta": SCORED,
    "theta": THRESHOLDED,
    "order": ("modern-thresholded", "performer-thresholded"),
    "scale": ("classical", "graded", "graded-thresholded"),
    "zero_diagonal": ("classical", "graded"),
    "ties": ("classical",),
    "power": ("dense",),
    "alpha": ("sparse",),
    "k": ("structured",),
    "features": ("performer", "performer-thresholded"),
}
ROWS = 40                               # pictures listed in a table


def configure(parser):
    """Add the options of the command."""
    add_images(parser)
    parser.add_argument("--rule", type=_rules, default=("modern",), metavar="RULE",
                        help=f"one of {', '.join(RULES)}; or several, separated by commas and "
                             f"compared; or all: {', '.join(ALL)} (default: modern)")
    add_preparation(parser, Settings().corruption)
    parser.add_argument("--steps", type=int, metavar="K",
                        help="maximum number of updates (default: 100; the blog's figures use 1)")
    _add_parameters(parser)
    parser.add_argument("--out", metavar="FILE", type=_drawing,
                        help="draw the stored, corrupted and retrieved pictures into a .png, .pdf "
                             "or .svg file")
    add_json(parser)


def _add_parameters(parser):
    parameters = parser.add_argument_group(
        "parameters of rules", "An option that no chosen rule uses is refused.")
    add = parameters.add_argument
    add("--beta", type=float,
        help="inverse temperature of modern, sparse, structured and performer (default: 25)")
    add("--power", type=int, metavar="N", help="interaction z^N of dense (default: 3)")
    add("--alpha", type=float,
        help="entmax of sparse: 1 is softmax, 2 is sparsemax (default: 1.5)")
    add("--k", type=int,
        help="number of patterns in the support of structured (default: 3, or all if fewer)")
    add("--features", type=int, metavar="M",
        help="number of random features of the performer rules (default: 256)")
    add("--theta", type=float,
        help="thresholded rules set components above it to 0 (default: -0.5; +0.5 for the "
             "performer, as in the blog)")
    add("--order", choices=ORDERS,
        help="whether a thresholded rule thresholds normalised patterns (the default), or "
             "pictures that are normalised afterwards (one step)")
    add("--scale", type=float,
        help="factor of the Hebbian weights of the classical and graded rules (default: 1)")
    add("--zero-diagonal", action="store_true", default=None,
        help="set the diagonal of W to 0 (classical and graded)")
    add("--ties", choices=["keep", "plus"],
        help="result of a local field of 0 (classical; default: keep); noisy cues need 'plus'")


def _rules(text):
    """The rules of ``--rule``, in the given order."""
    from argparse import ArgumentTypeError
    rules = ALL if text == "all" else tuple(dict.fromkeys(text.split(",")))
    wrong = [rule for rule in rules if rule not in RULES]
    if wrong:
        raise ArgumentTypeError(f"must be all or rules of {', '.join(RULES)}, separated by "
                                f"commas; got {wrong[0]!r}")
    return rules


def _drawing(file):
    """The file of a drawing, whose suffix names its format."""
    from argparse import ArgumentTypeError

    from hopref.experiments.drawing import FORMATS
    if Path(file).suffix.lower() not in FORMATS:
        raise ArgumentTypeError(f"must end with {', '.join(FORMATS)}; got {file!r}")
    return file


def run(options):
    """Retrieve the pictures; print one row for each, or a comparison of the rules."""
    refuse_unused(options, USES, options.rule)
    images = read_images(options)
    every = [_settings(options, rule, len(images.names)) for rule in options.rule]
    results = [recall(images.levels, s) for s in progress(every, label="rules")]
    if options.out:
        from hopref.experiments.drawing import draw_comparison, draw_recall, save
        save(draw_recall(results[0], images.names) if len(results) == 1
             else draw_comparison(results, images.names), options.out)
    if options.json:
        print_json({"schema": "hopref.retrieve/2", "notes": list(images.notes),
                    "rules": [_content(r, images.names) for r in results],
                    "drawing": options.out})
        return 0
    _print(results, images, options)
    return 0


def _settings(options, rule, n):
    theta = 0.5 if rule == "performer-thresholded" else -0.5
    steps = 1 if options.order == ORDERS[1] and rule in USES["order"] else 100
    given = {name: getattr(options, name) for name, rules in USES.items()
             if rule in rules and getattr(options, name) is not None}
    normalisation = options.normalise or default_normalisation(rule)
    if len(options.rule) > 1 and rule in POLAR:
        normalisation = "polar"         # the others keep the normalisation that was chosen
    return Settings(**{
        "rule": rule, "normalisation": normalisation, "corruption": options.corrupt,
        "steps": steps if options.steps is None else options.steps, "theta": theta,
        "k": min(3, n), "seed": options.seed} | given)


def _content(result, names):
    return {"settings": vars(result.settings), "pictures": result.rows(names),
            "retrieved": int(result.retrieved.sum()), "share_zeroed": result.share_zeroed}


# --- text ----------------------------------------------------------------------------------------

def _print(results, images, options):
    N, rules = len(images.names), len(results)
    print(*images.notes, sep="\n", end="\n" * bool(images.notes))
    if rules == 1:
        _print_pictures(results[0], images.names)
    else:
        _print_comparison(results, images.names)
    if N == 1:
        print("a single pattern is retrieved from any cue: store at least two")
    for result in results:
        if result.share_zeroed is not None:
            print(f"theta = {result.settings.theta:g} sets {result.share_zeroed:.0%} of the "
                  "patterns to 0")
    if rules == 1:
        print(f"{results[0].retrieved.sum()} of {N} retrieved", end="")
        print(f"; drawn in {options.out}" if options.out else "")
    elif options.out:
        print(f"drawn in {options.out}")
    for command in dict.fromkeys(filter(None, (_diagnosis(r, options) for r in results))):
        print(f"why: {command}")


def _print_pictures(result, names):
    rows, (listed, omitted) = result.rows(names), _listed([result], names)
    energies = [r["energies"] or dict.fromkeys(("stored", "cue", "result")) for r in rows]
    print_table(["picture", "retrieved", "nearest", "error", "weight", "E(stored)", "E(cue)",
                 "E(result)", "steps", "reason"],
                [[rows[i]["picture"], rows[i]["retrieved"], rows[i]["nearest"],
                  rows[i]["relative_error"], rows[i]["target_weight"], *energies[i].values(),
                  rows[i]["steps"], rows[i]["reason"]] for i in listed])
    print(*omitted, sep="\n", end="\n" * bool(omitted))


def _print_comparison(results, names):
    """Two tables: the rules, with their mean energies, and the pictures."""
    print_table(["rule", "pictures as", "retrieved", "mean error", "mean E(stored)", "E(cue)",
                 "E(result)", "steps"],
                [[r.settings.rule, r.settings.normalisation,
                  f"{r.retrieved.sum()} of {len(names)}", float(r.relative_error.mean()),
                  *_mean_energies(r), _range(r.steps)] for r in results])
    print()
    listed, omitted = _listed(results, names)
    print_table(["picture", *(r.settings.rule for r in results)],
                [[names[i], *(_cell(r, names, i) for r in results)] for i in listed])
    print(*omitted, sep="\n", end="\n" * bool(omitted))


def _mean_energies(result):
    if result.energies is None:
        return "no energy", None, None
    return map(float, result.energies.mean(-1))


def _range(steps):
    low, high = steps.min(), steps.max()
    return str(low) if low == high else f"{low}-{high}"


def _cell(result, names, i):
    """Whether picture i was retrieved; if not, what was found."""
    if result.retrieved[i]:
        return "yes"
    nearest = result.nearest[i]
    return "mixture" if nearest in (i, -1) else f"no: {names[nearest]}"


def _listed(results, names):
    """Indices of the pictures of a table, and sentences about the others: many are not listed."""
    if len(names) <= ROWS:
        return range(len(names)), ()
    lost = np.flatnonzero(~np.all([r.retrieved for r in results], axis=0))
    listed = lost[:ROWS].tolist()
    return listed, (f"({len(listed)} of the {len(lost)} lost pictures; --json lists all "
                    f"{len(names)})",)


def _diagnosis(result, options):
    """The command that explains lost pictures, with the same options; None if it has none."""
    settings = result.settings
    rule = "modern" if settings.rule in ("modern", "sparse", "structured") else settings.rule
    if result.retrieved.all() or rule not in ("modern", "classical"):
        return None
    words = ["hopref", "diagnose"]
    for name in ("images", "patterns"):
        if (value := getattr(options, name)) is not None:
            words += [f"--{name}", str(value)]
    if rule == "classical":
        return shlex.join([*words, "--rule", rule, *["--zero-diagonal"] * settings.zero_diagonal])
    words += ["--normalise", settings.normalisation, "--corrupt", settings.corruption]
    words += ["--seed", str(settings.seed)] * (settings.seed != 0)
    return shlex.join([*words, "--beta", f"{settings.beta:g}"])
