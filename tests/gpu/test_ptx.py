"""The interpreter finds each fault, in every order of threads, and computes what PTX prescribes."""
import numpy as np
import pytest

from tests.gpu.ptx.errors import KernelError, Refused
from tests.gpu.ptx.launch import launch
from tests.gpu.ptx.parse import parse

THREADS = 64
ORDERS = ["together", "last", 1, 2]
orders = pytest.mark.parametrize("order", ORDERS)

# %rd1 and %rd2 are the addresses of this thread in x and y, %rd3 that in shared memory, %r1 its
# number, %r2 its lane; %p1 holds in the first warp, and %p2 in the first thread.
BEGINNING = """
.visible .entry f(.param .u64 x, .param .u64 y, .param .f32 factor)
{
    .reg .pred %p<9>;  .reg .b16 %rs<9>;  .reg .b32 %r<9>;
    .reg .b64 %rd<9>;  .reg .f32 %f<9>;  .reg .f64 %fd<9>;
    .shared .align 4 .b8 memory[256];
    ld.param.u64 %rd1, [x];
    ld.param.u64 %rd2, [y];
    mov.u32 %r1, %tid.x;
    and.b32 %r2, %r1, 31;
    setp.lt.u32 %p1, %r1, 32;
    setp.eq.s32 %p2, %r1, 0;
    mul.wide.u32 %rd4, %r1, 4;
    add.s64 %rd1, %rd1, %rd4;
    add.s64 %rd2, %rd2, %rd4;
    mov.u64 %rd3, memory;
    add.s64 %rd3, %rd3, %rd4;
    ld.global.f32 %f1, [%rd1];
    .loc 1 77 5
"""
END = '\n ret;\n}\n.file 1 "/somewhere/toy.cu"\n'


def run(body, order="together", x=None, grid=1, blocks="ascending"):
    """What the statements of ``body`` make of an array of zeros."""
    x = np.arange(THREADS, dtype=np.float32) if x is None else x
    y = np.zeros(THREADS, np.float32)
    launch(parse(BEGINNING + body + END)["f"], (grid,), (THREADS,), (x, y, np.float32(2.0)),
           order=order, blocks=blocks)
    return y


# ---- faults -------------------------------------------------------------------------------------

FILL = "st.shared.f32 [%rd3], %f1; bar.sync 0;"
FAULTS = {
    "a load beyond an array": ("ld.global.f32 %f2, [%rd1+4];", "out of bounds"),
    "a load before an array": ("ld.global.f32 %f2, [%rd1+-4];", "out of bounds"),
    "a store beyond an array": ("st.global.f32 [%rd2+4], %f1;", "out of bounds"),
    "a load beyond shared memory": (
        "st.shared.f32 [%rd3], %f1; bar.sync 0; ld.shared.f32 %f2, [%rd3+4];", "out of bounds"),
    "a load of half an element": ("ld.global.f64 %fd1, [%rd1];", "wrong width"),
    "a load between two elements": ("ld.global.f32 %f2, [%rd1+2];", "wrong width"),
    "a load of shared memory that was not written": (
        "ld.shared.f32 %f2, [%rd3];", "uninitialised read"),
    "no barrier between a store and a load": (
        FILL + "st.shared.f32 [%rd3], %f1; @%p1 ld.shared.f32 %f2, [%rd3+4];",
        "data race, read after write"),
    "a barrier of warps between accesses of two warps": (
        FILL + "st.shared.f32 [%rd3], %f1; bar.warp.sync -1; xor.b64 %rd5, %rd3, 128; "
        "ld.shared.f32 %f2, [%rd5];", "data race, read after write"),
    "no barrier between a load and the next store": (
        FILL + "xor.b64 %rd5, %rd3, 4; ld.shared.f32 %f2, [%rd5]; "
        "st.shared.f32 [%rd3], %f2;", "data race, write after read"),
    "two stores to one place": (
        "st.global.f32 [%rd2], %f1; xor.b64 %rd5, %rd2, 4; st.global.f32 [%rd5], %f1;",
        "data race, write after write"),
    "all threads store at once": (
        "mov.u64 %rd3, memory; st.shared.f32 [%rd3], %f1;", "data race"),
    "a constant load of what was written": (
        "st.global.f32 [%rd1], %f1; ld.global.nc.f32 %f2, [%rd1];",
        "ld.global.nc of written memory"),
    "a store to what is loaded as a constant": (
        "ld.global.nc.f32 %f2, [%rd1]; st.global.f32 [%rd1], %f2;",
        "ld.global.nc of written memory"),
    "threads that exit before a barrier": ("@%p1 ret; bar.sync 0;", "divergent barrier"),
    "two different barriers": (
        "@%p1 bra $L; bar.sync 0; bra $M; $L: bar.sync 0; $M: add.s32 %r3, %r1, 1;",
        "divergent barrier"),
    "one lane at a barrier of its warp": (
        "@%p2 bra $L; bar.sync 0; bra $M; $L: bar.warp.sync -1; $M: add.s32 %r3, %r1, 1;",
        "divergent warp"),
    "a mask without the lane itself": ("bar.warp.sync 1;", "mask of a warp"),
    "a shuffle from an exited lane": (
        "@%p2 ret; shfl.sync.idx.b32 %f2, %f1, 0, 31, -1;", "shuffle from a lane"),
    "a shuffle from a lane outside of the mask": (
        "setp.lt.u32 %p3, %r2, 16; @!%p3 bra $L; shfl.sync.bfly.b32 %f2, %f1, 16, 31, 65535; "
        "$L: add.s32 %r3, %r1, 1;", "shuffle from a lane"),
    "an endless loop": ("$L: bra $L;", "endless loop"),
    "a trap": ("@%p2 trap;", "trap"),
}
RACES = [name for name, (_, kind) in FAULTS.items() if kind.startswith("data race")]


@pytest.mark.parametrize("name", [name for name in FAULTS if name not in RACES])
def test_each_fault_is_found_and_names_the_line_of_the_source(name, monkeypatch):
    monkeypatch.setattr("tests.gpu.ptx.scheduling.MOST_STEPS", 1000)
    body, kind = FAULTS[name]
    with pytest.raises(KernelError, match=r"^toy\.cu:77: ") as caught:
        run(body)
    assert caught.value.kind.startswith(kind), caught.value


@orders
@pytest.mark.parametrize("name", RACES)
def test_a_race_is_found_in_every_order_of_threads(name, order):
    """The order decides only which of the two accesses comes second."""
    with pytest.raises(KernelError) as caught:
        run(FAULTS[name][0], order)
    assert caught.value.kind.startswith("data race")


BETWEEN_BLOCKS = {
    "both write": "st.global.f32 [%rd2], %f1;",
    "one reads what the other writes":
        "mov.u32 %r3, %ctaid.x; setp.eq.s32 %p3, %r3, 0; @%p3 ld.global.f32 %f2, [%rd2]; "
        "@!%p3 st.global.f32 [%rd2], %f1;",
}


@pytest.mark.parametrize("blocks", ["ascending", "descending", 0])
@pytest.mark.parametrize("body", BETWEEN_BLOCKS.values(), ids=BETWEEN_BLOCKS)
def test_a_race_between_blocks_is_found_in_every_order_of_blocks(body, blocks):
    with pytest.raises(KernelError, match="data race"):
        run(body, grid=2, blocks=blocks)


def test_times_of_many_blocks_are_in_range():
    """More than 2^31 / 2^20 of them."""
    loop = "mov.u32 %r3, 0; $L: bar.sync 0; add.s32 %r3, %r3, 1; setp.lt.u32 %p3, %r3, 2050; " \
        "@%p3 bra $L; ld.shared.f32 %f2, [%rd3];"
    run("st.shared.f32 [%rd3], %f1;" + loop)
    with pytest.raises(KernelError, match="data race, write after read"):
        run(FILL + loop + "xor.b64 %rd5, %rd3, 4; st.shared.f32 [%rd5], %f2;")


ORDERED = {
    "a barrier of the block":
        "st.shared.f32 [%rd3], %f1; bar.sync 0; xor.b64 %rd5, %rd3, 128; "
        "ld.shared.f32 %f2, [%rd5]; bar.sync 0; st.shared.f32 [%rd3], %f2;",
    "a barrier of a warp":
        "st.shared.f32 [%rd3], %f1; bar.warp.sync -1; xor.b64 %rd5, %rd3, 64; "
        "ld.shared.f32 %f2, [%rd5]; bar.warp.sync -1; st.shared.f32 [%rd3], %f2;",
}


@orders
@pytest.mark.parametrize("how", ORDERED)
def test_accesses_that_a_barrier_orders_are_no_race(how, order):
    shift = {"a barrier of the block": 32, "a barrier of a warp": 16}[how]
    y = run(ORDERED[how] + "st.global.f32 [%rd2], %f2;", order)
    assert np.array_equal(y, np.arange(THREADS) ^ shift)


# ---- what is refused ----------------------------------------------------------------------------

UNKNOWN = ["atom.global.add.f32 %f2, [%rd1], %f1;", "add.rz.f32 %f2, %f1, %f1;",
           "add.f16 %f2, %f1, %f1;", "sin.approx.f32 %f2, %f1;", "div.full.f32 %f2, %f1, %f1;",
           "ld.volatile.global.f32 %f2, [%rd1];", "ld.global.v3.f32 {%f2, %f3, %f4}, [%rd1];",
           "bar.sync 1;", "@%p1 bar.sync 0;", "@%p1 bar.warp.sync -1;", "shfl.idx.b32 %f2, %f1, 0;",
           "mov.u32 %r3, %clock;", "cvt.rni.s32.f32 %r3, %f1;", "setp.lt.ftz.f32 %p3, %f1, %f1;",
           "fma.f32 %f2, %f1, %f1, %f1;", "add.s32 %rd4, %r1, 1;", "bra $NOWHERE;", "membar.gl;",
           "shl.wrap.b32 %r3, %r1, 1;", "add.f32 %f2, %f1, 1;", "mad.hi.s32 %r3, %r1, %r1, %r1;",
           "trap.sync;", "mov.u32 %r3, 0fBF800000;", "mov.b64 %rd5, 0fBF800000;"]


@pytest.mark.parametrize("statement", UNKNOWN)
def test_an_unknown_opcode_modifier_or_operand_is_refused(statement):
    with pytest.raises(Refused):
        run(statement)


WRONG_ARGUMENTS = {
    "a Python float": (0, 1, 2.0), "a double": (0, 1, np.float64(2)),
    "an integer for a real number": (0, 1, np.int32(2)), "too few": (0, 1),
    "an array for a number": (0, 1, np.zeros(1, "f4")), "strides": (2, 1, np.float32(2)),
    "arrays that overlap": (0, 3, np.float32(2))}


@pytest.mark.parametrize("name", WRONG_ARGUMENTS)
def test_arguments_that_are_not_exactly_of_the_type_are_refused(name):
    x, y = np.zeros(2 * THREADS, "f4"), np.zeros(THREADS, "f4")
    arrays = {0: x, 1: y, 2: x[::2], 3: x[1:]}
    given = [arrays.get(a) if type(a) is int else a for a in WRONG_ARGUMENTS[name]]
    with pytest.raises(Refused):
        launch(parse(BEGINNING + END)["f"], (1,), (THREADS,), given)


def test_more_threads_than_the_kernel_allows_are_refused():
    text = (BEGINNING + END).replace(")\n{", ")\n.maxntid 32, 1, 1\n{", 1)
    with pytest.raises(Refused, match="at most 32 threads"):
        launch(parse(text)["f"], (1,), (THREADS,), ())


# ---- values -------------------------------------------------------------------------------------

def lanes(f):
    return np.array([f(i) for i in range(THREADS)], np.float32)


SHUFFLES = {
    "bfly.b32 %f2, %f1, 5, 31": lambda i: i ^ 5,
    "idx.b32 %f2, %f1, 3, 31": lambda i: i // 32 * 32 + 3,
    "up.b32 %f2, %f1, 2, 0": lambda i: i - 2 if i % 32 >= 2 else i,
    "down.b32 %f2, %f1, 2, 31": lambda i: i + 2 if i % 32 < 30 else i,
    "down.b32 %f2, %f1, 2, 6175": lambda i: i + 2 if i % 8 < 6 else i,     # segments of 8 lanes
    "bfly.b32 %f2, %f1, 16, 7199": lambda i: i - i % 32 // 16 * 16,        # only downwards
}


@orders
@pytest.mark.parametrize("shuffle", SHUFFLES)
def test_shuffles_read_the_lane_that_the_manual_states(shuffle, order):
    y = run(f"shfl.sync.{shuffle}, -1; st.global.f32 [%rd2], %f2;", order)
    assert np.array_equal(y, lanes(SHUFFLES[shuffle]))


@orders
def test_a_divergent_loop_and_branches_meet_again(order):
    """Thread i adds 2 i times, and then all pass a barrier."""
    y = run("""mov.u32 %r3, 0; mov.f32 %f2, 0f00000000; ld.param.f32 %f3, [factor];
        $L: setp.ge.u32 %p3, %r3, %r1; @%p3 bra $M; add.f32 %f2, %f2, %f3; add.s32 %r3, %r3, 1;
        bra $L; $M: bar.sync 0; st.global.f32 [%rd2], %f2;""", order)
    assert np.array_equal(y, lanes(lambda i: 2 * i))


@pytest.mark.parametrize("statement, value", [
    ("shr.s32 %r3, -8, 1;", 2**32 - 4), ("shr.u32 %r3, -8, 1;", 2**31 - 4),
    ("shl.b32 %r3, 1, 40;", 0), ("shr.s32 %r3, -8, 40;", 2**32 - 1), ("mul.lo.s32 %r3, -3, 5;",
     2**32 - 15), ("mad.lo.s32 %r3, -3, 5, 20;", 5),
    ("mov.b64 {%r3, %r4}, 4294967301;", 5), ("mov.b64 {_, %r3}, 21474836481;", 5),
    ("mov.b32 %r3, 0fBF800000;", 0xBF800000),
    ("mov.b64 %rd5, 0dBFF0000000000000; shr.u64 %rd5, %rd5, 52; cvt.u32.u64 %r3, %rd5;", 0xBFF),
    ("min.s32 %r3, -1, 1;", 2**32 - 1), ("min.u32 %r3, -1, 1;", 1),
    ("cvt.s64.s32 %rd5, -1; shr.u64 %rd5, %rd5, 60; cvt.u32.u64 %r3, %rd5;", 15),
    ("mul.wide.s32 %rd5, -1, 2; cvt.u32.u64 %r3, %rd5;", 2**32 - 2),
    ("mov.u16 %rs1, 40000; mul.wide.u16 %r3, %rs1, 4;", 160000),
    ("add.s64 %rd5, -1, 0; mov.b64 {_, %r3}, %rd5;", 2**32 - 1),
    ("bfi.b32 %r3, 7, -1, 4, 2;", 2**32 - 1), ("bfi.b32 %r3, 4, -1, 4, 2;", 2**32 - 1 - 48),
    ("bfi.b32 %r3, -1, 5, 30, 9;", 2**32 - 2**30 + 5), ("bfi.b32 %r3, 9, 5, 32, 4;", 5),
    ("bfi.b32 %r3, 9, 5, 0, 32;", 9), ("bfi.b32 %r3, 9, 5, 4, 256;", 5),
    ("bfi.b64 %rd5, 3, 1, 32, 32; shr.u64 %rd5, %rd5, 32; cvt.u32.u64 %r3, %rd5;", 3),
    ("mov.u16 %rs1, 1027; cvt.u32.u8 %r3, %rs1;", 3),
    ("mov.u16 %rs1, -1; setp.lt.s16 %p3, %rs1, 0; selp.b32 %r3, 7, 8, %p3;", 7)])
def test_integer_operations(statement, value):
    y = run(statement + "mov.b32 %f2, %r3; st.global.f32 [%rd2], %f2;")
    assert np.all(y.view(np.uint32) == value)


NAN, INF = "0f7FC00000", "0f7F800000"


@pytest.mark.parametrize("comparison, expected", [
    (f"lt.f32 %p3, {NAN}, %f1", 0), (f"ltu.f32 %p3, {NAN}, %f1", 1), (f"ne.f32 %p3, {NAN}, %f1", 0),
    (f"neu.f32 %p3, {NAN}, %f1", 1), (f"geu.f32 %p3, {NAN}, %f1", 1), ("lt.s32 %p3, -1, 0", 1),
    ("lt.u32 %p3, -1, 0", 0), (f"num.f32 %p3, %f1, {NAN}", 0), ("num.f32 %p3, %f1, %f1", 1),
    (f"nan.f32 %p3, {NAN}, %f1", 1), ("nan.f32 %p3, %f1, %f1", 0), (f"lt.f32 %p3, %f1, {INF}", 1)])
def test_comparisons(comparison, expected):
    y = run(f"setp.{comparison}; selp.f32 %f2, 0f3F800000, 0f00000000, %p3; "
            "st.global.f32 [%rd2], %f2;")
    assert np.all(y == expected)


def test_conversions_between_formats_round_to_nearest():
    y = run("cvt.f64.f32 %fd1, %f1; add.f64 %fd1, %fd1, 0d3E80000000000000; "      # 2^-23
            "cvt.rn.f32.f64 %f2, %fd1; st.global.f32 [%rd2], %f2;")
    x = np.arange(THREADS)
    assert np.array_equal(y, (x + 2.0**-23).astype(np.float32)) and y[1] > 1 and y[3] == 3
    y = run("cvt.rn.f64.u64 %fd1, 18014398509481987; mul.f64 %fd1, %fd1, 0d3CA0000000000000; "
            "rcp.rn.f64 %fd1, %fd1; cvt.rn.f32.f64 %f2, %fd1; st.global.f32 [%rd2], %f2;")
    assert np.all(y == np.float32(0.5))             # of 2^54 + 3 times 2^-53
    assert np.array_equal(run("cvt.rn.f32.s32 %f2, %r1;" + STORE), x)
    for refused in "cvt.f32.f64 %f2, %fd1;", "cvt.rz.f32.f64 %f2, %fd1;", "cvt.f64.u64 %fd1, 1;":
        with pytest.raises(Refused):
            run(refused)


STORE = "st.global.f32 [%rd2], %f2;"


def test_numbers_are_rounded_to_whole_ones_and_to_integers():
    x = np.resize(np.float32([2.5, -0.5, 3.5, -2.7, 3e9, -3e9, np.nan, np.inf]), THREADS)
    assert np.array_equal(run("cvt.rni.f32.f32 %f2, %f1;" + STORE, x=x), np.rint(x), equal_nan=True)
    assert np.array_equal(run("cvt.rzi.f32.f32 %f2, %f1;" + STORE, x=x), np.trunc(x),
                          equal_nan=True)
    top = 2**31 - 1
    y = run("cvt.rzi.s32.f32 %r3, %f1; mov.b32 %f2, %r3;" + STORE, x=x).view(np.int32)
    assert list(y[:8]) == [2, 0, 3, -2, top, -top - 1, 0, top]
    y = run("cvt.f64.f32 %fd1, %f1; cvt.rzi.s64.f64 %rd5, %fd1; shr.s64 %rd5, %rd5, 32; "
            "cvt.u32.u64 %r3, %rd5; mov.b32 %f2, %r3;" + STORE, x=np.float32(2)**31 * x)
    low = [1, -1, 1, -2, 3 * 10**9 // 2, -3 * 10**9 // 2, -top - 1, top]
    assert list(y.view(np.int32)[:8]) == low


def test_a_near_reciprocal_has_20_bits():
    x = np.arange(1, THREADS + 1, dtype=np.float32)
    y = run("cvt.f64.f32 %fd1, %f1; rcp.approx.ftz.f64 %fd1, %fd1; cvt.rn.f32.f64 %f2, %fd1;"
            + STORE, x=x)
    assert np.all(np.abs(x * y - 1) < 2.0**-20) and np.any(x * y != 1)
    y = run("cvt.f64.f32 %fd1, %f1; mul.f64 %fd1, %fd1, 0d0010000000000000; "      # 2^-1022
            "rcp.approx.ftz.f64 %fd1, %fd1; cvt.rn.f32.f64 %f2, %fd1;" + STORE, x=x / 2)
    assert y[0] == np.inf                       # of a subnormal number


def test_modifiers_flush_and_saturate():
    tiny = np.full(THREADS, 1e-39, np.float32)
    assert np.all(run("add.f32 %f2, %f1, %f1;" + STORE, x=tiny) == np.float32(1e-39) * 2)
    assert np.all(run("add.ftz.f32 %f2, %f1, %f1;" + STORE, x=tiny) == 0)
    assert np.all(run("ex2.approx.ftz.f32 %f2, %f1;" + STORE, x=tiny) == 1)
    y = run("cvt.sat.f32.f32 %f2, %f1;" + STORE, x=np.resize(np.float32([-1, 0.5, 2, np.nan]), 64))
    assert np.array_equal(y[:4], [0, 0.5, 1, 0])


def test_an_address_of_shared_memory_may_have_32_bits():
    y = run("cvt.u32.u64 %r3, %rd3; st.shared.f32 [%r3], %f1; bar.sync 0;"
            "ld.shared.f32 %f2, [%rd3]; st.global.f32 [%rd2], %f2;")
    assert np.array_equal(y, np.arange(THREADS))
    with pytest.raises(KernelError, match="out of bounds"):
        run("cvt.u32.u64 %r3, %rd3; st.shared.f32 [%r3+4], %f1;")
    with pytest.raises(Refused):
        run("cvt.u32.u64 %r3, %rd1; ld.global.f32 %f2, [%r3];")


def test_vectors_are_loaded_and_stored_in_order_at_multiples_of_their_size():
    y = run("xor.b64 %rd5, %rd3, 4; st.shared.f32 [%rd3], %f1; bar.sync 0;"
            "and.b64 %rd5, %rd3, -16; ld.shared.v4.f32 {%f2, %f3, %f4, %f5}, [%rd5];"
            "sub.f32 %f2, %f5, %f2; sub.f32 %f3, %f4, %f3; fma.rn.f32 %f2, %f3, %f3, %f2;"
            "st.global.f32 [%rd2], %f2;")
    assert np.array_equal(y, np.full(THREADS, 4.0))
    stored = run("shr.u32 %r3, %r1, 1; add.f32 %f2, %f1, %f1; mul.wide.u32 %rd5, %r1, 4;"
                 "add.s64 %rd6, %rd2, %rd5; setp.lt.u32 %p3, %r1, 32;"
                 "@%p3 st.global.v2.f32 [%rd6], {%f1, %f2};")
    assert np.array_equal(stored.reshape(32, 2).T, [np.arange(32), 2 * np.arange(32)])
    with pytest.raises(KernelError, match="misaligned vector"):
        run(FILL + "ld.shared.v2.f32 {%f2, %f3}, [%rd3];")
    for operands in "%f2", "{%f2}", "{%f2, %f3, %f4}":
        with pytest.raises(Refused):
            run(f"ld.shared.v2.f32 {operands}, [%rd3];")
    with pytest.raises(Refused):
        run("ld.shared.f32 {%f2, %f3}, [%rd3];")


HALVES = BEGINNING.replace("mul.wide.u32 %rd4, %r1, 4;", "mul.wide.u32 %rd4, %r1, 2;").replace(
    "ld.global.f32 %f1, [%rd1];", "add.s64 %rd2, %rd2, %rd4;")


def test_numbers_of_half_precision_are_loaded_from_arrays_of_them_alone():
    """Subnormal numbers, too; two of them at once, or one beyond the array, are faults."""
    x, y = (2.0**-24 * np.arange(THREADS)).astype(np.float16), np.zeros(THREADS, np.float32)
    load = "ld.global.nc.{} %rs1, [%rd1+{}]; cvt.f32.f16 %f2, %rs1; st.global.f32 [%rd2], %f2;"

    def launched(statements):
        launch(parse(HALVES + statements + END)["f"], (1,), (THREADS,), (x, y, np.float32(2.0)))
    for kind in "u16", "b16":
        launched(load.format(kind, 0))
        assert np.array_equal(y, x)
        with pytest.raises(KernelError, match="out of bounds"):
            launched(load.format(kind, 2))
    with pytest.raises(KernelError, match="wrong width"):
        launched("ld.global.f32 %f1, [%rd1];")


BYTES = BEGINNING.replace("mul.wide.u32 %rd4, %r1, 4;", "cvt.u64.u32 %rd4, %r1;").replace(
    "ld.global.f32 %f1, [%rd1];", "mul.wide.u32 %rd5, %r1, 3; add.s64 %rd2, %rd2, %rd5;")


@pytest.mark.parametrize("kind", ["u8", "b8"])
def test_bytes_are_loaded_from_arrays_of_bytes_alone(kind):
    """Each thread takes its own, and a byte more of the array is out of bounds."""
    x, y = np.arange(THREADS, dtype=np.uint8), np.zeros(THREADS, np.float32)
    load = f"ld.global.nc.{kind} %rs1, [%rd1" + "{}]; cvt.u32.u16 %r3, %rs1; mov.b32 %f2, %r3; " \
        "st.global.f32 [%rd2], %f2;"

    def run_on(x, more=""):
        kernel = parse(BYTES + load.format(more) + END)["f"]
        launch(kernel, (1,), (THREADS,), (x, y, np.float32(2.0)))
    run_on(x)
    assert np.array_equal(y.view(np.uint32), x)
    with pytest.raises(KernelError, match="out of bounds: byte 64 of x"):
        run_on(x, "+1")
    with pytest.raises(KernelError, match="wrong width"):
        run_on(x.astype(np.float32))
