r"""
Patterns in files that are mapped into memory
=============================================

The patterns are in several .npy files, which may be larger than the memory: a worker maps the rows
of its block and drops them. The files here are small, and the scheduler is that of the threads;
with a ``dask.distributed.Client`` the same lines run on a cluster whose workers can read the files.
The bits do not depend on the number of workers.

This example is not run with the documentation: ``python -m pip install "hopref[dask]"``, then
``python run_2_files.py --files 4 --rows 250000``.
"""

import argparse
import tempfile
import tracemalloc
from pathlib import Path

import dask
import numpy as np

from hopref import distributed, modern, parts


def written(folder, files, rows, d):
    """Names of new files with patterns."""
    names = [Path(folder) / f"patterns-{i}.npy" for i in range(files)]
    for seed, name in enumerate(names):
        out = np.lib.format.open_memmap(name, "w+", np.float32, (rows, d))
        out[:] = np.random.default_rng(seed).standard_normal((rows, d), np.float32)
        out.flush()
    return names


def main():
    parser = argparse.ArgumentParser()
    parser.add_argument("--files", type=int, default=4)
    parser.add_argument("--rows", type=int, default=20_000)
    options = parser.parse_args()
    d = 64
    with tempfile.TemporaryDirectory() as folder:
        names = written(folder, options.files, options.rows, d)
        X = distributed.mapped(names, rows=5_000)
        xi = np.load(names[0])[:4] + 0.3
        print(f"{X.shape[0]} x {d} patterns of {X.dtype}, {X.nbytes / 2**20:.0f} MiB in "
              f"{len(names)} files and {X.numblocks[0]} blocks")
        runs = []
        for workers in (1, 2, 4):
            with dask.config.set(scheduler="threads", num_workers=workers):
                tracemalloc.start()
                runs.append(distributed.retrieve(modern.update, xi, X, beta=1.0, persist=False,
                                                 max_steps=5))
                peak = tracemalloc.get_traced_memory()[1]
                tracemalloc.stop()
            print(f"{workers} workers: {runs[-1].steps.max()} steps, peak memory "
                  f"{peak / 2**20:.0f} MiB")
        blocks = (block for name in names
                  for block in parts.chunks_of(np.load(name, mmap_mode="r"), 5_000))
        stream = parts.stream(modern.update, xi, blocks, beta=1.0)
        with dask.config.set(scheduler="threads"):
            step = distributed.compute(distributed.update(xi, X, beta=1.0))
        same = all(np.array_equal(run.states, runs[0].states) for run in runs)
        print("bits of 1, 2 and 4 workers:", "the same" if same else "DIFFERENT")
        print("bits of one step and of the stream:",
              "the same" if np.array_equal(step, stream) else "DIFFERENT")
        return 0 if same and np.array_equal(step, stream) else 1


if __name__ == "__main__":
    raise SystemExit(main())
