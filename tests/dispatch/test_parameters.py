"""Parameters, keywords and sizes that are refused, for every parameter of every operation."""
import math
from collections import Counter
from fractions import Fraction
from inspect import Parameter

import numpy as np
import pytest

import hopref
from hopref.dispatch import domains
from hopref.errors import BackendError, CallError, DomainError, ResourceError
from tests.dispatch.calling import (
    OPS,
    PARAMETERS,
    each_of,
    look_at_refusal,
    on_calls,
    refused,
    run,
)
from tests.groups import each

every_op = each("name", OPS)

NO_NUMBERS = [True, np.True_, "1", b"1", 1j, [1.0], np.array([1.0, 2.0]), {}, len,
              np.array(True), np.array("1"), np.array(1.0, object), np.array(1j)]
NO_FINITE = [math.nan, math.inf, -math.inf, np.float32("nan"), 10**400]
WRONG = {
    domains.positive: [0, 0.0, -0.0, -1.0, Fraction(1, 3), *NO_NUMBERS, *NO_FINITE],
    domains.inverse_temperature: [9e-301, 0, 0.0, -1.0, *NO_NUMBERS, *NO_FINITE],
    domains.nonnegative: [-1, -1e-300, *NO_NUMBERS, *NO_FINITE],
    domains.real: [*NO_NUMBERS, *NO_FINITE],
    domains.count: [0, -1, 1.0, 2.5, np.float64(3.0), *NO_NUMBERS, *NO_FINITE[:-1]],
    domains.flag: [0, 1, 1.0, "yes", "True", np.array([True]), np.array(1), [True]],
    domains.seed: [-1, 1.5, True, "seed", np.array([1]), [1, 2], np.random],
}
NO_NAMES = ["nonsense", "", 0, 1.0, True, b"zeros", ["zeros"], len, {}]


def wrong_values(domain):
    if isinstance(domain, domains.Choice):
        return NO_NAMES
    if isinstance(domain, domains.Several):
        return [(), [], next(iter(domain.choice.names)), 3, {}, *([name] for name in NO_NAMES)]
    if domain in WRONG:
        return WRONG[domain]
    return [*NO_NUMBERS, *[v for v in (*NO_FINITE, -1, 0, 0.5, 1, 2) if not legal(domain, v)]]


def legal(domain, value):
    try:
        domain.validate("x", value)
    except DomainError:
        return False
    return True


@each_of(PARAMETERS, examples=1)
def test_a_value_outside_its_domain_is_refused(op, parameter, given):
    wrong = wrong_values(op.domains[parameter])
    if parameter in op.by_row:                          # see test_varied
        wrong = [value for value in wrong if type(value) is not list and not np.ndim(value)]
    if op.signature.parameters[parameter].default is not None:
        wrong = [None, *wrong]
    for value in wrong:
        refused(DomainError, op, given | {parameter: value}, parameter, "must be",
                f"got {parameter}")


def test_each_kind_of_parameter_is_tested():
    met = {type(OPS[name].domains[k]) for name, k in PARAMETERS}
    assert met == {domains.Scalar, domains.Choice, domains.Several, domains.Flag, domains.Seed}


@every_op
def test_a_call_that_does_not_fit_the_signature_is_refused(name):
    op = OPS[name]
    parameters = op.signature.parameters.values()
    operands = [p for p in parameters if p.kind is Parameter.POSITIONAL_ONLY]
    modifiers = [p for p in parameters if p.kind is Parameter.KEYWORD_ONLY]

    def judge(given):
        args = [given[p.name] for p in operands]
        rest = {p.name: given[p.name] for p in modifiers if p.name in given}

        def wrong(*words, args=args, rest=rest):
            with pytest.raises(CallError) as caught:
                op(*args, **rest)
            look_at_refusal(caught, CallError, name, f"must be called as {name}(", *words)

        wrong("unexpected", "bta", rest=rest | {"bta": 1.0})
        wrong("too many", args=[*args, 1.0])
        for first in operands[:1]:
            wrong(repr(first.name), args=[])
            wrong(first.name, args=args[1:], rest=rest | {first.name: args[0]})
        for p in modifiers:
            if p.default is Parameter.empty:
                wrong(repr(p.name), rest={k: v for k, v in rest.items() if k != p.name})

    on_calls(op, judge, examples=1)


@every_op
def test_the_keywords_of_every_operation_are_checked_too(name):
    op = OPS[name]

    def judge(given):
        for wrong in ("ignore", "", True, 0, ["raise"], np.array([1, 2])):
            refused(DomainError, op, given, "nonfinite must be", nonfinite=wrong)
        for wrong in ("nonsense", "", True, 0, ["numba"], np):
            refused(BackendError, op, given, "backend must be", "formula", backend=wrong)
        for wrong in (1, 0, "no", [True], np.array([1, 2])) if op.structural else (True, False):
            refused(CallError, op, given, "check", check=wrong)

    on_calls(op, judge, examples=1)


# ---- memory -------------------------------------------------------------------------------------

SCRATCH = [name for name, op in OPS.items() if op.scratch]


@each("name", SCRATCH)
def test_what_would_not_fit_is_refused_with_need_limit_and_a_way_out(name, monkeypatch):
    op = OPS[name]
    monkeypatch.setattr(hopref, "memory_limit", 7)

    def judge(given):
        refused(ResourceError, op, given, f"({','.join(op.scratch)})", "memory_limit", "GiB",
                "must fit")
        monkeypatch.setattr(hopref, "memory_limit", 2**30)
        run(op, given)
        monkeypatch.setattr(hopref, "memory_limit", 7)

    on_calls(op, judge, examples=1)


def test_nothing_is_allocated_before_the_refusal():
    """A terabyte of patterns as a broadcast view is neither copied nor read."""
    X = np.broadcast_to(np.ones(3), (2**40, 3))
    refused(ResourceError, OPS["modern.update"], {"xi": np.ones(3), "X": X}, "(...,n)", "8.19e+03")
    refused(ResourceError, OPS["storage.hebbian"], {"X": np.broadcast_to(1.0, (1, 2**20))}, "(d,d)")
    for rows in (2**40, 10**400):
        refused(ResourceError, OPS["projections.iid"], {"m": rows, "d": 3, "rng": 0}, "(m,d)")


def test_operations_that_form_a_square_declare_it():
    """Softmax attention and retrieval would be refused; linear attention never is."""
    assert {"modern.update", "modern.energy", "modern.weights", "attention.softmax_attention",
            "attention.softmax_weights"} <= set(SCRATCH)
    assert not {"attention.linear_attention", "attention.key_state"} & set(SCRATCH)


MATRICES = {name: op.outputs[0] for name, op in OPS.items()
            if op.arrays and len(op.outputs[0]) == 2 and "..." not in op.outputs[0]
            and all(Counter(op.outputs[0]) - Counter(dims) for dims in op.arrays.values())}


@each("name", MATRICES)
def test_a_matrix_of_axes_that_no_argument_has_is_declared(name):
    """The weights (d, d) of patterns (n, d) may be far larger than the patterns."""
    assert OPS[name].scratch == MATRICES[name]


def test_the_weights_of_every_learning_rule_are_such_matrices():
    assert {name for name in OPS if name.startswith("storage.")} <= set(MATRICES)
