"""Profiles of hypothesis: `dev` draws new examples each time, `ci` always the same ones.

HYPOTHESIS_PROFILE selects a profile; for a failing run the line that reproduces it is printed.
"""

import gc
import os

from hypothesis import HealthCheck, settings

settings.register_profile("dev", max_examples=25, deadline=None, print_blob=True)
settings.register_profile("ci", max_examples=25, deadline=None, print_blob=True, derandomize=True,
                          suppress_health_check=[HealthCheck.too_slow])
settings.register_profile("deep", max_examples=2000, deadline=None, print_blob=True)

PROFILE = os.environ.get("HYPOTHESIS_PROFILE", "ci" if "CI" in os.environ else "dev")
settings.load_profile(PROFILE)


def pytest_report_header():
    return f"hypothesis profile {PROFILE}, {settings.default.max_examples} examples a property"


def pytest_collection_finish():
    """Leave the collected tests, which live to the end, out of all later garbage collections."""
    gc.collect()
    gc.freeze()
