"""The exponentials of the kernels: bounds proved in double, and tried in single precision.

`tox -e proofs` tries all numbers of single precision, and proves every statement.
"""
import math
import platform
from fractions import Fraction

import numpy as np
import pytest

pytest.importorskip("numba")
pytest.importorskip("flint", reason="exact values come from python-flint (hopref[certify])")

from flint import arb, ctx  # noqa: E402
from numba.core.registry import cpu_target  # noqa: E402

from hopref.fast.numba import _vectors  # noqa: E402
from hopref.fast.numba._vectors import ULPS  # noqa: E402
from tests.fast import exponentials, gappa  # noqa: E402
from tests.fast.test_kernels import compiled  # noqa: E402

needs_gappa = pytest.mark.skipif(
    gappa.GAPPA is None, reason="the proofs need gappa (a package of Debian); tox -e proofs")
STRIDE = 509
# First digits of the numbers near 59.3 with the largest errors, with and without multiply-add.
WORST = [int((float.fromhex(x) - 1) * exponentials.HIGHEST) for x in ("0x1.da72c4", "0x1.da3df0")]
SAMPLE = ["small", "reduction, -0.347", "e^x, -0.347", "e^x, 0.25", "2^n <= 1/2, 0 <= r",
          "2^n <= 1/4", "2^n < 2^-53", "binade 3"]


def boundaries(dtype):
    """Numbers where n changes, at the ends of the range of the results, and of the binades."""
    last, least = (104.0, -149) if dtype == "float32" else (746.0, -1074)
    halves = (np.arange(0, 1.5 * last, 7) + 0.5) * math.log(2)
    ends = np.log(2.0) * np.array([least - 1, least, -126, -1022, 128, 1024, -24, -53, -1])
    x = np.concatenate([halves, ends, [last], 2.0 ** np.arange(-60, 7)]).astype(dtype)
    x = np.concatenate([np.nextafter(x, x.dtype.type(side)) for side in (-np.inf, np.inf)] + [x])
    x = np.concatenate([x, -x])
    return x[np.abs(x) <= last]


def rounded_units(got, exact, dtype):
    """|got - exact| in units of the last place of exact values; infinity is the power of two.
    """
    digits, least, above = (24, -149, 128) if dtype == "float32" else (53, -1074, 1024)
    found = []
    for g, e in zip(got.tolist(), exact, strict=True):
        value = math.copysign(2.0**(above - 1), g) if math.isinf(g) else g
        value = arb(value) * (2 if math.isinf(g) else 1)
        if abs(e) > arb(2) ** above:
            e = arb(2) ** above
        mantissa, exponent = abs(e).mid().man_exp()
        size = int(exponent) + int(mantissa).bit_length()
        found.append(float(abs(value - e) / arb(2) ** max(size - digits, least)))
    return np.array(found)


@compiled
@pytest.mark.parametrize("dtype", ["float32", "float64"])
def test_numbers_at_boundaries_are_within_the_stated_bounds(dtype):
    ctx.prec = 200
    x = boundaries(dtype)
    powers, less_one, other = exponentials.evaluate(x)
    given, below = [arb(v) for v in x.tolist()], x <= 0
    exact, reduced = ([f(v) for v in given] for f in (arb.exp, arb.expm1))
    bound, bound_less_one = ULPS[x.itemsize]
    assert np.max(rounded_units(other, exact, dtype)) <= bound
    assert np.max(rounded_units(powers, exact, dtype)[below]) <= bound
    assert np.max(rounded_units(less_one, reduced, dtype)[below]) <= bound_less_one


@compiled
def test_single_precision_is_within_the_stated_bounds():
    bound, bound_less_one = ULPS[4]
    found = exponentials.largest_errors(STRIDE)
    for name, stated in zip(exponentials.RESULTS, (bound, bound_less_one, bound), strict=True):
        assert found[name][0] + exponentials.SLACK <= stated
    assert near_the_worst(exponentials.kernel) <= bound
    assert exponentials.outside(STRIDE) > 2**22


def near_the_worst(kernel):
    """The largest error of e^x for the numbers whose first digits are those of the worst."""
    return max(exponentials.errors(5, 1, np.array([high]), np.arange(2**exponentials.LOW),
                                   kernel)[0][0] for high in WORST)


@compiled
@pytest.mark.parametrize("name, wrong", [
    ("last_bit_of_the_first", lambda c: [c[0] * (1 - 2.0**-24), *c[1:]]),
    ("dropped_term", lambda c: c[:-1])])
def test_wrong_coefficients_exceed_the_bounds_in_single_precision(monkeypatch, name, wrong):
    monkeypatch.setattr(_vectors, "CEPHES", wrong(_vectors.CEPHES))
    assert near_the_worst(exponentials.compiled_anew(name)) > ULPS[4][0]


@compiled
def test_the_compiled_kernel_has_the_arithmetic_of_the_proof():
    rng = np.random.default_rng(0)
    x = -np.abs(rng.standard_normal(300)) * np.exp(rng.uniform(-20, 5, 300))
    x = np.maximum(x, -700.0)
    features = cpu_target.target_context.codegen().magic_tuple()[2]
    fused = "+fma" in features or platform.machine() not in ("x86_64", "AMD64")
    for v, power in zip(x.tolist(), exponentials.evaluate(x)[0].tolist(), strict=True):
        n, p = gappa.evaluated(v, fused)
        assert gappa.rounded(1 + p) * Fraction(2) ** n == Fraction(power)


@needs_gappa
@pytest.mark.parametrize("fused", [True, False], ids=["one rounding", "two roundings"])
def test_double_precision_is_proved(fused):
    chosen = [prove for name, prove in gappa.statements(fused)
              if any(part in name for part in SAMPLE)]
    assert len(chosen) >= len(SAMPLE)
    for prove in chosen:
        prove()


@needs_gappa
@pytest.mark.parametrize("wrong", [
    pytest.param(lambda c: [math.nextafter(c[0], 1), *c[1:]], id="the last bit of the first"),
    pytest.param(lambda c: [*c[:-1], math.nextafter(c[-1], 1)], id="the last bit of the last")])
def test_a_wrong_last_bit_is_not_proved(monkeypatch, wrong):
    monkeypatch.setattr(_vectors, "TAYLOR", wrong(_vectors.TAYLOR))
    with pytest.raises(gappa.Unproved, match="not the number nearest"):
        gappa.Exponential(True)


@needs_gappa
@pytest.mark.parametrize("name, value", [
    ("TAYLOR", _vectors.TAYLOR[:-1]), ("ULPS", {8: (1.0, 1.0)})])
def test_a_dropped_term_and_a_smaller_bound_are_not_proved(monkeypatch, name, value):
    monkeypatch.setattr(_vectors, name, value)
    proofs = dict(gappa.statements(True, *_vectors.ULPS[8]))
    with pytest.raises(gappa.Unproved):
        proofs["e^x, -0.347 <= r <= -0.25"]()
