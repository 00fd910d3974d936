"""Vectors of the processor's width in kernels: instructions that numba's own loops do not give.

LLVM's vectoriser neither keeps a block of sums in registers nor sums in a prescribed order.
`vector_code` therefore gives a function of NumPy a second form, in LLVM's language, which numba
inserts where a kernel calls the function.  Without the compiler the function itself runs.

The width and the number of registers are those of the processor that numba compiles for, which
NUMBA_CPU_NAME and NUMBA_CPU_FEATURES may replace.  LLVM translates vectors to any processor; where
it has no fused multiply-add, a product is rounded before it is added.
"""
import inspect
import math
import platform

import numpy as np
from llvmlite import ir
from numba import types
from numba.core.registry import cpu_target
from numba.extending import lower_builtin, type_callable

__all__ = ["vector_code", "Vectors", "loop", "moved", "registers", "I64", "REDUCED", "ULPS"]

I8, I32, I64 = ir.IntType(8), ir.IntType(32), ir.IntType(64)
LANE = 16                   # bytes within which x86 shuffles cheaply


def registers():
    """The bytes of a vector register, and the number of registers."""
    _, _, features = cpu_target.target_context.codegen().magic_tuple()
    if "+avx512f" in features:
        return 64, 32
    if "+avx2" in features:
        return 32, 16
    return 16, 16 if platform.machine() in ("x86_64", "AMD64") else 32


def vector_code(plain, result=types.none):
    """Compile calls of ``plain``, with this type of result, in kernels by the decorated function.

    The decorated function appends instructions to a builder ``b``.  Its arguments are the `Vectors`
    of the first array of ``plain``, b, and for each argument of ``plain`` a value: for an array the
    address of its data.
    """
    def register(emit):
        @type_callable(plain)
        def typed(context):
            def signature(*args):
                real = next(t.dtype for t in args if isinstance(t, types.Array))
                return result(*(t if isinstance(t, types.Array) else types.int64
                                if isinstance(t, types.Integer) else real for t in args))
            signature.pysig = inspect.signature(plain)
            return signature

        @lower_builtin(plain, types.VarArg(types.Any))
        def lowered(context, b, signature, args):
            pairs = list(zip(signature.args, args))
            values = [context.make_array(t)(context, b, a).data if isinstance(t, types.Array)
                      else a for t, a in pairs]
            real = next(t.dtype for t, _ in pairs if isinstance(t, types.Array))
            if result is not types.none:
                return emit(Vectors(real), b, *values)
            _call(f"{plain.__module__}.{plain.__name__}.{real}", b, values,
                  lambda own, *given: emit(Vectors(real), own, *given))
            return context.get_dummy_value()
        return emit
    return register


def _call(name, b, values, emit):
    """Call a function of the module, which is compiled once, for no particular arguments.

    Its name must differ from those of all others in the process, which take each other's place.

    Compiled in place, the blocks of sums would be rearranged for the constants of every call, which
    costs registers and up to half of the speed.
    """
    function = b.module.globals.get(name)
    if function is None:
        kind = ir.FunctionType(ir.VoidType(), [value.type for value in values])
        function = ir.Function(b.module, kind, name)
        function.linkage = "linkonce_odr"               # numba links the modules of kernels
        function.attributes.add("noinline")
        own = ir.IRBuilder(function.append_basic_block())
        emit(own, *function.args)
        own.ret_void()
    b.call(function, values)


def loop(b, count, carried, body):
    """``for k in range(count): carried = body(k, carried)``, with ``carried`` in registers."""
    before = b.block
    inside, after = b.append_basic_block("loop"), b.append_basic_block("after")
    b.cbranch(b.icmp_signed(">", count, I64(0)), inside, after)
    b.position_at_end(inside)
    k, values = b.phi(I64), [b.phi(v.type) for v in carried]
    changed = body(k, list(values))
    following, last = b.add(k, I64(1)), b.block
    b.cbranch(b.icmp_signed("<", following, count), inside, after)
    for phi, first, new in zip([k, *values], [I64(0), *carried], [following, *changed]):
        phi.add_incoming(first, before)
        phi.add_incoming(new, last)
    b.position_at_end(after)
    results = [b.phi(v.type) for v in carried]
    for phi, first, new in zip(results, carried, changed):
        phi.add_incoming(first, before)
        phi.add_incoming(new, last)
    return results


def moved(b, address, *places):
    """An address moved by the sum of places."""
    for place in places:
        address = b.gep(address, [place])
    return address


class Vectors:
    """Vectors of float32, float64 or uint8: their types, constants and instructions."""

    def __init__(self, dtype, width=None):
        self.bytes = dtype.bitwidth // 8
        self.dtype, self.whole = dtype, dtype == types.uint8
        self.entry = I8 if self.whole else ir.FloatType() if self.bytes == 4 else ir.DoubleType()
        self.width = width or (LANE if self.whole else registers()[0] // self.bytes)
        self.type = self._vector(self.entry) if self.width > 1 else self.entry
        self.bits = self._vector(ir.IntType(8 * self.bytes))

    def narrower(self):
        """Vectors of half the width, a quarter and so on, down to single numbers."""
        while self.width > 1:
            self = Vectors(self.dtype, self.width // 2)
            yield self

    def _vector(self, entry, width=None):
        return ir.VectorType(entry, width or self.width)

    def constant(self, number):
        entry = ir.Constant(self.entry, number)
        return ir.Constant(self.type, [entry] * self.width) if self.width > 1 else entry

    def integers(self, number):
        return ir.Constant(self.bits, [number] * self.width)

    def load(self, b, address, i):
        return b.load(b.bitcast(b.gep(address, [i]), self.type.as_pointer()), align=self.bytes)

    def store(self, b, x, address, i):
        pointer = b.bitcast(b.gep(address, [i]), x.type.as_pointer())
        b.store(x, pointer, align=self.bytes)

    def repeated(self, b, number):
        """A vector with a number in every lane."""
        if self.width == 1:
            return number
        return self._in_every_lane(b, number, self.type)

    def repeated_bits(self, b, word):
        """A vector of bits with a word in every lane."""
        return self._in_every_lane(b, word, self.bits)

    def _in_every_lane(self, b, number, kind):
        none = ir.Constant(kind, ir.Undefined)
        return self._shuffled(b, b.insert_element(none, number, I32(0)), none, [0] * self.width)

    def padded(self, b, narrow):
        """A narrower vector, or a number, with zeros in the further lanes."""
        zero, width = self.constant(0), getattr(narrow.type, "count", 1)
        if width == 1:
            return b.insert_element(zero, narrow, I32(0))
        zeros = ir.Constant(narrow.type, [0] * width)
        return self._shuffled(b, narrow, zeros, [min(j, width) for j in range(self.width)])

    def _shuffled(self, b, x, y, lanes):
        return b.shuffle_vector(x, y, ir.Constant(self._vector(I32, len(lanes)), lanes))

    def multiply_add(self, b, x, y, z):
        """x y + z, rounded once where the processor does so in one instruction."""
        suffix = f"f{8 * self.bytes}"
        suffix = f"v{self.width}{suffix}" if self.width > 1 else suffix
        kind = ir.FunctionType(self.type, [self.type] * 3)
        name = f"llvm.fmuladd.{suffix}"
        function = b.module.globals.get(name) or ir.Function(b.module, kind, name)
        return b.call(function, [x, y, z])

    def any_above(self, b, x, y):
        """Whether a lane of x is larger than that of y, as an integer of one bit."""
        bits = ir.IntType(self.width)
        above = b.bitcast(b.fcmp_ordered(">", x, y), bits)
        return b.icmp_unsigned("!=", above, bits(0))

    def larger(self, b, x, top):
        """The larger of x and ``top``, which is not replaced by NaN."""
        return b.select(b.fcmp_ordered(">", x, top), x, top)

    def interleaved(self, b, rows):
        """The transpose of ``width`` vectors, by rounds that interleave them in pairs."""
        n, half = self.width, self.width // 2
        low = [j // 2 + n * (j % 2) for j in range(n)]
        high = [j + half for j in low]
        for _ in range(n.bit_length() - 1):
            pairs = list(zip(rows[:half], rows[half:]))
            rows = [self._shuffled(b, x, y, lanes) for x, y in pairs for lanes in (low, high)]
        return rows

    def totals(self, b, vectors):
        """The sums of the lanes of several vectors, in vectors of one LANE.

        The order of summation is the same for every number of vectors.
        """
        quad = LANE // self.bytes
        vectors = [*vectors, *[self.constant(0)] * (-len(vectors) % quad)]
        blocks = range(0, self.width, quad)
        for _ in range(quad.bit_length() - 1):
            even, odd = ([g + i + j + side for g in blocks for side in (0, self.width)
                          for i in range(0, quad, 2)] for j in (0, 1))
            vectors = [b.fadd(self._shuffled(b, x, y, even), self._shuffled(b, x, y, odd))
                       for x, y in self._neighbours(vectors, quad)]
        width = self.width
        while width > quad:
            width //= 2
            low, high = range(width), range(width, 2 * width)
            vectors = [b.fadd(self._shuffled(b, x, x, list(low)),
                              self._shuffled(b, x, x, list(high))) for x in vectors]
        return vectors

    def _neighbours(self, vectors, quad):
        return zip(vectors[::2], vectors[1::2])

    def powers(self, b, x):
        """e^x and e^x - 1 for x <= 0, to the accuracy of `ULPS`; NaN is propagated.

        The power 2^n is scaled by 2^LIFT, so that only the last product can become subnormal.
        """
        c, lift = self.constant, 64 if self.bytes == 4 else 100
        x = b.select(b.fcmp_ordered("<", x, c(self._lowest())), c(self._lowest()), x)
        t, p = self._exponent_and_rest(b, x)
        power, lowered = self._power_of_two(b, t, lift), c(2.0**-lift)
        less_one = self.multiply_add(b, p, power, b.fsub(power, c(2.0**lift)))
        return (b.fmul(self.multiply_add(b, p, power, power), lowered), b.fmul(less_one, lowered))

    def exponential(self, b, x):
        """e^x for any x, to the accuracy of `ULPS`; NaN is propagated.

        2^n is the product of two powers in range.
        """
        c, low, magic = self.constant, self._lowest(), self.constant(self._magic())
        x = b.select(b.fcmp_ordered("<", x, c(low)), c(low), x)
        x = b.select(b.fcmp_ordered(">", x, c(-low)), c(-low), x)
        t, p = self._exponent_and_rest(b, x)
        n = b.fsub(t, magic)
        half = self.multiply_add(b, n, c(0.5), magic)
        rest = b.fadd(b.fsub(n, b.fsub(half, magic)), magic)
        first, second = (self._power_of_two(b, k, 0) for k in (half, rest))
        return b.fmul(self.multiply_add(b, p, first, first), second)

    def sine(self, b, x, quadrants):
        """The sine of x + quadrants pi/2 for |x| <= `REDUCED`, to an ulp of 1; near 0, of itself.

        ``quadrants`` is a vector of whole numbers.  x = n pi/2 + r, where pi/2 is split into three
        terms; the products of the first two with n are exact.  The polynomials are those of Cephes
        in single, and of Taylor in double precision.
        """
        c, single = self.constant, self.bytes == 4
        t = self.multiply_add(b, x, c(2 / math.pi), c(self._magic()))
        n, r = b.fsub(t, c(self._magic())), x
        for term in QUADRANT32 if single else QUADRANT64:
            r = self.multiply_add(b, n, c(-term), r)
        square = b.fmul(r, r)
        fourth = b.fmul(square, square)
        odd, even = (self._polynomial(b, series, square, fourth)
                     for series in ((SINE32, COSINE32) if single else (SINE64, COSINE64)))
        sine = self.multiply_add(b, odd, b.fmul(square, r), r)
        cosine = self.multiply_add(b, even, fourth, self.multiply_add(b, square, c(-0.5), c(1)))
        place = b.bitcast(b.fadd(t, quadrants), self.bits)
        turned, negative = (b.icmp_signed("!=", b.and_(place, self.integers(bit)),
                                          self.integers(0)) for bit in (1, 2))
        value = b.select(turned, cosine, sine)
        return b.select(negative, b.fsub(c(-0.0), value), value)

    def _lowest(self):
        """A number whose exponential is 0, and whose negative has an infinite one."""
        return -104.0 if self.bytes == 4 else -746.0

    def _magic(self):
        """The number whose addition rounds to an integer, which is then in the last bits."""
        return 1.5 * 2.0**(23 if self.bytes == 4 else 52)

    def _exponent_and_rest(self, b, x):
        """n + MAGIC and e^r - 1 for x = n log 2 + r with |r| <= log(2)/2.

        log 2 is split into two terms, the first of which has so few bits that its product with n is
        exact.  e^r - 1 is the polynomial of Cephes' expf in single precision, and the Taylor
        polynomial in double precision, with an error of 4e-18 at the ends.
        """
        c, single = self.constant, self.bytes == 4
        log2 = SPLIT32 if single else SPLIT64
        t = self.multiply_add(b, x, c(1 / math.log(2)), c(self._magic()))
        n = b.fsub(t, c(self._magic()))
        r = self.multiply_add(b, n, c(-log2[0]), x)
        r = self.multiply_add(b, n, c(-log2[1]), r)
        square = b.fmul(r, r)
        series = self._polynomial(b, CEPHES if single else TAYLOR, r, square)
        return t, self.multiply_add(b, series, square, r)

    def _power_of_two(self, b, t, lift):
        """2^(n + lift) for t = n + MAGIC."""
        single = self.bytes == 4
        bias = (0x4B400000 - 127 if single else 0x4338000000000000 - 1023) - lift
        shifted = b.sub(b.bitcast(t, self.bits), self.integers(bias))
        return b.bitcast(b.shl(shifted, self.integers(23 if single else 52)), self.type)

    def _polynomial(self, b, coefficients, r, square):
        """By Horner's rule in single precision; long ones in pairs, whose products are parallel."""
        terms = [self.constant(c) for c in coefficients]
        if self.bytes == 4:
            total = terms.pop()
            while terms:
                total = self.multiply_add(b, total, r, terms.pop())
            return total
        power = r
        while len(terms) > 1:
            last = terms[-1:] if len(terms) % 2 else []
            terms = [self.multiply_add(b, y, power, x) for x, y in zip(terms[::2], terms[1::2])]
            terms += last
            power = square if power is r else b.fmul(power, power)
        return terms[0]


SPLIT32 = 0.693145751953125, float(np.float32(1.42860682030941723212e-6))
SPLIT64 = 6.93147180369123816490e-01, 1.90821492927058770002e-10
CEPHES = [float(np.float32(c)) for c in (5.0000001201e-1, 1.6666665459e-1, 4.1665795894e-2,
                                         8.3334519073e-3, 1.3981999507e-3, 1.9875691500e-4)]
TAYLOR = [1 / math.factorial(k) for k in range(2, 14)]
# Bounds on the errors of e^x and e^x - 1 in units of the last place of the exact value, by bytes:
# the largest errors of all numbers in single precision, proved in double precision (tests/fast).
ULPS = {4: (1.02, 0.95), 8: (1.2, 1.65)}

# pi/2 in three terms.  The first two have 12 bits in single precision, and 33 in double precision.
QUADRANT32 = 1.5703125, 0.0004837512969970703, 7.549790126404332e-08
QUADRANT64 = 1.5707963267341256, 6.077100506303966e-11, 2.0222662487959506e-21
REDUCED = {4: 2.0**11, 8: 2.0**20}      # by bytes
SINE32 = [float(np.float32(c)) for c in (-1.6666654611e-1, 8.3321608736e-3, -1.9515295891e-4)]
COSINE32 = [float(np.float32(c)) for c in (4.166664568298827e-2, -1.388731625493765e-3,
                                           2.443315711809948e-5)]
SINE64 = [(-1)**k / math.factorial(2 * k + 1) for k in range(1, 9)]
COSINE64 = [(-1)**k / math.factorial(2 * k) for k in range(2, 10)]
