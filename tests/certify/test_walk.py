"""Every formula agrees with its certified value, and wrong formulas do not."""
import sys
from pathlib import Path

import numpy as np
import pytest

pytest.importorskip("flint", reason="certified values need python-flint (hopref[certify])")

import hopref  # noqa: E402
from hopref.certify import certify, evaluation  # noqa: E402
from hopref.dispatch.operation import load  # noqa: E402
from tests.certify import walk  # noqa: E402
from tests.groups import each

OPS = {op.name: op for op in walk.operations()}
CASES = 3               # of each operation; `tox -e certify` takes all


@each("name", OPS, share=3)
def test_a_formula_agrees_with_its_certified_value(name):
    messages = [m for case in walk.chosen(OPS[name], CASES)
                for m in walk.disagreements(OPS[name], case)]
    assert not messages, "\n".join(messages)


def test_certified_values_of_valid_arguments_run_no_other_code_of_the_library():
    """Functions that are passed on, as operations or options, would escape the rule of imports."""
    library, run = Path(hopref.__file__).parent, set()
    firsts = {op.__module__: op for op in reversed(OPS.values())}
    for op in list(firsts.values())[::4]:
        case = walk.chosen(op, 1)[0]
        given = evaluation.given_to(op, case.args, case.kwargs)
        sys.setprofile(lambda frame, *_: run.add(frame.f_code.co_filename))
        try:
            evaluation.by_method(op, given, 0.51, None)
        finally:
            sys.setprofile(None)
    own = {Path(file).relative_to(library) for file in run if Path(file).is_relative_to(library)}
    assert Path("certify/balls.py") in own
    assert {file for file in own if file.parts[0] != "certify"} <= {
        Path("extras.py"), Path("dispatch/registry.py")}


# Closed forms of numbers alone, with limits on their errors in eps that may only fall.
NUMBERS = {
    "theory.spin_glass_load": (40, [(y,) for y in (1e-6, 0.1, 0.5, 1.0, 3.0)], {}),
    "theory.bit_error": (16, [(load,) for load in (0.01, 0.1, 0.5, 3.0)], {"errors": 0.125}),
    "theory.capacity_without_errors": (30, [(d,) for d in (2, 10, 1000, 10**9)], {"n": 5}),
    "theory.capacity_storkey": (1, [(d,) for d in (2, 10, 1000)], {}),
    "theory.capacity_projection": (0, [(d,) for d in (2, 10, 1000)], {}),
    "theory.information_capacity": (1, [()], {"recall": "auto"}),
    "theory.bits_per_synapse": (2, [(load,) for load in (0.01, 0.5, 2.0)], {"activity": 0.3}),
    "theory.capacity_sparse": (2, [(p,) for p in (1e-9, 0.1, 0.5, 0.9)], {}),
    "theory.perceptron_capacity": (40, [(k,) for k in (-20.0, -2.0, -0.1, 0.0, 0.5, 30.0)], {}),
    "theory.distance_bound": (2, [(step,) for step in (0.1, 7.0)], {"factor": 0.3, "steps": 4}),
    "theory.rate_function": (3, [(x,) for x in (-1.0, -0.3, 1e-6, 0.5, 0.99)], {}),
    "theory.capacity_exponential": (2, [()], {"errors": 0.1}),
    "theory.capacity_exponential_typical": (1, [()], {}),
    "theory.capacity_random_energy": (1, [()], {"beta": 0.7}),
    "theory.capacity_feature_memory": (1, [()], {"features": 1.4}),
    "theory.capacity_with_margin": (40, [(d,) for d in (2, 3, 8, 20, 100)], {"overlap": 0.9}),
}


def test_the_closed_forms_of_numbers_are_complete():
    assert set(NUMBERS) | {"theory.capacity_with_errors"} == {
        name for name, op in load().items() if name.startswith("theory.") and not op.arrays}


@pytest.mark.parametrize("name", NUMBERS)
def test_a_closed_form_of_numbers_agrees_with_its_certified_value(name):
    limit, calls, options = NUMBERS[name]
    for args in calls:
        found, got = certify(name, *args, **options), load()[name](*args, **options)
        assert abs(got - found.value) <= limit * 2.0**-52 * abs(found.value) + found.bound, args


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


def test_known_bugs_disagree():
    """Most of all do (``walk --bugs``); the others need a rare option, or arguments of large size.
    """
    walk.load_bugs()
    found = {name for (subject, name), bug in walk.BUGS.items() if subject == "modern.update"
             and walk.disagreements(OPS[subject], walk.chosen(OPS[subject], 1)[0], bug.candidate)}
    assert {"beta applied twice", "last pattern dropped", "softmax not normalised"} < found
    assert not {"one maximum subtracted from the whole batch"} & found      # loses range only


def test_documented_exceptions_are_of_existing_cases():
    for table in (walk.DOCUMENTED, walk.BEYOND):
        for name, part in table:
            assert any(part in case.name for case in walk.cases(OPS[name])), (name, part)
