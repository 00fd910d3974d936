"""The exponentials of the kernels in single precision, compared with exact values for all numbers.

    python -m tests.fast.exponentials [--stride N]

prints the largest errors of `Vectors.powers` and `Vectors.exponential`, in units of the last place
of the exact value, and where they are.  A stride other than 1 leaves out most numbers.

A number of single precision is x = a + b, where b holds the last 12 of its 24 digits.  A binade has
2^11 values of a and 2^12 of b, whose exponentials python-flint encloses; they are rounded to
nearest in double precision: e^x = e^a + e^a (e^b - 1) and e^x - 1 = (e^a - 1) + e^a (e^b - 1),
where both terms have the same sign or the second is far smaller.  The relative errors of these
exact values are below 2^-50, which is `SLACK` units of the last place.
"""
import argparse

import numba
import numpy as np
from flint import arb, ctx
from numba import types

from hopref.fast.numba._jit import njit
from hopref.fast.numba._vectors import I64, Vectors, loop, vector_code

__all__ = ["RESULTS", "SLACK", "compiled_anew", "errors", "evaluate", "largest_errors", "outside"]

RESULTS = "e^x of powers", "e^x - 1 of powers", "e^x of exponential"
LOW = 12                                # digits of b
HIGHEST = 2**(23 - LOW)
BINADES = range(-30, 8)                 # of |x|; below e^x = 1 and e^x - 1 = x, above 0 or inf
SLACK = 2.0**-26
CHUNK = 2**19                           # numbers at a time
FAR = 2.0**128                          # in the place of infinity


def exponentials(X, count, E, M, F):
    """Fill E, M and F with `RESULTS` at X, which ``count`` vectors fill."""
    raise RuntimeError("without the compiler there is no kernel")


@vector_code(exponentials)
def instructions(v, b, X, count, E, M, F):
    def vector(k, carried):
        place = b.mul(k, I64(v.width))
        x = v.load(b, X, place)
        for value, address in zip((*v.powers(b, x), v.exponential(b, x)), (E, M, F), strict=True):
            v.store(b, value, address, place)
        return carried
    loop(b, count, [], vector)


@njit
def kernel(X, count, E, M, F):
    exponentials(X, count, E, M, F)


def compiled_anew(name):
    """The kernel, compiled with the present coefficients as a function of another name."""
    def plain(X, count, E, M, F):
        raise RuntimeError("without the compiler there is no kernel")
    plain.__name__ = name
    vector_code(plain)(instructions)

    @numba.njit
    def kernel(X, count, E, M, F):
        plain(X, count, E, M, F)
    return kernel


def evaluate(x, kernel=kernel):
    """`RESULTS` at the numbers of an array; those of `Vectors.powers` hold for x <= 0."""
    width = Vectors(types.float32 if x.dtype == "float32" else types.float64).width
    count = -(-x.size // width)
    padded = np.zeros(count * width, x.dtype)
    padded[:x.size] = x.ravel()
    results = [np.empty_like(padded) for _ in RESULTS]
    kernel(padded, count, *results)
    return [y[:x.size].reshape(x.shape) for y in results]


def binade(e, sign, high, low):
    """The numbers of a binade with these first and last digits, and exact e^x and e^x - 1."""
    ctx.prec = 120
    unit = sign * 2.0**(e - 23)
    a = [arb((HIGHEST + int(i)) * 2**LOW * unit) for i in high]
    b = [arb(int(j) * unit) for j in low]
    of_a, less_one = (np.array([float(f(v)) for v in a])[:, None] for f in (arb.exp, arb.expm1))
    change = of_a * np.array([float(v.expm1()) for v in b])
    x = (((HIGHEST + high[:, None]) << LOW) + low) * unit
    return x.astype("float32"), of_a + change, less_one + change


def units(got, exact):
    """|got - exact| in units of the last place of the exact value in single precision."""
    got, exact = np.clip(got.astype(float), -FAR, FAR), np.clip(exact, -FAR, FAR)
    last = np.maximum(np.frexp(np.abs(exact))[1] - 24, -149)
    return np.ldexp(np.abs(got - exact), -last)


def errors(e, sign, high, low, kernel=kernel):
    """[(largest error, its place)] of `RESULTS` in a binade; of the last alone for positive x."""
    x, power, less_one = binade(e, sign, high, low)
    found = []
    for got, exact in zip(evaluate(x, kernel), (power, less_one, power), strict=True):
        off = units(got, exact)
        at = np.unravel_index(np.argmax(off), off.shape)
        found.append((float(off[at]), float(x[at])))
    return found[2:] if sign > 0 else found


def digits(count, stride):
    """Every so many of the digits, and the last."""
    return np.unique(np.append(np.arange(0, count, stride), count - 1))


def largest_errors(stride=1, kernel=kernel):
    """{result: (largest error, its place)} of all numbers of the binades, or of some."""
    high, low = digits(HIGHEST, min(stride, 64)), digits(2**LOW, stride)
    found = dict.fromkeys(RESULTS, (0.0, 0.0))
    for e in BINADES:
        for sign in (-1, 1):
            for rows in np.array_split(high, -(-len(high) * len(low) // CHUNK)):
                of_binade = errors(e, sign, rows, low, kernel)
                for name, row in zip(RESULTS[-len(of_binade):], of_binade, strict=True):
                    found[name] = max(found[name], row)
    return found


def outside(stride=1, kernel=kernel):
    """The count of the numbers beyond the binades, at which the results are as they must be."""
    count, ends = 0, [int(np.float32(2.0**e).view(np.int32)) for e in (BINADES[0], BINADES[-1] + 1)]
    for first, last in (0, ends[0]), (ends[1], 2**31):
        for start in range(first, last, CHUNK * stride):
            bits = np.arange(start, min(start + CHUNK * stride, last), stride, dtype=np.int64)
            x = bits.astype(np.int32).view(np.float32)
            for numbers in (x, -x):
                _check_outside(numbers, evaluate(numbers, kernel))
                count += len(numbers)
    return count


def _check_outside(x, results):
    """1 and x for small x, to a hundredth of a unit; 0, -1 and inf for large x; NaN for NaN."""
    power, less_one, other = results
    small, above = np.abs(x) < 1, x > 1
    limit = np.where(small, np.float32(1), np.where(above, np.float32(np.inf), np.float32(0)))
    limit = np.where(np.isnan(x), x, limit)
    assert np.array_equal(other, limit, equal_nan=True)
    below = ~above
    assert np.array_equal(power[below], limit[below], equal_nan=True)
    wanted = np.where(small | np.isnan(x), x, np.float32(-1))
    assert np.array_equal(less_one[below], wanted[below], equal_nan=True)


def main():
    parser = argparse.ArgumentParser()
    parser.add_argument("--stride", type=int, default=1)
    stride = parser.parse_args().stride
    for name, (error, place) in largest_errors(stride).items():
        print(f"{name}: at most {error:.4f} ulp, at {place.hex()}")
    print(f"{outside(stride)} numbers outside the binades {BINADES[0]} to {BINADES[-1]}")


if __name__ == "__main__":
    main()
