"""The interface of `hopref.certify`: arguments, methods, errors, and the table of forms."""
import importlib
import sys

import numpy as np
import pytest

pytest.importorskip("flint", reason="certified values need python-flint (hopref[certify])")

import hopref  # noqa: E402
from hopref.certify import FORMS, Certified, certify, evaluation  # noqa: E402
from hopref.dispatch.operation import load  # noqa: E402
from hopref.errors import CertificationError, DomainError, PluginError, ShapeError  # noqa: E402

# Operations without a certified form, by the reason.
WITHOUT = {
    "the result is a random draw": ("projections.*", "supports.random", "supports.big_bird"),
    "the result is the root of an equation": ("theory.smallest_beta",
                                              "theory.capacity_with_errors"),
    "the derivative is a solution of a linear system": ("gradients.modern.fixed_point",),
}
XI, X = [0.3, -0.2], [[1.0, 0.5], [-1.0, 0.25], [0.5, -2.0]]


def listed(name):
    return [why for why, patterns in WITHOUT.items() for p in patterns
            if name == p or p.endswith(".*") and name.startswith(p[:-1])]


def test_operations_without_a_form_have_one_reason_and_others_none():
    for name in load():
        assert len(listed(name)) == (not evaluation.has_form(name)), \
            f"{name}: write a form in hopref/certify, listed in forms.py, or give a reason above"


def test_the_table_of_forms_is_that_of_the_modules_and_of_the_operations():
    for module, names in FORMS.items():
        found = importlib.import_module(f"hopref.certify.{module.rpartition('.')[2]}")
        assert sorted(found.__all__) == list(names)
        assert all(f"{module}.{name}" in load() for name in names)


def test_forms_import_no_formula():
    """The second derivation; `tests/test_structure.py` enforces it for every file of certify."""
    from tests.structure_rules import MAY_IMPORT
    assert MAY_IMPORT["certify"] == {"dispatch", "errors", "extras"}


def test_the_package_is_called_as_its_function():
    for call in (hopref.certify, certify, sys.modules["hopref.certify"]):
        assert isinstance(call("modern.update", XI, X), Certified)
    by_name, by_op = certify("modern.energy", XI, X), certify(hopref.modern.energy, XI, X)
    assert by_name == by_op and by_name.value.shape == ()


def test_results_are_tuples_where_those_of_the_operation_are():
    found = certify("attention.key_state", [[1.0]], [[2.0]])
    assert [v.shape for v in found.value] == [v.shape for v in found.bound] == [(1, 1), (1,)]
    assert found.method == "exact"


def test_long_double_arguments_are_taken_exactly():
    wide = np.finfo(np.longdouble).nmant > 60
    xi = np.array([1.0, -1.0]) + np.array([np.longdouble(2) ** -60, 0])
    found = certify("classical.field", xi, [[1.0, 1.0], [0.0, 0.0]])
    assert found.value.tolist() == [2.0**-60 if wide else 0.0, 0.0]


def test_ties_are_decided_exactly():
    tie = [[0.0, 1.0, -1.0], [0.0] * 3, [0.0] * 3]
    assert certify("classical.update", [-1.0, 1.0, 1.0], tie, ties="keep").value[0] == -1.0
    assert certify("classical.update", [-1.0, 1.0, 1.0], tie, ties="plus").value[0] == 1.0
    assert certify("maps.top_k", [1.0, 1.0, 1.0], k=2).value.tolist() == [0.5, 0.5, 0.0]


def test_a_tie_that_is_only_one_in_floating_point_is_none():
    """The sum of the machine numbers 0.1, 0.2 and -0.30000000000000004 is about -2.8e-17."""
    W, xi = [[0.1, 0.2, -0.30000000000000004], [0.0] * 3, [0.0] * 3], np.ones(3)
    assert hopref.classical.field(xi, W)[0] == 0.0
    assert -1e-16 < certify("classical.field", xi, W).value[0] < 0.0
    assert certify("classical.update", xi, W).value[0] == -1.0


def test_features_of_both_signs_cancel_exactly_however_large_their_logarithms_are():
    """What is left is smaller than the terms that cancel by a factor of e^(10^9)."""
    log_q, log_k = np.array([[0.0, 0.0, -1e9]]), np.array([[1e9, 1e9, 0.25], [1e9, 1e9, 0.25]])
    V, signs = np.array([[3.0], [5.0]]), np.array([[1.0, -1.0, 1.0]])
    given = (log_q, log_k, V)
    left = certify("attention.log_linear_attention", *given, sign_q=signs)
    assert left.value.tolist() == [[4.0]] and left.bound <= 2.0**-51
    seen = certify("attention.log_linear_attention", *given, sign_q=signs,
                   mask=np.array([False, True]))
    assert seen.value.tolist() == [[5.0]]
    none = certify("attention.log_linear_attention", *given, sign_k=[[1.0, -1.0, 0.0]] * 2)
    assert none.value.tolist() == [[0.0]]               # an empty row
    one = certify("attention.log_linear_attention", *given, sign_q=np.ones((1, 3)))
    same = certify("attention.log_linear_attention", *given)
    assert np.array_equal(one.value, same.value)


def test_fields_that_floating_point_takes_for_ties_are_decided():
    """1e16 + 1 - 1e16 is 0 in float64."""
    W = [[1e16, 1.0, -1e16], [0.0] * 3, [0.0] * 3]
    assert certify("classical.field", [1.0, 1.0, 1.0], W).value[0] == 1.0
    assert certify("classical.update", [-1.0, 1.0, -1.0], W).value[0] == 1.0


def test_exact_results_have_the_bound_zero_and_the_method_exact():
    found = certify("dense.energy", [1.0, -1.0], [[1.0, -1.0]], n=3)
    assert found == Certified(np.float64(-8.0), np.float64(0.0), "exact")


@pytest.mark.parametrize("op, args, options, message", [
    ("modern.updat", (XI, X), {}, "name of an operation"),
    ("theory.smallest_beta", (X, X), {}, "have a certified form"),
    ("modern.update", (XI, X), {"max_ulp": 0.4}, "max_ulp must be a number >= 0.5"),
    ("modern.update", (XI, X), {"method": "guess"}, "method must be one of"),
    ("modern.energy", (XI, X), {"method": "double-double"}, "for method='double-double'"),
    ("modern.update", (XI, X), {"beta": -1.0}, "beta must be a finite number"),
])
def test_wrong_calls_are_errors_with_their_reason(op, args, options, message):
    with pytest.raises((DomainError, PluginError), match=message):
        certify(op, *args, **options)


def test_errors_of_the_arguments_are_those_of_the_operation():
    with pytest.raises(ShapeError, match="hopref.modern.update: "):
        certify("modern.update", [1.0], X)
    with pytest.raises(DomainError, match="activation must be given by name"):
        certify("graded.update", [0.5], [[1.0]],
                activation=hopref.graded.Activation(np.tanh, np.arctanh, abs, -1.0, 1.0))


def test_the_check_of_structure_may_be_left_out():
    W = [[0.0, 1.0], [0.0, 0.0]]
    with pytest.raises(DomainError, match="symmetric"):
        certify("classical.energy", [1.0, 1.0], W)
    assert certify("classical.energy", [1.0, 1.0], W, check=False).value == -0.5


def test_a_bound_that_is_not_reached_is_an_error_with_the_best_bound():
    """Scores near zero sum to exponentials near 1, whose logarithm cancels."""
    z = np.log([0.25, 0.75])
    with pytest.raises(CertificationError, match="double-double") as caught:
        certify("maps.logsumexp", z, method="double-double")
    assert 0 < caught.value.best_bound < 1e-25
    assert certify("maps.logsumexp", z).bound < 1e-32


def test_results_beyond_the_range_are_infinite():
    found = certify("features.deterministic.exponential", [800.0, -800.0, 0.0])
    assert found.value.tolist() == [np.inf, 0.0, 1.0]
    assert found.bound.tolist()[0] == np.inf and 0 < found.bound[1] < 1e-322


@pytest.mark.parametrize("sign", [1, -1])
def test_numbers_far_beyond_the_range_with_many_digits_are_infinite(sign):
    from flint import arb

    from hopref.certify.balls import precision
    from hopref.certify.rounding import nearest
    with precision(4096):
        assert nearest(sign * (arb(2) ** 3000 + 1)) == sign * float("inf")


def test_large_arrays_take_double_double_and_escalate_where_results_cancel():
    rng = np.random.default_rng(6)
    X = rng.standard_normal((3000, 8))
    found = certify("modern.update", X[0], X, beta=0.25)
    assert found.method == "double-double"
    cancelling = np.concatenate([X, -X * (1 + 2.0**-40)])
    found = certify("modern.update", np.zeros(8), cancelling)
    assert found.method == "balls"
    assert np.all(found.bound <= 0.51 * np.spacing(np.abs(found.value)))


def test_without_flint_the_bounds_are_labelled(monkeypatch):
    monkeypatch.setitem(sys.modules, "flint", None)
    assert certify("modern.update", XI, X).method == "double-double"
    loose = certify("maps.logsumexp", np.log([0.25, 0.75]))
    assert loose.method == "float64-bound" and 0 < loose.bound < 1e-14
    with pytest.raises(ImportError, match=r"hopref\[certify\]"):
        certify("modern.energy", XI, X)


def test_thread_and_caller_keep_their_precision():
    from flint import ctx
    before = ctx.prec
    certify("maps.logsumexp", np.log([0.25, 0.75]))
    assert ctx.prec == before
