"""``hopref warmup [NAME...]``: compile the kernels of the numba paths ahead of their first use."""
import os
import sys
import time

from hopref.check.cases.generator import cases
from hopref.cli.ops import chosen
from hopref.cli.output import add_json, print_json, print_table
from hopref.errors import BackendError, CallError, HoprefError
from hopref.extras import require
from hopref.progress import progress

__all__ = ["configure", "run"]

PRECISIONS = ("float32", "float64")


def configure(parser):
    """Add the options of the command."""
    parser.add_argument("names", nargs="*", metavar="NAME",
                        help="a module such as modern, or an operation such as modern.update; "
                             "default: every operation with a numba path")
    add_json(parser)


def run(options):
    """Print the seconds of the first calls, and where the compiled code is kept."""
    numba = require("numba", extra="numba", caller="cli.warmup")
    if numba.config.DISABLE_JIT:
        raise BackendError("kernels can be compiled only without NUMBA_DISABLE_JIT; got "
                           f"NUMBA_DISABLE_JIT={os.environ.get('NUMBA_DISABLE_JIT')}")
    ops = [op for op in chosen(options.names) if "numba" in op.paths]
    if not ops:
        raise CallError(f"an operation must have a numba path, as hopref ops lists them; "
                        f"got {', '.join(options.names)}")
    work = [(op, precision) for op in ops for precision in PRECISIONS]
    rows = [{"name": op.name, "precision": precision, "seconds": first_calls(op, precision)}
            for op, precision in progress(work, label="operations")]
    folders = kept_in()
    if options.json:
        print_json({"schema": "hopref.warmup/1", "compiled": rows, "kept_in": folders})
        return 0
    print_table(["name", "precision", "seconds"], [list(row.values()) for row in rows])
    print(f"The compiled code is kept in {', '.join(folders)}." if folders else
          "The compiled code is not kept, because no folder can be written: set NUMBA_CACHE_DIR.")
    return 0


def first_calls(op, precision):
    """Seconds of calls with every option, and with few and many rows."""
    began = time.perf_counter()
    for case in cases(op, precision):
        try:
            op(*case.args, **case.kwargs, backend="numba")
        except HoprefError:             # the result of this case leaves the range
            continue
    return time.perf_counter() - began


def kept_in():
    """The folders of the compiled kernels."""
    modules = [m for name, m in sys.modules.items() if name.startswith("hopref.fast.numba.")]
    kernels = [f for m in modules for f in vars(m).values() if hasattr(f, "stats")]
    return sorted({f.stats.cache_path for f in kernels if f.stats.cache_path})
