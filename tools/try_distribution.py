"""Build the sdist, from it the wheel, and test both outside the checkout.

    python tools/try_distribution.py CHECKOUT
"""

import os
import subprocess
import sys
import tarfile
import venv
import zipfile
from pathlib import Path

MOST_BYTES = 10_000_000   # of the wheel
IMPORT_SECONDS = 0.25     # what `import hopref` may add to `import numpy`
HEAVY = {"scipy", "numba", "cupy", "matplotlib", "dask", "sklearn", "torch", "jax"}

PRINT_LOADED = f"import sys, hopref; print(*sorted({HEAVY!r} & set(sys.modules)))"
PRINT_INSTALLED = """
from importlib.metadata import distributions
print(*{found.name for found in distributions()})
"""
CHECK_DATA = """
import importlib.resources, importlib.metadata, hopref
home = importlib.resources.files("hopref")
assert (home / "py.typed").is_file()
assert list((home / "data").glob("*.npz")) and (home / "data" / "LICENSES.txt").is_file()
assert importlib.metadata.version("hopref") == hopref.__version__
assert hopref.selfcheck(400).conforms
"""


def run(*command, **options):
    """The output of a command; exit if it fails."""
    done = subprocess.run(command, text=True, capture_output=True, **options)
    if done.returncode:
        sys.exit(f"{' '.join(command)} failed:\n{done.stdout}{done.stderr}")
    return done.stdout


def tracked(checkout):
    return set(run("git", "-C", str(checkout), "ls-files").split("\n")) - {""}


def expect_nothing_missing(what, wanted, held):
    missing = sorted(wanted - held)
    if missing:
        sys.exit(f"the {what} lacks {', '.join(missing)}")
    print(f"the {what} holds all {len(wanted)} files it should")


def seconds_of(python, statement):
    """Minimum time of a statement over seven new interpreters, measured inside them."""
    text = f"import time; t = time.perf_counter(); {statement}; print(time.perf_counter() - t)"
    return min(float(run(python, "-c", text)) for _ in range(7))


def try_sdist(checkout, sdist):
    with tarfile.open(sdist) as archive:
        inside = {name.partition("/")[2] for name in archive.getnames()}
        archive.extractall("unpacked", filter="data")
    expect_nothing_missing("sdist", {f for f in tracked(checkout) if f != ".gitignore"}, inside)
    root = Path("unpacked", sdist.name.removesuffix(".tar.gz"))
    found = run(sys.executable, "-m", "pytest", "--collect-only", "-qq", cwd=root)
    print(f"the sdist's own tests are collected from {len(found.split())} lines of files")


def try_wheel(checkout, wheel):
    if wheel.stat().st_size > MOST_BYTES:
        sys.exit(f"the wheel has {wheel.stat().st_size} bytes, more than {MOST_BYTES}")
    with zipfile.ZipFile(wheel) as archive:
        held = set(archive.namelist())
    expect_nothing_missing("wheel", {f for f in tracked(checkout) if f.startswith("hopref/")}, held)
    foreign = sorted(f for f in held if not f.startswith(("hopref/", "hopref-")))
    if foreign:
        sys.exit(f"the wheel contains other packages: {', '.join(foreign)}")

    venv.create("bare", with_pip=True)
    scripts = Path("bare", "Scripts" if os.name == "nt" else "bin").absolute()
    python, hopref = str(scripts / "python"), str(scripts / "hopref")
    run(python, "-m", "pip", "install", "--quiet", str(wheel))
    installed = set(run(python, "-c", PRINT_INSTALLED).split()) - {"pip", "setuptools"}
    if installed != {"hopref", "numpy", "scipy"}:
        sys.exit(f"the wheel without extras installs {', '.join(sorted(installed))}")
    run(python, "-c", CHECK_DATA)
    print(run(hopref, "info"))
    ops = run(hopref, "ops")
    if run(python, "-m", "hopref", "ops") != ops or len(ops.splitlines()) < 24:
        sys.exit("`hopref ops` lists too few operations, or `python -m hopref` differs")
    print(run(hopref, "retrieve", "--patterns", "6"))
    print(run(hopref, "check", "hopref:modern.update", "--like", "modern.update"))

    heavy = run(python, "-c", PRINT_LOADED).split()
    if heavy:
        sys.exit(f"`import hopref` loads {', '.join(heavy)}")
    added = seconds_of(python, "import numpy, hopref") - seconds_of(python, "import numpy")
    print(f"`import hopref` adds {max(added, 0):.3f} s to numpy's import")
    if added > IMPORT_SECONDS:
        sys.exit("`import hopref` is too slow")


def main(checkout):
    run(sys.executable, "-m", "build", "--outdir", "dist", str(checkout))
    (sdist,), (wheel,) = Path("dist").glob("*.tar.gz"), Path("dist").glob("*.whl")
    try_wheel(checkout, wheel)
    try_sdist(checkout, sdist)


if __name__ == "__main__":
    main(Path(sys.argv[1]).resolve())
