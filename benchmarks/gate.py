"""Run the tracks of work and memory with asv, and compare them with the required values.

    python -m benchmarks.gate

It takes no arguments and, where kernels are compiled, less than a minute.  It requires hopref with
the extras `bench` and `test`, installed in this environment, and a git checkout.  The exit code is
0 if every exponent is in its range and no error exceeds its limit, 1 otherwise, and 2 for wrong
usage.  Errors are measured in this process, beside asv, which starts one for each parameter.

asv exits with errors that mean nothing and can measure nothing without one, so its JSON is read.
It measures the hopref installed in this environment, in a folder of its own: no result is kept.
"""
import argparse
import json
import os
import subprocess
import sys
import tempfile
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

from benchmarks import accuracy
from benchmarks.growth import GROWTHS

ROOT = Path(__file__).parents[1]
TRACKS = {"track_work": "work", "track_memory": "memory"}
TRACK = r"\.track_(work|memory)"


def main(argv=None):
    argparse.ArgumentParser(prog="python -m benchmarks.gate", description=__doc__,
                            formatter_class=argparse.RawDescriptionHelpFormatter).parse_args(argv)
    with ThreadPoolExecutor() as pool:
        exponents = pool.submit(run_asv)
        failed = accuracy.main([])
        found = exponents.result()
    wrong = complaints(found)
    for (track, title), value in sorted(found.items()):
        print(f"{track:13} {title:34} {value}")
    print("\n".join(wrong) or f"{len(found)} exponents have the required values")
    return max(1 if wrong else 0, failed)


def run_asv():
    """The exponents that asv measures."""
    with tempfile.TemporaryDirectory() as folder:
        folder = Path(folder)
        config = write_config(folder)
        asv(folder, "check", "--python=same", "--config", config)
        asv(folder, "machine", "--yes", "--machine", "here")
        asv(folder, "run", "--quick", "--python=same", "--bench", TRACK, "--machine", "here",
            "--set-commit-hash", "HEAD", "--config", config)
        return measured(folder / "results")


def write_config(folder):
    """asv.conf.json with absolute paths, results in ``folder``."""
    config = json.loads((ROOT / "asv.conf.json").read_text())
    config |= {"repo": str(ROOT), "benchmark_dir": str(ROOT / "benchmarks"),
               "results_dir": str(folder / "results"), "env_dir": str(folder / "env"),
               "html_dir": str(folder / "html")}
    file = folder / "asv.conf.json"
    file.write_text(json.dumps(config))
    return str(file)


def asv(folder, *arguments):
    """Run asv outside the checkout; hopref must be installed."""
    environment = {**os.environ, "HOME": str(folder), "OMP_NUM_THREADS": "1",
                   "OPENBLAS_NUM_THREADS": "1", "MKL_NUM_THREADS": "1"}
    environment.pop("PYTHONPATH", None)
    run = subprocess.run([sys.executable, "-m", "asv", *arguments], cwd=folder, env=environment,
                         capture_output=True, text=True)
    if run.returncode:
        print(run.stdout[-4000:], run.stderr[-4000:], sep="\n")
        raise SystemExit(f"asv {arguments[0]} failed with {run.returncode}")


def measured(results):
    """{(track, growth): exponent} of all result files in this folder."""
    found = {}
    for file in results.glob("*/*.json"):
        content = json.loads(file.read_text())
        if "results" not in content:
            continue                                    # machine.json
        for name, row in content["results"].items():
            track = name.rpartition(".")[2]
            values, parameters = row[0] or [], row[1]
            if track in TRACKS:
                found |= {(track, title.strip("'\"")): value
                          for title, value in zip(parameters[0], values)}
    return found


def complaints(found):
    """Messages about exponents that are missing, failed, or outside their range."""
    wrong = []
    for title, growth in GROWTHS.items():
        for track, cost in TRACKS.items():
            low, high = getattr(growth, cost)
            value = found.get((track, title))
            if not isinstance(value, float) or not low <= value <= high:
                wrong.append(f"{title}: {cost} must grow with an exponent of {low} to {high}; "
                             f"got {value}")
    return wrong


if __name__ == "__main__":
    sys.exit(main())
