"""Parts of chunks that are on several CUDA devices.

The part of a chunk is computed on the device of the chunk, to which the arguments that are not
divided are copied once, and is then copied to the current device.  Parts are merged there in the
order of the chunks, so that the bits of a result do not depend on the number of devices.
"""
import contextlib

from hopref.dispatch.namespace import namespace
from hopref.errors import CallError
from hopref.parts.chunks import keywords, positional

__all__ = ["Placement"]


class Placement:
    """The arguments of an operation that are not divided, on each device."""

    def __init__(self, op, divided):
        self.op, self.divided, self.whole, self.arguments = op, divided, {}, {}

    def part(self, from_chunk, args, kwargs):
        """``from_chunk(*args, **kwargs)`` on the device of the chunk, then on the current one."""
        given = dict(zip(self.op.signature.parameters, args, strict=False)) | kwargs
        chunk = _elsewhere([given[k] for k in self.divided])
        part = from_chunk(*args, **kwargs) if chunk is None else \
            self._from_device(namespace(chunk), chunk.device, from_chunk, given)
        self.arguments = part.arguments
        return part

    def _from_device(self, cupy, device, from_chunk, given):
        here = cupy.cuda.Device()
        with device:
            if device.id not in self.whole:
                self.whole[device.id] = _copied(cupy, here, {
                    k: v for k, v in given.items() if k not in self.divided})
            given = given | self.whole[device.id]
            part = from_chunk(*positional(self.op, given), **keywords(self.op, given))
        state, arguments = _copied(cupy, device, (part.state, self.arguments or part.arguments))
        return part._replace(state=state, arguments=arguments)


def _elsewhere(arrays):
    """An array of a chunk that is not on the current device, None if there is none."""
    found = [a for a in arrays if type(a).__module__.partition(".")[0] == "cupy"]
    numbers = sorted({a.device.id for a in found})
    if len(numbers) > 1:
        raise CallError(f"the arrays of a chunk must be on one device; got devices {numbers}")
    here = numbers and namespace(found[0]).cuda.Device().id
    return found[0] if found and numbers != [here] else None


def _copied(cupy, device, value):
    """The value, nested in tuples and dictionaries, with the arrays of a device on the current one.
    """
    with device:
        value = _mapped(value, device, cupy.ascontiguousarray)     # as a copy must be between them
    with _in_order(cupy, device):
        return _mapped(value, device, lambda a: a.copy())


def _mapped(value, device, function):
    if isinstance(value, dict):
        return {k: _mapped(v, device, function) for k, v in value.items()}
    if isinstance(value, tuple):
        fields = [_mapped(v, device, function) for v in value]
        return type(value)(*fields) if hasattr(value, "_fields") else tuple(fields)
    there = getattr(value, "device", None) == device
    return function(value) if there else value


@contextlib.contextmanager
def _in_order(cupy, device):
    """The current stream begins the work of the block after that of a device, which then waits for
    it: memory of the device that is freed may be used again."""
    with device:
        there, ready = cupy.cuda.get_current_stream(), cupy.cuda.Event(disable_timing=True)
        ready.record(there)
    here, copied = cupy.cuda.get_current_stream(), cupy.cuda.Event(disable_timing=True)
    here.wait_event(ready)
    yield
    copied.record(here)
    with device:
        there.wait_event(copied)
