// Retrieval for few states: new = sum_j p_j x_j with p = softmax_j(beta <state, x_j>), in two kernels.
//
// The patterns are divided into parts.  `partial` computes, for each part and each state, the largest
// score, the sum of exp(beta (score - largest)), and the sum of the patterns with these weights.
// `merge` adds the parts.  Each sum is taken in a fixed order, so that the bits of a result depend
// neither on the order of blocks nor on that of threads.
//
// REAL is float or double.  A block of `partial` has WARPS warps, and 32 lanes are a warp.
// grid of `partial`: (parts, states); grid of `merge`: (blocks of THREADS components, states).

typedef REAL real;
typedef unsigned long long size;                  // size_t, which NVRTC defines only with headers

enum { LANES = 32, WARPS = 4, THREADS = LANES * WARPS };
#define ALL 0xffffffffu

__device__ real infinity() { return real(__int_as_float(0x7f800000)); }

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

// Dynamic shared memory: the state, of d numbers, and a sum of patterns for each warp.
extern "C" __global__ void __launch_bounds__(THREADS)
partial(const real* __restrict__ states, const real* __restrict__ patterns, const size count,
        const size d, const size length, const real beta,
        real* __restrict__ sums, real* __restrict__ totals, real* __restrict__ tops)
{
    extern __shared__ double memory[];            // of the widest type, for its alignment
    __shared__ real weights[WARPS][LANES], warp_top[WARPS], warp_total[WARPS];
    real* state = reinterpret_cast<real*>(memory);
    const int lane = threadIdx.x % LANES, warp = threadIdx.x / LANES;
    real* sum = state + d + warp * d;             // that of this warp
    const size first = blockIdx.x * length;
    const size end = first + length < count ? first + length : count;

    for (size k = threadIdx.x; k < d; k += THREADS)
        state[k] = states[blockIdx.y * d + k];
    for (size k = lane; k < d; k += LANES)
        sum[k] = real(0);
    __syncthreads();

    real top = -infinity(), total = real(0);
    for (size start = first + warp * LANES; start < end; start += THREADS) {
        const int present = end - start < LANES ? int(end - start) : LANES;
        real score = -infinity();                 // lane j has the score of pattern start + j
        for (int j = 0; j < present; ++j) {
            real product = real(0);
            for (size k = lane; k < d; k += LANES)
                product += state[k] * patterns[(start + j) * d + k];
            product = sum_of_warp(product);
            if (lane == j)
                score = product;
        }
        const real highest = largest_of_warp(score);
        const real new_top = top < highest ? highest : top;
        const real scale = exp(beta * (top - new_top));
        const real weight = exp(beta * (score - new_top));
        total = total * scale + sum_of_warp(weight);
        top = new_top;
        __syncwarp();                             // the weights of the last tile have been read
        weights[warp][lane] = weight;
        __syncwarp();
        for (size k = lane; k < d; k += LANES) {
            real value = sum[k] * scale;
            for (int j = 0; j < present; ++j)
                value += weights[warp][j] * patterns[(start + j) * d + k];
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
    const size part = size(blockIdx.y) * gridDim.x + blockIdx.x;
    for (size k = threadIdx.x; k < d; k += THREADS) {
        real value = real(0);
        for (int w = 0; w < WARPS; ++w)
            value += exp(beta * (warp_top[w] - block_top)) * state[d + w * d + k];
        sums[part * d + k] = value;
    }
    if (threadIdx.x == 0) {
        real value = real(0);
        for (int w = 0; w < WARPS; ++w)
            value += exp(beta * (warp_top[w] - block_top)) * warp_total[w];
        totals[part] = value;
        tops[part] = block_top;
    }
}

extern "C" __global__ void __launch_bounds__(THREADS)
merge(const real* __restrict__ sums, const real* __restrict__ totals, const real* __restrict__ tops,
      const size parts, const size d, const real beta, real* __restrict__ updated)
{
    const size k = size(blockIdx.x) * THREADS + threadIdx.x;
    if (k >= d)
        return;
    const size begin = blockIdx.y * parts;
    real top = tops[begin];
    for (size part = 1; part < parts; ++part)
        top = top < tops[begin + part] ? tops[begin + part] : top;
    real value = real(0), total = real(0);
    for (size part = 0; part < parts; ++part) {
        const real scale = exp(beta * (tops[begin + part] - top));
        value += scale * sums[(begin + part) * d + k];
        total += scale * totals[begin + part];
    }
    updated[blockIdx.y * d + k] = value / total;
}
