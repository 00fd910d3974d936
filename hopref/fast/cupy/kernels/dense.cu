// Asynchronous updates of dense associative memories: for each site of an order, the sum over the
// patterns of F(r + x) - F(r - x), where r is the overlap of the other sites and x the entry of the
// pattern, and the sign of this sum.
//
// A block processes one state after the other, and a thread some of the patterns, whose overlaps it
// keeps in double precision, with a bound on their error.  Where an overlap without the site cancels,
// so that its error could matter, it is added anew.  Sums over the patterns have a fixed order.
//
// Loops but that over the sites of an overlap are not unrolled, so that threads need few registers.
// grid: (blocks, each with rows of numbers of the patterns).

typedef long long site;                           // an int64 of NumPy

enum { LANES = 32, WARPS = 4, THREADS = LANES * WARPS };
enum { POWER, RECTIFIED, EXPONENTIAL };           // F: z^n, max(z, 0)^n, e^z
enum { KEPT, LOST, REST, HIGH, GAP };             // rows of numbers; the last two for exponentials
#define ALL 0xffffffffu

__device__ double sum_of_block(double value, double* warp_sum)
{
    for (int gap = LANES / 2; gap > 0; gap /= 2)
        value += __shfl_xor_sync(ALL, value, gap);
    if (threadIdx.x % LANES == 0)
        warp_sum[threadIdx.x / LANES] = value;
    __syncthreads();
    double sum = 0;
    for (int w = 0; w < WARPS; ++w)
        sum += warp_sum[CHECK(w, WARPS)];
    return sum;
}

__device__ double larger(double a, double b) { return a < b ? b : a; }

__device__ double largest_of_block(double value, double* warp_top)
{
    for (int gap = LANES / 2; gap > 0; gap /= 2)
        value = larger(value, __shfl_xor_sync(ALL, value, gap));
    if (threadIdx.x % LANES == 0)
        warp_top[threadIdx.x / LANES] = value;
    __syncthreads();
    double top = warp_top[0];
    for (int w = 1; w < WARPS; ++w)
        top = larger(top, warp_top[w]);
    return top;
}

// What rounding took from the sum of a and b.
__device__ double lost_of(double a, double b, double sum)
{
    const double of_b = sum - a;
    return fabs((a - (sum - of_b)) + (b - of_b));
}

// The overlap of a state and a pattern, without a site that is below d, and what roundings took.
__device__ double overlap(const double* pattern, const double* state, size n, size d, size without,
                          double& lost)
{
    double sum = 0;
    lost = 0;
    for (size j = 0; j < d; ++j) {
        const double before = sum;
        const double term = j == without ? 0 : pattern[j * n] * state[CHECK(j, d)];
        sum += term;
        lost += lost_of(before, term, sum);
    }
    return sum;
}

// ((r + x)^n - (r - x)^n)/2 as a product of x and a sum of terms of one sign.
__device__ double odd_part(double r, double x, size n)
{
    double even = 1, odd = 0, more = 1;
#pragma unroll 1
    for (size rest = n; rest; rest /= 2) {
        if (rest % 2) {
            const double both = even * more + odd * r;
            even = even * r + x * x * (odd * more);
            odd = both;
        }
        const double twice = 2 * (r * more);
        r = r * r + x * x * (more * more);
        more = twice;
    }
    return x * odd;
}

// |r| + |x|, of which the rectified power takes r + |x|; 0 where a pattern has no effect.
__device__ double size_of(double r, double x, size n, bool rectified)
{
    if (x == 0 || (r == 0 && !rectified && n % 2 == 0))
        return 0 * r;
    return larger((rectified ? r : fabs(r)) + fabs(x), 0);
}

// The sum of differences of powers, divided by a power of the largest size or a number next to it.
__device__ double gain_of_powers(const double* entries, const double* rest, size count, size n,
                                 bool rectified, double* warp_top, double* warp_sum)
{
    double top = 0x1p-1022, gain = 0;
#pragma unroll 1
    for (size m = threadIdx.x; m < count; m += THREADS)
        top = larger(top, size_of(rest[CHECK(m, count)], entries[m], n, rectified));
    top = largest_of_block(top, warp_top);
    if (n < 900)                                  // a power of two, which changes no rounding
        top = __longlong_as_double(__double_as_longlong(top) & 0x7ff0000000000000ll);
    const double unit = 1 / top;
#pragma unroll 1
    for (size m = threadIdx.x; m < count; m += THREADS) {
        const double here = size_of(rest[CHECK(m, count)], entries[m], n, rectified);
        double r = unit * rest[m], x = unit * entries[m];
        if (rectified && !(r > fabs(x))) {        // of the two powers one is 0
            r = (r + fabs(x)) / 2;
            x = x < 0 ? -r : r;
        }
        gain += here > 0 ? odd_part(r, x, n) : here;
    }
    return sum_of_block(gain, warp_sum);
}

// The sum of e^(r + x) - e^(r - x) = 2 e^r sinh x, relative to a largest term.  If it may be 0, and
// r + x and r - x are exact, these are sorted, so that equal ones cancel exactly.
__device__ double gain_of_exponentials(const double* entries, const double* rest, double* high,
                                       double* gap, size count, double* warp_top,
                                       double (*warp_sum)[WARPS])
{
    double lost = 0, gain;
#pragma unroll 1
    for (size m = threadIdx.x; m < count; m += THREADS) {
        const double r = rest[CHECK(m, count)], x = entries[m];
        high[m] = r + fabs(x);
        gap[m] = x == 0 ? 0 * r : 2 * x;
        lost += lost_of(r, x, r + x) + lost_of(r, -x, r - x);
    }
    for (bool sorted = false; ; sorted = true) {
        double top = -__longlong_as_double(0x7ff0000000000000ll), sum = 0, sizes = 0;
#pragma unroll 1
        for (size m = threadIdx.x; m < count; m += THREADS)
            if (gap[CHECK(m, count)] != 0)
                top = larger(top, high[m]);
        top = largest_of_block(top, warp_top);
#pragma unroll 1
        for (size m = threadIdx.x; m < count; m += THREADS) {
            const double more = gap[CHECK(m, count)] == 0 ? 0
                : exp(high[m] - top) * -expm1(-fabs(gap[m]));
            sum += gap[m] < 0 ? -more : more;
            sizes += more;
        }
        gain = sum_of_block(sum, warp_sum[0]);
        sizes = sum_of_block(sizes, warp_sum[1]);
        if (sorted || !(fabs(gain) <= 0x1p-48 * count * sizes)
                || sum_of_block(lost, warp_sum[2]) != 0)
            return gain;
#pragma unroll 1
        for (size m = threadIdx.x; m < count; m += THREADS) {
            const double up = rest[CHECK(m, count)] + entries[m], down = rest[m] - entries[m];
            size above = 0, below = 0;            // the numbers before them
#pragma unroll 1
            for (size k = 0; k < count; ++k) {
                const double other_up = rest[CHECK(k, count)] + entries[k];
                const double other_down = rest[k] - entries[k];
                above += other_up < up || (other_up == up && k < m);
                below += other_down < down || (other_down == down && k < m);
            }
            high[CHECK(above, count)] = up;
            gap[CHECK(below, count)] = down;
        }
        __syncthreads();
#pragma unroll 1
        for (size m = threadIdx.x; m < count; m += THREADS) {
            const double up = high[CHECK(m, count)], down = gap[m];
            high[m] = larger(up, down);
            gap[m] = up - down;
        }
    }
}

// `patterns` (d, count) holds the entries of a site one after the other, and `numbers` the rows of
// each block.  A sum of 0 keeps the value of a site, and sites out of range are passed over.
extern "C" __global__ void __launch_bounds__(THREADS)
dense(const double* __restrict__ patterns, const site* __restrict__ order, const size steps,
      const size many, const size count, const size d, const size kind, const size n,
      double* __restrict__ numbers, double* __restrict__ states)
{
    __shared__ double warp_top[WARPS], warp_sum[3][WARPS];
    numbers += blockIdx.x * count * (kind == EXPONENTIAL ? 5 : 3);
    double *kept = numbers + KEPT * count, *lost = numbers + LOST * count,
           *rest = numbers + REST * count;

#pragma unroll 1
    for (size row = blockIdx.x; row < many; row += gridDim.x) {
        double* state = states + row * d;
#pragma unroll 1
        for (size m = threadIdx.x; m < count; m += THREADS)
            kept[CHECK(m, count)] = overlap(patterns + m, state, count, d, d, lost[m]);

#pragma unroll 1
        for (size t = 0; t < steps; ++t) {
            const size i = size(order[t]);
            if (i >= d)
                continue;
            const double* entries = patterns + i * count;
            const double old = state[i];
#pragma unroll 1
            for (size m = threadIdx.x; m < count; m += THREADS) {
                const double term = entries[CHECK(m, count)] * old;
                double r = kept[m] - term;
                const double error = lost[m] + lost_of(kept[m], -term, r);
                if (!(error <= 0x1p-53 * d * fabs(r))) {
                    r = overlap(patterns + m, state, count, d, i, lost[m]);
                    kept[m] = r + term;
                    lost[m] += lost_of(r, term, kept[m]);
                }
                rest[m] = r;
            }
            const double gain = kind == EXPONENTIAL
                ? gain_of_exponentials(entries, rest, numbers + HIGH * count,
                                       numbers + GAP * count, count, warp_top, warp_sum)
                : gain_of_powers(entries, rest, count, n, kind == RECTIFIED, warp_top,
                                 warp_sum[0]);
            const double value = gain > 0 ? 1 : gain < 0 ? -1 : gain == 0 ? old : gain;
#pragma unroll 1
            for (size m = threadIdx.x; m < count && value != old; m += THREADS) {
                const double change = entries[CHECK(m, count)] * (value - old), before = kept[m];
                kept[m] += change;
                lost[m] += lost_of(before, change, kept[m]);
            }
            if (threadIdx.x == 0)
                state[i] = value;
            __syncthreads();                      // the state and the numbers have been read
        }
    }
}
