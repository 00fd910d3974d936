"""Every gradient is declared like its operation, and the registry contains it."""
import inspect

import numpy as np
import pytest

from hopref.check.cases.generator import cases
from hopref.check.tolerance.differences import cotangents, differentiated
from hopref.dispatch.operation import OPS, gradient_of, load
from hopref.errors import DTypeError, ShapeError
from hopref.gradients import attention as gradients
from hopref.gradients import modern
from tests.groups import each

GRADIENTS = {name: op for name, op in load().items() if gradient_of(op)}
OWN = {"gradients.modern.fixed_point"}      # of an iteration, not of an operation


@each("name", GRADIENTS)
def test_a_gradient_takes_the_arguments_of_its_operation(name):
    """One cotangent for each result, then the operation's arguments; results have their shapes."""
    rule, gradient = GRADIENTS[name], gradient_of(GRADIENTS[name])
    first = cotangents(rule)
    parameters = list(gradient.signature.parameters.values())
    assert parameters[:len(first)] == [inspect.Parameter(k, inspect.Parameter.POSITIONAL_ONLY)
                                       for k in first]
    assert parameters[len(first):] == list(rule.signature.parameters.values())
    assert [gradient.arrays[k] for k in first] == \
        list(rule.outputs[:len(first)])
    assert list(gradient.outputs) == [rule.arrays.get(k, ()) for k in differentiated(rule)]
    assert {k: rule.arrays[k] for k in rule.arrays} == \
        {k: dims for k, dims in gradient.arrays.items() if k not in first}


def test_every_gradient_belongs_to_an_operation():
    named = {name for name in OPS if name.startswith("gradients.")}
    assert named - {gradient_of(rule).name for rule in GRADIENTS.values()} == OWN


WITH_STATES = [op for op in GRADIENTS.values() if gradient_of(op).zeros]


@each("op", WITH_STATES, ids=lambda op: op.name)
def test_the_number_zero_stands_for_cotangents_of_zeros(op):
    gradient = gradient_of(op)
    case = next(case for case in cases(gradient) if case.name == "gauss")
    given = dict(zip(gradient.operands, case.args))
    zeros = {k: np.zeros_like(given[k]) for k in gradient.zeros}
    numbers = dict.fromkeys(gradient.zeros, 0.0)
    want, got = (gradient(*(given | some).values(), **case.kwargs) for some in (zeros, numbers))
    assert all(np.array_equal(a, b) for a, b in zip(want, got, strict=True))


@pytest.mark.parametrize("cotangent, error", [(1.0, ShapeError), (False, DTypeError)])
def test_no_other_number_stands_for_an_array(cotangent, error):
    phi = [[1.0], [1.0]]
    with pytest.raises(error, match="g_z must"):
        gradients.causal_linear_attention(phi, 0.0, cotangent, phi, phi, phi)


def test_operations_without_a_derivative_have_no_gradient():
    assert gradient_of(OPS["classical.update"]) is None
    assert gradient_of(OPS["modern.update"]) is modern.update
