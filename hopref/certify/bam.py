"""The bidirectional associative memory, by exact comparison of fields.  Reference: Kosko 1988."""
from hopref.certify.balls import dot
from hopref.certify.classical import signs

__all__ = ["energy", "forward", "backward"]


def energy(y, x, W):
    return -dot(y, x @ W.T)


def forward(y, x, W, *, ties):
    return signs(x @ W.T, y, ties)


def backward(x, y, W, *, ties):
    return signs(y @ W, x, ties)
