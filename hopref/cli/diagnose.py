"""``hopref diagnose``: explain why patterns cannot be retrieved."""
import numpy as np

from hopref import theory
from hopref.cli.images import (
    add_images,
    add_preparation,
    checked_count,
    default_normalisation,
    read_images,
)
from hopref.cli.output import add_json, print_json
from hopref.errors import DomainError
from hopref.experiments.recall import Settings, prepare
from hopref.experiments.records import quantity

__all__ = ["configure", "run"]


def configure(parser):
    """Add the options of the command."""
    parser.add_argument("file", nargs="?", metavar="PATTERNS.npy",
                        help="an array (N, d) of patterns (default: pictures)")
    add_images(parser)
    add_preparation(parser, None)
    parser.add_argument("--rule", choices=["modern", "classical"], default="modern",
                        help="the rule that retrieves the patterns (default: modern)")
    parser.add_argument("--tolerance", type=float, default=0.01,
                        help="modern: largest total weight of the other patterns (default: 0.01)")
    parser.add_argument("--zero-diagonal", action="store_true",
                        help="classical: set the diagonal of W to 0")
    add_json(parser)


def run(options):
    """Print the findings; the exit code is 1 if a pattern cannot be retrieved."""
    patterns, cues, names = _problem(options)
    if options.rule == "classical":
        cues = None
    found = theory.diagnose(patterns, cues=cues, rule=options.rule, names=names,
                            tolerance=options.tolerance, zero_diagonal=options.zero_diagonal)
    if options.json:
        print_json({"schema": "hopref.diagnose/1", **found.as_dict()})
    else:
        print(f"{quantity(len(names), 'pattern')} of {quantity(found.d, 'component')}, "
              f"{sum(found.lost)} lost under the {found.rule} rule.")
        print("\n".join(f"- {sentence}" for sentence in found.findings))
    return 0 if found.retrievable else 1


def _problem(options):
    """Patterns (N, d), cues or None, and names, from a file or from pictures."""
    if options.file:
        X, names, default = _array(options.file, options), None, "none"
    else:
        X, names = read_images(options)
        default = default_normalisation(options.rule)
    inputs = prepare(X, Settings(normalisation=options.normalise or default,
                                 corruption=options.corrupt or "mask:0", seed=options.seed))
    names = names or tuple(f"pattern {i}" for i in range(len(inputs.patterns)))
    return inputs.patterns, inputs.cues if options.corrupt else None, names


def _array(file, options):
    """The first patterns of an .npy file; integers are numbers here, not grey levels."""
    if options.images:
        raise DomainError("give a file or --images, not both; got both.")
    try:
        X = np.load(file, allow_pickle=False)
    except (ValueError, EOFError) as error:
        raise DomainError(f"{file} must be an array saved by numpy.save; got {error}.") from None
    if not isinstance(X, np.ndarray):
        raise DomainError(f"{file} must hold one array (.npy); got {type(X).__name__}.")
    X = X.astype(np.float64) if X.dtype.kind in "iu" else X
    return X[:checked_count(options.patterns, len(X))] if X.ndim else X
