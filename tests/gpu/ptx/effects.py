"""What an instruction does to registers, memory, clocks and places of the threads that run it."""
import functools
import operator
import re

import numpy as np

from tests.gpu.ptx import scheduling
from tests.gpu.ptx.errors import Fault, Refused
from tests.gpu.ptx.operations import TYPES, operation
from tests.gpu.ptx.parse import SIZES

__all__ = ["effect_of", "ends_segment", "mask_of"]

_CONTROL = {"bra", "ret", "exit"}
_EXTENDED = {"u8": "u16", "b8": "b16"}       # bytes, which are loaded to wider registers
_ADDRESS = re.compile(r"\[\s*([%$\w]+)\s*(?:\+\s*(-?\w+))?\s*\]$")


def effect_of(state, instruction):
    """A function of the threads that run the instruction; `Refused` where none is known."""
    if instruction.guard:
        state.value(instruction.guard, "pred")
        if mask_of(instruction) is not None:
            raise Refused(f"{instruction.at}: {instruction.text}")
    if instruction.name in _CONTROL or _is_barrier(instruction):
        return _control(state, instruction)
    if instruction.name in ("ld", "st"):
        return _access(state, instruction)
    if instruction.name == "shfl":
        return _shuffle(state, instruction)
    if instruction.name == "bar" and instruction.modifiers == ("warp", "sync"):
        return functools.partial(_warp_barrier, state, state.value(instruction.operands[0], "b32"))
    if instruction[:3] == ("trap", (), ()):
        return _trap
    if instruction.name == "mov" and "{" in instruction.operands[0] + instruction.operands[1]:
        return _halves(state, instruction)
    return _calculation(state, instruction)


def _calculation(state, instruction):
    function, gives, takes = operation(instruction)
    result = state.value(instruction.operands[0], gives)
    operands = [state.value(text, kind) for text, kind in zip(instruction.operands[1:], takes)]

    def run(threads):
        if len(threads) == state.threads:
            result[:] = function(*operands)
        else:
            result[threads] = function(*[a[threads] if a.ndim else a for a in operands])
    return run


def _halves(state, instruction):
    """A register of 64 bits from two of 32, or the reverse; "_" drops a half."""
    if instruction.modifiers != ("b64",):
        raise Refused(f"{instruction.at}: {instruction.text}")
    apart = instruction.operands[0].startswith("{")
    pair = instruction.operands[0 if apart else 1].strip("{}").split(",")
    halves = [state.value(text.strip(), "b32") if text.strip() != "_" else None for text in pair]
    whole = np.atleast_1d(state.value(instruction.operands[1 if apart else 0], "b64"))
    words = whole.view(np.uint32).reshape(-1, 2)

    def run(threads):
        for k, half in enumerate(halves):
            if apart and half is not None:
                half[threads] = words[threads if len(words) > 1 else 0, k]
            elif not apart:
                words[threads, k] = _of(half, threads)
    return run


def _trap(threads):
    """What a `CHECK` of the source ends with."""
    raise Fault("trap", "an index is beyond the extent of its row", threads[0])


# ---- memory -------------------------------------------------------------------------------------

def _access(state, instruction):
    *modifiers, kind = instruction.modifiers
    count = int(modifiers.pop()[1]) if modifiers and modifiers[-1] in ("v2", "v4") else 1
    space = modifiers[0] if modifiers else ""
    constant = instruction.name == "ld" and modifiers == ["global", "nc"]
    known = kind in TYPES or kind in _EXTENDED and instruction.name == "ld"
    if not known or not constant and (
            len(modifiers) != 1 or space not in ("global", "shared", "param")):
        raise Refused(f"{instruction.at}: {instruction.text}")
    where = instruction.operands[1 if instruction.name == "ld" else 0]
    address = _ADDRESS.match(where)
    if address is None:
        raise Refused(f"{instruction.at}: address {where}")
    held = _EXTENDED.get(kind, kind) if instruction.name == "ld" else kind
    given = instruction.operands[0 if instruction.name == "ld" else 1]
    names = [name.strip() for name in given.strip("{}").split(",")]
    if len(names) != count or (count > 1) != given.startswith("{") or count > 1 and (
            space == "param" or kind in _EXTENDED):
        raise Refused(f"{instruction.at}: {instruction.text}")
    registers = [state.value(name, held) for name in names]
    if space == "param":
        return _parameter(state, instruction, registers[0], address[1], kind)
    short = space == "shared" and state.width(address[1]) == 4
    base = state.value(address[1], "b32" if short else "b64")
    offset = np.uint64(int(address[2] or "0", 0) % 2**64)
    memory = operator.attrgetter("shared" if space == "shared" else "arrays")   # of this launch
    number = np.dtype(TYPES.get(kind, np.uint8))
    size = count * number.itemsize

    def accessed(threads):
        """The addresses of all numbers, and their threads; vectors are aligned to their size."""
        at = _of(base, threads).astype(np.uint64) + offset
        at = at if base.ndim else np.full(threads.shape, at)
        if count > 1 and (at % np.uint64(size)).any():
            wrong = np.argmax(at % np.uint64(size) != 0)
            raise Fault("misaligned vector", f"{size} bytes at {at[wrong]}", threads[wrong])
        if state.traffic is not None:
            state.traffic.add(space, instruction.at, at, size, threads)
        if count == 1:
            return at, threads
        within = np.uint64(number.itemsize) * np.arange(count, dtype=np.uint64)
        return (at + within[:, None]).ravel(), np.tile(threads, count)

    def load(threads):
        at, each = accessed(threads)
        values = memory(state).load(at, number, each, state.clock, constant)
        for register, value in zip(registers, values.reshape(count, -1)):
            register[threads] = value

    def store(threads):
        values = np.concatenate([np.broadcast_to(_of(register, threads), threads.shape)
                                 for register in registers])
        at, each = accessed(threads)
        memory(state).store(at, values, each, state.clock)
    return load if instruction.name == "ld" else store


def _parameter(state, instruction, register, name, kind):
    given = state.kernel.parameters.get(name)
    if instruction.name != "ld" or given is None or SIZES[given] != SIZES[kind]:
        raise Refused(f"{instruction.at}: {instruction.text}")

    def run(threads):
        register[threads] = state.parameters[name].view(TYPES[kind])
    return run


# ---- warps --------------------------------------------------------------------------------------

def _shuffle(state, instruction):
    """Values of other lanes; to read a lane that does not take part is a fault."""
    modifiers, operands = instruction.modifiers, instruction.operands
    if len(modifiers) != 3 or modifiers[0] != "sync" or modifiers[2] != "b32" \
            or modifiers[1] not in ("up", "down", "bfly", "idx") or len(operands) != 5:
        raise Refused(f"{instruction.at}: {instruction.text}")
    first, _, valid = operands[0].partition("|")
    result, given = state.value(first, "b32"), state.value(operands[1], "b32")
    valid = state.value(valid, "pred") if valid else None
    by, limits, mask = (state.value(text, "b32") for text in operands[2:])

    def run(threads):
        source, within = _sources(modifiers[1], threads.tobytes(), *(
            _of(operand, threads).tobytes() for operand in (by, limits, mask)))
        result[threads] = _of(given, source)
        if valid is not None:
            valid[threads] = within
    return run


@functools.lru_cache(maxsize=1024)
def _sources(mode, *given):
    """The threads that threads read, and which of these are in range; none may be absent."""
    threads, by, limits, mask = (np.frombuffer(a, kind) for a, kind in zip(
        given, (np.int64, np.uint32, np.uint32, np.uint32)))
    source, within = _source(mode, threads, by, limits)
    missing = ~np.isin(source, threads) | (mask.astype(int) >> source % 32 & 1 == 0)
    if missing.any():
        raise Fault("shuffle from a lane that takes no part",
                    f"lane {source[np.argmax(missing)] % 32}", threads[np.argmax(missing)])
    return source, within


def _source(mode, threads, by, limits):
    """The thread that each thread reads, itself where that is out of range; which are in range."""
    lane, by, limits = threads % 32, (by & 31).astype(int), limits.astype(int)
    segment = limits >> 8 & 31
    low, high = lane & segment, lane & segment | limits & 31 & ~segment
    source = {"up": lane - by, "down": lane + by, "bfly": lane ^ by,
              "idx": low | by & ~segment}[mode]
    within = source >= high if mode == "up" else source <= high
    return threads - lane + np.where(within, source, lane), within


def _warp_barrier(state, masks, threads):
    """Each thread learns the clocks of those that its mask names."""
    known = state.clock.known
    masks = np.broadcast_to(masks, state.threads)[threads]
    for warp in np.unique(threads // 32):
        for mask in np.unique(masks[threads // 32 == warp]):
            group = threads[(threads // 32 == warp) & (masks == mask)]
            known[group] = known[group].max(axis=0)
            known[group, group % 32] += 1


# ---- control ------------------------------------------------------------------------------------

def _control(state, instruction):
    """Branches, exits and barriers of the block; a barrier under a condition is refused."""
    barrier = _is_barrier(instruction)
    known = instruction.operands == ("0",) and not instruction.guard if barrier else \
        instruction.modifiers in ((), ("uni",))
    if instruction.name == "bra":
        known &= instruction.operands[0] in state.kernel.labels
    if not known:
        raise Refused(f"{instruction.at}: {instruction.text}")
    if instruction.name == "bra":
        target = state.segment_at[state.kernel.labels[instruction.operands[0]]]
        return lambda threads: state.schedule.move(threads, target)
    stopped = scheduling.AT_BARRIER if barrier else scheduling.EXITED
    return lambda threads: state.schedule.stop(threads, stopped)


def ends_segment(instruction):
    """Whether threads may go on to different places, or wait, after the instruction."""
    return instruction.name in _CONTROL or _is_barrier(instruction) \
        or mask_of(instruction) is not None


def mask_of(instruction):
    """The operand that names the lanes which must arrive together, or None."""
    if instruction.name == "shfl":
        return instruction.operands[-1]
    return instruction.operands[0] if instruction.modifiers == ("warp", "sync") else None


def _is_barrier(instruction):
    """Whether it is a barrier of the whole block."""
    return instruction.name in ("bar", "barrier") and instruction.modifiers == ("sync",)


def _of(operand, at):
    return operand[at] if operand.ndim else operand
