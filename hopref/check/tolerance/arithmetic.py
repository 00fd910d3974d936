"""The arithmetic of a candidate, which determines the errors of its operations.

A `Profile` holds unit roundoffs (`u` arithmetic and accumulation, `u_s` stored scores, `u_p` stored
probabilities, `u_o` stored output) and `eta`, the smallest normal number, which is the error of an
operation if subnormal numbers are flushed to zero, as by XLA.
"""
import math
from dataclasses import dataclass, replace

import numpy as np

__all__ = ["holds_numbers", "Profile", "PROFILES", "profile_of", "round_to", "largest"]


@dataclass(frozen=True)
class Profile:
    """One number format and how a candidate uses it."""
    name: str
    u: float
    u_s: float = 0.0
    u_p: float = 0.0
    u_o: float = 0.0
    eta: float = 0.0
    worst_case: bool = False
    most: float = math.inf  # the largest number; a larger intermediate result is infinite
    whole: float = 0.0      # integers up to here are exact; 0: all that the format holds

    @property
    def integers(self):
        """The largest integer up to which sums and products of integers are exact."""
        return self.whole or 1 / self.u

    def regrouped(self, times):
        """The profile of an implementation that groups operations differently: more roundings.

        Its intermediate integers may be as large as the square of those of the formula.
        """
        return self if times == 1 else replace(self, u=times * self.u, whole=self.u**-0.5)

    def g(self, n):
        """Error of ``n`` roundings: at most ``n u / (1 - n u)``, in practice ``4 sqrt(n) u``."""
        grown = n * self.u
        worst = grown / (1 - grown) if grown < 0.9 else math.inf
        return worst if self.worst_case else min(worst, 4 * math.sqrt(n) * self.u)

    @property
    def dtype(self):
        """The format to which inputs are rounded before the truth is computed."""
        return self.name.partition("-")[0]


U64, U32, U16, UB = 2.0**-53, 2.0**-24, 2.0**-11, 2.0**-8

MOST = {"bfloat16": 3.3895313892515355e38,
        **{dtype: float(np.finfo(dtype).max) for dtype in ("float16", "float32", "float64")}}

PROFILES = {p.name: p for p in [
    Profile("float64", U64, eta=2.0**-1022, most=MOST["float64"]),
    Profile("float32", U32, eta=2.0**-126, most=MOST["float32"]),
    Profile("float16", U16, U16, U16, U16, eta=2.0**-14, most=MOST["float16"]),
    Profile("bfloat16", UB, UB, UB, UB, eta=2.0**-126, most=MOST["bfloat16"]),
    # float64 arrays with float32 within; half arrays with sums in float32
    Profile("float64-single", U32, U32, U32, eta=2.0**-126, most=MOST["float32"]),
    Profile("float16-mixed", U32, U16, U16, U16, eta=2.0**-14, most=MOST["float16"]),
    Profile("bfloat16-mixed", U32, UB, UB, UB, eta=2.0**-126, most=MOST["bfloat16"]),
]}


def profile_of(name, *, worst_case=False):
    """The profile called ``name``; ``worst_case`` does not assume random signs of errors."""
    if name not in PROFILES:
        raise ValueError(f"no arithmetic is called {name!r}; there are {', '.join(PROFILES)}")
    return replace(PROFILES[name], worst_case=worst_case)


def round_to(x, dtype):
    """``x`` rounded to the nearest of ``dtype``, ties to even; bfloat16 is stored in float32."""
    if dtype != "bfloat16":
        with np.errstate(over="ignore"):
            return np.asarray(x).astype(dtype)
    with np.errstate(over="ignore"):
        bits = np.ascontiguousarray(x, dtype=np.float32).view(np.uint32).reshape(np.shape(x))
    kept = (bits + (0x7FFF + ((bits >> 16) & 1))) & np.uint32(0xFFFF0000)
    kept = np.where(np.isfinite(bits.view(np.float32)), kept, bits).astype(np.uint32)
    return kept.view(np.float32).reshape(np.shape(x))


def largest(dtype):
    """The largest finite number of ``dtype``."""
    return MOST[dtype]


def holds_numbers(values, dtype):
    """Whether ``dtype`` holds every float of the values and arrays: none overflows or becomes 0."""
    arrays = [np.ravel(v) for v in values
              if isinstance(v, float) or isinstance(v, np.ndarray) and v.dtype == float]
    numbers = np.concatenate([np.empty(0), *arrays])
    numbers = numbers[np.isfinite(numbers) & (numbers != 0)]
    with np.errstate(all="ignore"):
        stored = round_to(numbers, dtype) if dtype in MOST else numbers
    return bool(np.all(np.isfinite(stored) & (stored != 0)))
