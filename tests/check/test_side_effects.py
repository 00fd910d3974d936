"""What a candidate must not do, each a verdict with a name."""
import os
import subprocess
import sys
import types

import numpy as np
import pytest

from hopref import modern
from hopref.check import NotOffered, assert_conforms, check
from hopref.check.engine.candidate import observe
from hopref.check.engine.subprocess import environment
from hopref.check.peers.conventions import Convention
from hopref.errors import HoprefError


def right(xi, X, beta=1.0):
    return np.array(modern.update(xi, X, beta=beta))


def writes(xi, X, beta=1.0):
    y = right(xi, X, beta)
    X *= 2
    return y


def views(xi, X, beta=1.0):
    xi[...] = right(xi, X, beta)
    return xi


def prints(xi, X, beta=1.0):
    print("hello")
    return right(xi, X, beta)


def changes_errors(xi, X, beta=1.0):
    np.seterr(divide="ignore")
    return right(xi, X, beta)


def draws_globally(xi, X, beta=1.0):
    np.random.standard_normal()
    return right(xi, X, beta)


def adds_an_axis(xi, X, beta=1.0):
    return right(xi, X, beta)[None]


def narrows(xi, X, beta=1.0):
    return right(xi, X, beta).astype(np.float32)


def counts(xi, X, beta=1.0):
    return right(xi, X, beta).astype(int)


def generates(xi, X, beta=1.0):
    yield right(xi, X, beta)


def closes_the_output(xi, X, beta=1.0):
    print("done")
    sys.stdout.close()
    return right(xi, X, beta)


def changes_the_folder(xi, X, beta=1.0):
    os.chdir(os.sep)
    return right(xi, X, beta)


async def answers_later(xi, X, beta=1.0):
    return right(xi, X, beta)


def answers_text(xi, X, beta=1.0):
    return str(right(xi, X, beta))


def answers_objects(xi, X, beta=1.0):
    return np.array(right(xi, X, beta), dtype=object)


def answers_twice(xi, X, beta=1.0):
    return right(xi, X, beta), right(xi, X, beta)


def gives_up(xi, X, beta=1.0):
    raise ZeroDivisionError("no")


def leaves(xi, X, beta=1.0):
    raise SystemExit(0)


def is_interrupted(xi, X, beta=1.0):
    raise KeyboardInterrupt


def runs_out(xi, X, beta=1.0):
    raise MemoryError("too much")


def counts_on_strides(xi, X, beta=1.0):
    return right(xi, X if X.flags.c_contiguous else X[::-1] * 1.5, beta)


def looks_at_neighbours(xi, X, beta=1.0):
    y = right(xi, X, beta)
    return y * (1 + 1e-3 * (xi.ndim == 2 and len(xi) == 3))


class Remembers:
    calls = 0

    def __call__(self, xi, X, beta=1.0):
        self.calls += 1
        return right(xi, X, beta) * (1 + (self.calls > 4) * self.calls)


@pytest.mark.parametrize("function, name", [
    (writes, "writes into its input"), (views, "returns a view of its input"), (prints, "prints"),
    (closes_the_output, "prints"), (changes_the_folder, "changes the current folder"),
    (changes_errors, "changes np.seterr"), (draws_globally, "draws from a global generator"),
    (adds_an_axis, "wrong shape"), (narrows, "wrong dtype"), (counts, "wrong dtype"),
    (generates, "wrong type"), (answers_objects, "wrong type"),
    (answers_later, "wrong type"), (answers_text, "wrong type"),
    (answers_twice, "wrong number of results"), (gives_up, "raised"), (leaves, "crash"),
    (runs_out, "resource"), (counts_on_strides, "depends on strides"),
    (looks_at_neighbours, "depends on its neighbours in the batch"),
    (Remembers(), "remembers earlier calls"),
], ids=lambda x: getattr(x, "__name__", None))
def test_a_breach_is_named(function, name):
    report = check(function, like="modern.update")
    assert report.verdict == "fails" and name in [f.name for f in report.findings]


def test_a_candidate_without_side_effects_conforms():
    report = check(right, like="modern.update")
    assert report.conforms and not report.findings
    assert_conforms(right, like="modern.update")


def test_an_interrupt_ends_the_judgement():
    with pytest.raises(KeyboardInterrupt):
        check(is_interrupted, like="modern.update")


def test_the_assertion_tells_the_report():
    with pytest.raises(AssertionError, match=r"(?s)Ramsauer.*writes into its input"):
        assert_conforms(writes, like="modern.update")


def test_an_expected_finding_is_no_failure():
    xfail = {"prints": "talkative by design"}
    assert check(prints, like="modern.update", xfail=xfail).conforms


def test_what_is_not_offered_is_not_offered():
    def no_large_beta(xi, X, *, beta=1.0):
        if beta > 100:
            raise NotOffered("beta > 100")
        return right(xi, X, beta)
    report = check(no_large_beta, like="modern.update")
    assert report.conforms and "beta 1e4: beta > 100" in report.not_offered
    assert all(line.endswith(": beta > 100") for line in report.not_offered)
    without_beta = check(lambda xi, X: right(xi, X), like="modern.update")
    assert without_beta.verdict == "partial" and without_beta.cases == 1


def test_pytest_may_judge_by_a_fixture(tmp_path):
    (tmp_path / "test_mine.py").write_text(
        "from hopref import modern\n"
        "def test_right(hopref_conforms):\n"
        "    hopref_conforms(modern.update, like='modern.update')\n"
        "def test_wrong(hopref_conforms):\n"
        "    hopref_conforms(modern.weights, like='modern.update')\n")
    words = [sys.executable, "-m", "pytest", "-q", "-p", "hopref.check.plugin"]
    done = subprocess.run(words, cwd=tmp_path, capture_output=True, text=True, env=environment())
    assert "1 failed, 1 passed" in done.stdout


def test_global_error_state_is_put_back():
    before = np.geterr()
    check(changes_errors, like="modern.update")
    assert np.geterr() == before


# ---- tensors, and the global state of their library ----------------------------------------------

class Tensor:
    """As much of a tensor of torch as the kit and the candidates below use."""
    def __init__(self, array):
        self.array, self.dtype = array, f"torch.{array.dtype}"

    def detach(self):
        return self

    cpu = detach

    def numpy(self):
        return self.array

    def data_ptr(self):
        return self.array.__array_interface__["data"][0]

    def __imul__(self, factor):
        self.array *= factor
        return self


class Config:
    """The settings of jax."""
    def __init__(self):
        self.values = {"jax_enable_x64": False, "jax_debug_nans": False}

    def update(self, name, value):
        self.values[name] = value


def library_like_torch():
    """A module with the global state of torch."""
    torch, state = types.ModuleType("torch"), {"dtype": "float32", "grad": True, "device": "cpu",
                                               "seed": 1, "rng": np.zeros(4, np.uint8)}
    torch.from_numpy = Tensor
    for name, key in (("default_dtype", "dtype"), ("default_device", "device")):
        setattr(torch, f"get_{name}", lambda key=key: state[key])
        setattr(torch, f"set_{name}", lambda value, key=key: state.update({key: value}))
    torch.is_grad_enabled = lambda: state["grad"]
    torch.set_grad_enabled = lambda value: state.update(grad=value)
    torch.initial_seed = lambda: state["seed"]
    torch.manual_seed = lambda seed: state.update(seed=seed, rng=np.full(4, seed % 251, np.uint8))
    torch.get_rng_state = lambda: Tensor(state["rng"])
    torch.rand = lambda: state.update(rng=state["rng"] + np.uint8(1))
    return torch


@pytest.fixture
def torch(monkeypatch):
    """The library itself where it is installed, otherwise a module with its interface."""
    try:
        import torch as found
    except ImportError:
        found = library_like_torch()
        monkeypatch.setitem(sys.modules, "torch", found)
    return found


def tensors(torch, before=lambda xi, X: None, after=None):
    """A right candidate for tensors, which does something before and after."""
    def retrieve(xi, X, beta=1.0):
        before(xi, X)
        y = torch.from_numpy(np.asarray(modern.update(xi.numpy(), X.numpy(), beta=beta)))
        return after(xi, y) if after else y
    return check(retrieve, like="modern.update", convention=Convention(array="torch"))


def scales_in_place(xi, y):
    xi *= 2.0
    return y


def fills_its_input(xi, y):
    xi.numpy()[...] = y.numpy()
    return xi


def test_a_right_candidate_for_tensors_has_no_side_effects(torch):
    report = tensors(torch)
    assert report.conforms and not report.findings and report.cases > 10


@pytest.mark.parametrize("after, name", [
    (scales_in_place, "writes into its input"), (fills_its_input, "returns a view of its input")])
def test_tensors_that_were_passed_are_compared_after_the_call(torch, after, name):
    report = tensors(torch, after=after)
    assert name in [f.name for f in report.findings]


@pytest.mark.parametrize("name, change", [
    ("calls torch.manual_seed", lambda torch: torch.manual_seed(torch.initial_seed() + 1)),
    ("calls torch.set_grad_enabled", lambda torch: torch.set_grad_enabled(False)),
    ("calls torch.set_default_dtype", lambda torch: torch.set_default_dtype(
        getattr(torch, "float64", "float64"))),
    ("calls torch.set_default_device", lambda torch: torch.set_default_device("meta")),
    ("draws from a global generator", lambda torch: torch.rand(
        *(1,) * hasattr(torch, "Tensor"))),
])
def test_global_settings_of_torch_are_observed_and_put_back(torch, name, change):
    before = {"seed": torch.initial_seed(), "grad": torch.is_grad_enabled(),
              "dtype": torch.get_default_dtype(), "device": str(torch.get_default_device())}
    report = tensors(torch, after=lambda xi, y: (change(torch), y)[1])
    assert [f.name for f in report.findings] == [name] and not report.conforms
    assert before == {"seed": torch.initial_seed(), "grad": torch.is_grad_enabled(),
                      "dtype": torch.get_default_dtype(),
                      "device": str(torch.get_default_device())}


def test_settings_of_jax_are_observed_and_put_back(monkeypatch):
    try:
        import jax
    except ImportError:
        jax = types.ModuleType("jax")
        jax.config = Config()
        monkeypatch.setitem(sys.modules, "jax", jax)

    def sets(xi, X, beta=1.0):
        jax.config.update("jax_debug_nans", True)
        return right(xi, X, beta)
    report = check(sets, like="modern.update")
    assert [f.name for f in report.findings] == ["changes jax.config.jax_debug_nans"]
    assert jax.config.values["jax_debug_nans"] is False


def test_code_of_torch_that_receives_numpy_arrays_is_named(torch):
    def softmax(xi, X, beta=1.0):
        if not hasattr(xi, "detach"):
            raise TypeError(f"{torch.__name__} must be given a Tensor, not numpy.ndarray")
    softmax.__module__ = "torch.nn.functional"
    with pytest.raises(HoprefError, match="--array torch?"):
        check(softmax, like="modern.update")


def test_two_equal_calls_that_differ_are_one_finding():
    rng = np.random.default_rng(0)

    def drops(xi, X, beta=1.0):
        return right(xi, X, beta) * (rng.random(X.shape[-1]) < 0.5)
    report = check(drops, like="modern.update")
    assert [f.name for f in report.findings] == ["two equal calls differ"]
    assert "dropout" in report.findings[0].message and report.verdict == "fails"


def test_results_that_are_not_numbers_are_findings():
    for words in (lambda y: y.astype(str), lambda y: y + 0j):
        report = check(lambda xi, X, beta=1.0, words=words: words(right(xi, X, beta)),
                       like="modern.update")
        assert "wrong dtype" in [f.name for f in report.findings]


def test_a_normal_number_from_the_cache_of_the_generator_is_a_draw():
    """NumPy's legacy generator makes two at once, and its bits do not change for the second."""
    before = np.random.get_state()
    try:
        np.random.seed(0)
        np.random.standard_normal()
        found = observe(lambda x: x + np.random.standard_normal(), [np.ones(2)], {}).side_effects
    finally:
        np.random.set_state(before)
    assert [name for name, _ in found] == ["draws from a global generator"]
