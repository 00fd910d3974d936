"""Bounds on the errors of the kernels' exponentials in double precision, proved by Gappa.

    python -m tests.fast.gappa

`Recorder` takes the place of the vectors and of the builder of `hopref.fast.numba._vectors`, so
that the code of the kernels itself writes the script about which statements are proved.  A product
and a sum are one rounding, as on processors with fused multiply-add, or two.

The proof is in four parts, of which Gappa proves the second, third and fourth.

1. The polynomial.  Its coefficients are the numbers nearest to 1/k!, so that it differs from
   (e^r - 1 - r)/r^2 by at most sum_k |c_k - 1/k!| |r|^(k-2) + |r|^12/14! / (1 - |r|/15), which is
   evaluated in rational numbers.
2. The reduction.  For |x| <= 0.3, n = 0 and r = x.  For 0.3 <= |x| <= 746, |r| is below 0.3466,
   and r - (x - n log 2) is bounded for r of each size.
3. e^x = 2^n (1 + p), where p is the computed e^r - 1, for r of each sign and size.
4. e^x - 1 = (2^n - 1) + 2^n p for n = 0, by binades of the result; n = -1; -53 <= n <= -2; and
   n <= -54, where the result is -1.

Products with powers of two are exact, but for one that rounds to a subnormal number: there the
error is at most half a unit of the last place and half of the bound.
"""
import math
import re
import shutil
import subprocess
from fractions import Fraction
from functools import partial

from flint import arb, ctx

from hopref.fast.numba import _vectors
from hopref.fast.numba._vectors import Vectors

__all__ = ["GAPPA", "Exponential", "Unproved", "evaluated", "rounded", "statements"]

GAPPA = shutil.which("gappa")
LAST = Fraction(355, 1024)              # |r| is smaller
SMALL = Fraction(307, 1024)             # |x| of those that are not reduced, nearly 0.3
UNIT = Fraction(1, 2**53)               # of numbers between 1/2 and 1
BELOW = Fraction(1, 4) - Fraction(1, 2**55)
PIECES = [(-LAST, Fraction(-1, 4)), (-BELOW, -Fraction(1, 2**30)),
          (-Fraction(1, 2**30), Fraction(1, 2**30)), (Fraction(1, 2**30), BELOW),
          (Fraction(1, 4), LAST)]
BINADES = range(2, 56)                  # 2^-k <= |e^x - 1| <= 2^(1 - k)


STRIP = 6


class Unproved(Exception):
    """A statement of the proof does not hold, or Gappa did not prove it."""


class Recorder(Vectors):
    """Double-precision vectors and their builder, whose instructions are lines of a script."""

    def __init__(self, fused, exact=False):
        self.bytes, self.fused, self.exact, self.lines = 8, fused, exact, []

    def constant(self, number):
        return dyadic(number)

    def multiply_add(self, b, x, y, z):
        product = f"{x} * {y}" if self.fused or self.exact else f"rnd({x} * {y})"
        return self.named(f"{product} + {z}")

    def fmul(self, x, y):
        return self.named(f"{x} * {y}")

    def fsub(self, x, y):
        return self.named(f"{x} - {y}")

    def named(self, text):
        name = f"{'M' if self.exact else 'v'}{len(self.lines)}"
        self.lines.append(f"{name} = {text};" if self.exact else f"{name} = rnd({text});")
        return name


class Numbers(Recorder):
    """The same with one number, a fraction, which is rounded as the script says."""

    def constant(self, number):
        return Fraction(number)

    def multiply_add(self, b, x, y, z):
        return rounded((x * y if self.fused else rounded(x * y)) + z)

    def fmul(self, x, y):
        return rounded(x * y)

    def fsub(self, x, y):
        return rounded(x - y)


def rounded(number):
    """A fraction rounded to nearest in double precision; the quotient of Python's integers is."""
    return Fraction(number.numerator / number.denominator)


def evaluated(x, fused):
    """n and the computed e^r - 1 at a number, as a float and a fraction."""
    numbers = Numbers(fused)
    t, p = numbers._exponent_and_rest(numbers, Fraction(x))
    return int(t - Fraction(numbers._magic())), p


def dyadic(number):
    """A fraction whose denominator is a power of two, as Gappa reads it."""
    number = Fraction(number)
    exponent = number.denominator.bit_length() - 1
    assert number.denominator == 2**exponent
    sign = "-" if number < 0 else ""
    text = f"{sign}{abs(number.numerator)}b-{exponent}"
    return f"({text})" if sign else text


def within(expression, low, high):
    return f"{expression} in [{dyadic(low).strip('()')}, {dyadic(high).strip('()')}]"


def at_most(expression, bound):
    return within(expression, -upward(bound), upward(bound))


def upward(number, bits=200):
    """A fraction of a power of two that is not smaller, nor larger by more than 2^-bits."""
    return Fraction(math.ceil(Fraction(number) * 2**bits), 2**bits)


def enclosure(interval, bits=200):
    """Fractions of a power of two below and above an interval of python-flint."""
    low, high = (_exact(end) for end in (interval.lower(), interval.upper()))
    return -upward(-low, bits), upward(high, bits)


def _exact(end):
    mantissa, exponent = end.mid().man_exp()
    return Fraction(int(mantissa)) * Fraction(2) ** int(exponent)


class Exponential:
    """The script of one kind of arithmetic, and the statements that are proved about it."""

    def __init__(self, fused):
        ctx.prec = 400
        recorder, exact = Recorder(fused), Recorder(fused, exact=True)
        self.fused, self.magic = fused, recorder._magic()
        _, self.p = recorder._exponent_and_rest(recorder, "x")
        _, self.exact = exact._exponent_and_rest(exact, "x")
        self.reduction, self.series = recorder.lines[:4], ["v3 = rnd(r_);", *recorder.lines[4:]]
        self.series += [re.sub(r"\bM3\b", "v3", line) for line in exact.lines[4:]]
        self.log2 = enclosure(arb(2).log())
        self.check_constants()

    def check_constants(self):
        """The coefficients are nearest to 1/k!, and log 2 is split with the least error."""
        for k, c in enumerate(_vectors.TAYLOR, 2):
            if c != float(Fraction(1, math.factorial(k))):
                raise Unproved(f"the coefficient of r^{k} is not the number nearest to 1/{k}!")
        high, low = map(Fraction, _vectors.SPLIT64)
        if abs(sum(self.log2) / 2 - high - low) > Fraction(math.ulp(float(low))) / 2:
            raise Unproved("the second part of log 2 is not nearest to the rest")

    def prove(self, lines, given, wanted, hints=()):
        text = "\n".join(["@rnd = float<ieee_64, ne>;", *lines, "{ " + " /\\ ".join(given)
                          + " -> " + " /\\ ".join(wanted) + " }", *hints])
        done = subprocess.run([GAPPA, "-Eprecision=200", "-Eno-auto-dichotomy"], input=text,
                              text=True, capture_output=True, timeout=120)
        if done.returncode:
            raise Unproved(f"{done.stderr}\n{text}")

    def truncation(self, r):
        """A bound on |1 + polynomial - e^r| for numbers up to r in size."""
        terms = [abs(Fraction(c) - Fraction(1, math.factorial(k))) * r**k
                 for k, c in enumerate(_vectors.TAYLOR, 2)]
        k = len(terms) + 2
        return sum(terms) + r**k / math.factorial(k) / (1 - r / (k + 1))

    def prove_small(self):
        """Part 2 for numbers that are not reduced: n = 0, so that r = x."""
        self.prove(["x = rnd(x_);", *self.reduction], [at_most("x", SMALL)], [at_most("v1", 0)])

    def prove_reduced(self, low, high, off):
        """Part 2 for r between two numbers, which differs by at most ``off`` from exact."""
        factor, magic = dyadic(1 / math.log(2)), dyadic(self.magic)
        first, second = _vectors.SPLIT64
        hints = [
            f"v1 * {dyadic(-first)} + x -> (x * {factor} - v1) * {dyadic(first)}"
            f" + x * (1 - {factor} * {dyadic(first)});",
            f"x * {factor} - v1 -> ((x * {factor} + {magic}) - v0) + ((v0 - {magic}) - v1);",
            f"v3 - (x - v1 * L) -> (v3 - (v1 * {dyadic(-second)} + v2)) + (v2 - (v1 *"
            f" {dyadic(-first)} + x)) + v1 * (L - ({dyadic(first)} + {dyadic(second)}));"]
        for ends in (-746, -SMALL), (SMALL, 746):
            self.prove(["x = rnd(x_);", *self.reduction],
                       [within("x", *ends), within("L", *self.log2), within("v3", low, high)],
                       [at_most("v3 - (x - v1 * L)", off)], hints)
            self.prove(["x = rnd(x_);", *self.reduction],
                       [within("x", *ends)], [at_most("v3", LAST)], hints[:2])

    def off(self, low, high):
        """The error of r that part 2 proves: half a unit of its last place, and that of log 2."""
        most = max(abs(low), abs(high))
        return Fraction(math.ulp(float(most) * (1 - 2.0**-50))) / 2 + Fraction(1, 2**73)

    def given(self, low, high):
        """What is known about r, e^r ("E") and e^(x - n log 2) ("F")."""
        off, most = self.off(low, high), enclosure(arb(float(high)).exp())[1]
        return [within("v3", low, high),
                at_most(f"({self.exact} + 1) - E", self.truncation(max(abs(low), abs(high)))),
                at_most("E - F", most * off * (1 + off)),
                within("F", enclosure(arb(float(low)).exp())[0] - off, most + off)]

    @property
    def error(self):
        """The error of p, in parts whose bounds are known."""
        return f"({self.p} - {self.exact}) + (({self.exact} + 1) - E) + (E - F)"

    def prove_power(self, low, high, ulps):
        """Part 3 for r between two numbers."""
        unit = UNIT if low < 0 else 2 * UNIT
        self.prove([*self.series, f"y = rnd({self.p} + 1);"], self.given(low, high),
                   [at_most("y - F", ulps * unit)],
                   [f"y - F -> (y - ({self.p} + 1)) + {self.error};"])

    def prove_less_one(self, low, high, powers, unit, ulps):
        """Part 4 for r between two numbers and 2^n between two powers of at least 2^-53."""
        lines = [*self.series, "q = rnd(S - 1);", f"y = rnd({self.p} * S + q);"]
        given = [*self.given(low, high), within("S", *powers), "@FIX(S, -53)"]
        self.prove(lines, given, [at_most("y - (S * F - 1)", ulps * unit)],
                   [f"{self.p} * S + q -> (S * ({self.p} + 1) - 1) + (q - (S - 1));",
                    f"y - (S * F - 1) -> (y - ({self.p} * S + q)) + S * ({self.error})"
                    f" + (q - (S - 1));"])

    def prove_minus_one(self, ulps):
        """Part 4 for smaller powers: the result is -1, and the exact value above it by 2^n F."""
        lines = [*self.series, "q = rnd(S - 1);", f"y = rnd({self.p} * S + q);"]
        given = [*self.given(-LAST, LAST), within("S", 0, Fraction(1, 2**54))]
        self.prove(lines, given, [within("y", -1, -1), at_most("S * F", ulps * UNIT)])

    def prove_binade(self, k, ulps):
        """Part 4 for x = r < 0 with 2^-k <= |e^x - 1| <= 2^(1 - k)."""
        high, last = edge(2.0**-k), Fraction(1, 2**(k - 1))
        low = -float(LAST) if k == 2 else edge(float(last))
        unit = last * UNIT
        for _ in range(0 if k == 2 else STRIP):     # where p might be rounded up to the next binade
            low = math.nextafter(low, 0)
            off = abs(exact_less_one(low) - evaluated(low, self.fused)[1])
            if off > ulps * unit:
                raise Unproved(f"the error of e^x - 1 at {low.hex()} is {float(off / unit)} ulp")
        given = [within("v3", low, high),
                 at_most(f"({self.exact} + 1) - E", self.truncation(-Fraction(low)))]
        self.prove(self.series, given, [at_most(f"{self.p} - (E - 1)", ulps * unit)],
                   [f"{self.p} - (E - 1) -> ({self.p} - {self.exact}) + (({self.exact} + 1) - E);"])


def exact_less_one(x):
    return enclosure(arb(x).expm1())[0]


def edge(size):
    """The least x for which |e^x - 1| is no larger than a number; any error would be refused."""
    x = math.log1p(-size)
    while -exact_less_one(x) > size:
        x = math.nextafter(x, 0)
    while -exact_less_one(math.nextafter(x, -1)) <= size:
        x = math.nextafter(x, -1)
    return x


def statements(fused, powers=_vectors.ULPS[8][0], less_one=_vectors.ULPS[8][1]):
    """Each statement of the proof by a name, as a function that proves it or raises `Unproved`."""
    it, half = Exponential(fused), Fraction(1, 2)
    yield "small", it.prove_small
    for low, high in PIECES:
        ends = f"{float(low):.3g} <= r <= {float(high):.3g}"
        yield f"reduction, {ends}", partial(it.prove_reduced, low, high, it.off(low, high))
        yield f"e^x, {ends}", partial(it.prove_power, low, high, Fraction(powers))
    ulps = Fraction(less_one)
    for ends, factors, unit in [((-LAST, 0), (half, half), UNIT),
                                ((0, LAST), (half, half), UNIT / 2),
                                ((-LAST, LAST), (UNIT, half / 2), UNIT)]:
        name = f"e^x - 1, {factors[0]} <= 2^n <= {factors[1]}, {float(ends[0]):.3g} <= r"
        yield name, partial(it.prove_less_one, *ends, factors, unit, ulps)
    yield "e^x - 1, 2^n < 2^-53", partial(it.prove_minus_one, ulps)
    for k in BINADES:
        yield f"e^x - 1, binade {k}", partial(it.prove_binade, k, ulps)


def main():
    for fused in (True, False):
        proved = [prove() for _, prove in statements(fused)]
        roundings = "one rounding" if fused else "two roundings"
        print(f"{len(proved)} statements proved for {roundings} of a product and a sum:"
              f" e^x to {_vectors.ULPS[8][0]} ulp, e^x - 1 to {_vectors.ULPS[8][1]} ulp")


if __name__ == "__main__":
    main()
