"""The door for functions that are no operations: refusals in the function's own name."""
import contextlib

from hopref.errors import HoprefError

__all__ = ["admitted", "named"]


def admitted(op, name, *args, **kwargs):
    """The operands as ``op`` admits them; what it refuses, ``theory.<name>`` refuses."""
    try:
        return op.enter(*args, **kwargs).args
    except HoprefError as error:
        _, _, said = str(error).partition(": ")
        raise type(error)(f"hopref.theory.{name}: {said}") from None


@contextlib.contextmanager
def named(name):
    """What a domain refuses in here, ``theory.<name>`` refuses."""
    try:
        yield
    except HoprefError as error:
        raise type(error)(f"hopref.theory.{name}: {error}.") from None
