"""Wrong versions of ``retrieve.cu``, in its source and in its PTX, and how each is found.

"wrong" means that the numbers are outside of the derived tolerance; all else is the beginning of
the kind of a fault that the interpreter reports.
"""
import re
from typing import NamedTuple

__all__ = ["Mutant", "IN_SOURCE", "IN_PTX", "HARMLESS"]

READ_LATER = "data race, read after write"
WRITTEN_LATER = "data race, write after read"
WRITTEN_TWICE = "data race, write after write"
AT_ONCE = "data race, two threads write at once"
BEYOND = "out of bounds"


class Mutant(NamedTuple):
    """One change of the text; ``old`` is a pattern whose occurrence ``which`` is replaced."""
    name: str
    old: str
    new: str
    found: str
    which: int = 0

    def applied(self, text):
        places = list(re.finditer(self.old, text))
        if not places:
            raise LookupError(f"{self.name}: the text has no {self.old}")
        place = places[self.which]
        return text[:place.start()] + place.expand(self.new) + text[place.end():]


def plain(name, old, new, found, which=0):
    """A mutant of text that is no pattern."""
    return Mutant(name, re.escape(old), new.replace("\\", r"\\"), found, which)


BARRIERS = [
    plain("no barrier after the state is stored", "__syncthreads();", "", READ_LATER),
    plain("no barrier before the warps are added", "__syncthreads();", "", READ_LATER, 1),
    plain("a barrier of warps after the state is stored", "__syncthreads();", "__syncwarp();",
          READ_LATER),
    plain("a barrier of warps before the warps are added", "__syncthreads();", "__syncwarp();",
          READ_LATER, 1),
    plain("no barrier before the weights are stored", "__syncwarp();", "", WRITTEN_LATER),
    plain("no barrier after the weights are stored", "__syncwarp();", "", READ_LATER, 1),
]
GUARDS = [
    plain("a component too many of the state", "k = threadIdx.x; k < d", "k = threadIdx.x; k <= d",
          WRITTEN_TWICE),
    plain("a component too many of a product", "for (size k = lane; k < d",
          "for (size k = lane; k <= d", WRITTEN_LATER, 1),
    plain("a component too many of a sum", "for (size k = lane; k < d",
          "for (size k = lane; k <= d", BEYOND, 2),
    plain("the last part is as long as the others",
          "first + length < count ? first + length : count", "first + length", BEYOND),
    plain("the last tile is as long as the others",
          "end - start < LANES ? int(end - start) : LANES", "LANES", BEYOND),
    plain("all lanes have the score of the last pattern", "if (lane == j)", "if (true)", "wrong"),
    plain("all lanes store the maximum of their warp", "if (lane == 0)", "if (true)", AT_ONCE),
    plain("all threads store the maximum of their block", "if (threadIdx.x == 0)", "if (true)",
          AT_ONCE),
    plain("threads beyond the components store", "if (k >= d)", "if (false)", BEYOND),
    plain("an exit before the barrier", "    __syncthreads();\n\n    real top",
          "    if (warp == 3) return;\n    __syncthreads();\n\n    real top",
          "divergent barrier"),
    plain("sums are not set to zero", "sum[k] = real(0);", ";", "uninitialised read"),
]
SCALES = [
    plain("the total is not rescaled", "total * scale +", "total +", "wrong"),
    plain("the sum is not rescaled", "sum[k] * scale", "sum[k]", "wrong"),
    plain("the sums of warps are not rescaled", "exp(beta * (warp_top[w] - block_top)) * state",
          "state", "wrong"),
    plain("the totals of warps are not rescaled",
          "exp(beta * (warp_top[w] - block_top)) * warp_total", "warp_total", "wrong"),
    plain("the sums of parts are not rescaled", "scale * sums", "sums", "wrong"),
    plain("the totals of parts are not rescaled", "scale * totals", "totals", "wrong"),
    plain("the maximum is not kept", "        top = new_top;\n", "", "wrong"),
    plain("the maximum is that of the last tile", "top < highest ? highest : top", "highest",
          "wrong"),
    plain("the maximum of the first warp is that of all", "block_top = block_top < warp_top[w]",
          "block_top = false", "wrong"),
    plain("the maximum of the first part is that of all", "top = top < tops[begin + part]",
          "top = false", "wrong"),
    plain("beta is missing in the weights", "exp(beta * (score", "exp((score", "wrong"),
    plain("beta is missing in the scale", "exp(beta * (top", "exp((top", "wrong"),
    plain("the result is not divided", "value / total", "value", "wrong"),
]
INDICES = [
    plain("all blocks take the first state", "states[blockIdx.y * d + k]", "states[k]", "wrong"),
    plain("all parts begin at the first pattern", "first = blockIdx.x * length", "first = 0",
          "wrong"),
    plain("a tile has one pattern", "patterns[(start + j) * d + k]", "patterns[start * d + k]",
          "wrong"),
    plain("patterns are added from the next row", "patterns[(start + j) * d + k]",
          "patterns[(start + j + 1) * d + k]", BEYOND, 1),
    plain("warps overlap", "start += THREADS", "start += LANES", "wrong"),
    plain("all warps have one sum", "state + d + warp * d", "state + d", AT_ONCE),
    plain("the weights of the first warp are those of all", "weights[warp][j]", "weights[0][j]",
          READ_LATER),
    plain("the weight of the first lane is that of all", "weights[warp][j]", "weights[warp][0]",
          "wrong"),
    plain("all states have one part", "size(blockIdx.y) * gridDim.x + blockIdx.x", "blockIdx.x",
          WRITTEN_TWICE),
    plain("all states merge the parts of the first", "begin = blockIdx.y * parts", "begin = 0",
          "wrong"),
    plain("all states are stored in the first", "updated[blockIdx.y * d + k]", "updated[k]",
          WRITTEN_TWICE),
    plain("a part is left out", "size part = 0; part < parts", "size part = 1; part < parts",
          "wrong"),
    plain("a warp is left out", "int w = 0; w < WARPS", "int w = 0; w < WARPS - 1", "wrong"),
    plain("half a warp is added", "int gap = LANES / 2", "int gap = LANES / 4", "wrong", 1),
    plain("the maximum of half a warp", "int gap = LANES / 2", "int gap = LANES / 4", "wrong"),
    plain("shared memory for a warp too few", "state + d + warp * d", "state + 2 * d + warp * d",
          BEYOND),
]
IN_SOURCE = BARRIERS + GUARDS + SCALES + INDICES

IN_PTX = [
    Mutant("the first bar.sync is removed", r"bar\.sync\s+0;", "", READ_LATER),
    Mutant("the second bar.sync is removed", r"bar\.sync\s+0;", "", READ_LATER, 1),
    Mutant("bar.sync becomes bar.warp.sync", r"bar\.sync\s+0;", "bar.warp.sync -1;", READ_LATER),
    Mutant("the first bar.warp.sync is removed", r"bar\.warp\.sync\s+-1;", "", WRITTEN_LATER),
    Mutant("the second bar.warp.sync is removed", r"bar\.warp\.sync\s+-1;", "", READ_LATER, 1),
    Mutant("the guard of the state is inverted", r"@(%p\d+) bra", r"@!\1 bra", BEYOND),
    Mutant("the guard of merge is inverted", r"(?s)(entry merge.*?)@(%p\d+) bra", r"\1@!\2 bra",
           BEYOND),
    Mutant("a shuffle reads the lane below", r"shfl\.sync\.bfly", "shfl.sync.up", "wrong"),
    Mutant("a shuffle reads the lane above", r"shfl\.sync\.bfly", "shfl.sync.down", "wrong", 2),
    Mutant("a shuffle reads lane 0", r"shfl\.sync\.bfly", "shfl.sync.idx", "wrong", 5),
    Mutant("a mask without the last lane", r"(shfl\.sync\.bfly[^;]*), (-1|%r\d+);",
           r"\1, 0x7fffffff;", "mask of a warp"),
    Mutant("the next number of shared memory is read", r"(ld\.shared\.f\d+\s+%\w+, \[%rd\d+)\]",
           r"\1+8]", WRITTEN_LATER),
    Mutant("a store to shared memory is removed", r"st\.shared\.f\d+[^;]*;", "",
           "uninitialised read"),
    Mutant("a fused operation does not add", r"fma\.rn\.(f\d+)(\s+%\w+, %\w+, %\w+), (%\w+);",
           r"mul.\1\2;", "wrong"),
    Mutant("an index is not multiplied by the size of an element",
           r"shl\.b64(\s+%rd\d+, %rd\d+), \d;", r"shl.b64\1, 1;", "wrong width"),
    Mutant("a result is not stored", r"st\.global\.f\d+[^;]*;", "", "wrong", -1),
]

HARMLESS = [
    plain("nothing", "typedef REAL real;", "typedef REAL real;", ""),
    plain("a barrier more", "__syncwarp();", "__syncwarp(); __syncwarp();", ""),
    plain("a barrier of the block more", "    real top = -infinity()",
          "    __syncthreads();\n    real top = -infinity()", ""),
    plain("terms in another order", "int w = 0; w < WARPS; ++w", "int w = WARPS - 1; w >= 0; --w",
          ""),
]
