"""Wrong versions of the kernels, in their source and in their PTX, and how each is found.

"wrong" means that the numbers are outside of the derived tolerance; all else is the beginning of
the kind of a fault that the interpreter reports.  `TRAP` is that of a `CHECK` in the source, which
finds an index that leaves its row but not the array.
"""
import re
from typing import NamedTuple

import pytest

__all__ = ["Mutant", "IN_SOURCE", "HIDDEN", "IN_PTX", "HARMLESS", "OF_SWEEPS", "OF_CAUSAL",
           "OF_HALF", "OF_DENSE", "TRAP", "check_barriers", "each_mutant", "plain"]

READ_LATER = "data race, read after write"
WRITTEN_LATER = "data race, write after read"
WRITTEN_TWICE = "data race, write after write"
AT_ONCE = "data race, two threads write at once"
BEYOND = "out of bounds"
TRAP = "trap"


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


def check_barriers(mutants, source):
    """Assert that every barrier has a mutant without it and one that weakens it."""
    names, barriers = {mutant.name for mutant in mutants}, source.count("__syncthreads()")
    assert len(names) == len(mutants)
    assert sum("__sync" in mutant.old for mutant in mutants) == 2 * barriers


def each_mutant(mutants):
    """Call a test for each mutant.  All are slow but the first with each fault, and with each fault
    the first barrier that is weakened to a warp."""
    kinds, values = set(), []
    for mutant in mutants:
        kind = mutant.found, mutant.new == "__syncwarp();"
        marks = [pytest.mark.slow] if kind in kinds else []
        values.append(pytest.param(mutant, id=mutant.name, marks=marks))
        kinds.add(kind)
    return pytest.mark.parametrize("mutant", values, indirect=True)


BARRIERS = [
    plain("no barrier after the query is stored", "__syncthreads();", "", READ_LATER),
    plain("no barrier before the warps are added", "__syncthreads();", "", READ_LATER, 1),
    plain("a barrier of warps after the query is stored", "__syncthreads();", "__syncwarp();",
          READ_LATER),
    plain("a barrier of warps before the warps are added", "__syncthreads();", "__syncwarp();",
          READ_LATER, 1),
    plain("no barrier before the weights are stored", "__syncwarp();", "", WRITTEN_LATER),
    plain("no barrier after the weights are stored", "__syncwarp();", "", READ_LATER, 1),
]
GUARDS = [
    plain("a component too many of the query", "k = threadIdx.x; k < d", "k = threadIdx.x; k <= d",
          WRITTEN_TWICE),
    plain("a component too many of a product", "for (size k = lane; k < d",
          "for (size k = lane; k <= d", WRITTEN_LATER),
    plain("a component too many of a sum", "for (size k = lane; k < v",
          "for (size k = lane; k <= v", BEYOND, 1),
    plain("the last part is as long as the others",
          "first + length < limit ? first + length : limit", "first + length", BEYOND),
    plain("the last tile is as long as the others",
          "end - start < LANES ? int(end - start) : LANES", "LANES", BEYOND),
    plain("all lanes have the score of the last key", "if (lane == j)", "if (true)", "wrong"),
    plain("all lanes store the maximum of their warp", "if (lane == 0)", "if (true)", AT_ONCE),
    plain("all threads store the maximum of their block", "if (threadIdx.x == 0)", "if (true)",
          AT_ONCE),
    plain("threads beyond the components store", "if (k >= v)", "if (false)", BEYOND),
    plain("an exit before the barrier", "    __syncthreads();\n\n    real top",
          "    if (warp == 3) return;\n    __syncthreads();\n\n    real top",
          "divergent barrier"),
    plain("sums are not set to zero", "sum[CHECK(k, v)] = real(0);", ";", "uninitialised read"),
]
SCALES = [
    plain("the total is not rescaled", "total * scale +", "total +", "wrong"),
    plain("the sum is not rescaled", "sum[CHECK(k, v)] * scale", "sum[k]", "wrong"),
    plain("the sums of warps are not rescaled", "exp(factor * (warp_top[w] - block_top)) * query",
          "query", "wrong"),
    plain("the totals of warps are not rescaled",
          "exp(factor * (warp_top[w] - block_top)) * warp_total", "warp_total", "wrong"),
    plain("the sums of parts are not rescaled", "scale * sums", "sums", "wrong"),
    plain("the totals of parts are not rescaled", "scale * totals", "totals", "wrong"),
    plain("the maximum is not kept", "        top = new_top;\n", "", "wrong"),
    plain("the maximum is that of the last tile", "top < highest ? highest : top", "highest",
          "wrong"),
    plain("the maximum of the first warp is that of all", "block_top = block_top < warp_top[w]",
          "block_top = false", "wrong"),
    plain("the maximum of the first part is that of all",
          "top = top < tops[begin + CHECK(part, parts)]",
          "top = false", "wrong"),
    plain("beta is missing in the weights", "exp(factor * (score", "exp((score", "wrong"),
    plain("beta is missing in the scale", "exp(factor * (top", "exp((top", "wrong"),
    plain("the result is not divided", "value / total", "value", "wrong"),
]
INDICES = [
    plain("all blocks take the first query", "queries[row * d + k]", "queries[k]", "wrong"),
    plain("all parts begin at the first key", "first = blockIdx.x * length", "first = 0",
          "wrong"),
    plain("a tile has one key", "keys[CHECK(start + j, count) * d + k]", "keys[start * d + k]",
          "wrong"),
    plain("values are added from the next row", "values[CHECK(start + j, count) * v + k]",
          "values[(start + j + 1) * v + k]", BEYOND),
    plain("warps overlap", "start += THREADS", "start += LANES", "wrong"),
    plain("all warps have one sum", "query + d + warp * v", "query + d", AT_ONCE),
    plain("the weights of the first warp are those of all", "weights[warp][j]", "weights[0][j]",
          READ_LATER),
    plain("the weight of the first lane is that of all", "weights[warp][j]", "weights[warp][0]",
          "wrong"),
    plain("all queries have one part", "row * gridDim.x + blockIdx.x", "blockIdx.x",
          WRITTEN_TWICE),
    plain("all queries merge the parts of the first", "begin = row * parts", "begin = 0",
          "wrong"),
    plain("all queries are stored in the first", "means[row * v + k]", "means[k]",
          WRITTEN_TWICE),
    plain("a part is left out", "size part = 0; part < parts", "size part = 1; part < parts",
          "wrong"),
    plain("a warp is left out", "int w = 0; w < WARPS", "int w = 0; w < WARPS - 1", "wrong"),
    plain("half a warp is added", "int gap = high", "int gap = high / 2", "wrong", 1),
    plain("the maximum of half a warp", "int gap = high", "int gap = high / 2", "wrong"),
    plain("shared memory for a warp too few", "query + d + warp * v", "query + d + v + warp * v",
          BEYOND),
]
HIDDEN = [                          # of heads, masks, biases and empty rows
    plain("the mask is not read", "masked && !*mask", "false && !*mask", "wrong"),
    plain("the mask is inverted", "masked && !*mask", "masked && *mask", "wrong"),
    plain("the mask of the first key is that of all", "CHECK(start + lane, count) * mask_key",
          "0", "wrong"),
    plain("the mask of the first head is that of all", "head * mask_head", "0", "wrong"),
    plain("the mask of the first query is that of all", "i * mask_query", "0", "wrong"),
    plain("the bias is not read", "if (biased)", "if (false)", "wrong"),
    plain("the bias of the first key is that of all", "(start + lane) * bias_key", "0", "wrong"),
    plain("the bias of the first head is that of all", "head * bias_head", "0", "wrong"),
    plain("the bias of the first query is that of all", "i * bias_query", "0", "wrong"),
    plain("biased scores are not scaled", "beta * score + more", "score + more", "wrong"),
    plain("biased scores are scaled twice", "biased ? real(1) : beta", "beta", "wrong"),
    plain("a bias of -infinity hides no score that overflows",
          "more == -infinity() ? more : beta * score + more", "beta * score + more", "wrong"),
    plain("a score that overflows is hidden", "? infinity() - infinity() :", "? product :",
          "wrong"),
    plain("lanes without a key read the bias", "if (lane < present)", "if (true)", BEYOND),
    plain("later keys are visible", "visible < count ? visible : count", "count", "wrong"),
    plain("a query sees one key too many", "i + after - before;", "i + after - before + 1;",
          "wrong"),
    plain("a query sees one key too few", "i + after - before;", "i + after - before - 1;",
          "wrong"),
    plain("the queries that see no key see all", "i + after < before ? 0 :", "false ? 0 :",
          "wrong"),
    plain("all heads have the keys of the first", "keys += head * count * d", "keys += 0",
          "wrong"),
    plain("all heads have the values of the first", "values += head * count * v", "values += 0",
          "wrong"),
    plain("the heads of keys are those of values", "keys += head * count * d",
          "keys += head * count * v", "wrong"),
    plain("all heads have one result", "row = head * l + i", "row = i", WRITTEN_TWICE),
    plain("all heads merge the first", "row = size(blockIdx.z) * gridDim.x + blockIdx.x",
          "row = blockIdx.x", WRITTEN_TWICE),
    plain("a query without keys is not a number", "total == real(0) ? empty :", "false ? empty :",
          "wrong"),
    plain("the largest score of no key is 0", "top = lowest()", "top = real(0)", "wrong"),
    plain("the key of the next head, whose score is not used", "j < present",
          "j < present + (head == 0)", TRAP),
    plain("the values of the next head, with weights of 0", "j < present",
          "j < (head == 0 ? LANES : present)", TRAP, 1),
    plain("the mask of the next query", "if (lane < present)",
          "if (lane < present + (i == 0 && head == 0))", TRAP),
]
BEYOND_ROWS = [                     # within the array; some change no result
    plain("the largest score of the next query", "size part = 1; part < parts",
          "size part = 1; part < parts + (row == 0)", TRAP),
    plain("a sum of the next query", "k < v; k += THREADS", "k < v + (row == 0); k += THREADS",
          TRAP),
]
IN_SOURCE = BARRIERS + GUARDS + SCALES + INDICES + BEYOND_ROWS

IN_PTX = [
    Mutant("the first bar.sync is removed", r"bar\.sync\s+0;", "", READ_LATER),
    Mutant("the second bar.sync is removed", r"bar\.sync\s+0;", "", READ_LATER, 1),
    Mutant("bar.sync becomes bar.warp.sync", r"bar\.sync\s+0;", "bar.warp.sync -1;", READ_LATER),
    Mutant("the first bar.warp.sync is removed", r"bar\.warp\.sync\s+-1;", "", WRITTEN_LATER),
    Mutant("the second bar.warp.sync is removed", r"bar\.warp\.sync\s+-1;", "", READ_LATER, 1),
    Mutant("the guard of the state is inverted", r"(?s)(entry partial.*?)@(%p\d+) bra",
           r"\1@!\2 bra", BEYOND),
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
    Mutant("a fused operation does not add",
           r"(?s)(entry partial.*?)fma\.rn\.(f\d+)(\s+%\w+, %\w+, %\w+), (%\w+);",
           r"\1mul.\2\3;", "wrong"),
    Mutant("an index is not multiplied by the size of an element",
           r"(?s)(entry partial.*?)shl\.b64(\s+%rd\d+, %rd\d+), \d;", r"\1shl.b64\2, 1;",
           "wrong width"),
    Mutant("the next byte of a mask is read", r"(ld\.global\.nc\.u8\s+%rs\d+, \[%rd\d+)\]",
           r"\1+1]", BEYOND),
    Mutant("a result is not stored", r"st\.global\.f\d+[^;]*;", "", "wrong", -1),
]

HARMLESS = [
    plain("nothing", "typedef REAL real;", "typedef REAL real;", ""),
    plain("a barrier more", "__syncwarp();", "__syncwarp(); __syncwarp();", ""),
    plain("a barrier of the block more", "    real top = lowest()",
          "    __syncthreads();\n    real top = lowest()", ""),
    plain("terms in another order", "int w = 0; w < WARPS; ++w", "int w = WARPS - 1; w >= 0; --w",
          ""),
]

OF_SWEEPS = [
    plain("no barrier before the warps are added", "__syncthreads();", "", READ_LATER),
    plain("no barrier after the site is stored", "__syncthreads();", "", "data race", 1),
    plain("a barrier of warps before the warps are added", "__syncthreads();", "__syncwarp();",
          READ_LATER),
    plain("a barrier of warps after the site is stored", "__syncthreads();", "__syncwarp();",
          "data race", 1),
    plain("a component too many of the state", "k = threadIdx.x; k < d", "k = threadIdx.x; k <= d",
          BEYOND),
    plain("a component too many of a field", "k = threadIdx.x; k < d", "k = threadIdx.x; k <= d",
          BEYOND, 1),
    plain("a component too many of the result", "k = threadIdx.x; k < d",
          "k = threadIdx.x; k <= d", BEYOND, 2),
    plain("all lanes store the sum of their warp", "if (lane == 0)", "if (true)", AT_ONCE),
    plain("all threads store the site", "if (threadIdx.x == 0)", "if (true)", AT_ONCE),
    plain("half a warp is added", "int gap = LANES / 2", "int gap = LANES / 4", "wrong"),
    plain("a warp is left out", "w < WARPS", "w < WARPS - 1", "wrong"),
    plain("a column in the place of a row", "weights[i * d + k]", "weights[k * d + i]", "wrong"),
    plain("the sum is in single precision", "double sum = 0;", "float sum = 0;", "wrong"),
    plain("the threshold is not subtracted", "field -= thresholds[i];", ";", "wrong"),
    plain("a site keeps its value at no field", "plus ? real(1) : state[i]", "state[i]", "wrong"),
    plain("a site is 1 at no field", "plus ? real(1) : state[i]", "real(1)", "wrong"),
    plain("the lower value is -1", "            if (field < 0)\n                value = low;",
          "            if (field < 0)\n                value = real(-1);", "wrong"),
    plain("all sites are the first", "size(order[t])", "size(order[0])", "wrong"),
    plain("sites out of range are updated", "if (i >= d)", "if (false)", BEYOND),
    plain("all states are the first", "state[k] = states[blockIdx.x * d + k]",
          "state[k] = states[k]", "data race"),
    plain("all states have the numbers of the first", "uniforms[blockIdx.x * steps + t]",
          "uniforms[t]", "wrong"),
    plain("all steps have one number", "uniforms[blockIdx.x * steps + t]",
          "uniforms[blockIdx.x * steps]", "wrong"),
    plain("the steepness is missing", "probability(steepness * field)", "probability(field)",
          "wrong"),
    plain("the probability is that of the lower value", "(z < 0 ? e : 1.0)", "(z < 0 ? 1.0 : e)",
          "wrong"),
    plain("NaN is a value", "field == field ? value : real(field)", "value", "wrong"),
]

OF_HALF = [                         # of numbers of half precision
    plain("bits of bfloat16 are shifted too far", "<< 16", "<< 17", "wrong"),
    plain("float16 is read as bfloat16", 'asm("cvt.f32.f16 %0, %1;" : "=f"(y) : "h"(x.bits));',
          "y = __int_as_float(int(x.bits) << 16);", "wrong"),
]

OF_CAUSAL = [
    plain("no barrier before the features are added", "__syncthreads();", "", READ_LATER),
    plain("no barrier after the features are added", "__syncthreads();", "", WRITTEN_LATER, 1),
    plain("a barrier of warps before the features are added", "__syncthreads();",
          "__syncwarp();", READ_LATER),
    plain("a barrier of warps after the features are added", "__syncthreads();",
          "__syncwarp();", WRITTEN_LATER, 1),
    plain("positions beyond the last are stored", "if (group < many && present)",
          "if (present)", "data race"),
    plain("columns beyond the last are stored", "if (group < many && present)",
          "if (group < many)", "data race"),
    plain("columns beyond the last are read", "!present ? 0.0 : column", "column", BEYOND),
    plain("the state of columns beyond the last is read",
          "present ? states[r * (v + 1) + CHECK(column, v + 1)] : 0.0",
          "states[r * (v + 1) + column]", "data race"),
    plain("the state of columns beyond the last is stored", "r < d && present", "r < d",
          "data race"),
    plain("the last positions are as many as the others",
          "length - start < POSITIONS ? int(length - start) : POSITIONS", "POSITIONS", "data race"),
    plain("a feature too many of the state", "size r = group; r < d;", "size r = group; r <= d;",
          BEYOND),
    plain("a feature too many of a product", "size r = group; r < d;", "size r = group; r <= d;",
          BEYOND, 1),
    plain("the state is not kept", "                state[r * COLUMNS + here] = held;\n", "",
          "wrong"),
    plain("a query does not see its own key", "double(queries[i * d + r]) * held",
          "double(queries[i * d + r]) * (held - double(keys[i * d + r]) * value)", "wrong"),
    plain("the first column holds no ones", ") : 1.0;", ") : 0.0;", "wrong"),
    plain("the values are those of the next column", "CHECK(column - 1, v)", "CHECK(column, v)",
          BEYOND),
    plain("the given state is left out",
          "present ? states[r * (v + 1) + CHECK(column, v + 1)] : 0.0", "0.0", "wrong"),
    plain("the last state is not stored",
          "states[r * (v + 1) + CHECK(column, v + 1)] = state[r * COLUMNS + here]", "", "wrong"),
    plain("all heads have the keys of the first", "keys += head * length * d", "keys += 0",
          "wrong"),
    plain("all heads have the queries of the first", "queries += head * length * d",
          "queries += 0", "wrong"),
    plain("all heads have the values of the first", "values += head * length * v",
          "values += 0", "wrong"),
    plain("all heads have one state", "states += head * d * (v + 1)", "states += 0", "data race"),
    plain("all heads have one result", "sums += head * length * (v + 1)", "sums += 0",
          WRITTEN_TWICE),
    plain("a group of features is left out", "g < GROUPS; ++g", "g < GROUPS - 1; ++g", "wrong"),
    plain("products are added in single precision", "double part = 0;", "float part = 0;",
          "wrong"),
    plain("all groups have one product", "parts[p][group][here] = part",
          "parts[p][0][here] = part", AT_ONCE),
    plain("the products of the next position", "g < GROUPS; ++g",
          "g < GROUPS + (group == 0); ++g", TRAP),
    plain("the position of the next head", "? int(length - start) :",
          "? int(length - start) + (head == 0) :", TRAP),
    plain("a column too many", "column <= v", "column <= v + 1", TRAP),
]

OF_DENSE = [
    plain("no barrier before the sums of warps are added", "__syncthreads();", "", READ_LATER),
    plain("no barrier before the maxima of warps are compared", "__syncthreads();", "",
          READ_LATER, 1),
    plain("no barrier after the numbers are sorted", "__syncthreads();", "", READ_LATER, 2),
    plain("no barrier after the site is stored", "__syncthreads();", "", "data race", 3),
    plain("a barrier of warps before the sums are added", "__syncthreads();", "__syncwarp();",
          READ_LATER),
    plain("a barrier of warps before the maxima are compared", "__syncthreads();",
          "__syncwarp();", READ_LATER, 1),
    plain("a barrier of warps after the numbers are sorted", "__syncthreads();", "__syncwarp();",
          READ_LATER, 2),
    plain("a barrier of warps after the site is stored", "__syncthreads();", "__syncwarp();",
          "data race", 3),
    plain("half a warp is added", "int gap = LANES / 2", "int gap = LANES / 4", "wrong"),
    plain("the maximum of half a warp", "int gap = LANES / 2", "int gap = LANES / 4", "wrong", 1),
    plain("the sum of a warp is left out", "w < WARPS", "w < WARPS - 1", "wrong"),
    plain("the maximum of a warp is left out", "w < WARPS", "w < 1", "wrong", 1),
    plain("all lanes store the sum of their warp", "if (threadIdx.x % LANES == 0)", "if (true)",
          AT_ONCE),
    plain("all lanes store the maximum of their warp", "if (threadIdx.x % LANES == 0)",
          "if (true)", AT_ONCE, 1),
    plain("all threads store the site", "if (threadIdx.x == 0)", "if (true)", AT_ONCE),
    plain("sites out of range are updated", "if (i >= d)", "if (false)", BEYOND),
    plain("all sites are the first", "size(order[t])", "size(order[0])", "wrong"),
    plain("all states are the first", "states + row * d", "states", "data race"),
    plain("all blocks have the numbers of the first", "numbers += blockIdx.x", "numbers += 0",
          "data race"),
    plain("a block updates one state", "row < many", "row < gridDim.x", "wrong"),
    plain("a pattern too many", "m = threadIdx.x; m < count", "m = threadIdx.x; m <= count",
          BEYOND),
    plain("patterns beyond the threads are left out", "m += THREADS) {\n        const double here",
          "m += count) {\n        const double here", "wrong"),
    plain("an entry too many of an overlap", "j < d; ++j", "j <= d; ++j", BEYOND),
    plain("an overlap contains the site", "j == without ? 0 :", "false ? 0 :", "wrong"),
    plain("an overlap is not added anew", "if (!(error <=", "if (false && !(error <=", "wrong"),
    plain("what a sum lost is not known", "lost += lost_of(before, term, sum);", "", "wrong"),
    plain("what an update lost is not known", "lost[m] += lost_of(before, change, kept[m]);", "",
          "wrong"),
    plain("overlaps are not updated", "change = entries[CHECK(m, count)] * (value - old)",
          "change = 0", "wrong"),
    plain("the entries are those of the first site", "patterns + i * count", "patterns", "wrong"),
    plain("a site is 1 at no sum", "gain == 0 ? old", "gain == 0 ? 1", "wrong"),
    plain("NaN is a value", "gain == 0 ? old : gain", "old", "wrong"),
    plain("powers are not scaled", "unit = 1 / top", "unit = 1", "wrong"),
    plain("patterns without an effect have a size", "        return 0 * r;", "        ;", "wrong"),
    plain("the even part is kept", "even = even * r + x * x * (odd * more)", "even = even * r",
          "wrong"),
    plain("the sign of a rectified entry is lost", "x < 0 ? -r : r", "r", "wrong"),
    plain("overlaps without an effect are the largest", "if (gap[CHECK(m, count)] != 0)",
          "if (true)", "wrong"),
    plain("the sign of a gap is lost", "gap[m] < 0 ? -more : more", "more", "wrong"),
    plain("equal exponentials are not sorted", "warp_sum[2]) != 0", "warp_sum[2]) >= 0", "wrong"),
    plain("equal numbers have one rank", "(other_up == up && k < m)", "false", AT_ONCE),
    plain("ranks begin at 1", "other_down == down && k < m", "other_down == down && k <= m",
          BEYOND),
    plain("the ranks of another row begin at 1", "other_up == up && k < m",
          "other_up == up && k <= m", TRAP),
    plain("the sum of a warp too many", "w < WARPS", "w <= WARPS", TRAP),
    plain("a number of the next row", "m = threadIdx.x; m < count && value",
          "m = threadIdx.x; m <= count && value", TRAP),
]
