"""The named conventions of published attention functions, and these functions where installed."""
import numpy as np
import pytest

from hopref import attention, gated
from hopref.check import check
from hopref.check.peers.conventions import CONVENTIONS, Convention, convention_from

ATTENTION = "attention.softmax_attention"


def like_flash_attention(q, k, v, softmax_scale=None, causal=False):
    """(batch, length, heads, dimension), causal masks aligned to the end, zeros in empty rows."""
    heads = (np.moveaxis(np.asarray(a), 2, 1) for a in (q, k, v))
    return np.moveaxis(attention.softmax_attention(*heads, scale=softmax_scale, causal=causal), 1,
                       2)


def test_a_named_convention_is_a_starting_point():
    convention = convention_from(ATTENTION, {"convention": "flash-attn", "array": "numpy",
                                             "given": {"scale": 0.5}})
    assert convention.layout == CONVENTIONS["flash-attn"].layout and convention.lead == 2
    assert convention.array == "numpy" and convention.given["scale"] == 0.5
    fields = {k: getattr(convention, k) for k in ("names", "layout", "lead", "sizes")}
    report = check(like_flash_attention, like=ATTENTION, convention=Convention(**fields))
    assert report.verdict != "fails" and report.cases > 20, report.findings
    start = Convention(**fields, given={"align": "start"})
    assert not check(like_flash_attention, like=ATTENTION, convention=start).verdict != "fails"


def like_fla(q, k, v, g, beta, scale=None, initial_state=None, output_final_state=False):
    """(batch, length, heads, dimension), log decays of tokens, the final memory on request."""
    q, k, v, g, beta = (np.moveaxis(np.asarray(a), 2, 1) for a in (q, k, v, g, beta))
    S = 0.0 if initial_state is None else np.asarray(initial_state)
    O, S = gated.linear_attention(q, k, v, log_decay=g, beta=beta, rule="delta", scale=scale, S=S)
    return np.moveaxis(O, 1, 2), S if output_final_state else None


def test_parameters_of_fla_that_have_no_default_receive_that_of_the_operation():
    convention = convention_from("gated.linear_attention", {"convention": "fla", "array": "numpy"})
    fields = {k: getattr(convention, k) for k in ("names", "layout", "lead", "fixed")}
    convention = Convention(**fields, given={"rule": "delta"})
    report = check(like_fla, like="gated.linear_attention", convention=convention)
    assert report.verdict == "conforms" and report.cases > 40, report.findings


@pytest.mark.parametrize("name", CONVENTIONS)
def test_a_named_convention_is_valid_for_attention(name):
    for like in (ATTENTION, "attention.softmax_weights", "attention.linear_attention"):
        convention_from(like, {"convention": name})


@pytest.mark.parametrize("module, function, name, dtype", [
    ("torch.nn.functional", "scaled_dot_product_attention", "torch-sdpa", "float64"),
    ("flax.linen", "dot_product_attention", "flax", "float64"),
    ("onnx.reference.ops.op_attention", "_compute_attention", "onnx", "float64"),
    ("transformers.integrations.sdpa_attention", "sdpa_attention_forward", "transformers",
     "float64"),
    ("jax.nn", "dot_product_attention", "jax", "float32"),          # computes in float32
    ("keras.ops", "dot_product_attention", "keras", "float32"),
])
def test_a_published_function_conforms_in_its_convention(module, function, name, dtype):
    """Skipped where the library is absent; several of them raise for an empty batch."""
    found = getattr(pytest.importorskip(module, exc_type=ImportError), function)
    report = check(found, like=ATTENTION, convention=name, dtype=dtype)
    others = [f for f in report.findings if (f.name, f.case) != ("raised", "empty batch")]
    assert not others and report.cases >= 18, others
