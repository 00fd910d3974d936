"""How an operation is served by a kind of parts."""
from collections.abc import Callable
from typing import NamedTuple

__all__ = ["Served"]


class Served(NamedTuple):
    """Along this axis the operation takes chunks; both functions know its arguments by name.

    ``of(**arguments)`` is the state of a chunk, ``value(state, **others)`` the answer, from the
    arguments that have no such axis.
    """
    axis: str
    of: Callable
    value: Callable
