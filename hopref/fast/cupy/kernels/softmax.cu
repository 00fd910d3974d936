// What the kernels of attention share: z = sum_j p_j v_j with p = softmax_j(beta <q, k_j> + b_j).
//
// The keys are divided into parts.  A first kernel, `partial` of attend.cu for few queries or `tile` of
// tile.cu for many, computes, for each part and each query, the largest score, the sum of
// exp(score - largest), and the sum of the values with these weights; `merge` adds the parts.  Each sum
// is taken in a fixed order, so that the bits of a result depend neither on the order of blocks nor on
// that of threads.
//
// Keys and values are of the type `stored` (see numbers.cu, which precedes this).
// grid of `merge`: (queries, blocks of THREADS components, heads).

// The lowest number, below every score; a hidden key, with a score of -infinity, has the weight 0.
__device__ real lowest()
{
    return sizeof(real) == 4 ? real(__int_as_float(0xff7fffff))
                             : real(__longlong_as_double(0xffefffffffffffffll));
}

// Of the lanes whose numbers differ in the bits from `high` to `low`.
__device__ real largest_of(const int high, const int low, real value)
{
    for (int gap = high; gap >= low; gap /= 2) {
        const real other = __shfl_xor_sync(ALL, value, gap);
        value = value < other ? other : value;
    }
    return value;
}

__device__ real sum_of(const int high, const int low, real value)
{
    for (int gap = high; gap >= low; gap /= 2)
        value += __shfl_xor_sync(ALL, value, gap);
    return value;
}

// The score of a key from its product with a query, -infinity where it is hidden; `mask` and `bias`
// are those of the two, and are read if `masked` and `biased` are not 0.
__device__ real score_of(const real product, const real beta, const size masked, const truth* mask,
                         const size biased, const real* bias)
{
    real score = product == -infinity() ? infinity() - infinity() : product;    // an overflow
    if (biased) {
        const real more = *bias;
        score = more == -infinity() ? more : beta * score + more;
    }
    return masked && !*mask ? -infinity() : score;
}

// `factor` is that of the exponents, and `empty` the result of a query that sees no key.
extern "C" __global__ void __launch_bounds__(THREADS)
merge(const real* __restrict__ sums, const real* __restrict__ totals, const real* __restrict__ tops,
      const size parts, const size v, const real factor, const real empty,
      real* __restrict__ means)
{
    const size k = size(blockIdx.y) * THREADS + threadIdx.x;
    if (k >= v)
        return;
    const size row = size(blockIdx.z) * gridDim.x + blockIdx.x, begin = row * parts;
    real top = tops[begin];
    for (size part = 1; part < parts; ++part)
        top = top < tops[begin + CHECK(part, parts)] ? tops[begin + part] : top;
    real value = real(0), total = real(0);
    for (size part = 0; part < parts; ++part) {
        const real scale = exp(factor * (tops[begin + CHECK(part, parts)] - top));
        value += scale * sums[(begin + part) * v + CHECK(k, v)];
        total += scale * totals[begin + part];
    }
    means[row * v + k] = total == real(0) ? empty : value / total;
}
