"""array_api_extra: none of its functions is an operation of hopref."""
from hopref.check.peers.peer import Uncovered

__all__ = ["UNCOVERED"]

UNCOVERED = (
    Uncovered("array_api_extra", "array_api_extra",
              "none of its functions is an operation of hopref"),
)
