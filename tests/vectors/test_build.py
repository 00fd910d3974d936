"""The script that builds the vectors: rows are honest, and wrong expectations are left out."""
import numpy as np
import pytest

pytest.importorskip("flint", reason="certified values need python-flint (hopref[certify])")

from hopref import vectors  # noqa: E402
from hopref.dispatch.operation import load  # noqa: E402
from hopref.errors import HoprefError  # noqa: E402
from hopref.vectors.records import shortened  # noqa: E402
from tests.vectors import build, overflows  # noqa: E402
from tests.vectors.invalid import invalid_calls  # noqa: E402

OPS = load()


@pytest.mark.parametrize("x", [0.0, 1.0, 1 / 3, 5e-324, 3e-310, 1.7e308, np.inf, 1 + 2.0**-52])
def test_bounds_are_rounded_upwards_to_few_digits(x):
    found = build.coarse(np.array([x]))[0]
    assert x <= found <= max(x * (1 + 2.0**-7), 5e-324) or found == x == np.inf or x > 1.7e308
    assert len(shortened(found).partition("p")[0]) <= 6 or found < 1e-307


@pytest.mark.parametrize("name", ["features.relu", "supports.causal", "maps.top_k"])
def test_the_rows_of_an_operation_conform_and_differ(name):
    rows = build.rows(OPS[name])
    assert [row.id for row in rows] == [f"{name}/{i}" for i in range(len(rows))]
    judgement = vectors.judge(OPS[name], rows)
    assert not judgement.failures and judgement.judged == len(rows)
    assert len(set(map(build.call_of, rows))) == len(rows)
    assert {row.error for row in rows} > {"", "CallError"}


def stable(z, /, *, beta=1.0, bias=0.0, where=True, empty_row="zeros"):
    """Softmax in the format of the scores, relative to the maximum."""
    z = np.where(where, z.dtype.type(beta) * z + np.asarray(bias, z.dtype), -np.inf)
    top = np.max(z, axis=-1, keepdims=True)
    e = np.exp(z - np.where(np.isfinite(top), top, 0))
    total, empty = np.sum(e, axis=-1, keepdims=True), 0.0 if empty_row == "zeros" else np.nan
    return np.where(total == 0, empty, e / np.where(total == 0, 1, total))


def stable_update(xi, X, /, *, beta=1.0):
    return stable(xi @ X.T, beta=beta) @ X


@pytest.mark.parametrize("name, honest", [("maps.softmax", stable),
                                          ("modern.update", stable_update)])
def test_rows_of_float16_accept_stable_arithmetic_in_float16_and_reject_overflow(name, honest):
    rows = build.valid_rows(OPS[name], *build.HALF)
    assert all(v.dtype == "float16" for row in rows for v in row.args.values())
    judgement = vectors.judge(honest, rows)
    assert judgement.judged == len(rows) > 10 and not judgement.failures
    flagged = [row for row in rows if overflows.FLAG in row.flags]
    found = {row.id for row in flagged}
    assert flagged and found <= {row.id for row, _ in vectors.judge(overflows.VERSIONS[name],
                                                                    flagged).failures}
    for row in flagged:             # the same version, whose numbers double precision holds
        assert vectors.compared(row, overflows.answered(row, overflows.VERSIONS[name], float)) == ""


@pytest.mark.parametrize("name", sorted(overflows.VERSIONS))
def test_every_version_that_overflows_is_rejected_by_a_row(name):
    assert any(overflows.overflows(row) for row in build.valid_rows(OPS[name], *build.HALF))


@pytest.mark.parametrize("name", ["maps.softmax", "attention.causal_linear_attention"])
def test_the_invalid_calls_are_those_of_the_package_whatever_the_order_of_sets(name):
    made = [(row.case, row.error, row.flags) for row in build.invalid_rows(OPS[name])]
    assert made == [(row.case, row.error, row.flags) for row in vectors.rows(name) if row.error]


def test_an_expectation_that_is_not_met_is_left_out_and_reported(capsys):
    given = {"xi": np.ones(2), "X": np.ones((1, 2))}
    assert build.invalid_row(OPS["modern.update"], "nothing", "ShapeError", given) is None
    assert "the contract names ShapeError; raised: nothing" in capsys.readouterr().out


@pytest.mark.parametrize("name, given, wanted", [
    ("modern.update", {"xi": np.ones(2), "X": np.ones((3, 2))},
     {"xi with nan at 0", "X with inf at 5", "xi longer along d", "X empty along n",
      "X without its first axis", "beta = 0.0", "beta a truth value", "xi of complex numbers",
      "no X", "an unknown argument"}),
    ("classical.update", {"xi": np.ones(2), "W": np.ones((2, 2))},
     {"ties an unknown name", "W shorter along d"}),
    ("supports.window", {"l": 3, "n": 4, "width": 1}, {"width = 0", "width not an integer"}),
    ("attention.softmax_attention",
     {"Q": np.ones((1, 2)), "K": np.ones((1, 2)), "V": np.ones((1, 1)),
      "mask": np.ones((1, 1), bool)}, {"mask of real numbers", "causal a number"})])
def test_every_kind_of_invalid_call_is_made_and_raises_its_error(name, given, wanted):
    op = OPS[name]
    found = list(invalid_calls(op, given))
    assert wanted <= {what for what, _, _ in found}
    for what, error, changed in found:
        args = [v for k, v in changed.items() if k in op.operands]
        params = {k: v for k, v in changed.items() if k not in op.operands}
        with pytest.raises(HoprefError) as raised:
            op(*args, **params)
        assert type(raised.value).__name__ == error, what
