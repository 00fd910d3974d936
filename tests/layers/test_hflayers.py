"""compat="hflayers" against the published layers: vectors recorded from them, and what they do.

Tolerances are derived: the forward pass itself is run on toleranced arrays.
"""
from pathlib import Path
from types import SimpleNamespace

import numpy as np
import pytest

from hopref import layers
from hopref.check.tolerance import softmax as toleranced_softmax
from hopref.check.tolerance.arithmetic import PROFILES
from hopref.check.tolerance.toleranced import exactly
from hopref.dispatch.operation import unchecked
from hopref.errors import DomainError, ShapeError
from hopref.layers import association, hflayers
from tests.rounding import close

FILE = Path(__file__).with_name("hflayers.npz")
DIFFERENT = {                                           # from the clean rule, and why
    "stopped early": "stop rule", "until it stops": "stop rule", "blind states": "NaN",
    "a scaling per head": "factors of channels", "a scaling per head, two updates": "and later",
    "static states": "order of samples", "all static, two heads": "order of samples",
    "connected and static": ""}


def recorded():
    """{case: {what: array or number}}."""
    cases = {}
    with np.load(FILE, allow_pickle=False) as file:
        for key in file.files:
            name, _, what = key.partition("/")
            value = file[key]
            cases.setdefault(name, {})[what] = value.item() if value.ndim == 0 else value
    return cases


CASES = recorded()


def called(case, **changes):
    """`layers.hopfield`, or its wrapper, on a recorded case."""
    it = {k: v for k, v in case.items() if k != "output"}
    weights = {k: it.pop(k) for k in layers.Weights._fields if k in it}
    for k in layers.Weights._fields:
        norm = {f: it.pop(f"{k}.{f}") for f in layers.Norm._fields if f"{k}.{f}" in it}
        weights |= {k: layers.Norm(**norm)} if norm else {}
    operands = {k: it.pop(k) for k in ("R", "Y", "P", "states", "lookup", "targets") if k in it}
    how = {**it, "steps": it["steps"] or None, **changes}
    weights = layers.Weights(**weights)
    R, Y, P = (operands.get(k) for k in "RYP")
    if "states" in operands:
        return layers.hopfield_pooling(Y, P, operands["states"], weights, **how)
    if "lookup" in operands:
        return layers.hopfield_layer(R, operands["lookup"], operands.get("targets"), weights, **how)
    return layers.hopfield(R, Y, P, weights, **how)


def on_toleranced(call, *arguments, **how):
    """The radius of a forward pass whose arguments are known, each operation rounded twice."""
    profile = PROFILES["float64"].regrouped(2.0)

    def toleranced(v):
        if isinstance(v, layers.Weights):
            return layers.Weights(*map(toleranced, v))
        if isinstance(v, dict):
            return {k: x if k in ("bias", "per_head") else toleranced(x) for k, x in v.items()}
        real = isinstance(v, np.ndarray) and v.dtype == float
        return exactly(v.astype(np.longdouble), profile) if real else v
    with pytest.MonkeyPatch.context() as patch, unchecked():
        for module in (association, hflayers):
            patch.setattr(module, "softmax", toleranced_softmax.softmax)
        found = call(*map(toleranced, arguments), **how)
    return np.where(np.isfinite(found.value), found.radius, 0.0)


def hold(got, want, allowed):
    """Within a tolerance that says something, and NaN at the same places."""
    np.testing.assert_array_equal(np.isnan(got), np.isnan(want))
    assert np.max(allowed, initial=0.0) < 1e-5
    close(np.nan_to_num(got), np.nan_to_num(want), allowed)


@pytest.mark.parametrize("name", CASES)
def test_compat_answers_what_the_published_layers_answered(name):
    case = CASES[name]
    hold(called(case), case["output"], on_toleranced(called, case))


@pytest.mark.parametrize("name", [name for name in CASES if name not in DIFFERENT])
def test_where_nothing_differs_so_does_the_clean_rule(name):
    case = CASES[name]
    hold(called(case, compat=None), case["output"], on_toleranced(called, case, compat=None))


@pytest.mark.parametrize("name", [name for name, why in DIFFERENT.items() if why])
def test_where_they_differ_the_vectors_show_it(name):
    case = CASES[name]
    clean = called(case, compat=None, steps=case["steps"] or 30)
    away = np.abs(np.nan_to_num(clean, nan=1e3) - np.nan_to_num(case["output"], nan=1e3))
    assert np.max(away) > 1e-6


# -- the habits, one by one ---------------------------------------------------------------------

rng = np.random.default_rng(0)
R, Y, P = rng.standard_normal((3, 2, 4, 4))
W = layers.Weights(*rng.standard_normal((3, 2, 4, 4)))
FACTORS = np.array([0.5, 2.0])


def answer(sample=slice(None), weights=W, **how):
    """The output on the batch, or a part of it, and its tolerance."""
    given = (R[sample], Y[sample], P[sample], weights)
    return layers.hopfield(*given, **how), on_toleranced(layers.hopfield, *given, **how)


def compat(sample=slice(None), weights=W, tol=1e-9, **how):
    return answer(sample, weights, compat="hflayers", tol=tol, **how)


def agree(one, other):
    hold(one[0], other[0], one[1] + other[1])


def differ(one, other):
    assert np.max(np.abs(one[0] - other[0]) - one[1] - other[1]) > 0


def test_at_most_so_many_associations_as_steps_says():
    for steps in (1, 2, 3):
        agree(compat(steps=steps), answer(steps=steps))
    agree(compat(steps=5, tol=1e9), answer(steps=2))        # the change is seen after two


def test_a_head_stops_for_the_whole_batch():
    """Alone, the quick sample stops early; beside the slow one it goes on."""
    one, whole = slice(1), slice(None)
    how = {"steps": 9, "tol": 0.25}
    together, alone = compat(whole, **how), compat(one, **how)
    differ([a[one] for a in together], alone)
    together, alone = answer(whole, steps=9), answer(one, steps=9)
    agree([a[one] for a in together], alone)


def test_factors_of_heads_are_factors_of_channels():
    """Channel c of all heads side by side has factor c mod h."""
    tiled = np.tile(FACTORS, 4).reshape(2, 4, 1)
    agree(compat(per_head=FACTORS), answer(weights=W._replace(W_q=tiled * W.W_q)))
    differ(compat(per_head=FACTORS), answer(per_head=FACTORS))
    agree(compat(per_head=np.array([2.0, 2.0])), answer(per_head=np.array([2.0, 2.0])))
    odd = W._replace(W_q=W.W_q[:, :3], W_k=W.W_k[:, :3])
    with pytest.raises(ShapeError, match="hopref.layers.hopfield: a must be a multiple of h"):
        layers.hopfield(R, Y, P, odd, per_head=FACTORS, steps=2, compat="hflayers")


def test_a_blind_state_is_nan_and_stops_its_head_everywhere():
    mask = np.ones((2, 4, 4), bool)
    mask[0, 1] = False
    found, clean = compat(mask=mask, steps=4), answer(mask=mask, steps=4)
    assert np.isnan(found[0][0, 1]).all() and np.isnan(found[0]).sum() == found[0][0, 1].size
    assert not clean[0][0, 1].any()
    agree([a[1] for a in found], [a[1] for a in answer(mask=mask, steps=2)])
    differ([a[1] for a in found], [a[1] for a in clean])


def test_static_patterns_of_several_heads_come_from_other_samples():
    still, one = W._replace(W_q=None), W._replace(W_q=None, W_k=W.W_k[:1], W_v=W.W_v[:1])
    differ(compat(weights=still), answer(weights=still))
    for i in range(2):                                      # a batch of one is right
        agree(compat(slice(i, i + 1), still), answer(slice(i, i + 1), still))
    agree(compat(weights=one), answer(weights=one))         # and so is a single head


def test_an_empty_batch_comes_back_empty():
    nothing = np.zeros((0, 4, 4))
    found = layers.hopfield(nothing, nothing, nothing, W, steps=3, compat="hflayers")
    assert found.shape == (0, 4, 8)


# -- modules ------------------------------------------------------------------------------------

def core(**changes):
    """The attributes of an association core, as arrays."""
    it = {"num_heads": 2, "head_dim": 3, "vdim": 4, "query_as_static": False,
          "key_as_static": False, "value_as_static": False, "value_as_connected": False,
          "in_proj_weight": None, "q_proj_weight": rng.standard_normal((6, 4)),
          "k_proj_weight": rng.standard_normal((6, 4)),
          "v_proj_weight": rng.standard_normal((4, 4)), "in_proj_bias": np.arange(16.0),
          "out_proj": SimpleNamespace(weight=rng.standard_normal((5, 4)), bias=np.arange(5.0)),
          "add_zero_attn": False, "normalize_pattern": False, "p_norm_weight": None,
          "p_norm_bias": None, "normalize_pattern_eps": 1e-5, "_qkv_same_embed_dim": False}
    return SimpleNamespace(**it | changes)


def module(core, **changes):
    it = {"association_core": core, "scaling": 0.5, "update_steps_max": 0, "update_steps_eps": 1e-4,
          "norm_state_pattern": None, "norm_stored_pattern": None, "norm_pattern_projection": None}
    return SimpleNamespace(**it | changes)


def test_a_module_is_read_as_weights():
    it = core()
    norm = SimpleNamespace(weight=np.ones(4), bias=None, eps=1e-3)
    weights, how = layers.weights_of(module(it, norm_stored_pattern=norm, update_steps_max=None))
    np.testing.assert_array_equal(weights.W_k[1], it.k_proj_weight[3:])
    np.testing.assert_array_equal(weights.W_o[1], it.out_proj.weight[:, 2:])
    np.testing.assert_array_equal(weights.b_v, [[12.0, 13.0], [14.0, 15.0]])
    assert weights.norm_stored.eps == 1e-3 and weights.norm_stored.shift == 0.0
    assert weights.norm_space is None and how["steps"] is None and how["beta"] == 0.5
    assert layers.hopfield(R, Y, P, weights, **{**how, "steps": 2}).shape == (2, 4, 5)


def test_projections_in_one_matrix_are_those_apart():
    apart = core(out_proj=None)
    together = core(out_proj=None, in_proj_weight=np.concatenate(
        [apart.q_proj_weight, apart.k_proj_weight, apart.v_proj_weight]))
    for a, b in zip(layers.weights_of(module(apart))[0], layers.weights_of(module(together))[0],
                    strict=True):
        np.testing.assert_array_equal(a, b)


def test_a_static_projection_beside_static_keys_is_dealt_out_to_the_heads():
    it = core(key_as_static=True, value_as_static=True, out_proj=None)
    weights, _ = layers.weights_of(module(it))
    assert weights.W_k is None
    np.testing.assert_array_equal(np.concatenate(list(weights.W_v)), np.eye(4))


def test_what_no_keyword_says_is_refused():
    with pytest.raises(DomainError, match="hopref.layers.weights_of: .* no zero association"):
        layers.weights_of(module(core(add_zero_attn=True)))
    with pytest.raises(DomainError, match="hopref.layers.weights_of: .* the same for all heads"):
        layers.weights_of(module(core(), update_steps_max=np.array([1, 2])))


# -- the real one, where it is installed --------------------------------------------------------

def test_a_module_of_today_still_answers_as_compat_does():
    upstream = pytest.importorskip("hflayers", reason="hflayers is not installed: vectors only")
    torch = pytest.importorskip("torch")
    for options in ({"num_heads": 2}, {"num_heads": 2, "update_steps_max": 3},
                    {"hidden_size": 4, "num_heads": 2, "scaling": torch.tensor(FACTORS)},
                    {"hidden_size": 4, "num_heads": 2, "state_pattern_as_static": True}):
        made = upstream.Hopfield(input_size=4, **options).double().eval()
        for p in made.parameters():
            p.data = torch.from_numpy(rng.standard_normal(tuple(p.shape)))
        with torch.no_grad():
            want = made(tuple(map(torch.from_numpy, (Y, R, P)))).numpy()
        weights, how = layers.weights_of(made)
        agree(answer(weights=weights, **how), (want, 0.0))
