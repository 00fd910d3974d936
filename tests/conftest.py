"""Profiles of hypothesis, slow tests, and the folders of tests that run by name.

The profile `dev` draws new examples each time, `ci` always the same ones; HYPOTHESIS_PROFILE
selects one.  For a failing run the line that reproduces it is printed.  With slow tests there are
`MANY` times as many examples of a property.

The tests of kernels spend most of their time in a compiler or an interpreter, and are collected
only if their folder is named: ``python -m pytest tests/fast tests/gpu``.

A test with the mark ``slow`` runs with ``--slow``, or if it is named; the environments of tox give
``--slow``.  Each is the longer form of a test without the mark.
"""

import gc
import os
from pathlib import Path

from hypothesis import HealthCheck, settings

from tests import groups

MANY = 2.5
settings.register_profile("dev", max_examples=10, deadline=None, print_blob=True)
settings.register_profile("ci", max_examples=10, deadline=None, print_blob=True, derandomize=True,
                          suppress_health_check=[HealthCheck.too_slow])
settings.register_profile("deep", max_examples=2000, deadline=None, print_blob=True)

PROFILE = os.environ.get("HYPOTHESIS_PROFILE", "ci" if "CI" in os.environ else "dev")
settings.load_profile(PROFILE)

HERE = Path(__file__).parent
BY_NAME = {HERE / "fast": "the tests of compiled kernels",
           HERE / "gpu": "the tests of CUDA kernels, which need no GPU"}


def named(folder, config):
    """Whether the folder, or a part of it, is an argument."""
    arguments = [config.invocation_params.dir / arg.split("::")[0] for arg in config.args]
    return any(path.resolve().is_relative_to(folder) for path in arguments)


def pytest_addoption(parser):
    parser.addoption("--slow", action="store_true", help="run tests that are marked as slow, too")


def with_slow(config):
    """Whether the slow tests run, because of the option or because tests are named."""
    return config.option.slow or any("::" in arg for arg in config.args)


def pytest_collection_modifyitems(config, items):
    """Deselect the slow tests, unless they are asked for."""
    if with_slow(config):
        return
    slow = [item for item in items if item.get_closest_marker("slow")]
    config.hook.pytest_deselected(items=slow)
    items[:] = [item for item in items if not item.get_closest_marker("slow")]


def pytest_configure(config):
    """Slow tests have more examples, and selected tests are items of their own."""
    if with_slow(config):
        settings.register_profile("slow", settings.get_profile(PROFILE),
                                  max_examples=int(MANY * settings.default.max_examples))
        settings.load_profile("slow")
    groups.SINGLY |= bool(config.option.keyword) or any("[" in arg for arg in config.args)


def pytest_report_header(config):
    left_out = [f"not collected: tests/{folder.name}, {what}; add it to the arguments"
                for folder, what in BY_NAME.items() if not named(folder, config)]
    slow = "run" if with_slow(config) else "deselected; --slow runs them"
    return [f"hypothesis profile {PROFILE}, {settings.default.max_examples} examples a property",
            f"slow tests: {slow}", *left_out]


def pytest_ignore_collect(collection_path, config):
    left_out = collection_path in BY_NAME and not named(collection_path, config)
    return True if left_out else None


def pytest_collection_finish():
    """Leave the collected tests, which live to the end, out of all later garbage collections."""
    gc.collect()
    gc.freeze()
