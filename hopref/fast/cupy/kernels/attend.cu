// Softmax attention for few queries: z = sum_j p_j v_j with p = softmax_j(beta <q, k_j> + b_j), in
// two kernels.
//
// The keys are divided into parts.  `partial` computes, for each part and each query, the largest
// score, the sum of exp(score - largest), and the sum of the values with these weights.  `merge`
// adds the parts.  Each sum is taken in a fixed order, so that the bits of a result depend neither
// on the order of blocks nor on that of threads.
//
// REAL is float or double.  Keys and values are stored in it, or, if REAL is float, as STORED, which is
// float16 or bfloat16.  A block of `partial` has WARPS warps, and 32 lanes are a warp.
// grid of `partial`: (parts, queries, heads); of `merge`: (blocks of THREADS components, queries,
// heads).

#ifndef STORED
#define STORED REAL
#endif

struct float16 { unsigned short bits; };          // NVRTC defines the types only with headers
struct bfloat16 { unsigned short bits; };

typedef REAL real;
typedef STORED stored;
typedef unsigned char truth;                      // a bool of NumPy
typedef unsigned long long size;                  // size_t, which NVRTC defines only with headers

enum { LANES = 32, WARPS = 4, THREADS = LANES * WARPS };
#define ALL 0xffffffffu

__device__ real number(real x) { return x; }
__device__ float number(bfloat16 x) { return __int_as_float(int(x.bits) << 16); }
__device__ float number(float16 x)
{
    float y;
    asm("cvt.f32.f16 %0, %1;" : "=f"(y) : "h"(x.bits));
    return y;
}

__device__ real infinity() { return real(__int_as_float(0x7f800000)); }

// The lowest number, below every score; a hidden key, with a score of -infinity, has the weight 0.
__device__ real lowest()
{
    return sizeof(real) == 4 ? real(__int_as_float(0xff7fffff))
                             : real(__longlong_as_double(0xffefffffffffffffll));
}

__device__ real largest_of_warp(real value)
{
    for (int gap = LANES / 2; gap > 0; gap /= 2) {
        const real other = __shfl_xor_sync(ALL, value, gap);
        value = value < other ? other : value;
    }
    return value;
}

__device__ real sum_of_warp(real value)
{
    for (int gap = LANES / 2; gap > 0; gap /= 2)
        value += __shfl_xor_sync(ALL, value, gap);
    return value;
}

// A mask or a bias has a stride, in elements, for each of heads, queries and keys; `masked` and
// `biased` are 0 where it is absent.  Query i sees the keys before i + after - before.
// Dynamic shared memory: the query, of d numbers, and a sum of v numbers for each warp.
extern "C" __global__ void __launch_bounds__(THREADS)
partial(const real* __restrict__ queries, const stored* __restrict__ keys,
        const stored* __restrict__ values, const truth* __restrict__ mask,
        const real* __restrict__ bias, const size masked, const size mask_head,
        const size mask_query, const size mask_key, const size biased, const size bias_head,
        const size bias_query, const size bias_key, const size count, const size d, const size v,
        const size length, const size after, const size before, const real beta,
        real* __restrict__ sums, real* __restrict__ totals, real* __restrict__ tops)
{
    extern __shared__ double memory[];            // of the widest type, for its alignment
    __shared__ real weights[WARPS][LANES], warp_top[WARPS], warp_total[WARPS];
    real* query = reinterpret_cast<real*>(memory);
    const int lane = threadIdx.x % LANES, warp = threadIdx.x / LANES;
    real* sum = query + d + warp * v;             // that of this warp
    const size i = blockIdx.y, head = blockIdx.z, row = head * gridDim.y + i;
    const size visible = i + after < before ? 0 : i + after - before;
    const size limit = visible < count ? visible : count;
    const size first = blockIdx.x * length;
    const size end = first + length < limit ? first + length : limit;
    const real factor = biased ? real(1) : beta;
    keys += head * count * d;
    values += head * count * v;
    mask += head * mask_head + i * mask_query;
    bias += head * bias_head + i * bias_query;

    for (size k = threadIdx.x; k < d; k += THREADS)
        query[k] = queries[row * d + k];
    for (size k = lane; k < v; k += LANES)
        sum[k] = real(0);
    __syncthreads();

    real top = lowest(), total = real(0);
    for (size start = first + warp * LANES; start < end; start += THREADS) {
        const int present = end - start < LANES ? int(end - start) : LANES;
        real score = -infinity();                 // lane j has the score of key start + j
        for (int j = 0; j < present; ++j) {
            real product = real(0);
            for (size k = lane; k < d; k += LANES)
                product += query[k] * number(keys[(start + j) * d + k]);
            product = sum_of_warp(product);
            if (lane == j)
                score = product;
        }
        if (lane < present) {
            if (score == -infinity())             // an overflow, which hides no key
                score = infinity() - infinity();
            if (biased) {
                const real more = bias[(start + lane) * bias_key];
                score = more == -infinity() ? more : beta * score + more;
            }
            if (masked && !mask[(start + lane) * mask_key])
                score = -infinity();
        }
        const real highest = largest_of_warp(score);
        const real new_top = top < highest ? highest : top;
        const real scale = exp(factor * (top - new_top));
        const real weight = exp(factor * (score - new_top));
        total = total * scale + sum_of_warp(weight);
        top = new_top;
        __syncwarp();                             // the weights of the last tile have been read
        weights[warp][lane] = weight;
        __syncwarp();
        for (size k = lane; k < v; k += LANES) {
            real value = sum[k] * scale;
            for (int j = 0; j < present; ++j)
                value += weights[warp][j] * number(values[(start + j) * v + k]);
            sum[k] = value;
        }
    }

    if (lane == 0) {
        warp_top[warp] = top;
        warp_total[warp] = total;
    }
    __syncthreads();
    real block_top = warp_top[0];
    for (int w = 1; w < WARPS; ++w)
        block_top = block_top < warp_top[w] ? warp_top[w] : block_top;
    const size part = row * gridDim.x + blockIdx.x;
    for (size k = threadIdx.x; k < v; k += THREADS) {
        real value = real(0);
        for (int w = 0; w < WARPS; ++w)
            value += exp(factor * (warp_top[w] - block_top)) * query[d + w * v + k];
        sums[part * v + k] = value;
    }
    if (threadIdx.x == 0) {
        real value = real(0);
        for (int w = 0; w < WARPS; ++w)
            value += exp(factor * (warp_top[w] - block_top)) * warp_total[w];
        totals[part] = value;
        tops[part] = block_top;
    }
}

// `factor` is that of the exponents, and `empty` the result of a query that sees no key.
extern "C" __global__ void __launch_bounds__(THREADS)
merge(const real* __restrict__ sums, const real* __restrict__ totals, const real* __restrict__ tops,
      const size parts, const size v, const real factor, const real empty,
      real* __restrict__ means)
{
    const size k = size(blockIdx.x) * THREADS + threadIdx.x;
    if (k >= v)
        return;
    const size row = size(blockIdx.z) * gridDim.y + blockIdx.y, begin = row * parts;
    real top = tops[begin];
    for (size part = 1; part < parts; ++part)
        top = top < tops[begin + part] ? tops[begin + part] : top;
    real value = real(0), total = real(0);
    for (size part = 0; part < parts; ++part) {
        const real scale = exp(factor * (tops[begin + part] - top));
        value += scale * sums[(begin + part) * v + k];
        total += scale * totals[begin + part];
    }
    means[row * v + k] = total == real(0) ? empty : value / total;
}
