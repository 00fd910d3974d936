"""Errors of the interpreter: texts that it refuses, and faults of the kernels that it runs."""
import functools

__all__ = ["Refused", "Fault", "KernelError", "kind_of_fault"]


class Refused(Exception):
    """The text or the launch contains what the interpreter does not implement."""


class Fault(Exception):
    """A fault of one thread, before the line of the source is known."""

    def __init__(self, kind, what, thread):
        super().__init__(kind, what, int(thread))
        self.kind, self.what, self.thread = kind, what, int(thread)


class KernelError(Exception):
    """A kernel did what a device leaves undefined; ``kind`` names the fault.

    The message begins with the file and the line of the source.
    """

    def __init__(self, instruction, fault, block):
        super().__init__(f"{instruction.at}: {fault.kind}: {fault.what}; thread {fault.thread} of "
                         f"block {block}, {instruction.text}")
        self.kind = fault.kind


def kind_of_fault(examine):
    """Decorate assertions about a kernel: a function that returns what is wrong, "" for nothing."""
    @functools.wraps(examine)
    def found(*args):
        try:
            examine(*args)
        except KernelError as error:
            return error.kind
        except AssertionError:
            return "wrong"
        return ""
    return found
