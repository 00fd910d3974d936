"""Gradients of Hopfield layers: masks, large norms, and comparison with PyTorch."""
import numpy as np
import pytest

from hopref.check.tolerance.arithmetic import PROFILES
from hopref.check.tolerance.expected import tolerance, truth
from hopref.gradients import layers as gradients


def called(op, given, how, *first):
    """Positional and keyword arguments of an operation, or of its gradient."""
    kinds = op.signature.parameters
    operands = [x for k, x in given.items() if kinds[k].kind is kinds[k].POSITIONAL_ONLY]
    rest = {k: x for k, x in given.items() if kinds[k].kind is kinds[k].KEYWORD_ONLY}
    return [*first, *operands], rest | how


def derived(op, args, kwargs):
    """A gradient in long double, and the tolerance of its evaluation in double."""
    exact = truth(op, args, kwargs)
    return exact, tolerance(op, args, kwargs, PROFILES["float64"])


def test_gradients_of_hidden_patterns_are_zero():
    rng = np.random.default_rng(0)
    g, Q, K = rng.standard_normal((2, 3, 4)), *rng.standard_normal((2, 2, 4, 4))
    mask = np.ones((3, 4), bool)
    mask[1], mask[:, 2] = False, False
    for empty_row in ("zeros", "nan"):
        dQ, dK, _, dbias, _ = gradients.associations(
            g, Q[:, :3], K, steps=3, mask=mask, empty_row=empty_row)
        assert not dQ[:, 1].any() and not dK[:, 2].any() and not dbias[:, ~mask].any()


def test_gradients_agree_with_pytorch():
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
def test_cotangents_are_finite_for_all_norms(norm):
    rng = np.random.default_rng(2)
    g, Q, K = rng.standard_normal((3, 2, 3, 3))
    for part in gradients.associations(g, norm * Q, norm * K, steps=3):
        assert np.isfinite(part).all()
