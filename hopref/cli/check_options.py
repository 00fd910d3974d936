"""Options of ``hopref check`` that say how a candidate is called, and lines that repeat a call."""
import argparse
import os
import re
from difflib import get_close_matches
from pathlib import Path

from hopref.check.peers.commands import options_of, repeating
from hopref.check.peers.conventions import CONVENTIONS, in_format
from hopref.errors import PluginError

__all__ = ["Text", "add_convention", "convention_record", "expected", "not_loaded", "repeated",
           "size", "writable"]

UNITS = {"": 1, "k": 2**10, "m": 2**20, "g": 2**30}


class Text(argparse.Action):
    """Store a text, which must not be empty."""
    def __call__(self, parser, namespace, values, option_string=None):
        if not values:
            raise argparse.ArgumentError(self, "must not be empty")
        setattr(namespace, self.dest, values)


def add_convention(parser):
    """The options that say how the candidate is called, a group of the help page."""
    group = parser.add_argument_group(
        "how it is called", "Differences from the op; docs/conventions.md has an example of each.")
    group.add_argument("--convention", default="", choices=CONVENTIONS, metavar="NAME",
                       help="that of a published attention function: " + ", ".join(CONVENTIONS))
    group.add_argument("--set", action="append", default=[], metavar="NAME=VALUE",
                       help="an option of the op that has only this value; empty_row=undefined "
                            "excludes rows without a visible key")
    group.add_argument("--map", action="append", default=[], metavar="OURS=THEIRS",
                       help="name of a parameter; it is then passed by keyword; a mask and a bias "
                            "of one name are passed as one array")
    group.add_argument("--order", action=Text, default="", metavar="K,Q,V",
                       help="order of the operands, and of options that are passed by place")
    group.add_argument("--layout", action="append", default=[], metavar='"K=b h d s"',
                       help="axes of an argument, or of the result (out), in the op's letters; "
                            "leading axes are b, h; (h d) are joined, g are shared heads, 1 has "
                            "length one")
    group.add_argument("--lead", type=int, metavar="N",
                       help="leading axes that it requires; the kit loops over others")
    group.add_argument("--size", action="append", default=[], metavar="AXIS=SIZE",
                       help="a size that it requires: a number, or an axis of the same size")
    group.add_argument("--mask", choices=("visible", "hidden", "additive"),
                       help="what True means in its masks, or 0 and -inf (visible)")
    group.add_argument("--array", choices=("numpy", "torch", "jax", "cupy", "list"),
                       help="the arrays that it takes (numpy)")
    group.add_argument("--fixed", action="append", default=[], metavar="NAME=VALUE",
                       help="a further keyword argument; size:l and offsets:l stand for the size "
                            "of an axis and the offsets of packed sequences")
    group.add_argument("--init", action="append", default=[], metavar="NAME=VALUE",
                       help="an argument with which a class or a factory makes the candidate")
    group.add_argument("--returns", action=Text, default="", metavar="0,-,X",
                       help="the result of the op that each of its results is, by number or, for "
                            "gradients, by argument; - for one that is not judged")
    group.add_argument("--up-to", default="", choices=("constant", "columns"), metavar="WHAT",
                       help="constant: an energy may differ by a constant; columns: features may "
                            "have another order")


def convention_record(args):
    """The convention as fields that can be written as JSON."""
    sizes = {k: int(v) if re.fullmatch(r"\d+", v) else v
             for k, v in pairs("--size", args.size, "AXIS=SIZE").items()}
    own = {"names": pairs("--map", args.map), "order": words(args.order),
           "layout": pairs("--layout", args.layout), "lead": args.lead, "mask": args.mask,
           "array": args.array, "sizes": sizes, "returns": words(args.returns),
           "up_to": args.up_to,
           "fixed": {k: number(v) for k, v in pairs("--fixed", args.fixed, "NAME=VALUE").items()},
           "given": {k: number(v) for k, v in pairs("--set", args.set, "NAME=VALUE").items()},
           "init": {k: number(v) for k, v in pairs("--init", args.init, "NAME=VALUE").items()}}
    chosen = {k: v for k, v in own.items() if v not in (None, "", (), {})}
    return in_format({"convention": args.convention, **chosen}, args.dtype)


def words(text):
    """"a,b" as a tuple."""
    return tuple(word.strip() for word in text.split(",") if word.strip())


def not_loaded(args, message):
    """Why a target cannot be judged, and what would be right."""
    message = message.removeprefix("PluginError: ")
    root = re.match(r"ModuleNotFoundError: No module named '([\w.]+)'", message)
    module = args.target.partition(":")[0]
    if not root or root[1] != module.partition(".")[0]:
        return message if message.startswith("--") else \
            f"{args.target} could not be loaded: {message}"
    files = [p.stem for p in Path.cwd().iterdir() if p.suffix == ".py" or p.is_dir()]
    near = get_close_matches(root[1], files, 1)
    hint = f": {near[0]} is in this folder, add --here" if near == [root[1]] and not args.here \
        else f" (did you mean {near[0]}{'' if args.here else ', with --here'}?)" if near else ""
    return f"{args.target} could not be loaded: there is no module {root[1]!r}{hint}"


def repeated(args):
    """The command that runs one case again, as a function of the case or input, and the seed."""
    line = ["hopref", "check", args.target, "--like", args.like]
    for option, default in {"dtype": "float64", "arithmetic": "", "adapter": ""}.items():
        if getattr(args, option) != default:
            line += [f"--{option}", getattr(args, option)]
    line += options_of(convention_record(args)) + ["--here"] * args.here
    line += ["--thorough"] * args.thorough
    line += ["--memory", args.memory] * (args.memory != "4GiB")
    line += ["--time", f"{args.time:g}"] * (args.time != 60.0)
    return repeating(line)


def pairs(option, given, form="OURS=THEIRS"):
    """"a=b" items as a dictionary."""
    for item in given:
        if not re.fullmatch(r"\s*\w+\s*=.*\S.*", item):
            raise PluginError(f"{option} must be written {form}; got {item!r}")
    return {k.strip(): v.strip() for k, v in (item.split("=", 1) for item in given)}


def number(text):
    """True, False, None, a number, or the text itself."""
    if text in ("True", "False", "None"):
        return {"True": True, "False": False}.get(text)
    try:
        return int(text) if re.fullmatch(r"[+-]?\d+", text) else float(text)
    except ValueError:
        return text


def size(text):
    """Bytes of "4GiB", "512M", "1e9"."""
    found = re.fullmatch(r"([\d.]+(?:e\d+)?) *([kKmMgG]?)i?[bB]?", text)
    if not found:
        raise PluginError(f"--memory must be a size such as 4GiB; got {text!r}")
    return int(float(found[1]) * UNITS[found[2].lower()])


def writable(option, file):
    """Refuse the path of a report that cannot be written, before anything is judged."""
    path = Path(file)
    if path.is_dir() or not path.parent.is_dir() \
            or not os.access(path if path.exists() else path.parent, os.W_OK):
        raise PluginError(f"{option} must be a file that can be written; got {file!r}")


def expected(file):
    """{finding: reason} of an xfail file; # starts a comment."""
    if file is None:
        return {}
    lines = (line.partition("#")[0].strip() for line in Path(file).read_text("utf-8").splitlines())
    found = {}
    for line in filter(None, lines):
        name, _, why = line.rpartition(": ")
        if not name or not why:
            raise PluginError(f"an xfail line must be written 'finding: reason'; got {line!r}")
        found[name] = why
    return found
