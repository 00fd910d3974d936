"""Computation of dask arrays with a progress bar."""
import sys

from hopref.extras import require
from hopref.progress import DELAY

__all__ = ["compute"]


def compute(*arrays):
    """Compute dask arrays together, with a progress bar after two seconds on a terminal.

    Parameters
    ----------
    arrays : dask arrays; on the client of `dask.distributed` if there is one, otherwise on the
        scheduler of dask's configuration

    Returns
    -------
    the array, or a tuple of the arrays

    >>> import dask.array as da
    >>> from hopref import distributed
    >>> distributed.compute(da.arange(3, chunks=2))
    array([0, 1, 2])
    """
    dask = require("dask", extra="dask", caller="distributed.compute")
    shown = sys.stderr is not None and sys.stderr.isatty()
    client = _client()
    if client is not None:
        futures = client.compute(arrays)
        if shown:
            _bar_of(client, futures)
        found = tuple(client.gather(futures))
    elif shown:
        from dask.diagnostics import ProgressBar
        with ProgressBar(minimum=DELAY, out=sys.stderr):
            found = dask.compute(*arrays)
    else:
        found = dask.compute(*arrays)
    return found[0] if len(found) == 1 else found


def _client():
    """The client of `dask.distributed` of this process, or None."""
    distributed = sys.modules.get("distributed")
    if distributed is None:
        return None
    try:
        return distributed.get_client()
    except ValueError:
        return None


def _bar_of(client, futures):
    """Show the progress of futures until they are finished, if that takes long."""
    import distributed
    try:
        distributed.wait(futures, timeout=DELAY)
    except TimeoutError:
        distributed.progress(futures, notebook=False)
        distributed.wait(futures)
        sys.stdout.write("\n")
