"""Every op has a derived tolerance: finite, never exceeded by honest runs, never met by garbage."""
import numpy as np
import pytest

from hopref.check.cases.generator import case_named, cases, plainest
from hopref.check.cases.literals import as_call
from hopref.check.engine.candidate import InProcess
from hopref.check.engine.judge import judge, parts, worst_entry
from hopref.check.tolerance import toleranced as engine
from hopref.check.tolerance.arithmetic import PROFILES, profile_of, round_to
from hopref.check.tolerance.derivation import BOUNDS, running
from hopref.check.tolerance.expected import EXACT, WIDER, expected, tolerance, truth
from hopref.check.tolerance.toleranced import exactly, toleranced
from hopref.dispatch.operation import load
from tests.check.parts_of_cases import conforming_garbage, third
from tests.groups import each

OPS = load()
SMALL = 1000            # numbers in arguments of cases that are evaluated twice
JUDGED = [name for name, op in OPS.items() if op.arrays]
# A quotient of sums that may vanish is not known at all where they nearly do.
OPEN = {**dict.fromkeys(("sparse.layer_norm_update", "gradients.sparse.layer_norm_update",
                         "gradients.sparse.layer_norm_energy"),
                        ("d = 1", "of signs")),     # a state of equal entries has variance 0
        **dict.fromkeys(("theory.smallest_beta", "theory.exact_beta"), ("one ulp apart",)),
        "gradients.features.log_trigonometric": ("integers",),      # the cotangent of 0
        **dict.fromkeys(("gradients.sparse.normmax_energy", "gradients.sparse.normmax_update",
                         "gradients.sparse.normmax_weights"), ("norms 1e8", "gamma=10")),
        "gradients.maps.normmax": ("gamma=10",),
        **dict.fromkeys(("gradients.performer.attention", "gradients.performer.causal_attention"),
                        ("hides zeros",))}


@each("name", JUDGED, share=5)
def test_the_formula_in_float64_is_within_a_finite_tolerance_and_garbage_is_not(name):
    """In a third of the cases; `hopref check` judges every formula in all of them."""
    op, drawn = OPS[name], third(OPS[name])
    for case in drawn:
        found = expected(op, case.args, case.kwargs, PROFILES["float64"])
        with np.errstate(invalid="ignore" if case.stress else "warn"):
            got = op(*case.args, **case.kwargs)
        for right, y in zip(parts(found), got if isinstance(got, tuple) else (got,), strict=True):
            known = np.isfinite(right.value)
            may_be_open = ("subnormal numbers", *OPEN.get(name, ()))
            if not case.stress and not any(part in case.name for part in may_be_open):
                assert np.all(np.isfinite(right.radius[known])), case.name
            assert worst_entry(np.asarray(y), right)[0] <= 1, case.name
    passed, asked = conforming_garbage(op, drawn, "float64")
    assert passed <= asked / 2, (passed, asked)     # where the truth is nearly zero, or equal


@pytest.mark.parametrize("dtype", ["float32", "float16", "bfloat16"])
@pytest.mark.parametrize("name", ["dense.update", "dense.first_order_update", "sequences.update"])
def test_limits_beyond_the_range_of_a_format_leave_signs_decided(name, dtype):
    """Powers below 2^900 need no common unit; in narrow formats that comparison is certain."""
    case = case_named(OPS[name], "gauss", dtype)
    right = parts(expected(OPS[name], case.args, case.kwargs, PROFILES[dtype]))[0]
    assert worst_entry(np.zeros(right.shape), right)[0] > 1


@each("name", [name for name in JUDGED if name not in BOUNDS
               and name.startswith(("maps.", "gradients.maps.", "layers."))], share=3)
def test_the_running_error_has_the_value_of_the_formula_in_long_double(name):
    """Also of functions that have an implementation of their own for toleranced arguments: two
    evaluations in long double differ by at most two of its errors."""
    op = OPS[name]
    for case in cases(op)[::8]:
        if sum(map(np.size, case.args)) > SMALL:
            continue
        found = expected(op, case.args, case.kwargs, PROFILES["float64"])
        for right, y in zip(parts(found), parts(truth(op, case.args, case.kwargs)), strict=True):
            assert (y.shape, y.dtype) == (right.shape, right.value.dtype), case.name
            with np.errstate(invalid="ignore"):
                apart = np.abs(np.subtract(right.value, y, dtype=np.longdouble))
            apart = np.where(right.value == y, 0, apart)
            most = 2 * EXACT.u / PROFILES["float64"].u * right.radius
            assert np.all((apart <= most) | np.isnan(y) & np.isnan(right.value)), case.name


def test_truth_is_the_formula_at_machine_numbers_in_long_double():
    op = OPS["modern.update"]
    case = case_named(op, "gauss", "float32")
    y = truth(op, case.args, case.kwargs)
    assert y.dtype == np.longdouble and case.args[0].dtype == np.float32
    assert float(np.float32(case.kwargs["beta"])) == case.kwargs["beta"]


SCALED = [name for name, op in OPS.items() if "K" in op.operands and "scale" in op.domains
          and op.signature.parameters["scale"].default is None
          and name != "performer.generalized_attention"]    # d^(-1/4), and sums that cancel exactly


@pytest.mark.parametrize("name", SCALED)
def test_the_default_scale_is_that_of_long_double_in_the_truth(name):
    """Rounded to float64 it errs by 2^-54, as does every score."""
    op = OPS[name]
    case = plainest(op, sizes={"d": 3})
    kwargs = {k: v for k, v in case.kwargs.items() if k != "scale"}
    d = case.args[op.operands.index("K")].shape[-1]
    scale = 1 / np.sqrt(np.longdouble(d))
    assert d == 3 and (scale != float(scale) or not WIDER)
    got, right = (truth(op, case.args, kwargs | more) for more in ({}, {"scale": scale}))
    for a, b in zip(parts(got), parts(right), strict=True):
        assert np.array_equal(a, b)


def test_alternative_algorithms_compute_the_same(monkeypatch):
    """In long double, within the running errors of both."""
    compared = set()

    def agree(other, found):
        for a, b in zip(parts(other), parts(found), strict=True):
            off = np.abs(getattr(a, "value", a) - getattr(b, "value", b)).astype(float)
            radius = getattr(a, "radius", 0.0) + getattr(b, "radius", 0.0)
            assert np.all((off <= radius) | ~np.isfinite(off))
        return found

    def spied(function):
        compared.add(function)
        return widest(function)
    widest = engine.widest
    monkeypatch.setattr(engine, "widened_by", agree)
    monkeypatch.setattr(engine, "widest", spied)
    for name in ("modern.update", "modern.energy", "maps.logsumexp", "attention.softmax_attention",
                 "structured.energy", "structured.top_k_energy", "structured.update",
                 "structured.top_k_update", "sparse.update", "sparse.weights",
                 "sparse.normmax_update", "sparse.normmax_weights", "sparse.k_subsets_update",
                 "sparse.k_subsets_weights", "layers.associations", "performer.attention",
                 "sinks.attention", "sinks.update"):
        op = OPS[f"gradients.{name}"]
        for case in cases(op)[::2]:
            if not case.stress:
                running(op, case.args, case.kwargs, EXACT)
    for name in ("attention.linear_attention", "attention.causal_linear_attention",
                 "classical.field", "epanechnikov.energy", "feature_memory.update"):
        for case in cases(OPS[name]):
            if not case.stress:
                running(OPS[name], case.args, case.kwargs, EXACT)
    assert compared == set(engine.ALTERNATIVES)


def test_a_rule_takes_the_place_of_running_errors_also_of_alternatives():
    """So that no operation with a rule has an alternative, which would have no effect."""
    assert not {getattr(f, "name", f.__name__) for f in engine.ALTERNATIVES} & set(BOUNDS)


def test_rounded_probabilities_cost_the_size_of_values_rounded_scores_their_spread():
    op = OPS["attention.softmax_attention"]
    case = case_named(op, "gauss", "float16")
    Q, K, V = case.args
    far = (Q, K, (V + 1000).astype("float16"))
    near, away = (tolerance(op, args, case.kwargs, profile_of("float16-mixed"))
                  for args in (case.args, far))
    assert np.median(away / near) > 100


def test_a_weight_is_open_where_rounding_may_exchange_two_scores():
    """Both weights: the larger one, whose own term is far above that of the other, too."""
    op, profile = OPS["attention.softmax_weights"], PROFILES["bfloat16"]
    Q, K = np.float32([[1.0, 1.0]]), np.float32([[1.0, 0.0], [0.0, 0.9921875]])
    right = expected(op, (Q, K), {"scale": 8192.0}, profile)
    np.testing.assert_array_equal(right.value.round(9), [[1.0, 0.0]])
    assert np.all(right.radius >= 0.5), right.radius


MASKED = [("maps.softmax", {}), ("maps.sparsemax", {}), ("maps.entmax", {"alpha": 1.25}),
          ("maps.entmax", {"alpha": 3.0}), ("maps.normmax", {}), ("maps.normmax", {"gamma": 3.0}),
          ("maps.k_subsets", {"k": 2}), ("maps.top_k", {"k": 2})]
SHOWN = np.array([False, True, True, True])


@pytest.mark.parametrize("name, options", MASKED)
def test_a_hidden_score_does_not_change_the_tolerance_of_the_visible(name, options):
    """It is that of the same visible scores beside a hidden 0, to the last bit."""
    radii = [expected(name, (np.array([hidden, 0.25, 0.125, 0.0]),), options | {"where": SHOWN},
                      PROFILES["float64"]).radius for hidden in (0.0, 1e12)]
    np.testing.assert_array_equal(*radii)


@pytest.mark.parametrize("name, options", MASKED)
def test_no_error_is_excused_by_a_large_hidden_score(name, options):
    """A beta that is off by a thousandth fails, where one score is 1e14 and hidden."""
    def off(z, *, beta=1.0, **how):
        return OPS[name].formula(z, beta=beta * (1 + 1e-3), empty_row=0.0, **how)
    call = as_call(OPS[name], {"z": np.array([1e14, 0.25, 0.125, 0.0]), "where": SHOWN} | options)
    right = judge(InProcess(OPS[name], name), name, input=call)
    wrong = judge(InProcess(off, name), name, input=call)
    assert (right.verdict, wrong.verdict) == ("conforms", "fails") and wrong.cases == 1


@pytest.mark.parametrize("name", ["classical.update", "classical.asynchronous_update",
                                  "classical.low_rank_update"])
def test_nothing_is_open_for_integers_even_at_ties(name):
    op = OPS[name]
    for family in ("integers", "ties"):
        case = case_named(op, family, "float32")
        assert not np.any(expected(op, case.args, case.kwargs, PROFILES["float32"]).radius)


def test_a_sign_is_open_only_where_its_field_is_lost_in_rounding():
    op, W = OPS["classical.update"], np.array([[0.1, 0.2, -0.3], [0.2, 0.1, 0.0], [-0.3, 0.0, 9.0]])
    xi = np.ones(3)                       # fields 0 up to rounding, 0.3, 8.7
    radius = expected(op, (xi, W), {}, PROFILES["float64"]).radius
    assert radius[0] >= 2 and not np.any(radius[1:])


def test_worst_case_growth_is_linear_and_usual_growth_its_square_root():
    usual, worst = profile_of("float32"), profile_of("float32", worst_case=True)
    assert usual.g(4) == worst.g(4) and usual.g(10**4) == 4 * 100 * usual.u
    assert worst.g(10**4) > 9000 * worst.u


@pytest.mark.parametrize("dtype, steps", [("bfloat16", 2.0**-8), ("float16", 2.0**-11)])
def test_rounding_is_to_nearest(dtype, steps):
    x = np.linspace(1, 2, 4001)
    assert np.max(np.abs(round_to(x, dtype).astype(float) - x)) <= steps
    assert round_to(np.inf, dtype) == np.inf and np.isnan(round_to(np.nan, dtype))


@pytest.mark.parametrize("function", ["exp", "log", "log1p", "expm1", "tanh", "sqrt", "sin", "cos",
                                      "sinh", "cosh", "arctanh"])
def test_a_radius_covers_what_its_argument_may_become(function):
    rng = np.random.default_rng(0)
    x = rng.uniform(0.05, 0.95, 200).astype(np.longdouble)
    r = x * 10.0 ** rng.uniform(-6, -2, 200)
    right = exactly(x, PROFILES["float64"])
    right.radius = r
    image = getattr(np, function)(right)
    for nudge in (-1, -0.5, 0.3, 1):
        moved = np.abs(getattr(np, function)(x + nudge * r) - image.value)
        assert np.all(moved <= image.radius)


def test_an_extreme_has_the_error_of_those_that_rounding_may_make_it():
    """Not that of a limit far away, nor of an entry that cannot be the largest."""
    x = toleranced([1.0, 5.0, 4.0, -9.0], [0.125, 0.25, 1.0, 3.0], PROFILES["float16"])
    xp = x.__array_namespace__()
    assert float(xp.max(x).radius) == 1.0 and float(xp.max(x[:2]).radius) == 0.25
    assert float(xp.min(x).radius) == 3.0 and float(xp.min(x[:2]).radius) == 0.125
    limit = 700.0 + 0.0 * x                         # an error of half a unit of 700
    for nearest in xp.minimum(x, limit), xp.minimum(limit, x), -xp.maximum(-x, -limit):
        assert np.array_equal(nearest.radius, x.radius)
    low, high, wide = (toleranced([v], [r]) for v, r in ((1.0, 0.5), (2.0, 0.25), (1.25, 1.0)))
    assert xp.maximum(low, high).radius == 0.25 and xp.minimum(low, high).radius == 0.5
    assert xp.maximum(high, wide).radius == 1.0 and xp.minimum(high, wide).radius == 1.0


def test_an_uncertain_choice_covers_both_branches():
    x = exactly(np.array([0.0, 1.0]), PROFILES["float64"])
    x.radius = np.array([0.1, 0.1])
    xp = x.__array_namespace__()
    assert list(xp.where(x > 0.0, 5.0, -3.0).radius) == [8.0, 0.0]
    assert list(xp.where((x > 0.0) & (x > 0.5), 5.0, -3.0).radius) == [0.0, 0.0]


def test_an_unknown_function_is_named():
    x = exactly(np.ones(2), PROFILES["float64"])
    with pytest.raises(TypeError, match="no rule for xp.arcsinh"):
        np.arcsinh(x)


def test_an_operand_may_be_a_number():
    """A law may pass one sink for all heads; its formula indexes an array."""
    op, x = OPS["sinks.attention"], np.eye(2)
    want = truth(op, (x, x, x, np.array(0.5)), {})
    assert np.array_equal(truth(op, (x, x, x, 0.5), {}), want)
