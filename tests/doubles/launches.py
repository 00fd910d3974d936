"""What a launch of the substitute for CuPy reads and writes, noted where that is followed."""
import numpy as np

from tests.doubles import streams

__all__ = ["note", "note_call"]


def note(stats, what, read, written):
    """Note a launch, of which some operands may be no arrays."""
    read = [a for a in read if isinstance(a, np.ndarray)]
    streams.require_here(read)
    streams.follow(what, read, written)
    if what != "poisoned":
        stats.add_work(what, read, written)


def note_call(stats, function, args, keywords, result):
    if written := _written(function, args, keywords, result):
        read = [*(args[1:] if function is np.copyto else args),
                *(v for k, v in keywords.items() if k != "out")]
        note(stats, function.__name__.strip("_"), _arrays_in(read), written)


def _arrays_in(args):
    for a in args:
        yield from a if isinstance(a, list | tuple) else (a,)


def _written(function, args, keywords, result):
    """The arrays that a call writes, of which there are none if it returns a view."""
    if function is np.copyto:
        return [args[0]]
    given = {id(streams.memory_of(a)) for a in _arrays_in(args) if isinstance(a, np.ndarray)}
    new = [a for a in (result if isinstance(result, tuple) else (result,))
           if isinstance(a, np.ndarray) and id(streams.memory_of(a)) not in given]
    for a in new:
        streams.placed(streams.memory_of(a))
    return new + [a for a in (keywords.get("out"),) if a is not None]
