// Asynchronous updates of binary states: for each site of an order, its field from the present state,
// and its new value.  One block processes one state, and its threads add the terms of a field in a
// fixed order, in double precision, in which the product of two floats is exact.
//
// REAL is float or double.  A block has WARPS warps, and 32 lanes are a warp.  grid: (states).

typedef REAL real;
typedef long long site;                           // an int64 of NumPy

enum { LANES = 32, WARPS = 4, THREADS = LANES * WARPS };
#define ALL 0xffffffffu

__device__ double sum_of_warp(double value)
{
    for (int gap = LANES / 2; gap > 0; gap /= 2)
        value += __shfl_xor_sync(ALL, value, gap);
    return value;
}

// The probability of the upper value, 1 / (1 + e^-z), without overflow.
__device__ double probability(double z)
{
    const double e = exp(z < 0 ? z : -z);
    return (z < 0 ? e : 1.0) / (1.0 + e);
}

// With `drawn`, a site takes the value 1 with a probability that depends on its field times `steepness`,
// by one of the uniform numbers (states, steps); otherwise the sign of its field, and at 0 the value 1
// if `plus`, else its own.  Sites out of range are passed over.
// Dynamic shared memory: the state, of d numbers.
extern "C" __global__ void __launch_bounds__(THREADS)
sweep(const real* __restrict__ weights, const real* __restrict__ thresholds,
      const site* __restrict__ order, const real* __restrict__ uniforms, const size drawn,
      const size steps, const size d, const size plus, const real low, const double steepness,
      real* __restrict__ states)
{
    extern __shared__ double memory[];            // of the widest type, for its alignment
    __shared__ double warp_sum[WARPS];
    real* state = reinterpret_cast<real*>(memory);
    const int lane = threadIdx.x % LANES, warp = threadIdx.x / LANES;

    for (size k = threadIdx.x; k < d; k += THREADS)
        state[k] = states[blockIdx.x * d + k];      // which thread 0 may change below

    for (size t = 0; t < steps; ++t) {
        const size i = size(order[t]);
        if (i >= d)
            continue;
        double sum = 0;
        for (size k = threadIdx.x; k < d; k += THREADS)
            sum += double(weights[i * d + k]) * double(state[k]);
        sum = sum_of_warp(sum);
        if (lane == 0)
            warp_sum[warp] = sum;
        __syncthreads();
        if (threadIdx.x == 0) {
            double field = 0;
            for (int w = 0; w < WARPS; ++w)
                field += warp_sum[w];
            field -= thresholds[i];
            real value = plus ? real(1) : state[i];
            if (drawn) {
                field = probability(steepness * field) - uniforms[blockIdx.x * steps + t];
                value = low;
            }
            if (field > 0)
                value = real(1);
            if (field < 0)
                value = low;
            state[i] = field == field ? value : real(field);
        }
        __syncthreads();
    }

    for (size k = threadIdx.x; k < d; k += THREADS)
        states[blockIdx.x * d + k] = state[k];
}
