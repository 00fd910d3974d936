"""Operations on dask arrays, whose blocks may be on several machines.  Requires the extra dask.

The patterns, keys or positions are dask arrays, which are divided along them.  Each block becomes a
part (see `hopref.parts`) on the worker that holds it, and the parts are merged by a fixed tree, so
that the result has the same bits whatever the scheduler, the number of workers, and the order in
which they finish or fail; they are those of `hopref.parts.stream` over the same blocks.  (The bits
also depend on the processors, on BLAS, and on its number of threads.)  Only parts are moved between
workers.

Results are dask arrays; `compute` computes them with a progress bar.

>>> import dask.array as da
>>> from hopref import distributed
>>> X = da.ones((6, 2), chunks=(3, 2))
>>> distributed.update([1.0, 0.0], X, beta=2.0).compute()
array([1., 1.])
"""
from hopref.distributed.computation import compute
from hopref.distributed.cost import Cost, cost
from hopref.distributed.files import mapped
from hopref.distributed.graph import (
    apply,
    attention,
    causal_linear_attention,
    energy,
    hebbian,
    update,
)
from hopref.distributed.retrieval import retrieve

__all__ = ["apply", "update", "energy", "attention", "causal_linear_attention", "hebbian",
           "retrieve", "mapped", "compute", "cost", "Cost"]
