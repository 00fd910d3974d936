"""The process that runs a candidate, ``python -m hopref.check.engine.worker``.

The messages use the original standard input and output, which are replaced by the null device for
the candidate, so that a candidate that reads or prints cannot corrupt the messages.
"""
import os
import sys
from dataclasses import asdict, replace

from hopref.check.engine import wire
from hopref.check.engine.candidate import Outcome, observe
from hopref.check.peers.adapters import bound
from hopref.check.peers.conventions import convention_from
from hopref.check.peers.targets import imported

__all__ = ["main"]


def main():
    """Load the candidate of the first message, then process calls until the pipe is closed."""
    ask, answer = os.fdopen(os.dup(0), "rb"), os.fdopen(os.dup(1), "wb")
    nothing = os.open(os.devnull, os.O_RDWR)
    os.dup2(nothing, 0)
    os.dup2(nothing, 1)
    greeting, _ = wire.receive(ask)
    candidate, failed = None, observe(lambda: load(greeting), (), {})
    if not failed.failure or failed.failure == "wrong type":
        candidate, failed = load(greeting), Outcome()
    wire.send(answer, header(failed))
    while candidate is not None:
        try:
            message, arrays = wire.receive(ask)
        except EOFError:
            return
        outcome = observe(candidate, *wire.unpacked(message, arrays), message["layout"])
        values = outcome.values
        never = getattr(getattr(candidate, "passed", None), "never", [])
        wire.send(answer, header(outcome) | {"never_passed": never}, values)


def header(outcome):
    """The fields of an outcome that can be written as JSON."""
    return asdict(replace(outcome, values=(), returned=None))


def load(greeting):
    """The candidate as a callable with the signature of the op."""
    if greeting["here"]:
        sys.path.insert(0, os.getcwd())
    convention = convention_from(greeting["like"], greeting["convention"])
    return bound(imported(greeting["target"]), greeting["like"], convention,
                 greeting["adapter"])


if __name__ == "__main__":
    main()
