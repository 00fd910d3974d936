"""What goes over the pipe to a candidate: lengths, a JSON header, arrays as npy, never a pickle.

An operation of hopref travels by its name, and arrives as the operation.
"""
import io
import json
import struct

import numpy as np
from numpy.lib import format as npy

from hopref.dispatch.operation import load

__all__ = ["send", "receive", "packed", "unpacked", "LIMIT"]

LIMIT = 2**30       # bytes in one message; more is no honest answer


def send(stream, header, arrays=()):
    """Write one message."""
    body = io.BytesIO()
    for a in arrays:
        npy.write_array(body, np.asanyarray(a), allow_pickle=False)
    text = json.dumps(header).encode()
    stream.write(struct.pack(">II", len(text), body.tell()) + text + body.getvalue())
    stream.flush()


def receive(stream):
    """Read one message: header and arrays.  EOFError at the end, ValueError for anything odd."""
    text_size, body_size = struct.unpack(">II", exactly(stream, 8))
    if text_size + body_size > LIMIT:
        raise ValueError(f"a message of {text_size + body_size} bytes")
    header = json.loads(exactly(stream, text_size))
    body, arrays = io.BytesIO(exactly(stream, body_size)), []
    while body.tell() < body_size:
        arrays.append(npy.read_array(body, allow_pickle=False))
    return header, arrays


def exactly(stream, size):
    parts = b""
    while len(parts) < size:
        part = stream.read(size - len(parts))
        if not part:
            raise EOFError
        parts += part
    return parts


def packed(args, kwargs):
    """Arguments as JSON with references to a list of arrays."""
    arrays = []

    def pack(v):
        if isinstance(v, np.ndarray):
            arrays.append(v)
            return {"array": len(arrays) - 1}
        if callable(v):
            name = getattr(v, "name", "")
            if load().get(name) is not v:
                raise TypeError(f"{v!r} cannot be sent to another process")
            return {"operation": name}
        if isinstance(v, (tuple, list)):
            return [pack(x) for x in v]
        return v.item() if isinstance(v, np.generic) else v
    message = {"args": [pack(a) for a in args], "kwargs": {k: pack(v) for k, v in kwargs.items()}}
    return message, arrays


def unpacked(message, arrays):
    """The inverse of `packed`; sequences come back as tuples."""
    def unpack(v):
        if isinstance(v, dict):
            return load()[v["operation"]] if "operation" in v else arrays[v["array"]]
        return tuple(map(unpack, v)) if isinstance(v, list) else v
    kwargs = {k: unpack(v) for k, v in message["kwargs"].items()}
    return [unpack(a) for a in message["args"]], kwargs
