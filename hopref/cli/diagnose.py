"""``hopref diagnose``: explain why patterns cannot be retrieved."""
import numpy as np

from hopref import theory
from hopref.cli.images import (
    Images,
    add_images,
    add_preparation,
    checked_count,
    default_normalisation,
    read_images,
    refuse_unused,
)
from hopref.cli.output import add_json, print_json
from hopref.data.pictures import read_array
from hopref.dispatch.domains import inverse_temperature
from hopref.errors import DomainError, naming
from hopref.experiments.recall import Settings, prepare
from hopref.theory.diagnosis import counted

__all__ = ["configure", "run"]

USES = {"corrupt": ("modern",), "beta": ("modern",), "tolerance": ("modern",),
        "zero_diagonal": ("classical",)}
NAMED = 10                              # patterns named in one sentence


def configure(parser):
    """Add the options of the command."""
    parser.add_argument("file", nargs="?", metavar="PATTERNS.npy",
                        help="an array (N, d) of patterns (default: pictures)")
    add_images(parser)
    add_preparation(parser, None)
    parser.add_argument("--rule", choices=["modern", "classical"], default="modern",
                        help="the rule that retrieves the patterns (default: modern, whose "
                             "findings hold for sparse and structured too)")
    parser.add_argument("--beta", type=float,
                        help="modern: name the patterns for which this beta is too small")
    parser.add_argument("--tolerance", type=float,
                        help="modern: largest total weight of the other patterns (default: 0.01)")
    parser.add_argument("--zero-diagonal", action="store_true", default=None,
                        help="classical: set the diagonal of W to 0")
    add_json(parser)


def run(options):
    """Print the findings; the exit code is 1 if a pattern cannot be retrieved."""
    refuse_unused(options, USES, [options.rule])
    if options.beta is not None:
        with naming("hopref.diagnose"):
            inverse_temperature.validate("beta", options.beta)
    images, patterns, cues = _problem(options)
    tolerance = 0.01 if options.tolerance is None else options.tolerance
    found = theory.diagnose(patterns, cues=cues, rule=options.rule, names=images.names,
                            tolerance=tolerance, zero_diagonal=bool(options.zero_diagonal))
    if options.json:
        print_json({"schema": "hopref.diagnose/1", "notes": list(images.notes),
                    **found.as_dict()})
        return 0 if found.retrievable else 1
    print(*images.notes, sep="\n", end="\n" * bool(images.notes))
    print(f"{counted(len(images.names), 'pattern')} of {counted(found.d, 'component')}, "
          f"{sum(found.lost)} lost under the {found.rule} rule.")
    print(*(f"- {sentence}" for sentence in [*found.findings, *_too_small(found, options.beta)]),
          sep="\n")
    return 0 if found.retrievable else 1


def _too_small(found, beta):
    """The patterns that ``beta`` gives too little weight, with the beta that each needs."""
    if beta is None:
        return
    needed = sorted(((b, name) for b, name, lost in
                     zip(found.smallest_beta, found.names, found.lost, strict=True)
                     if not lost and b > beta), reverse=True)
    if not needed:
        yield f"beta = {beta:.4g} is large enough for every pattern that is not lost."
        return
    shown = ", ".join(f"{name} (beta >= {b:.4g})" for b, name in needed[:NAMED])
    more = f" and {len(needed) - NAMED} more" if len(needed) > NAMED else ""
    yield f"beta = {beta:.4g} is too small for {counted(len(needed), 'pattern')}: {shown}{more}."


def _problem(options):
    """`Images`, patterns (N, d), and cues or None, from a file or from pictures."""
    if options.file is not None:
        images, default = _array(options.file, options), "none"
    else:
        images, default = read_images(options), default_normalisation(options.rule)
    inputs = prepare(images.levels, Settings(normalisation=options.normalise or default,
                                             corruption=options.corrupt or "mask:0",
                                             seed=options.seed))
    return images, inputs.patterns, inputs.cues if options.corrupt else None


def _array(file, options):
    """The first patterns of an .npy file; integers are numbers here, not grey levels."""
    if options.images is not None or options.data:
        raise DomainError("give a file, --images or --data, not two of them; got "
                          f"{file!r} and {'--data' if options.data else '--images'}.")
    X = read_array(file)
    X = X.astype(np.float64) if X.dtype.kind in "iu" else X
    X = X[:checked_count(options.patterns, len(X))] if X.ndim else X
    return Images(X, tuple(f"pattern {i}" for i in range(len(X) if X.ndim else 0)))
