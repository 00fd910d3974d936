"""Each difference of a call that an author can state is adapted, and is a finding if it is not."""
import functools

import numpy as np
import pytest

from hopref import attention, classical, features, gradients, maps, modern
from hopref.check import check
from hopref.check.cases.generator import cases
from hopref.check.peers.conventions import Convention, output_names, validated
from hopref.dispatch.operation import load
from hopref.errors import HoprefError

ATTENTION = "attention.softmax_attention"


def judged(function, like, seed=0, **fields):
    return check(function, like=like, seed=seed, convention=Convention(**fields))


def failing(report):
    return sorted({f.name for f in report.findings})


# ---- options of the op ---------------------------------------------------------------------------

def entmax_15(z, *, beta=1.0):
    return maps.entmax(z, beta=beta, alpha=1.5)


def plus(xi, W, b=0.0):
    return classical.update(xi, W, b, ties="plus")


def from_start(Q, K, V, *, causal=False):
    return attention.softmax_attention(Q, K, V, causal=causal, align="start")


def nan_rows(Q, K, V, *, mask=True):
    return attention.softmax_attention(Q, K, V, mask=mask, empty_row="nan")


def always_causal(Q, K, V):
    return attention.softmax_attention(Q, K, V, causal=True)


def no_temperature(xi, X):
    return modern.update(xi, X)


@pytest.mark.parametrize("function, like, given", [
    (entmax_15, "maps.entmax", {"alpha": 1.5}), (plus, "classical.update", {"ties": "plus"}),
    (from_start, ATTENTION, {"align": "start"}), (nan_rows, ATTENTION, {"empty_row": "nan"}),
    (always_causal, ATTENTION, {"causal": True}), (no_temperature, "modern.update", {"beta": 1}),
], ids=lambda value: getattr(value, "__name__", None))
def test_an_option_that_is_set_has_this_value_in_all_cases(function, like, given):
    report = check(function, like=like, set=given)
    assert report.verdict != "fails" and report.cases >= 8, report.findings
    drawn = cases(load()[like], given=given)
    assert all(case.kwargs[k] == v for case in drawn for k, v in given.items())
    without = check(function, like=like)
    assert not without.conforms or without.cases < report.cases


def test_the_value_of_an_option_is_rounded_to_the_format_of_the_candidate():
    convention = validated(load()["modern.update"], Convention(given={"beta": 0.1}), "float32")
    assert convention.given["beta"] == float(np.float32(0.1))
    report = check(lambda xi, X: modern.update(xi, X, beta=float(np.float32(0.1))),
                   like="modern.update", dtype="float32", set={"beta": 0.1})
    assert report.verdict != "fails" and report.cases > 10


def uniform_rows(Q, K, V, *, mask=True):
    """The mean of all values where no key is visible, as softmax of equal large scores gives it."""
    Z = attention.softmax_attention(Q, K, V, mask=mask, empty_row="nan")
    return np.where(np.isnan(Z), np.mean(V, axis=-2, keepdims=True), Z)


def hides_one_more(Q, K, V, *, mask=True):
    """Wrong in other rows than those without a visible key."""
    return uniform_rows(Q, K, V, mask=mask & (np.arange(K.shape[-2]) > 0))


def test_rows_that_a_convention_leaves_undefined_are_not_compared_and_others_are():
    assert check(uniform_rows, like=ATTENTION, set={"empty_row": "undefined"}).verdict != "fails"
    assert "tolerance of " + ATTENTION in failing(check(uniform_rows, like=ATTENTION))
    wrong = check(hides_one_more, like=ATTENTION, set={"empty_row": "undefined"})
    assert wrong.verdict == "fails"


@pytest.mark.parametrize("like, given, message", [
    ("maps.entmax", {"alpha": 0.5}, "alpha must be"),
    ("maps.entmax", {"alfa": 1.5}, "did you mean alpha"),
    ("maps.entmax", {"empty_row": "undefine"}, "or 'undefined'"),
    ("classical.update", {"ties": "minus"}, "ties must be one of 'keep', 'plus'"),
    (ATTENTION, {"causal": 1}, "causal must be True or False"),
    (ATTENTION, {"mask": False}, "can only be left out, by mask=True"),
])
def test_a_value_outside_of_the_domain_is_refused(like, given, message):
    with pytest.raises(HoprefError, match=message):
        check(lambda *a, **k: None, like=like, set=given)


def test_an_array_that_is_set_to_its_default_is_left_out():
    drawn = cases(load()[ATTENTION], given={"mask": True})
    assert drawn and not any("mask" in case.kwargs for case in drawn)


# ---- sizes, leading axes ------------------------------------------------------------------------

def square(Q, K, V):
    assert Q.shape == K.shape == V.shape
    return attention.softmax_attention(Q, K, V)


def one_query(Q, K, V):
    assert Q.shape[-2] == 1
    return attention.softmax_attention(Q, K, V)


@pytest.mark.parametrize("function, sizes", [(square, {"s": "l", "v": "d"}), (one_query, {"l": 1})])
def test_sizes_are_drawn_as_the_candidate_requires_them(function, sizes):
    assert judged(function, ATTENTION, sizes=sizes).verdict != "fails"
    assert "raised" in failing(judged(function, ATTENTION))


def single_state(xi, X, beta=1.0):
    assert xi.ndim == 1
    return modern.update(xi, X, beta=beta)


def matrices(Q, K, V, *, mask=True):
    assert Q.ndim == K.ndim == V.ndim == 2
    return attention.softmax_attention(Q, K, V, mask=mask)


@pytest.mark.parametrize("function, like", [(single_state, "modern.update"),
                                            (matrices, ATTENTION)])
def test_the_kit_loops_over_leading_axes_that_the_candidate_lacks(function, like):
    report = judged(function, like, lead=0)
    assert report.verdict != "fails" and report.cases > 10, report.findings
    assert any("an empty batch" in line for line in report.not_offered)
    assert "raised" in failing(judged(function, like))


def test_gradients_of_shared_arguments_are_summed_over_the_loop():
    def gradient(g, xi, X, *, beta=1.0):
        assert xi.ndim == 1
        return gradients.modern.update(g, xi, X, beta=beta)
    report = judged(gradient, "gradients.modern.update", lead=0)
    assert report.verdict != "fails" and report.cases > 10, report.findings


# ---- layouts ------------------------------------------------------------------------------------

def joined_heads(Q, K, V, heads):
    """(batch, length, heads * dimension), as in torch.nn.MultiheadAttention."""
    split = [np.moveaxis(a.reshape(*a.shape[:2], heads, a.shape[2] // heads), 2, 1)
             for a in (Q, K, V)]
    Z = np.moveaxis(attention.softmax_attention(*split), 1, 2)
    return Z.reshape(*Z.shape[:2], V.shape[2])


def test_axes_can_be_joined():
    layout = {"Q": "b l (h d)", "K": "b s (h d)", "V": "b s (h v)", "out": "b l (h v)"}
    report = judged(joined_heads, ATTENTION, layout=layout, fixed={"heads": "size:h"})
    assert report.verdict != "fails" and report.cases > 5, report.findings


def test_an_axis_of_length_one_is_inserted():
    def masked(Q, K, V, *, mask=None):
        assert mask is None or mask.shape[1] == 1
        return attention.softmax_attention(Q, K, V, mask=True if mask is None else mask[:, 0])
    layout = {"mask": "b 1 l s"}
    report = judged(masked, ATTENTION, layout=layout)
    assert report.verdict != "fails" and not any("mask=" in line for line in report.not_offered)


def grouped(Q, K, V, *, mask=True, order=np.repeat):
    """Query heads share the heads of keys: 0, 0, 1, 1, ... for ``np.repeat``."""
    assert Q.shape[1] > K.shape[1]
    times = Q.shape[1] // K.shape[1]
    K, V = (order(a, times, axis=1) for a in (K, V))
    return attention.softmax_attention(Q, K, V, mask=mask)


def tiled(a, times, axis):
    return np.concatenate(times * [a], axis)


def test_heads_of_keys_may_serve_groups_of_query_heads():
    layout = {"K": "b g s d", "V": "b g s v"}
    assert judged(grouped, ATTENTION, layout=layout).verdict != "fails"
    wrong = functools.partial(grouped, order=tiled)
    assert "tolerance of " + ATTENTION in failing(judged(wrong, ATTENTION, layout=layout))
    assert "raised" in failing(judged(grouped, ATTENTION, lead=2))


def packed(q, k, v, *, cu_q, cu_k, longest):
    """Sequences one behind the other: (total, heads, dimension)."""
    assert longest == np.diff(cu_q).max()
    out = np.zeros((*q.shape[:2], v.shape[-1]), q.dtype)
    for i in range(len(cu_q) - 1):
        rows, keys = slice(cu_q[i], cu_q[i + 1]), slice(cu_k[i], cu_k[i + 1])
        head = [np.moveaxis(a, 1, 0) for a in (q[rows], k[keys], v[keys])]
        out[rows] = np.moveaxis(attention.softmax_attention(*head), 0, 1)
    return out


PACKED = {"layout": {"Q": "(b l) h d", "K": "(b s) h d", "V": "(b s) h v", "out": "(b l) h v"},
          "fixed": {"cu_q": "offsets:l", "cu_k": "offsets:s", "longest": "size:l"}}


def test_sequences_of_several_lengths_are_packed():
    report = judged(packed, ATTENTION, **PACKED)
    assert report.verdict != "fails" and report.cases > 8, report.findings
    wrong = PACKED | {"fixed": PACKED["fixed"] | {"cu_k": "offsets:l"}}
    assert not judged(packed, ATTENTION, **wrong).verdict != "fails"


def test_packed_sequences_have_different_lengths():
    def equal_lengths(q, k, v, *, cu_q, cu_k, longest):
        """Wrong: all sequences are taken to be as long as the mean."""
        even = [np.linspace(0, len(a), len(cu_q)).astype(int) for a in (q, k)]
        return packed(q, k, v, cu_q=even[0], cu_k=even[1], longest=np.diff(even[0]).max())
    assert not judged(equal_lengths, ATTENTION, **PACKED).verdict != "fails"


def test_a_layout_implies_the_leading_axes():
    third = {"Q": "b l h d", "K": "b s h d", "V": "b s h v", "out": "b l h v"}
    convention = validated(load()[ATTENTION], Convention(layout=third))
    assert convention.lead == 2
    assert validated(load()["modern.update"], Convention(layout={"xi": "d b"})).lead == 1
    assert validated(load()["modern.update"], Convention(layout={"X": "d n"})).lead is None


# ---- names, masks, required parameters -----------------------------------------------------------

def one_mask(Q, K, V, *, attn_mask=None):
    """A mask that shows or a bias that is added, in one argument, as in torch."""
    if attn_mask is None:
        return attention.softmax_attention(Q, K, V)
    option = "mask" if attn_mask.dtype == bool else "bias"
    return attention.softmax_attention(Q, K, V, **{option: attn_mask})


def test_a_mask_and_a_bias_of_one_name_are_one_argument():
    report = judged(one_mask, ATTENTION, names={"mask": "attn_mask", "bias": "attn_mask"})
    assert report.verdict != "fails" and not any("array" in line for line in report.not_offered)
    assert any({"mask", "bias"} <= c.kwargs.keys() for c in cases(load()[ATTENTION]))


def everything_required(Q, K, V, scale, mask, bias, causal, align, empty_row):
    assert scale is not None and mask.dtype == bool and bias.shape == mask.shape
    return attention.softmax_attention(Q, K, V, scale=scale, mask=mask, bias=bias, causal=causal,
                                       align=align, empty_row=empty_row)


def test_parameters_without_a_default_receive_that_of_the_op():
    report = check(everything_required, like=ATTENTION)
    assert report.verdict != "fails" and report.cases > 20, report.findings


# ---- results ------------------------------------------------------------------------------------

def with_weights(Q, K, V):
    return attention.softmax_attention(Q, K, V), "weights", None


def gradient_of_patterns_first(g, xi, X, *, beta=1.0):
    g_xi, g_X, _ = gradients.modern.update(g, xi, X, beta=beta)
    return g_X, g_xi


@pytest.mark.parametrize("function, like, returns", [
    (with_weights, ATTENTION, ("0",)),
    (gradient_of_patterns_first, "gradients.modern.update", ("X", "xi")),
    (lambda g, xi, X, beta=1.0: ("loss", *gradients.modern.update(g, xi, X, beta=beta)[::-1]),
     "gradients.modern.update", ("-", "beta", "X", "xi")),
    (lambda g, xi, X, beta=1.0: gradients.modern.update(g, xi, X, beta=beta)[1],
     "gradients.modern.update", ("X",)),
], ids=["first of several", "other order", "one ignored", "one offered"])
def test_the_results_that_are_returned_can_be_named(function, like, returns):
    report = judged(function, like, returns=returns)
    assert report.verdict != "fails" and report.cases > 5, report.findings
    assert not check(function, like=like).verdict != "fails"


def test_a_result_that_is_offered_is_compared():
    def wrong(g, xi, X, *, beta=1.0):
        return gradients.modern.update(g, xi, X, beta=beta)[1] * 1.01
    assert not judged(wrong, "gradients.modern.update", returns=("X",)).verdict != "fails"


def test_every_gradient_names_its_results():
    for name, op in load().items():
        if name.startswith("gradients."):
            assert len(output_names(op)) == 2 * len(op.outputs), name
    order = output_names(load()["gradients.attention.softmax_attention"])
    assert order[5:] == ("Q", "K", "V", "bias", "scale")


def shifted_energy(xi, X, *, beta=1.0):
    return modern.energy(xi, X, beta=beta) - 7.5


def scaled_energy(xi, X, *, beta=1.0):
    return 1.0001 * modern.energy(xi, X, beta=beta)


def test_an_energy_may_differ_by_a_constant_and_by_nothing_else():
    assert judged(shifted_energy, "modern.energy", up_to="constant").verdict != "fails"
    assert not check(shifted_energy, like="modern.energy").verdict != "fails"
    assert not judged(scaled_energy, "modern.energy", up_to="constant").verdict != "fails"


def interleaved(x, omega, *, beta=1.0):
    y = features.trigonometric(x, omega, beta=beta)
    return np.stack(np.split(y, 2, axis=-1), axis=-1).reshape(y.shape)


def test_columns_of_features_may_have_another_order():
    like = "features.trigonometric"
    assert judged(interleaved, like, up_to="columns").verdict != "fails"
    assert not check(interleaved, like=like).verdict != "fails"
    assert not judged(lambda x, omega, beta=1.0: interleaved(x, omega, beta=beta) * (1 + 1e-9),
                      like, up_to="columns").verdict != "fails"


@pytest.mark.parametrize("function, like", [
    (lambda xi, X, beta=1.0: modern.update(xi, X, beta=beta).tolist(), "modern.update"),
    (lambda xi, X, beta=1.0: modern.energy(xi, X, beta=beta).tolist(), "modern.energy"),
    (lambda g, xi, X, beta=1.0: [np.asarray(y).tolist() for y in
                                 gradients.modern.update(g, xi, X, beta=beta)],
     "gradients.modern.update")])
def test_nested_lists_are_arrays(function, like):
    report = check(function, like=like)
    assert report.verdict != "fails", report.findings


def test_an_option_may_be_passed_by_its_place():
    def placed(X, temperature, xi, /):
        return modern.update(xi, X, beta=temperature)

    def any_number(*args):
        return placed(*args)
    for candidate in placed, any_number:
        assert judged(candidate, "modern.update", order=("X", "beta", "xi")).conforms
    gaps = check(lambda xi, X, beta=1.0, /: placed(X, beta, xi), like="modern.update").gaps
    assert "beta of the candidate was never passed: --order xi,X,beta or" in gaps[0]


def test_a_candidate_may_take_nested_lists():
    def of_lists(xi, X, beta=1.0):
        assert type(X) is list
        return modern.update(xi, X, beta=beta).tolist()
    assert judged(of_lists, "modern.update", array="list").verdict != "fails"
    assert "raised" in failing(check(of_lists, like="modern.update"))


# ---- the kit's own errors -----------------------------------------------------------------------

@pytest.mark.parametrize("result, name", [
    (lambda y: (y, y, y), "wrong number of results"), (lambda y: y.sum(axis=0), None),
    (lambda y: y[None, None], None), (lambda y: y.reshape(-1), None),
    (lambda y: None, "wrong type"),
], ids=["more results", "rank below", "rank above", "flat", "nothing"])
def test_a_result_that_fits_no_layout_is_a_finding(result, name):
    third = {"Q": "b l h d", "K": "b s h d", "V": "b s h v", "out": "b l h v"}

    def attention_with(Q, K, V):
        heads = (np.moveaxis(a, 2, 1) for a in (Q, K, V))
        return result(np.moveaxis(attention.softmax_attention(*heads), 1, 2))
    found = failing(judged(attention_with, ATTENTION, layout=third))
    assert (name or "wrong shape") in found and "raised" not in found
