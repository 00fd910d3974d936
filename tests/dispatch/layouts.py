"""The same values in other memory."""
import numpy as np


def strided(a):
    wide = np.zeros([2 * n for n in a.shape], a.dtype)
    view = wide[(..., *(slice(None, None, 2) for _ in a.shape))]
    view[...] = a
    return view


def reversed_(a):
    back = tuple(slice(None, None, -1) for _ in a.shape)
    return np.array(a[back], order="C")[back]


def in_rows(a):
    return list(a) if a.ndim else a.item()


def in_tuples(a):
    if a.ndim == 0:
        return a.item()
    return tuple(map(tuple, a.tolist())) if a.ndim == 2 else tuple(a.tolist())


def read_only(a):
    a = a.copy()
    a.flags.writeable = False
    return a


def unaligned(a):
    return np.frombuffer(b"\0" + a.tobytes(), a.dtype, offset=1).reshape(a.shape)


class Tagged(np.ndarray):
    """A subclass that overrides nothing."""


LAYOUTS = {
    "F order": lambda a: np.array(a, order="F"),
    "strided": strided,
    "negative strides": reversed_,
    "read-only": read_only,
    "other byte order": lambda a: a.astype(a.dtype.newbyteorder()),
    "not aligned": unaligned,
    "a subclass": lambda a: a.view(Tagged),
    "lists": lambda a: a.tolist(),
    "rows of arrays": in_rows,
    "tuples": in_tuples,
}
SEQUENCES = {"lists", "rows of arrays", "tuples"}
