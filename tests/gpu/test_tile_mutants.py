"""Each harmful mutant of the kernel of tiles is found, by the fault that it has."""
import re

import numpy as np
import pytest

from hopref.dispatch.operation import load
from hopref.fast.cupy import _attend as path
from tests.doubles import cupy as double
from tests.fast.agreement import agrees
from tests.gpu import nvrtc
from tests.gpu.mutants import each_mutant
from tests.gpu.mutants_of_tiles import OF_TILE
from tests.gpu.ptx.errors import kind_of_fault

pytestmark = nvrtc.required()
SOURCE = path.source("tile")
softmax_attention = load()["attention.softmax_attention"]


@pytest.fixture(scope="module")
def calls():
    """Packs of values; a tile of queries and one more, of which most see no key; a part that no
    query sees; two heads of two tiles of keys with a mask and a bias; scores that rise."""
    rng = np.random.default_rng(0)

    def drawn(*shapes):
        return [rng.standard_normal(shape).astype("f4") for shape in shapes]
    given = drawn((2, 2, 2), (2, 33, 2), (2, 33, 2))
    mask, bias = rng.random((2, 2, 33)) < 0.6, drawn((2, 2, 33))[0]
    rising = [np.ones((1, 1), "f4"), np.linspace(-20, 20, 66, dtype="f4")[:, None],
              drawn((66, 1))[0]]
    tall = drawn((33, 1), (3, 1), (3, 1))
    low = [np.full((1, 1), -90, "f4"), np.ones((2, 1), "f4"), drawn((2, 1))[0]]
    return [(arrays, options | {"scale": 0.5}) for arrays, options in (
        (drawn((1, 5), (2, 5), (2, 33)), {}), (tall, {"causal": True}),
        (drawn((2, 1), (65, 1), (65, 1)), {"causal": True, "align": "start"}),
        (given, {"mask": mask, "bias": bias}), (rising, {}), (low, {}))]


@kind_of_fault
def found(calls):
    """What is wrong with the kernels, "" for nothing."""
    for arrays, options in calls:
        with double.installed():
            agrees(softmax_attention, arrays, options, "float32", "cupy", double.asarray,
                   double.asnumpy)


@pytest.fixture
def kernels(monkeypatch, for_many):
    """A function that puts another source in the place of the kernels; parts of 32 keys."""
    def replaced(source):
        def compiled(cupy, real, stored, width):
            module = cupy.RawModule(code=source, options=("-std=c++17", "-DREAL=float",
                                                          "-DWIDTH=128"))
            return module.get_function("tile"), module.get_function("merge")
        monkeypatch.setattr(path, "_kernels", compiled)
    monkeypatch.setattr(path, "WIDTHS", {4: (128,)})   # whose tiles of 32 queries take less time
    monkeypatch.setattr(path, "PART", 64)              # of two tiles
    return replaced


@each_mutant(OF_TILE)
def test_a_mutant_of_the_source_is_found(mutant, kernels, calls):
    kernels(mutant.applied(SOURCE))
    kind = found(calls)
    assert kind and kind.startswith(mutant.found), kind


def test_the_source_itself_is_not_reported(kernels, calls, checked):
    kernels(SOURCE)
    assert not found(calls)


def test_every_barrier_has_a_mutant_and_every_mutant_a_name():
    removed = [mutant for mutant in OF_TILE if "__sync" in mutant.old]
    barriers = re.findall(r"__sync\w+\(\)", SOURCE)
    assert len(removed) >= len(barriers) + barriers.count("__syncthreads()")
    assert len({mutant.name for mutant in OF_TILE}) == len(OF_TILE)
