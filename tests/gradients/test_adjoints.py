"""Every gradient is the adjoint of the derivative of its rule, and the registry names it."""
import inspect
from operator import attrgetter

import pytest
from hypothesis import HealthCheck, settings

from hopref.dispatch.operation import OPS, gradient_of
from hopref.gradients import modern
from tests.gradients.differences import (
    GRADIENTS,
    cotangents,
    difference,
    points,
    pulled_back,
    wrt,
)
from tests.laws import law
from tests.mutants import MUTANTS, gradients, gradients_structured

HERE = {gradients.__name__, gradients_structured.__name__}
OWN = {"gradients.modern.fixed_point"}      # of an iteration, not of a rule


def adjoint(name):
    """The law of one rule: <J^T g, v> = <g, J v>, for all its arguments at once."""
    rule = GRADIENTS[name]

    def statement(rules, call, seed):
        found = difference(rule, call, seed)
        value, allowed = pulled_back(found.gradient, rule, call, found.direction,
                                     attrgetter(found.gradient.name)(rules))
        off = abs(value - found.value)
        assert off <= allowed + found.error, f"{value} against {found.value}"
    statement.__name__ = f"test_the_gradient_of_{name.replace('.', '_')}_is_its_adjoint"
    statement.__module__ = __name__
    statement.__doc__ = "To within differences in long double."
    gradient = gradient_of(rule)
    kills = [m.name for m in MUTANTS.values()
             if m.op == gradient.name and m.function.__module__ in HERE]
    ids = [i for i in gradient.ids if i.startswith("GR")]
    return law(gradient.name, id=(ids or gradient.ids)[0], over=points(rule),
               kills=kills)(statement)


# Draws at a kink say nothing and are passed over, however many; without any other it is an error.
FEW = settings(max_examples=settings.default.max_examples // 4,
               suppress_health_check=[HealthCheck.filter_too_much, HealthCheck.too_slow])
for _name in GRADIENTS:
    _law = FEW(adjoint(_name))
    globals()[_law.__name__] = _law


# -- the graph ----------------------------------------------------------------------------------

@pytest.mark.parametrize("name", GRADIENTS)
def test_a_gradient_is_called_as_its_rule_is(name):
    """One cotangent a result first, then the rule's own arguments; results shaped as these."""
    rule, gradient = GRADIENTS[name], gradient_of(GRADIENTS[name])
    first = cotangents(rule)
    parameters = list(gradient.signature.parameters.values())
    assert parameters[:len(first)] == [inspect.Parameter(k, inspect.Parameter.POSITIONAL_ONLY)
                                       for k in first]
    assert parameters[len(first):] == list(rule.signature.parameters.values())
    assert [gradient.arrays[k] for k in first] == \
        list(rule.outputs[:len(first)])
    assert list(gradient.outputs) == [rule.arrays.get(k, ()) for k in wrt(rule)]
    assert {k: rule.arrays[k] for k in rule.arrays} == \
        {k: dims for k, dims in gradient.arrays.items() if k not in first}


def test_every_gradient_belongs_to_a_rule():
    named = {name for name in OPS if name.startswith("gradients.")}
    assert named - {gradient_of(rule).name for rule in GRADIENTS.values()} == OWN


def test_a_rule_without_a_derivative_has_no_gradient():
    assert gradient_of(OPS["classical.update"]) is None
    assert gradient_of(OPS["modern.update"]) is modern.update
