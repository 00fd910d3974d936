"""Each harmful mutant of the kernels is found, by the fault that it has; harmless ones are not."""
import re

import numpy as np
import pytest

from hopref.dispatch.operation import load
from hopref.fast.cupy import _attend as path
from tests.doubles import cupy as double
from tests.fast.agreement import agrees
from tests.gpu import nvrtc
from tests.gpu.mutants import HARMLESS, HIDDEN, IN_PTX, IN_SOURCE, each_mutant
from tests.gpu.ptx.errors import kind_of_fault

pytestmark = nvrtc.required()
update, attention = (load()[name] for name in ("modern.update", "attention.softmax_attention"))
SOURCE = path.source()


@pytest.fixture(scope="module")
def inputs():
    """Parts and tiles that are filled in part, and scores that rise, fall or have a peak."""
    rng = np.random.default_rng(0)
    given, ones = [(rng.standard_normal((2, 33)), rng.standard_normal((289, 33)))], np.ones((2, 2))
    rising, noise = np.linspace(-400, 400, 289), rng.standard_normal(289)
    middle = 400 - 11 * np.abs(np.arange(289) % 145 - 72)        # of each part, in its third warp
    given += [(ones, np.stack([scores, noise], axis=1)) for scores in (rising, -rising, middle)]
    return [(update, single(arrays), {"beta": 0.5}) for arrays in given]


@pytest.fixture(scope="module")
def with_hidden_keys():
    """Two heads of three queries and 40 keys; the numbers of components differ.  What finds most
    mutants comes first."""
    rng = np.random.default_rng(0)
    given = single(rng.standard_normal(shape) for shape in ((2, 3, 5), (2, 40, 5), (2, 40, 3)))
    mask, bias = rng.random((2, 3, 40)) < 0.6, rng.standard_normal((2, 3, 40)).astype("f4")
    mask[1, 2], bias[0, :, 7] = False, -np.inf
    far, low = [a.copy() for a in given], given[0].copy()
    far[0][:], far[1][0, 7] = 10, 3e38                           # the key that the bias hides
    low[:] = -200
    return [(attention, arrays, options | {"scale": 0.5}) for arrays, options in (
        (given, {"mask": mask, "bias": bias}), (given, {"mask": mask}), (given, {"bias": bias}),
        (given, {"causal": True}), (given, {"causal": True, "align": "start"}),
        (far, {"bias": bias}), ((given[0], given[1][:, :1], given[2][:, :1]), {"causal": True}),
        ((low, np.abs(given[1]), given[2]), {"mask": mask}))]


def single(arrays):
    return [a.astype("f4") for a in arrays]


@kind_of_fault
def found(inputs):
    """What is wrong with the kernels, "" for nothing."""
    for op, arrays, options in inputs:
        with double.installed():
            agrees(op, arrays, options, "float32", "cupy", double.asarray, double.asnumpy)
    assert overflows_give_nan()


def overflows_give_nan():
    """Whether a query whose scores are all -inf by overflow, under a mask, is no empty row."""
    with double.installed():
        arrays = [double.asarray(np.full(shape, size, "f4")) for shape, size in (
            ((1, 2), 1e30), ((40, 2), -1e30), ((40, 1), 1))]
        mask = double.asarray(np.ones((1, 40), bool))
        return np.isnan(attention(*arrays, mask=mask, backend="cupy").get()).all()


@pytest.fixture
def kernels(monkeypatch):
    """A function that puts another source in the place of the kernels."""
    def replaced(source):
        def compiled(cupy, real, stored, width):
            module = cupy.RawModule(code=source, options=("-std=c++17", "-DREAL=float"))
            return module.get_function("partial"), module.get_function("merge")
        monkeypatch.setattr(path, "_kernels", compiled)
    monkeypatch.setattr(path, "BLOCKS", 4)             # two parts, in which a warp has two tiles
    replaced(SOURCE)
    return replaced


@each_mutant(IN_SOURCE)
def test_a_mutant_of_the_source_is_found(mutant, kernels, inputs):
    kernels(mutant.applied(SOURCE))
    kind = found(inputs)
    assert kind and kind.startswith(mutant.found), kind


@each_mutant(HIDDEN)
def test_a_mutant_of_what_hides_keys_is_found(mutant, kernels, with_hidden_keys):
    kernels(mutant.applied(SOURCE))
    kind = found(with_hidden_keys)
    assert kind and kind.startswith(mutant.found), kind


@each_mutant(IN_PTX)
def test_a_mutant_of_the_ptx_is_found(mutant, kernels, inputs, with_hidden_keys, monkeypatch):
    compiled = nvrtc.to_ptx
    monkeypatch.setattr(nvrtc, "to_ptx", lambda *args, **kwargs: mutant.applied(
        compiled(*args, **kwargs)))
    kind = found(with_hidden_keys if "mask is read" in mutant.name else inputs)
    assert kind and kind.startswith(mutant.found), kind


@each_mutant(HARMLESS)
def test_a_harmless_mutant_is_not_reported(mutant, kernels, inputs, with_hidden_keys):
    kernels(mutant.applied(SOURCE))
    assert not found(inputs) and not found(with_hidden_keys)


def test_every_mutant_has_a_name_of_its_own():
    names = [mutant.name for mutant in (*IN_SOURCE, *HIDDEN, *IN_PTX, *HARMLESS)]
    assert len(names) == len(set(names))


def test_every_barrier_has_a_mutant():
    """Of the source: removed, and those of the block weakened to a warp."""
    removed = [m for m in IN_SOURCE if "__sync" in m.old]
    barriers = re.findall(r"__sync\w+\(\)", SOURCE)
    assert len(removed) >= len(barriers) + barriers.count("__syncthreads()")
