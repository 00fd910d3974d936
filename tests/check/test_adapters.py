"""Names, order, axes, masks and array types are adapted; what is not offered is left out."""
import functools
import sys

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
    assert report.verdict != "fails" and report.cases > 10, report.findings


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
        assert report.verdict != "fails" and report.cases > 10, report.findings


def test_torch_in_bfloat16():
    torch = pytest.importorskip("torch")

    def retrieve(xi, X, beta=1.0):
        return torch.softmax(beta * (xi @ X.T), -1) @ X
    report = check(retrieve, like="modern.update", dtype="bfloat16",
                   convention=Convention(array="torch", dtype="bfloat16"))
    assert report.verdict != "fails", report.findings


def test_a_target_that_is_no_function_is_refused():
    from hopref.check.peers.targets import imported
    for target in ("math:pi", "no colon", "math:__doc__"):
        with pytest.raises(HoprefError, match="a target must be"):
            imported(target)


# ---- code without an adapter --------------------------------------------------------------------

class Layer:
    """What a module of torch looks like: its call takes anything, its forward states what."""
    def __init__(self, beta=1.0):
        self.beta, self.training = beta, True

    def __call__(self, *args, **kwargs):
        return self.forward(*args, **kwargs)

    def forward(self, xi, X):
        if self.training:
            raise RuntimeError("in training mode")
        return modern.update(xi, X, beta=self.beta)

    def eval(self):
        self.training = False
        return self

    def parameters(self):
        return ()

    def retrieve(self, state, patterns, *, beta=1.0):
        return modern.update(state, patterns, beta=beta)


def make():
    return Layer()


def make_with(beta):
    return Layer(beta)


class Builtin:
    """A function without a signature, whose documentation states it as those of torch do."""
    __name__ = "attend"

    def __init__(self, text):
        self.__doc__ = text

    __signature__ = "none"

    def __call__(self, query, key, value, scale=None, **more):
        if more:
            raise TypeError(f"unexpected keyword {next(iter(more))}")
        return attention.softmax_attention(query, key, value, scale=scale)


STATED = "attend(query, key, value,\n       scale=None) -> Tensor:\n\nAttention."


@pytest.mark.parametrize("function, like, fewest", [
    (Layer().eval(), "modern.update", 1), (Layer, "modern.update", 1), (make, "modern.update", 1),
    (functools.partial(Layer.retrieve, None), "modern.update", 10),
    (functools.partial(heads_last, attn_mask=None), "modern.update", 0),
    (Layer().retrieve, "modern.update", 10),
    (Builtin(STATED), "attention.softmax_attention", 14),
    (Builtin("Attention."), "attention.softmax_attention", 1),
], ids=["module", "class", "factory", "partial", "partial that does not fit", "bound method",
        "builtin", "builtin without documentation"])
def test_code_of_third_parties_is_called_with_what_it_takes(function, like, fewest):
    report = check(function, like=like)
    calls = [f for f in report.findings if f.kind == "call"]
    if not fewest:
        assert calls or report.verdict == "skipped"
        return
    assert report.verdict != "fails" and report.cases >= fewest, report.findings


def test_a_class_or_a_factory_is_made_with_the_arguments_that_are_given():
    for factory in (Layer, make_with):
        report = check(factory, like="modern.update", convention=Convention(
            init={"beta": 2.0}, given={"beta": 2.0}))
        assert report.verdict != "fails" and report.cases > 10, report.findings
    with pytest.raises(HoprefError, match="make_with could not be made .*--init NAME=VALUE"):
        check(make_with, like="modern.update", convention=Convention(init={"gamma": 1.0}))


def test_modules_of_torch_are_called_by_their_forward():
    torch = pytest.importorskip("torch")

    class Retrieve(torch.nn.Module):
        def __init__(self, scale=1.0):
            super().__init__()
            self.scale = torch.nn.Parameter(torch.tensor(scale))
            self.dropout = torch.nn.Dropout(0.5)

        def forward(self, xi, X):
            return self.dropout(torch.softmax(self.scale * (xi @ X.T), -1)) @ X
    convention = Convention(array="torch", given={"beta": 1.0})
    for module in (Retrieve, Retrieve().double().eval()):
        report = check(module, like="modern.update", convention=convention)
        assert report.verdict != "fails" and report.cases > 10, report.findings
    report = check(Retrieve().double(), like="modern.update", convention=convention)
    assert [f.name for f in report.findings] == ["two equal calls differ"]
    assert "dropout" in report.findings[0].message


def test_jitted_functions_have_the_signature_of_what_they_wrap():
    jax = pytest.importorskip("jax")

    @jax.jit
    def retrieve(xi, X, beta=1.0):
        return jax.nn.softmax(beta * (xi @ X.T), -1) @ X
    report = check(retrieve, like="modern.update", convention=Convention(array="jax"))
    assert report.verdict != "fails" and report.cases > 10, report.findings


# ---- what the author meant ----------------------------------------------------------------------

@pytest.mark.parametrize("like, fields, message", [
    ("modern.update", {"names": {"foo": "bar"}}, "--map: modern.update has no 'foo'"),
    ("modern.update", {"names": {"beta": "temperatur"}}, "--map beta: the candidate takes no"),
    ("modern.update", {"fixed": {"training": False}}, "--fixed: the candidate takes no 'training'"),
    ("modern.update", {"order": ("X", "x")}, "--order: modern.update has no 'x'"),
    ("modern.update", {"layout": {"X": "n z"}}, "unknown axis z"),
    ("modern.update", {"layout": {"X": "n"}}, "axis d is missing"),
    ("modern.update", {"layout": {"X": "n d d"}}, "named twice"),
    ("modern.update", {"layout": {"X": ""}}, "axis n is missing"),
    ("modern.update", {"layout": {"Z": "n d"}}, "--layout: modern.update has no 'Z'"),
    ("modern.update", {"sizes": {"q": 3}}, "--size: modern.update has no 'q'"),
    ("modern.update", {"returns": ("xi",)}, "--returns: modern.update has no 'xi'"),
    ("modern.update", {"up_to": "sign"}, "--up-to must be"),
    ("modern.update", {"up_to": "constant"}, "--up-to constant needs one number for each state"),
])
def test_what_the_op_or_the_candidate_lacks_is_refused(like, fields, message):
    def retrieve(xi, X, *, temperature=1.0):
        return modern.update(xi, X, beta=temperature)
    with pytest.raises(HoprefError, match=message):
        check(retrieve, like=like, convention=Convention(**fields))


def test_a_function_that_is_no_operation_has_no_convention():
    with pytest.raises(HoprefError, match="given states how an operation is called"):
        check(lambda: None, like="dynamics.retrieve", set={"tol": 1.0})


def test_bfloat16_without_its_package_is_an_error_of_the_call(monkeypatch):
    monkeypatch.setitem(sys.modules, "ml_dtypes", None)
    with pytest.raises(HoprefError, match="ml_dtypes must be installed"):
        check(modern.update, like="modern.update", dtype="bfloat16")
    with pytest.raises(HoprefError, match="torch must be installed"):
        monkeypatch.setitem(sys.modules, "torch", None)
        check(modern.update, like="modern.update", convention=Convention(array="torch"))
