"""dask carries the parts; the tree is the same and so are the bits."""
import numpy as np
import pytest

from hopref import attention, modern, parts, performer, sparse, storage

dask = pytest.importorskip("dask", reason="NOT TRIED: dask is missing (the extra 'dask'), so no "
                                          "tree of merges was built but the serial one")

rng = np.random.default_rng(3)
X, xi = rng.standard_normal((50, 4)), rng.standard_normal((3, 4))
BLOCKS = [X[i:i + 7] for i in range(0, 50, 7)] + [X[:0]]
CALLS = {
    "modern.update": lambda B: (modern.update, (xi, B), {"beta": 2.0}),
    "modern.energy": lambda B: (modern.energy, (xi, B), {"beta": 2.0}),
    "performer.update": lambda B: (performer.update, (xi, B, np.eye(4)), {}),
    "sparse.update": lambda B: (sparse.update, (xi, B), {"alpha": 2.0}),
    "storage.projection": lambda B: (storage.projection, (B,), {}),
    "softmax attention": lambda B: (attention.softmax_attention, (xi, B, B), {}),
}


@pytest.mark.parametrize("name", CALLS)
@pytest.mark.parametrize("split_every", [2, 3, 50])
@pytest.mark.parametrize("scheduler", ["synchronous", "threads"])
def test_the_same_tree_gives_the_same_bits(name, split_every, scheduler):
    calls = [CALLS[name](block) for block in BLOCKS]
    here = parts.merge_all([parts.from_chunk(op, *a, **k) for op, a, k in calls],
                           split_every=split_every)
    there = parts.merge_all([dask.delayed(parts.from_chunk)(op, *a, **k) for op, a, k in calls],
                            split_every=split_every, merge=dask.delayed(parts.merge))
    got = dask.delayed(parts.value)(there).compute(scheduler=scheduler)
    assert np.array_equal(got, parts.value(here))


def test_the_blocks_of_a_dask_array_are_chunks():
    array = pytest.importorskip("dask.array", reason="NOT TRIED: dask.array is missing")
    stored = array.from_array(X, chunks=(20, 4))
    blocks = stored.to_delayed().ravel()
    each = [dask.delayed(parts.from_chunk)(modern.update, xi, block) for block in blocks]
    tree = parts.merge_all(each, merge=dask.delayed(parts.merge))
    got = dask.delayed(parts.value)(tree).compute(scheduler="synchronous")
    assert np.array_equal(got, parts.stream(modern.update, xi, parts.chunks_of(X, 20)))


def test_processes_take_operations_by_name():
    """Operations and parts pickle: what a worker of its own is sent, and sends back."""
    each = [dask.delayed(parts.from_chunk)(modern.update, xi, block) for block in BLOCKS[:2]]
    tree = parts.merge_all(each, merge=dask.delayed(parts.merge))
    part = tree.compute(scheduler="processes", num_workers=1)
    assert np.array_equal(parts.value(part), parts.stream(modern.update, xi, BLOCKS[:2]))
