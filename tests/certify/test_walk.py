"""Every formula agrees with its certified value, and wrong formulas do not."""
import numpy as np
import pytest

pytest.importorskip("flint", reason="certified values need python-flint (hopref[certify])")

from hopref.dispatch.operation import load  # noqa: E402
from tests.certify import walk  # noqa: E402

OPS = {op.name: op for op in walk.operations()}
CASES = 3               # of each operation; `tox -e certify` takes all


@pytest.mark.parametrize("name", OPS)
def test_a_formula_agrees_with_its_certified_value(name):
    messages = [m for case in walk.chosen(OPS[name], CASES)
                for m in walk.disagreements(OPS[name], case)]
    assert not messages, "\n".join(messages)


def energy_without_its_constant(xi, X, beta=1.0):
    return load()["modern.energy"](xi, X, beta=beta) - np.max(np.sum(X * X, axis=-1)) / 2


def update_with_beta_twice(xi, X, beta=1.0):
    return load()["modern.update"](xi, X, beta=beta * beta)


def weights_one_part_in_a_billion_off(xi, X, beta=1.0):
    return load()["modern.weights"](xi, X, beta=beta * (1 + 1e-9))


def gradient_with_a_wrong_sign(g, z, beta=1.0):
    dz, dbeta = load()["gradients.maps.logsumexp"](g, z, beta=beta)
    return dz, -dbeta


def another_shape(xi, X, beta=1.0):
    return load()["modern.update"](xi, X, beta=beta)[..., :-1]


@pytest.mark.parametrize("name, wrong", [
    ("modern.energy", energy_without_its_constant),
    ("modern.update", update_with_beta_twice),
    ("modern.update", another_shape),
    ("modern.weights", weights_one_part_in_a_billion_off),
    ("gradients.maps.logsumexp", gradient_with_a_wrong_sign)])
def test_a_wrong_formula_disagrees(name, wrong):
    case = walk.chosen(OPS[name], 1)[0]
    assert walk.disagreements(OPS[name], case, wrong)


def test_documented_exceptions_are_of_existing_cases():
    for table in (walk.DOCUMENTED, walk.BEYOND):
        for name, part in table:
            assert any(part in case.name for case in walk.cases(OPS[name])), (name, part)
