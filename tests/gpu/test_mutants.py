"""Each harmful mutant of the kernels is found, by the fault that it has; harmless ones are not."""
import re

import numpy as np
import pytest

from hopref.dispatch.operation import load
from hopref.fast.cupy import modern as path
from tests.doubles import cupy as double
from tests.fast.agreement import agrees
from tests.gpu import nvrtc
from tests.gpu.mutants import HARMLESS, IN_PTX, IN_SOURCE
from tests.gpu.ptx.errors import KernelError

pytestmark = nvrtc.required()
update = load()["modern.update"]
SOURCE = path.resources.files("hopref.fast.cupy").joinpath("kernels/retrieve.cu").read_text()


def ids(mutant):
    return mutant.name


@pytest.fixture(scope="module")
def inputs():
    """Parts and tiles that are filled in part, and scores that rise, fall or have a peak."""
    rng = np.random.default_rng(0)
    given, ones = [(rng.standard_normal((2, 33)), rng.standard_normal((289, 33)))], np.ones((2, 2))
    rising, noise = np.linspace(-400, 400, 289), rng.standard_normal(289)
    middle = 400 - 11 * np.abs(np.arange(289) % 145 - 72)        # of each part, in its third warp
    given += [(ones, np.stack([scores, noise], axis=1)) for scores in (rising, -rising, middle)]
    return [(xi.astype("f4"), X.astype("f4")) for xi, X in given]


def found(inputs):
    """What is wrong with the kernels, "" for nothing."""
    for xi, X in inputs:
        try:
            with double.installed():
                agrees(update, (xi, X), {"beta": 0.5}, "float32", "cupy", double.asarray,
                       double.asnumpy)
        except KernelError as error:
            return error.kind
        except AssertionError:
            return "wrong"
    return ""


@pytest.fixture
def kernels(monkeypatch):
    """A function that puts another source in the place of the kernels."""
    def replaced(source):
        def compiled(cupy, real):
            module = cupy.RawModule(code=source, options=("-std=c++17", "-DREAL=float"))
            return module.get_function("partial"), module.get_function("merge")
        monkeypatch.setattr(path, "_kernels", compiled)
    monkeypatch.setattr(path, "BLOCKS", 4)             # two parts, in which a warp has two tiles
    replaced(SOURCE)
    return replaced


@pytest.mark.parametrize("mutant", IN_SOURCE, ids=ids)
def test_a_mutant_of_the_source_is_found(mutant, kernels, inputs):
    kernels(mutant.applied(SOURCE))
    kind = found(inputs)
    assert kind and kind.startswith(mutant.found), kind


@pytest.mark.parametrize("mutant", IN_PTX, ids=ids)
def test_a_mutant_of_the_ptx_is_found(mutant, kernels, inputs, monkeypatch):
    compiled = nvrtc.to_ptx
    monkeypatch.setattr(nvrtc, "to_ptx", lambda *args, **kwargs: mutant.applied(
        compiled(*args, **kwargs)))
    kind = found(inputs)
    assert kind and kind.startswith(mutant.found), kind


@pytest.mark.parametrize("mutant", HARMLESS, ids=ids)
def test_a_harmless_mutant_is_not_reported(mutant, kernels, inputs):
    kernels(mutant.applied(SOURCE))
    assert not found(inputs)


def test_every_mutant_has_a_name_of_its_own():
    names = [mutant.name for mutant in (*IN_SOURCE, *IN_PTX, *HARMLESS)]
    assert len(names) == len(set(names))


def test_every_barrier_has_a_mutant():
    """Of the source: removed, and those of the block weakened to a warp."""
    removed = [m for m in IN_SOURCE if "__sync" in m.old]
    barriers = re.findall(r"__sync\w+\(\)", SOURCE)
    assert len(removed) >= len(barriers) + barriers.count("__syncthreads()")
