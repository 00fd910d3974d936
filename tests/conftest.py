"""Profiles of hypothesis, and the tests of compiled kernels, which run by name.

The profile `dev` draws new examples each time, `ci` always the same ones; HYPOTHESIS_PROFILE
selects one.  For a failing run the line that reproduces it is printed.

The tests of compiled kernels spend most of their time in the compiler, and are collected only if
they are named: ``python -m pytest tests/fast``.
"""

import gc
import os
from pathlib import Path

from hypothesis import HealthCheck, settings

settings.register_profile("dev", max_examples=25, deadline=None, print_blob=True)
settings.register_profile("ci", max_examples=25, deadline=None, print_blob=True, derandomize=True,
                          suppress_health_check=[HealthCheck.too_slow])
settings.register_profile("deep", max_examples=2000, deadline=None, print_blob=True)

PROFILE = os.environ.get("HYPOTHESIS_PROFILE", "ci" if "CI" in os.environ else "dev")
settings.load_profile(PROFILE)


KERNELS = Path(__file__).parent / "fast"


def kernels_named(config):
    """Whether the folder of the tests of compiled kernels, or a part of it, is an argument."""
    named = [config.invocation_params.dir / arg.split("::")[0] for arg in config.args]
    return any(path.resolve().is_relative_to(KERNELS) for path in named)


def pytest_report_header(config):
    kernels = [] if kernels_named(config) else \
        ["not collected: tests/fast, the tests of compiled kernels; add it to the arguments"]
    return [f"hypothesis profile {PROFILE}, {settings.default.max_examples} examples a property",
            *kernels]


def pytest_ignore_collect(collection_path, config):
    return True if collection_path == KERNELS and not kernels_named(config) else None


def pytest_collection_finish():
    """Leave the collected tests, which live to the end, out of all later garbage collections."""
    gc.collect()
    gc.freeze()
