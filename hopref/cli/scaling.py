"""``hopref scaling``: how memory, work and time of a function grow with a size."""
import argparse
from pathlib import Path

from hopref.check.engine.subprocess import environment
from hopref.check.growth.exponents import CLASSES
from hopref.check.growth.scaling import Scaling
from hopref.check.growth.worker import THREADS, answers
from hopref.check.peers.commands import options_of
from hopref.check.peers.targets import ADAPTER, TARGET
from hopref.cli.check_options import add_convention, convention_record, not_loaded, size
from hopref.cli.output import add_json, print_json, print_table
from hopref.errors import PluginError
from hopref.experiments.drawing import FORMATS, save
from hopref.progress import progress

__all__ = ["configure", "run"]

ORDER = list(CLASSES)


def configure(parser):
    """Add the options of the command."""
    parser.add_argument("target", help="pkg.mod:function, or a class or factory that makes it")
    parser.add_argument("--over", default="L", metavar="AXIS",
                        help="the size that grows: axes of the op, such as n or l,s, or L, the "
                             "length of a sequence (default: L); with --inputs, its name")
    parser.add_argument("--like", metavar="OP",
                        help="draw the arguments as those of this op (hopref ops lists them)")
    parser.add_argument("--inputs", metavar="PKG.MOD:MAKE",
                        help="a function of the size that makes the arguments: a tuple, a "
                             "dictionary of keywords, or one array")
    parser.add_argument("--sizes", metavar="N,N,N", type=_sizes,
                        help="ascending sizes (default: doubled until a call takes long)")
    parser.add_argument("--here", action="store_true", help="look for modules in this folder too")
    parser.add_argument("--adapter", default="", metavar="FILE.py:NAME",
                        help="a function from the candidate to a callable with the op's signature")
    parser.add_argument("--dtype", default="float64",
                        choices=("float64", "float32", "float16", "bfloat16"))
    parser.add_argument("--seed", type=int, default=0)
    parser.add_argument("--seconds", type=float, default=20.0,
                        help="time that the measurement may take, about (default: 20)")
    parser.add_argument("--memory", default="1GiB", metavar="SIZE",
                        help="memory that a call may take where sizes are chosen (1GiB)")
    parser.add_argument("--at-most", choices=ORDER[:-1], metavar="CLASS",
                        help="exit with 1 unless the verdict is at most this: "
                             + ", ".join(ORDER[:-1]))
    parser.add_argument("--plot", metavar="FILE", type=_drawing,
                        help="draw the costs into a .png, .pdf or .svg file (the extra plot)")
    add_json(parser)
    add_convention(parser)


def run(options):
    """Measure and print; the exit code is 1 if the verdict exceeds ``--at-most``."""
    result = _measured(options)
    if options.plot:
        from hopref.check.growth.plot import drawn
        save(drawn(result), options.plot)
    if options.json:
        print_json({"schema": "hopref.scaling/1", **result.as_dict()})
    else:
        _print(result)
    if options.at_most is None:
        return 0
    known = result.verdict in ORDER
    return 0 if known and ORDER.index(result.verdict) <= ORDER.index(options.at_most) else 1


def _measured(options):
    """The result of the process that measures."""
    found = None
    for answer in progress(answers(_job(options), _environment()), label="steps"):
        if "error" in answer:
            raise PluginError(_explained(options, answer["error"]))
        found = answer.get("result", found)
    if found is None:
        raise PluginError("the process that measures gave no result")
    return Scaling.from_dict(found)


def _job(options):
    for name, text, form in (("a target", options.target, TARGET),
                             ("--inputs", options.inputs, TARGET),
                             ("--adapter", options.adapter or None, ADAPTER)):
        if text is not None and not form.fullmatch(text):
            shape = "file.py:name" if form is ADAPTER else "pkg.mod:function"
            raise PluginError(f"{name} must be written {shape}; got {text!r}")
    if (options.like is None) == (options.inputs is None):
        raise PluginError("give --like OP, of which the arguments are drawn, or --inputs PKG.MOD:"
                          f"MAKE, which makes them; got {'both' if options.like else 'none'}")
    record = convention_record(options)
    if options.inputs and (more := [w for w in options_of(record | {"init": {}})
                                    if w.startswith("--")]):
        raise PluginError(f"{more[0]} says how the arguments of an op are passed, and must go with "
                          "--like; got --inputs")
    return {"target": options.target, "over": options.over, "like": options.like,
            "inputs": options.inputs, "sizes": options.sizes, "here": options.here,
            "adapter": options.adapter and str(Path(options.adapter).absolute()),
            "convention": record, "dtype": options.dtype, "seed": options.seed,
            "budget": options.seconds, "memory": size(options.memory)}


def _environment():
    """The environment of the process: one thread for the libraries of linear algebra."""
    return environment() | dict.fromkeys(THREADS, "1")


def _explained(options, error):
    return not_loaded(options, error) if error.startswith("ModuleNotFoundError") else error


def _print(result):
    print(f"{result.target} over {result.over}: {result.verdict}")
    rows = []
    for name, m in result.measures.items():
        p, low, high = m.exponent or (None, None, None)
        rows.append([name, m.verdict, p if p is None else f"{p:.2f}",
                     None if p is None else f"[{low:.2f}, {high:.2f}]",
                     f"{m.costs[-1]:.4g} {m.unit} at {m.sizes[-1]}" if m.costs else None,
                     m.remark or None])
    print_table(["measure", "verdict", "exponent", "interval", "cost", "remark"], rows)
    print(*(f"- {reason}" for reason in result.reasons), sep="\n", end="\n" * bool(result.reasons))


def _sizes(text):
    try:
        return [int(word) for word in text.split(",")]
    except ValueError:
        raise argparse.ArgumentTypeError(f"must be integers, separated by commas; got {text!r}"
                                         ) from None


def _drawing(file):
    if Path(file).suffix.lower() not in FORMATS:
        raise argparse.ArgumentTypeError(f"must end with {', '.join(FORMATS)}; got {file!r}")
    return file
