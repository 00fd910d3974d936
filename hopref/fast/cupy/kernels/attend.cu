// Softmax attention for few queries, of which a block has one (see softmax.cu, which precedes this).
// grid: (parts, queries, heads).

// A mask or a bias has a stride, in elements, for each of heads, queries and keys; `masked` and
// `biased` are 0 where it is absent.  Query i sees the keys before i + after - before.
// Dynamic shared memory: the query, of d numbers, and a sum of v numbers for each warp.
extern "C" __global__ void __launch_bounds__(THREADS)
partial(const real* __restrict__ queries, const stored* __restrict__ keys,
        const stored* __restrict__ values, const truth* __restrict__ mask,
        const real* __restrict__ bias, const size masked, const size mask_head,
        const size mask_query, const size mask_key, const size biased, const size bias_head,
        const size bias_query, const size bias_key, const size l, const size count, const size d,
        const size v, const size length, const size after, const size before, const real beta,
        real* __restrict__ sums, real* __restrict__ totals, real* __restrict__ tops)
{
    extern __shared__ double memory[];            // of the widest type, for its alignment
    __shared__ real weights[WARPS][LANES], warp_top[WARPS], warp_total[WARPS];
    real* query = reinterpret_cast<real*>(memory);
    const int lane = threadIdx.x % LANES, warp = threadIdx.x / LANES;
    real* sum = query + d + warp * v;             // that of this warp
    const size i = blockIdx.y, head = blockIdx.z, row = head * l + i;
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
        query[CHECK(k, d)] = queries[row * d + k];
    for (size k = lane; k < v; k += LANES)
        sum[CHECK(k, v)] = real(0);
    __syncthreads();

    real top = lowest(), total = real(0);
    for (size start = first + warp * LANES; start < end; start += THREADS) {
        const int present = end - start < LANES ? int(end - start) : LANES;
        real score = -infinity();                 // lane j has the score of key start + j
        for (int j = 0; j < present; ++j) {
            real product = real(0);
            for (size k = lane; k < d; k += LANES)
                product += query[CHECK(k, d)] * number(keys[CHECK(start + j, count) * d + k]);
            product = sum_of(LANES / 2, 1, product);
            if (lane == j)
                score = product;
        }
        if (lane < present)
            score = score_of(score, beta, masked, mask + CHECK(start + lane, count) * mask_key, biased,
                             bias + (start + lane) * bias_key);
        const real highest = largest_of(LANES / 2, 1, score);
        const real new_top = top < highest ? highest : top;
        const real scale = exp(factor * (top - new_top));
        const real weight = exp(factor * (score - new_top));
        total = total * scale + sum_of(LANES / 2, 1, weight);
        top = new_top;
        __syncwarp();                             // the weights of the last tile have been read
        weights[warp][lane] = weight;
        __syncwarp();
        for (size k = lane; k < v; k += LANES) {
            real value = sum[CHECK(k, v)] * scale;
            for (int j = 0; j < present; ++j)
                value += weights[warp][j] * number(values[CHECK(start + j, count) * v + k]);
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
            value += exp(factor * (warp_top[w] - block_top)) * query[d + w * v + CHECK(k, v)];
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
