"""Errors of estimators are measured to be what theory says, at the cost that it states."""
import numpy as np
import pytest

from benchmarks import estimators
from tests.rounding import close


@pytest.mark.parametrize("title", estimators.ENTRIES)
def test_measured_errors_are_the_exact_ones(title):
    """Within six standard errors, as sampled; without closed form, between the exact error of the
    best and twice that of independent rows."""
    squares = estimators.measured_errors(title, 1.0)
    spread = 6 * squares.std() / np.sqrt(len(squares))
    exact = estimators.exact_error(title, 1.0)
    if np.isfinite(exact):
        close(squares.mean(), exact**2, spread)
    else:
        kind = estimators.ENTRIES[title].map
        worst = estimators.exact_error(f"{kind}, iid", 1.0)
        assert 0 < squares.mean() <= 2 * worst**2 + spread


def test_all_have_as_many_features_and_work_of_one_order():
    work = {title: estimators.work(title) for title in estimators.ENTRIES}
    assert max(work.values()) < 2 * min(work.values())
    m = estimators.FEATURES
    assert {estimators.ENTRIES[title].rows for title in work} == {m, m // 2}
