"""e^x and e^x - 1 for x <= 0, within an ulp, without branches or calls, so that loops vectorise.

x = n log 2 + r with |r| <= log(2)/2.  Adding MAGIC rounds x / log 2 to the integer n, which is then
in the last bits of the sum.  log 2 is split into two terms, the first of which has so few bits that
its product with n is exact.  e^r - 1 is the polynomial of Cephes' expf in single precision, and the
Taylor polynomial in double precision, with an error of 4e-18 at the ends.  The power 2^n is scaled
by LIFT, so that only the last product can become subnormal.
"""
import numpy as np

from hopref.fast.numba._jit import CONTRACT, by_precision, njit

__all__ = ["powers"]

f32, i32, i64 = np.float32, np.int32, np.int64
MAGIC32, LIFT32, DROP32 = f32(1.5 * 2**23), f32(2.0**64), f32(2.0**-64)
MAGIC64, LIFT64, DROP64 = 1.5 * 2**52, 2.0**100, 2.0**-100
BITS32 = i32(0x4B400000 - 127 - 64)                 # of MAGIC, less the bias and the lift
BITS64 = i64(0x4338000000000000 - 1023 - 100)


@njit(fastmath=CONTRACT)
def powers32(x):
    x = f32(-104) if x < f32(-104) else x           # e^-104 rounds to 0; this form propagates NaN
    t = x * f32(1.4426950408889634) + MAGIC32
    n = t - MAGIC32
    r = (x - n * f32(0.693145751953125)) - n * f32(1.42860682030941723212e-6)
    p = f32(1.9875691500e-4)
    p = p * r + f32(1.3981999507e-3)
    p = p * r + f32(8.3334519073e-3)
    p = p * r + f32(4.1665795894e-2)
    p = p * r + f32(1.6666665459e-1)
    p = p * r + f32(5.0000001201e-1)
    p = p * (r * r) + r
    power = i32((f32(t).view(i32) - BITS32) << i32(23)).view(f32)
    return (p * power + power) * DROP32, (p * power + (power - LIFT32)) * DROP32


@njit(fastmath=CONTRACT)
def powers64(x):
    x = -746.0 if x < -746.0 else x
    t = x * 1.4426950408889634 + MAGIC64
    n = t - MAGIC64
    r = (x - n * 6.93147180369123816490e-01) - n * 1.90821492927058770002e-10
    p = 1 / 6227020800
    p = p * r + 1 / 479001600
    p = p * r + 1 / 39916800
    p = p * r + 1 / 3628800
    p = p * r + 1 / 362880
    p = p * r + 1 / 40320
    p = p * r + 1 / 5040
    p = p * r + 1 / 720
    p = p * r + 1 / 120
    p = p * r + 1 / 24
    p = p * r + 1 / 6
    p = p * r + 0.5
    p = p * (r * r) + r
    power = i64((np.float64(t).view(i64) - BITS64) << i64(52)).view(np.float64)
    return (p * power + power) * DROP64, (p * power + (power - LIFT64)) * DROP64


powers = by_precision(powers32, powers64)
