"""The generator of cases: every level is drawn, and every pair of options meets."""
import numpy as np
import pytest

from hopref.check import check
from hopref.check.cases.__main__ import main
from hopref.check.cases.covering import covering, pairs_of, wanted_pairs
from hopref.check.cases.generator import case_named, cases, levels_met
from hopref.check.cases.levels import factors
from hopref.dispatch.operation import load
from tests.groups import each

OPS = {name: op for name, op in load().items() if op.arrays}
# Levels that exclude each other: a log scale c requires a state S, and there are no more winners
# than sites; the fixed point of a step with beta = 1e6 is no strict minimum.
IMPOSSIBLE = {
    "attention.log_causal_linear_attention": {"c"}, "performer.causal_attention": {"c"},
    "gradients.attention.log_causal_linear_attention": {"c"},
    "gradients.performer.causal_attention": {"c"},
    "classical.winners_update": {"k"}, "gradients.modern.fixed_point": {"beta"}}


# Keys of 1e11 have features of logarithms about 1e22, whose spacing is 4e6: cosines are lost in
# them, signs cancel, and the call is refused.
IMPOSSIBLE_PAIRS = {"performer.attention": [
    frozenset({("features", "features=trigonometric"), ("mask", "mask hides zeros")})]}


@each("name", OPS, share=3)
def test_every_level_of_an_option_is_drawn_and_every_pair_meets_in_a_case(name):
    op = OPS[name]
    drawn = cases(op)
    assert len({case.name for case in drawn}) == len(drawn)
    _, missing = levels_met(op, drawn)
    among = [pair for pair in missing if pair not in IMPOSSIBLE_PAIRS.get(name, ()) and all(
        k in op.domains and k not in IMPOSSIBLE.get(name, ()) for k, _ in pair)]
    assert not among, [sorted(pair) for pair in among][:5]
    options = {k: v for k, v in factors(op, "float64", {}, {}, False).items() if k in op.domains}
    lacking = {(k, label) for k, v in options.items() for label in v if label}
    lacking -= {level for case in drawn for level in case.levels}
    assert not {k for k, _ in lacking} - IMPOSSIBLE.get(name, set()), lacking


def test_the_values_and_pairs_of_an_operation_are_printed(capsys):
    main(["modern.update", "maps.entmax"])
    printed = capsys.readouterr().out
    assert "maps.entmax: empty_row: 1 values: nan" in printed
    drawn = cases(OPS["modern.update"])
    assert f"modern.update: {len(drawn)} cases" in printed
    betas = {case.kwargs["beta"] for case in drawn if "beta" in case.kwargs}
    assert f"modern.update: beta: {len(betas)} values: 0.75, " in printed
    with pytest.raises(SystemExit):
        main(["modern.updat"])
    assert "no operation with arrays is called 'modern.updat'" in capsys.readouterr().err


def test_a_thorough_judgement_has_every_pair_of_levels():
    quick, thorough = (check(OPS["maps.logsumexp"].formula, "maps.logsumexp", thorough=t)
                       for t in (False, True))
    assert thorough.conforms and thorough.cases > quick.cases
    drawn = cases(OPS["maps.logsumexp"], thorough=True)
    known = factors(OPS["maps.logsumexp"], "float64", {}, {}, True)
    missing = wanted_pairs(known, np.inf) - levels_met(OPS["maps.logsumexp"], drawn)[0]
    assert not [sorted(pair) for pair in missing if {k for k, _ in pair} <= {"layout", "beta"}]


def test_parameters_are_swept_over_their_domains():
    def values(name, option):
        return {case.kwargs.get(option) for case in cases(OPS[name])}
    assert {1.0, 1.004, 1.05, 1.5, 1.95, 2.0, 3.0, 10.0} <= values("maps.entmax", "alpha")
    assert {1, 2, 3, 7} <= values("structured.top_k_update", "k")
    assert {2.0**-20, 0.3, 1e6} <= values("modern.update", "beta")
    lengths = {case.args[0].shape[-2] for case in cases(OPS["attention.causal_linear_attention"])}
    assert {1, 13, 130} <= lengths


def test_axes_are_longer_than_any_small_buffer():
    shapes = [np.shape(case.args[1]) for case in cases(OPS["attention.softmax_attention"])]
    assert {17, 130, 4097} <= {shape[-2] for shape in shapes}
    assert {17, 130} <= {shape[-1] for shape in shapes}
    assert 65 in {np.shape(case.args[1])[-2]
                  for case in cases(OPS["attention.softmax_attention"], thorough=True)}


def test_given_options_and_sizes_are_in_every_case():
    op = OPS["attention.softmax_attention"]
    drawn = cases(op, given={"causal": True, "align": "start"}, sizes={"s": "l", "v": 2})
    assert len(drawn) > 30
    for case in drawn:
        Q, K, V = case.args
        assert case.kwargs["causal"] is True and case.kwargs["align"] == "start"
        assert Q.shape[-2] == K.shape[-2] and V.shape[-1] == 2


@pytest.mark.parametrize("name, given", [
    ("maps.softmax", {"empty_row": "nan"}), ("classical.update", {"states": "binary"}),
    ("graded.update", {"activation": "sigmoid"}), ("modern.update", {"beta": 1e6}),
    ("performer.causal_attention", {"features": "trigonometric"})])
def test_arrays_suit_the_options_that_are_given(name, given):
    """As many cases as with the same level drawn, none refused because its arrays do not fit."""
    drawn = cases(OPS[name], given=given)
    assert len(drawn) > 30 and all(given.items() <= case.kwargs.items() for case in drawn)


def test_adversarial_numbers_reach_scores_weights_and_values():
    z = case_named(OPS["maps.logsumexp"], "infinite scores").args[0]
    assert np.isneginf(z).all(axis=-1).any() and np.abs(z[np.isfinite(z)]).max() == 1e9
    W = case_named(OPS["classical.field"], "d = 17").args[1]
    assert not np.array_equal(W, W.T)
    assert np.abs(case_named(OPS["classical.field"], "small numbers").args[1]).max() < 1e-8
    X = case_named(OPS["storage.hebbian"], "130 patterns of signs").args[0]
    assert set(np.unique(X)) == {-1.0, 1.0} and X[:, 0].sum() == 130
    V = case_named(OPS["attention.softmax_attention"], "large values").args[2]
    assert np.abs(V).max() > 1e7


def test_a_hidden_key_has_the_largest_score_and_visible_scores_may_be_the_lowest():
    for how, sign in (("hides the largest", 1), ("hides zeros", -1)):
        case = case_named(OPS["attention.softmax_attention"], f"gauss, mask {how}")
        Q, K, V = case.args
        scores, seen = Q @ np.swapaxes(K, -1, -2), case.kwargs["mask"]
        assert not seen[..., 0].any()
        if sign > 0:
            assert np.median(np.abs(scores[..., 0])) > 100 * np.median(np.abs(scores[..., 1:]))
        else:
            assert np.all(scores[..., 0] == 0) and np.all(scores[..., 1:] < -1e9)


def test_the_hidden_rows_of_causal_attention_are_keys():
    case = case_named(OPS["gradients.attention.causal_linear_attention"], "gauss, mask hides zeros")
    *_, phi_q, phi_k, V = case.args
    assert not case.kwargs["mask"][..., 0].any()
    assert np.all(phi_k[..., 0, :] == 0) and np.all(phi_q[..., 0, :] != 0)


@pytest.mark.parametrize("counts", [(2, 2, 2), (3, 1, 4, 2), (5, 5, 5), (2,) * 8])
def test_a_covering_array_contains_every_pair_with_few_rows(counts):
    known = {f"f{i}": [str(v) for v in range(n)] for i, n in enumerate(counts)}
    wanted = wanted_pairs(known, 10**6)
    rows = covering(known, wanted)
    assert wanted <= set().union(*map(pairs_of, rows))
    two = sorted(counts)[-2:]
    assert two[0] * two[1] <= len(rows) <= 2 * two[0] * two[1] + 2


def test_layouts_vary_with_the_options():
    drawn = cases(OPS["attention.softmax_attention"])
    assert {(case.layout, bool(case.kwargs.get("causal"))) for case in drawn} == {
        (layout, causal) for layout in ("C", "Fortran order", "reversed strides",
                                        "every other entry") for causal in (True, False)}
