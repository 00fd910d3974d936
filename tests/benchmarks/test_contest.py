"""The contest of estimators measures what theory says, at the cost that it states."""
import numpy as np
import pytest

from benchmarks import contest
from tests.rounding import close


@pytest.mark.parametrize("title", contest.ENTRIES)
def test_measured_errors_are_the_exact_ones(title):
    """Within six standard errors, as sampled; without closed form, between the exact error of the
    best and twice that of independent rows."""
    squares = contest.measured_errors(title, 1.0)
    spread = 6 * squares.std() / np.sqrt(len(squares))
    exact = contest.exact_error(title, 1.0)
    if np.isfinite(exact):
        close(squares.mean(), exact**2, spread)
    else:
        kind = contest.ENTRIES[title].map
        worst = contest.exact_error(f"{kind}, iid", 1.0)
        assert 0 < squares.mean() <= 2 * worst**2 + spread


def test_all_have_as_many_features_and_work_of_one_order():
    work = {title: contest.work(title) for title in contest.ENTRIES}
    assert max(work.values()) < 2 * min(work.values())
    assert {contest.ENTRIES[t].rows for t in work} == {contest.FEATURES, contest.FEATURES // 2}
