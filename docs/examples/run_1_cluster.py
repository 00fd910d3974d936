r"""
Two million patterns on a cluster, and a worker that is killed
==============================================================

The patterns are made on the workers and kept there; only parts, of 17 kB here, are moved. While the
states are retrieved, one worker is killed. Its blocks are made again, and the result has the same
bits, as has that of one worker. The bytes that are moved are within the bounds of
`hopref.distributed.cost`, which then extrapolates to :math:`10^{12}` patterns.

This example is not run with the documentation, since it takes a minute and a package more:
``python -m pip install "hopref[dask]" distributed``, then ``python run_1_cluster.py``.
"""

import argparse
import os
import signal
import threading
import time

import dask
import dask.array as da
import numpy as np
from dask.distributed import Client, LocalCluster

from hopref import distributed, modern

D, SEED = 64, 0


def block(i, rows):
    """The patterns of a block, which depend on its number alone, whichever worker makes them."""
    rng = np.random.default_rng(np.random.SeedSequence(SEED, spawn_key=(i,)))
    return rng.standard_normal((rows, D))


def patterns(blocks, rows):
    def made(block_id):
        return block(block_id[0], rows)
    return da.map_blocks(made, chunks=((rows,) * blocks, (D,)), dtype=float)


def counted(client, kind):
    """Number and bytes of the parts that the workers received from each other."""
    def received(dask_worker):
        return [(str(key), size) for entry in dask_worker.transfer_incoming_log
                for key, size in entry["keys"].items()]
    moved = [item for log in client.run(received).values() for item in log]
    sizes = [size for key, size in moved if key.lstrip("('").startswith(kind)]
    return len(sizes), sum(sizes)


def depth_of(array):
    """Merges on the longest path of a graph."""
    needs, depth = array.__dask_graph__().get_all_dependencies(), {}

    def of(key):
        if key not in depth:
            depth[key] = str(key).startswith("merge-") + max(map(of, needs[key]), default=0)
        return depth[key]
    return max(map(of, needs))


def once(workers, X, xi, kill=False, steps=3):
    """States after some steps with this many workers; the number of workers that were killed."""
    with LocalCluster(n_workers=workers, threads_per_worker=1, dashboard_address=None,
                      host="127.0.0.1") as cluster, Client(cluster) as client:
        step = distributed.update(xi, X, beta=0.25)
        distributed.compute(step)
        parts = [counted(client, kind) for kind in ("part_of_block", "merge")]
        pids, killed = client.run(os.getpid), []
        worker = next(iter(pids))

        def strike():
            while len(client.has_what()[worker]) < X.numblocks[0] // workers // 2:
                time.sleep(0.05)                    # until it holds half of its blocks
            killed.append(pids[worker])
            os.kill(pids[worker], signal.SIGKILL)
        if kill:
            threading.Thread(target=strike).start()
        began = time.monotonic()
        run = distributed.retrieve(modern.update, xi, X, beta=0.25, max_steps=steps)
        took = time.monotonic() - began
        new = set(client.run(os.getpid).values()) - set(pids.values()) - set(killed)
    print(f"{workers} workers: {steps} steps in {took:.1f} s"
          + (f"; process {killed[0]} killed, {len(new)} started in its place" if kill else ""))
    return run, depth_of(step), [sum(pair) for pair in zip(*parts)]


def main():
    parser = argparse.ArgumentParser()
    parser.add_argument("--blocks", type=int, default=40)
    parser.add_argument("--rows", type=int, default=50_000)
    options = parser.parse_args()
    # Consecutive blocks on each worker, instead of the next block for the worker that is free.
    dask.config.set({"distributed.scheduler.worker-saturation": float("inf")})
    X, states = patterns(options.blocks, options.rows), 16
    xi = block(0, options.rows)[:states]
    xi = xi + 0.3 * np.random.default_rng(1).standard_normal(xi.shape)
    print(f"{X.shape[0]} x {X.shape[1]} patterns, {X.nbytes / 2**30:.2f} GiB in {X.numblocks[0]} "
          "blocks")
    whole, *_ = once(2, X, xi)
    broken, *_ = once(2, X, xi, kill=True)
    same = np.array_equal(whole.states, broken.states) and \
        np.array_equal(whole.energies, broken.energies)
    print("bits after the kill:", "the same" if same else "DIFFERENT")
    for workers in (1, 2, 4):
        run, depth, (number, moved) = once(workers, X, xi)
        same = same and np.array_equal(whole.states, run.states)
        model = distributed.cost(modern.update, xi, X, workers=workers)
        # A part is sent with about 4 % of overhead.
        inside = model.least <= moved <= 1.1 * model.most and depth == model.depth
        same = same and inside
        print(f"  one step moves {number} parts, {moved} bytes; model: {model.least} to "
              f"{model.most}, {model.moved} for consecutive blocks; depth {depth}, model "
              f"{model.depth}; the same bits: {np.array_equal(whole.states, run.states)}")
    far = distributed.cost(modern.update, xi, X, rows=10**12, chunk=10**6, workers=1000)
    print(f"1e12 patterns, 1000 workers: {far.read:.3g} bytes read, {far.moved:.3g} moved, depth "
          f"{far.depth}")
    return 0 if same else 1


if __name__ == "__main__":
    raise SystemExit(main())
