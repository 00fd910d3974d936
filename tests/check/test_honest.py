"""Every honest implementation conforms, in every number format."""
import numpy as np
import pytest

from hopref.check.engine import judge as judging
from hopref.check.engine.candidate import InProcess
from hopref.check.engine.judge import judge
from hopref.check.peers.adapters import bound
from hopref.check.report.text import details
from hopref.check.tolerance.differences import differentiated
from hopref.dispatch.operation import load
from tests.check import honest_runs
from tests.check.honest import SUMS, candidates
from tests.check.honest import load as load_honest
from tests.check.parts_of_cases import conforming_garbage, sixth
from tests.groups import each

FORMATS = [("float64", "library"), ("float32", "library"), ("float16", "library"),
           ("bfloat16", "library"), ("bfloat16", "in order")]


@each("op, dtype, sums", [(op, *FORMATS[i % 5]) for i, op in enumerate(load_honest())],
      size=4, share=4)
def test_honest_implementations_conform(op, dtype, sums):
    """Each operation in one of the formats, which alternate; `tox -e honest` has all of them."""
    for name, function in candidates(op, dtype, sums).items():
        candidate = InProcess(bound(function, op), name)
        report = judge(candidate, op, dtype=dtype, seed=1, draws=3)
        assert report.verdict != "fails", details(report)


SLICE = [(op, "float64", "library") for op in load_honest()]
SLICE += [(op, dtype, list(SUMS)[(i + j) % len(SUMS)]) for i, op in enumerate(load_honest())
          for j, dtype in enumerate(honest_runs.FORMATS) if (i + j) % 3 == 0]


@each("op, dtype, sums", SLICE, size=4, share=4)
def test_no_honest_judgement_is_refused(op, dtype, sums):
    """A part of those that `tox -e honest` makes: formats and orders of summation in turn."""
    judged = list(honest_runs.judgements(op, dtype, 1, (sums,)))
    assert judged and not [(what, error) for what, error in judged if not error <= 1]


def test_decays_from_sums_of_logs_over_a_sequence_are_honest():
    judged = list(honest_runs.judgements("gated.linear_attention", "float64", 3, ("library",)))
    assert max(error for what, error in judged if "solved_at_once" in what) <= 1


@pytest.mark.parametrize("dtype, stored", [
    ("float8_e4m3", [1.0, 1.25, 2.0**-8, -(2.0**-9), 448, np.inf, 0]),
    ("float8_e5m2", [1.0, 1.25, 0.0029296875, -0.0009765625, 448, 512, 0])])
def test_numbers_of_eight_bits(dtype, stored):
    x = [1.06, 1.1875, 0.003125, -0.001, 464, 480, 2.0**-18]
    np.testing.assert_array_equal(honest_runs.to_eight_bits(x, dtype), np.array(stored, "float32"))


@each("name, dtype", honest_runs.FORMULAS, share=8)
def test_every_formula_run_in_a_narrower_format_is_honest(name, dtype, monkeypatch):
    """A sixth of the cases, in half or in single precision; `tox -e honest` has all."""
    monkeypatch.setattr(judging, "cases", sixth)
    report, refused = honest_runs.narrowed(name, dtype, draws=2)
    assert not refused, details(report)
    if dtype == "float32":
        passed, asked = conforming_garbage(load()[name], sixth(load()[name], dtype), dtype)
        assert passed <= asked / 2, (passed, asked)


@pytest.mark.parametrize("name", [
    "gradients.maps.softmax", "gradients.maps.logsumexp", "gradients.modern.update",
    "gradients.modern.energy", "gradients.attention.softmax_attention",
    "gradients.structured.update", "gradients.sparse.update", "gradients.layers.associations"])
def test_a_gradient_in_the_temperature_that_is_off_by_a_millionth_fails(name):
    """Covering reverse mode does not hide errors where nothing cancels."""
    op = load()[name]
    place = differentiated(load()[name.removeprefix("gradients.")])
    place = place.index("scale" if "scale" in place else "beta")

    def off(*args, **kwargs):
        y = list(op.formula(*args, **kwargs))
        y[place] = y[place] * (1 + 1e-6)
        return tuple(y)
    report = judge(InProcess(off, name), name, only="gauss")
    assert report.verdict == "fails" and report.cases == 1
    report = judge(InProcess(op.formula, name), name, only="gauss")
    assert report.conforms and report.cases == 1, details(report)


def test_an_estimator_of_less_variance_conforms_and_is_remarked():
    def sines_and_cosines(x, y, m, *, rng):
        """Variance (1 - k^2)^2 / 2m, where one cosine with a random phase has (1 + k^4/2 - k^2)/m.
        """
        u, v = (a @ np.random.default_rng(rng).standard_normal((m, a.shape[-1])).T for a in (x, y))
        return np.mean(np.cos(u) * np.cos(v) + np.sin(u) * np.sin(v), axis=-1)

    def one_cosine(x, y, m, *, rng):
        rng = np.random.default_rng(rng)
        omega, phase = rng.standard_normal((m, x.shape[-1])), rng.uniform(0, 2 * np.pi, m)
        return 2 * np.mean(np.cos(x @ omega.T + phase) * np.cos(y @ omega.T + phase), axis=-1)
    for candidate, remarks in (sines_and_cosines, 1), (one_cosine, 0):
        report = judge(InProcess(candidate, candidate.__name__), "estimators.gaussian")
        assert report.conforms and len(report.remarks) == remarks, details(report)


@pytest.mark.parametrize("dtype", ["float16", "bfloat16"])
def test_sums_kept_in_float32_conform_to_the_sharper_arithmetic(dtype):
    flash = candidates("modern.update", dtype)["blocked_online"]
    report = judge(InProcess(bound(flash, "modern.update"), "flash"), "modern.update", dtype=dtype,
                   arithmetic=f"{dtype}-mixed", seed=1)
    assert report.conforms, details(report)


def test_float32_arithmetic_is_not_float64():
    single = candidates("modern.update", "float32")["scaled_scores"]

    def passed_off(xi, X, beta=1.0):
        return single(xi, X, beta).astype("float64")
    report = judge(InProcess(bound(passed_off, "modern.update"), "single"), "modern.update")
    assert report.verdict == "fails"
    assert judge(InProcess(bound(passed_off, "modern.update"), "single"), "modern.update",
                 arithmetic="float64-single").conforms
