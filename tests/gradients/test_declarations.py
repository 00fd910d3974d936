"""Every gradient is declared like its operation, and the registry contains it."""
import inspect

import pytest

from hopref.check.tolerance.differences import cotangents, differentiated
from hopref.dispatch.operation import OPS, gradient_of, load
from hopref.gradients import modern

GRADIENTS = {name: op for name, op in load().items() if gradient_of(op)}
OWN = {"gradients.modern.fixed_point"}      # of an iteration, not of an operation


@pytest.mark.parametrize("name", GRADIENTS)
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


def test_operations_without_a_derivative_have_no_gradient():
    assert gradient_of(OPS["classical.update"]) is None
    assert gradient_of(OPS["modern.update"]) is modern.update
