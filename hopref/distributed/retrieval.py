"""Retrieval of states from patterns in the blocks of a dask array."""
import numpy as np

from hopref.dispatch.domains import count, nonnegative
from hopref.distributed.computation import compute
from hopref.distributed.graph import apply
from hopref.dynamics.iteration import iterate
from hopref.errors import CallError, naming

__all__ = ["retrieve"]


def retrieve(update, xi, /, *memory, tol=1e-12, max_steps=1000, split_every=2, persist=True,
             **params):
    """Update every state until it converges, cycles, or reaches ``max_steps``.

    Source: blog, below eq. (2), and Ramsauer et al. 2021, eq. (3) [MH-7].

    Parameters
    ----------
    update : an operation with parts that maps states to states, such as ``modern.update``
    xi : (..., d) NumPy array of states
    memory : the other operands, such as a dask array X of patterns
    tol : a state stops with reason "tolerance" when max|change| <= tol * max|state|; 0 disables
        this test
    max_steps : maximum number of updates
    split_every : number of consecutive parts that are merged at each node of the tree
    persist : bool, whether the blocks of the patterns are kept in the memory of the workers; False
        for patterns that do not fit, which are then made or read for each step
    params : options of the operation, such as ``beta=25.0``

    Returns
    -------
    hopref.dynamics.Retrieval; the energies are None if the energy of the rule has no parts

    Raises
    ------
    CallError : the operation has no parts, or does not map states to states

    Notes
    -----
    The result has the same bits whatever the number of workers.  A state is updated together with
    the others that have not stopped, and may have other last bits alone.

    >>> import dask.array as da
    >>> from hopref import distributed, modern
    >>> X = da.from_array([[1.0, 1.0], [-1.0, 1.0], [1.0, -1.0]], chunks=(2, 2))
    >>> run = distributed.retrieve(modern.update, [0.9, 0.7], X, beta=16.0)
    >>> run.states, str(run.reason)
    (array([1., 1.]), 'fixed_point')
    """
    with naming("hopref.distributed.retrieve"):
        tol, max_steps = nonnegative.validate("tol", tol), count.validate("max_steps", max_steps)
        first = next(iter(getattr(update, "arrays", {}).values()), None)
        if first is None or update.outputs != (first,) or first[:1] != ("...",):
            raise CallError("update must be an operation that maps states to states; got "
                            f"{getattr(update, 'name', update)!r}")
    start = np.asarray(xi, float)
    apply(update, start, *memory, split_every=split_every, **params)       # validates
    if persist:
        memory = [m.persist() if hasattr(m, "persist") else m for m in memory]

    def at(op, states, given):
        y = compute(apply(op, states[:, 0, :], *memory, split_every=split_every, **given))
        return y[:, None]
    lowered = update.lowers[0] if update.lowers and update.lowers[0].parts else None
    known = {k: v for k, v in params.items() if lowered and k in lowered.signature.parameters}
    return iterate(lambda active, t: at(update, active, params),
                   (lambda states: at(lowered, states, known)) if lowered else None,
                   start, tol=tol, max_steps=max_steps)
