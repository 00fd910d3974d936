"""The programs of the comparison of practices can be called."""
import pytest

from hopref.dispatch.operation import load
from tests.check import cheats, honest
from tools.practices import gaussian

JUDGED = {cheat.op for cheat in cheats.load() if cheat.shows is None} | set(honest.load())


@pytest.mark.parametrize("name", sorted(JUDGED))
def test_the_gaussian_input_is_one_of_the_operation(name):
    op = load()[name]
    args, kwargs = gaussian(op, "float64")
    op.prepare(*args, **kwargs)
