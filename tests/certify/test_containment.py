"""Certified results contain the exact ones, and two methods overlap."""
import numpy as np
import pytest

pytest.importorskip("flint", reason="certified values need python-flint (hopref[certify])")

from hopref.certify import Certified, certify  # noqa: E402
from hopref.errors import CertificationError  # noqa: E402
from tests.certify import families  # noqa: E402

every_family = pytest.mark.parametrize("family", families.FAMILIES, ids=lambda f: f.__name__)


@every_family
def test_results_of_all_methods_contain_the_exact_ones(family):
    counts = families.counted(family, np.random.default_rng(1))
    assert counts["balls"][1] == counts["balls"][2]         # all within 0.51 ulp
    assert not any(wrong for wrong, _, _ in counts.values())
    assert len(counts) > 1 or family is families.norms


@every_family
def test_methods_overlap(family):
    name, args, options = family(np.random.default_rng(2))
    found = []
    for method in families.METHODS:
        try:
            found.append(certify(name, *args, max_ulp=families.LOOSE, method=method, **options))
        except CertificationError:
            continue
    for one in found:
        for other in found:
            assert np.all((np.abs(one.value - other.value) <= one.bound + other.bound)
                          | np.isnan(one.value) & np.isnan(other.value))


def test_a_bound_that_is_too_small_is_counted():
    name, args, options = families.gauss(np.random.default_rng(3))
    found, balls = certify(name, *args, **options), families.enclosure(name, args, options)
    assert families.violations(found, balls)[0] == 0
    narrow = Certified(found.value, found.bound / 1e6, "balls")
    shifted = Certified(np.nextafter(found.value, np.inf), found.bound, "balls")
    assert families.violations(narrow, balls)[0] > 0
    assert families.violations(shifted, balls)[0] == found.value.size


def test_double_double_is_within_half_an_ulp_unless_results_cancel():
    counts = families.counted(families.gauss, np.random.default_rng(4), ["double-double"])
    wrong, entries, tight = counts["double-double"]
    assert not wrong and tight == entries
