"""``hopref certify OPERATION CASE.npz``: evaluate an operation with a proved bound on the error."""
import math

import numpy as np

from hopref.certify import certify
from hopref.cli.output import add_json, print_json, print_table
from hopref.dispatch.operation import load
from hopref.errors import CallError, CertificationError, DTypeError, PluginError

__all__ = ["configure", "run", "arguments"]

SHOWN = 20              # entries of each result that are printed


def configure(parser):
    """Add the options of the command."""
    parser.add_argument("operation", metavar="OPERATION", help="such as modern.update")
    parser.add_argument("case", metavar="CASE.npz",
                        help="the arguments by name, as numpy.savez writes them")
    parser.add_argument("--max-ulp", type=float, default=0.51,
                        help="largest bound that is accepted, in ulp of each entry (default: 0.51)")
    parser.add_argument("--method", choices=["balls", "double-double", "float64-bound"],
                        help="default: by size")
    parser.add_argument("--out", metavar="FILE.npz", help="write values and bounds")
    add_json(parser)


def run(options):
    """Print values and bounds; the exit code is 1 if no bound is tight enough."""
    if options.operation not in load():
        raise PluginError(f"hopref.certify: OPERATION must be one of `hopref ops`; "
                          f"got {options.operation!r}.")
    op = load()[options.operation]
    args, params = arguments(op, options.case)
    try:
        found = certify(op, *args, max_ulp=options.max_ulp, method=options.method, **params)
    except CertificationError as error:
        print(error)
        return 1
    parts = [found[:2]] if not isinstance(found.value, tuple) else list(zip(*found[:2]))
    if options.out:
        np.savez(options.out, **{f"{kind}_{i}": part[j] for i, part in enumerate(parts)
                                 for j, kind in enumerate(("value", "bound"))})
    if options.json:
        print_json({"schema": "hopref.certify/1", "operation": op.name, "method": found.method,
                    "results": [{"shape": list(np.shape(v)), "value": _hex(v), "bound": _hex(b)}
                                for v, b in parts]})
        return 0
    print(f"{op.name}: {found.method}")
    for i, part in enumerate(parts):
        print_table([f"result {i}", "value", "bound", "ulp"], _rows(*part))
    return 0


def arguments(op, file):
    """The operands and the modifiers of an operation from an .npz file."""
    try:
        with np.load(file, allow_pickle=False) as content:
            given = {name: content[name] for name in content.files}
    except ValueError as error:
        raise DTypeError(f"hopref.certify: {file} must hold arrays of numbers; got {error}.") \
            from None
    known = op.signature.parameters
    if wrong := [name for name in given if name not in known]:
        raise CallError(f"hopref.certify: {file} must hold arguments of {op.name}, which are "
                        f"{', '.join(known)}; got {', '.join(wrong)}.")
    missing = [k for k in op.operands if k not in given and k not in op.defaults]
    if missing:
        raise CallError(f"hopref.certify: {file} must hold {', '.join(missing)}; "
                        f"got {', '.join(given) or 'nothing'}.")
    operands = [given.pop(k, op.defaults.get(k)) for k in op.operands]
    return operands, given


def _hex(x):
    """Nested lists of floats in hexadecimal, of which none is rounded."""
    x = np.asarray(x)
    return float(x).hex() if x.ndim == 0 else [_hex(row) for row in x]


def _rows(value, bound):
    """The first entries, with their bounds in ulp, and how many are left out."""
    for at in list(np.ndindex(np.shape(value)))[:SHOWN]:
        v, b = float(np.asarray(value)[at]), float(np.asarray(bound)[at])
        ulp = b / math.ulp(v) if math.isfinite(v) else math.nan
        yield [", ".join(map(str, at)) or "-", repr(v), f"{b:.2g}", f"{ulp:.3f}"]
    if np.size(value) > SHOWN:
        yield [f"and {np.size(value) - SHOWN} more", "", "", ""]
