"""Declaration of the operations whose results can be computed from chunks."""
from collections.abc import Callable
from typing import NamedTuple

__all__ = ["Chunked"]


class Chunked(NamedTuple):
    """How a kind of parts computes an operation.

    Attributes
    ----------
    axis : name of the axis along which the arguments are divided
    from_chunk : ``from_chunk(**arguments)`` returns the state of a chunk
    value : ``value(state, **arguments)`` returns the result, from the state and from the arguments
        without this axis
    """
    axis: str
    from_chunk: Callable
    value: Callable
