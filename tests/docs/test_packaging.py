"""setup.cfg includes every file of the package, few requirements, and consistent extras."""
import configparser
import re
from pathlib import Path

ROOT = Path(__file__).parents[2]
PACKAGE = ROOT / "hopref"


def configuration(name):
    parser = configparser.ConfigParser(interpolation=None)
    parser.read(ROOT / name)
    return parser


SETUP = configuration("setup.cfg")
EXTRAS = {extra: re.findall(r"^[^#\s].*", wanted, re.M)
          for extra, wanted in SETUP["options.extras_require"].items()}


def names(requirements):
    return {re.match(r"[\w.-]+", r)[0] for r in requirements}


def required_by(extra):
    """The packages that an extra requires, also through the extras that it names."""
    wanted = set()
    for requirement in EXTRAS[extra]:
        own = re.fullmatch(r"hopref\[(.+)]", requirement)
        wanted |= set().union(*map(required_by, own[1].split(","))) if own else names([requirement])
    return wanted


def missing_files(package, patterns):
    """Files of a package that are no modules and match no pattern of its package data."""
    data = {f.relative_to(package) for f in package.rglob("*")
            if f.is_file() and f.suffix != ".py" and "__pycache__" not in f.parts}
    return {f for f in data if not any(f.match(pattern) for pattern in patterns)}


def test_every_file_of_the_package_is_in_the_package_data():
    patterns = SETUP["options.package_data"]["hopref"].split()
    assert not missing_files(PACKAGE, patterns)
    assert all(list(PACKAGE.glob(pattern)) for pattern in patterns)


def test_a_file_outside_the_package_data_is_found(tmp_path):
    (tmp_path / "table.csv").touch()
    (tmp_path / "py.typed").touch()
    assert missing_files(tmp_path, ["py.typed"]) == {Path("table.csv")}


def test_every_folder_of_modules_is_a_package():
    assert all((file.parent / "__init__.py").exists() for file in PACKAGE.rglob("*.py"))


def test_numpy_and_scipy_are_the_only_requirements():
    assert names(SETUP["options"]["install_requires"].split()) == {"numpy", "scipy"}


def test_the_extra_all_contains_everything_without_a_gpu():
    gpu, tools = {"cuda12", "cuda13", "gpu-proof"}, {"dev", "all"}
    for extra in set(EXTRAS) - gpu - tools:
        assert required_by(extra) <= required_by("all"), extra
    assert {"scikit-learn", "tqdm"} <= required_by("all")
    assert not {name for name in required_by("all") if name.startswith(("cupy", "torch", "jax"))}


def test_tox_names_extras_that_exist():
    tox = configuration("tox.ini")
    named = {extra for section in tox.values() for extra in section.get("extras", "").split()}
    assert named <= set(EXTRAS)
    assert set(tox["tox"]["env_list"].split()) <= {
        section.removeprefix("testenv:") for section in tox} | {"py311", "py312", "py313", "py314"}
    assert tox["tox"]["skip_missing_interpreters"] == "false"


def test_the_check_runs_every_stage_that_it_defines():
    script = (ROOT / ".ci" / "run").read_text()
    stages = set(re.findall(r"^(\w+)\(\) +\{", script, re.M)) - {"finish", "run", "enter"}
    listed = re.search(r'^stages="(.+)"$', script, re.M)[1].split()
    assert stages == set(listed) and "set -euo pipefail" in script
    tox = configuration("tox.ini")
    assert set(re.findall(r"tox run -e (\w+)", script)) == {"lint", "wheel"}
    assert tox["testenv:docs"]["commands"].strip() in script
    assert "--doctest-modules --pyargs hopref" in tox["testenv:doctest"]["commands"]
    assert "--doctest-modules --pyargs hopref" in script
