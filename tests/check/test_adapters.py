"""Names, order, axes, masks and array types are adapted; what is not offered is left out."""
import numpy as np
import pytest

from hopref import attention, modern
from hopref.check import check
from hopref.check.peers.conventions import Convention
from hopref.errors import HoprefError

HEADS_LAST = {"Q": "b l h d", "K": "b s h d", "V": "b s h v", "out": "b l h v"}
NAMES = {"mask": "attn_mask", "causal": "is_causal"}


def columns(memory, state, temperature):
    """Patterns and states in columns, other names, another order."""
    return modern.update(state.T, memory.T, beta=temperature).T


def heads_last(query, key, value, attn_mask=None, is_causal=False):
    """(batch, length, heads, dimension), True hides, a scale of its own."""
    Q, K, V = (np.moveaxis(a, 2, 1) for a in (query, key, value))
    mask = True if attn_mask is None else ~attn_mask
    Z = attention.softmax_attention(Q, K, V, mask=mask, causal=is_causal)
    return np.moveaxis(Z, 1, 2)


def test_columns_and_other_names():
    convention = Convention(names={"beta": "temperature"}, order=("X", "xi"),
                            layout={"X": "d n", "xi": "d b", "out": "d b"})
    report = check(columns, like="modern.update", convention=convention)
    values = [f for f in report.findings if f.kind == "value"]
    assert not values and report.cases > 10


def test_heads_last_and_masks_that_hide():
    convention = Convention(names=NAMES, layout=HEADS_LAST, lead=2, mask="hidden")
    report = check(heads_last, like="attention.softmax_attention", convention=convention)
    assert report.conforms and report.cases > 10, report.findings


def test_a_mask_that_hides_is_wrong_where_it_should_show():
    convention = Convention(names=NAMES, layout=HEADS_LAST, lead=2)
    report = check(heads_last, like="attention.softmax_attention", convention=convention)
    assert "mask inverted" in report.named


@pytest.mark.parametrize("array", ["torch", "jax"])
def test_foreign_arrays(array):
    module = pytest.importorskip(array)
    if array == "jax":
        module.config.update("jax_enable_x64", True)

    def retrieve(xi, X, beta=1.0):
        softmax = module.nn.functional.softmax if array == "torch" else module.nn.softmax
        p = softmax(beta * (xi @ X.T), -1)
        return p @ X
    for dtype in ("float64", "float32"):
        convention = Convention(array=array, dtype=dtype)
        report = check(retrieve, like="modern.update", dtype=dtype, convention=convention)
        assert report.conforms and report.cases > 10, report.findings


def test_torch_in_bfloat16():
    torch = pytest.importorskip("torch")

    def retrieve(xi, X, beta=1.0):
        return torch.softmax(beta * (xi @ X.T), -1) @ X
    report = check(retrieve, like="modern.update", dtype="bfloat16",
                   convention=Convention(array="torch", dtype="bfloat16"))
    assert report.conforms, report.findings


def test_a_target_that_is_no_function_is_refused():
    from hopref.check.peers.targets import imported
    for target in ("math:pi", "no colon", "math:__doc__"):
        with pytest.raises(HoprefError, match="a target must be"):
            imported(target)
