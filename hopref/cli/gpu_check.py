"""``hopref gpu-check``: accuracy and speed of the paths on this machine's CUDA device."""
import importlib
import importlib.util
import sys

from hopref.check import devices
from hopref.cli.output import add_json, print_json, print_table
from hopref.progress import progress
from hopref.versions import versions

__all__ = ["configure", "run"]

SCHEMA = "hopref.gpu-check/1"


def configure(parser):
    """Add the options of the command."""
    parser.add_argument("--like", default="", metavar="OP",
                        help="judge the paths of this operation or module only")
    parser.add_argument("--only", choices=("accuracy", "speed"),
                        help="one of the two parts (default: both)")
    parser.add_argument("--small", action="store_true",
                        help="small sizes, to try the command itself")
    add_json(parser)


def run(options):
    """Probe the device, judge and measure; the exit code is 1 without one, or if a path fails."""
    if "cupy" not in sys.modules and importlib.util.find_spec("cupy") is None:
        return _without(options, "CuPy must be installed (pip install \"hopref[cuda12]\")")
    cupy = importlib.import_module("cupy")
    if reason := devices.probe(cupy):
        return _without(options, reason)
    record = {"schema": SCHEMA, "device": _name(cupy), "versions": versions(),
              "accuracy": [], "ceilings": [], "speed": []}
    if options.only != "speed":
        record["accuracy"] = list(progress(devices.accuracy(options.like), label="paths"))
    if options.only != "accuracy":
        size = 64 if options.small else 4096
        record["ceilings"] = list(devices.ceilings(cupy, size=size))
        work = devices.SMALL if options.small else devices.WORKLOADS
        calls = devices.speed(cupy, record["ceilings"], work)
        record["speed"] = list(progress(calls, label="sizes"))
    (print_json if options.json else _print)(record)
    return int(any(r["verdict"] not in ("conforms", "partial") for r in record["accuracy"]))


def _without(options, reason):
    if options.json:
        print_json({"schema": SCHEMA, "device": None, "reason": reason, "versions": versions()})
    else:
        print(f"hopref gpu-check: no device: {reason}")
    return 1


def _name(cupy):
    name = cupy.cuda.runtime.getDeviceProperties(0)["name"]
    return name.decode() if isinstance(name, bytes) else str(name)


def _print(record):
    print(record["device"])
    if record["accuracy"]:
        print_table(["verdict", "op", "dtype", "error/bound", "findings"],
                    [[r["verdict"], r["op"], r["dtype"], r["error_in_bounds"],
                      ", ".join(r["findings"]) or None] for r in record["accuracy"]])
    if record["speed"]:
        print_table(["op", "shapes", "dtype", "ms", "TFLOP/s", "GB/s", "of ceiling", "which"],
                    [[r["op"], " ".join("x".join(map(str, s)) for s in r["shapes"]), r["dtype"],
                      r["milliseconds"], r["tflops"], r["gb_per_second"], r.get("fraction"),
                      r.get("bound")] for r in record["ceilings"] + record["speed"]])
