"""Gradients of Hopfield layers against differences of the rules, and against PyTorch's."""
import numpy as np
import pytest
from hypothesis import strategies as st

from hopref import layers
from hopref.check.tolerance.arithmetic import PROFILES
from hopref.check.tolerance.expected import EXACT, tolerance, truth
from hopref.gradients import layers as gradients
from tests.laws import law

STEP = 2.0**-8
NUMBERS = {"layer_norm": ("eps",), "associations": ("beta",), "associate": ("beta",)}
SHAPES = {"layer_norm": {"x": "ld", "gain": "d", "shift": "d"},
          "project": {"x": "ld", "W": "had", "b": "ha"},
          "associations": {"Q": "hla", "K": "hsa", "per_head": "h", "bias": "hls"},
          "read_out": {"A": "hls", "V": "hsv", "W": "hov", "b": "o"},
          "associate": {"R": "ld", "Y": "se", "P": "sp", "W_q": "had", "W_k": "hae", "W_v": "hvp",
                        "W_o": "hov", "b_q": "ha", "b_k": "ha", "b_v": "hv", "b_o": "o",
                        "per_head": "h", "bias": "hls"}}
OUTPUTS = {"layer_norm": "ld", "project": "hla", "associations": "hls", "read_out": "lo",
           "associate": "lo"}


@st.composite
def points(draw):
    """A rule, its arguments in general position, a direction in which all move, a cotangent."""
    name = draw(st.sampled_from(sorted(SHAPES)))
    size = {k: draw(st.integers(1, 3)) for k in "hlsdepavo"}
    lead = draw(st.sampled_from([(), (2,)]))
    rng = np.random.default_rng(draw(st.integers(0, 2**32)))

    def array(dims):
        batched = dims[-2:-1] in ("l", "s") or dims == "hla"
        return rng.standard_normal((lead if batched else ()) + tuple(size[k] for k in dims))
    given = {k: array(dims) / 2 for k, dims in SHAPES[name].items()}
    v = {k: rng.standard_normal(x.shape) for k, x in given.items()}
    if "per_head" in given:
        given["per_head"], v["per_head"] = np.exp(given["per_head"]), v["per_head"] / 4
    for k in NUMBERS.get(name, ()):
        given[k], v[k] = float(rng.uniform(0.5, 1.5)), float(rng.uniform(0.1, 0.2))
    how = {}
    if name.startswith("assoc"):
        how = {"steps": draw(st.integers(1, 3))}
        seen = rng.random((*lead, size["l"], size["s"])) < 0.7
        how |= {"mask": seen} if draw(st.booleans()) else {}
    return {"name": name, "given": given, "how": how, "v": v, "g": array(OUTPUTS[name])}


def called(op, given, how, *first):
    """Positional and keyword arguments of a rule, or of its gradient."""
    kinds = op.signature.parameters
    operands = [x for k, x in given.items() if kinds[k].kind is kinds[k].POSITIONAL_ONLY]
    rest = {k: x for k, x in given.items() if kinds[k].kind is kinds[k].KEYWORD_ONLY}
    return [*first, *operands], rest | how


def slope(name, given, how, v, g):
    """The derivative of <g, rule> along v, by five-point differences; and its error.

    Halving the step leaves a sixteenth of the error; what rounding adds is the rule's own.
    """
    op = getattr(layers, name)

    def total(t):
        moved = {k: np.longdouble(x) + np.longdouble(t) * v[k] for k, x in given.items()}
        return np.sum(g * truth(op, *called(op, moved, how)))
    wide, fine = ((8 * (total(h) - total(-h)) - total(2 * h) + total(-2 * h)) / (12 * h)
                  for h in (STEP, STEP / 2))
    args, kwargs = called(op, given, how)
    radius = tolerance(op, args, kwargs, truth(op, args, kwargs), EXACT)
    return float(fine), float(abs(wide - fine) + 18 * np.sum(np.abs(g) * radius) / (6 * STEP))


@law("gradients.layers.layer_norm", "gradients.layers.project", "gradients.layers.associations",
     "gradients.layers.read_out", "gradients.layers.associate", id="HL-1", over=points(),
     kills=["mean_held_fixed", "width_held_fixed", "shared_bias_counted_once",
            "the_last_association_alone", "patterns_as_scores_alone", "beta_of_the_first_head",
            "heads_share_the_cotangent", "values_without_their_keys"])
def test_cotangents_are_differences_of_the_rule(rules, name, given, how, v, g):
    """<J^T g, v> is the derivative of <g, rule(arguments + t v)> at t = 0."""
    args, kwargs = called(getattr(gradients, name), given, how, g)
    got = getattr(rules.gradients.layers, name)(*args, **kwargs)
    _, radii = derived(getattr(gradients, name), args, kwargs)
    want, error = slope(name, given, how, v, g)
    order = [*SHAPES[name], *NUMBERS.get(name, ())]
    pulled = sum(np.sum(d * v[k]) for k, d in zip(order, got, strict=True))
    room = sum(np.sum(np.abs(v[k]) * r) for k, r in zip(order, radii, strict=True))
    sums = sum(np.sum(np.abs(d * v[k])) for k, d in zip(order, got, strict=True))
    assert abs(pulled - want) <= room + error + 2.0**-46 * sums


def derived(op, args, kwargs):
    """A gradient in long double, and its tolerance in double."""
    exact = truth(op, args, kwargs)
    return exact, tolerance(op, args, kwargs, exact, PROFILES["float64"])


def test_nothing_flows_where_nothing_is_seen():
    rng = np.random.default_rng(0)
    g, Q, K = rng.standard_normal((2, 3, 4)), *rng.standard_normal((2, 2, 4, 4))
    mask = np.ones((3, 4), bool)
    mask[1], mask[:, 2] = False, False
    for empty_row in ("zeros", "nan"):
        dQ, dK, _, dbias, _ = gradients.associations(
            g, Q[:, :3], K, steps=3, mask=mask, empty_row=empty_row)
        assert not dQ[:, 1].any() and not dK[:, 2].any() and not dbias[:, ~mask].any()


def test_pytorch_pulls_the_same_cotangents_back():
    torch = pytest.importorskip("torch")
    rng = np.random.default_rng(1)
    shapes = {"R": (2, 3, 4), "Y": (2, 5, 3), "P": (2, 5, 4), "W_q": (2, 3, 4), "W_k": (2, 3, 3),
              "W_v": (2, 2, 4), "W_o": (2, 3, 2), "b_q": (2, 3), "b_k": (2, 3), "b_v": (2, 2),
              "b_o": (3,), "per_head": (2,), "bias": (2, 2, 3, 5)}
    given = {k: rng.standard_normal(shape) for k, shape in shapes.items()}
    given |= {"per_head": np.exp(given["per_head"]), "beta": 0.7}
    g = rng.standard_normal((2, 3, 3))
    t = {k: torch.tensor(x, dtype=torch.float64, requires_grad=True) for k, x in given.items()}
    Q, K, V = (t[x][:, None] @ t[f"W_{k}"].mT + t[f"b_{k}"][:, None, :]
               for x, k in (("R", "q"), ("Y", "k"), ("P", "v")))
    beta = (t["beta"] * t["per_head"])[:, None, None]
    for _ in range(3):
        A = torch.softmax(beta * (Q @ K.mT) + t["bias"], -1)
        Q = A @ K
    Z = (A @ V @ t["W_o"].mT).sum(-3) + t["b_o"]
    theirs = torch.autograd.grad(Z, [t[k] for k in given], torch.from_numpy(g))
    args, kwargs = called(gradients.associate, given, {"steps": 3}, g)
    ours, radii = derived(gradients.associate, args, kwargs)
    for got, want, radius in zip(ours, theirs, radii, strict=True):
        assert np.max(np.abs(got - want.numpy()) - radius) <= 0
    x, gain, shift = (rng.standard_normal(s) for s in ((4, 5), (5,), (5,)))
    leaves = [torch.tensor(a, requires_grad=True) for a in (x, gain, shift)]
    y = torch.nn.functional.layer_norm(leaves[0], (5,), leaves[1], leaves[2], 0.1)
    theirs = torch.autograd.grad(y, leaves, torch.from_numpy(x[::-1].copy()))
    ours, radii = derived(gradients.layer_norm, (x[::-1], x),
                          {"gain": gain, "shift": shift, "eps": 0.1})
    for got, want, radius in zip(ours, theirs, radii, strict=False):
        assert np.max(np.abs(got - want.numpy()) - radius) <= 0


@pytest.mark.parametrize("norm", [1e-150, 1e-6, 1e6])
def test_cotangents_are_finite_whatever_the_norms(norm):
    rng = np.random.default_rng(2)
    g, Q, K = rng.standard_normal((3, 2, 3, 3))
    for part in gradients.associations(g, norm * Q, norm * K, steps=3):
        assert np.isfinite(part).all()
