// Softmax attention for many queries, of which a block has ROWS (see softmax.cu and product.cu, which
// precede this).
// grid: (parts, tiles of ROWS queries, heads).
//
// WIDTH is at least the number of components of a query and of a value.  A lane computes the scores of
// its queries with its keys, and adds the packs of 16 bytes c, c + 8... of the values.  Rows of weights
// are 8 numbers more than KEYS, so that an access to 16 bytes of them takes two passes as well.

enum { PACKS = WIDTH / (COLUMNS * PACK), WEIGHTS = KEYS + 8 };

// The parameters are those of `partial`.
extern "C" __global__ void __launch_bounds__(THREADS, RESIDENT)
tile(const real* __restrict__ queries, const stored* __restrict__ keys,
     const stored* __restrict__ values, const truth* __restrict__ mask,
     const real* __restrict__ bias, const size masked, const size mask_head, const size mask_query,
     const size mask_key, const size biased, const size bias_head, const size bias_query,
     const size bias_key, const size l, const size count, const size d, const size v,
     const size length, const size after, const size before, const real beta,
     real* __restrict__ sums, real* __restrict__ totals, real* __restrict__ tops)
{
    __shared__ alignas(16) real query[ROWS][PITCH], both[KEYS][PITCH], weights[ROWS][WEIGHTS];
    const int lane = threadIdx.x % LANES, column = column_of(lane);
    const int top_of_warp = threadIdx.x / LANES * (4 * MINE), mine = top_of_warp + group_of(lane);
    const size head = blockIdx.z, top_row = size(blockIdx.y) * ROWS;
    const size rows = l - top_row < ROWS ? l - top_row : size(ROWS), last = top_row + rows - 1;
    const size visible = last + after < before ? 0 : last + after - before;  // of the last query
    const size limit = visible < count ? visible : count;
    const size first = blockIdx.x * length;
    const size end = first + length < limit ? first + length : limit;
    const real factor = biased ? real(1) : beta;
    keys += head * count * d;
    values += head * count * v;
    mask += head * mask_head;
    bias += head * bias_head;

    real top[MINE], total[MINE], sum[MINE][PACKS][PACK];
#pragma unroll
    for (int m = 0; m < MINE; ++m) {
        top[m] = lowest();
        total[m] = real(0);
#pragma unroll
        for (int p = 0; p < PACKS; ++p)
#pragma unroll
            for (int n = 0; n < PACK; ++n)
                sum[m][p][n] = real(0);
    }
    load<ROWS>(query, queries + (head * l + top_row) * d, rows, d);

    for (size start = first; start < end; start += KEYS) {
        const int present = end - start < KEYS ? int(end - start) : KEYS;
        __syncthreads();                          // the values of the last tile have been read
        load<KEYS>(both, keys + start * d, present, d);
        __syncthreads();
        real score[MINE][4] = {};
        add_products(score, query, both, mine, column, d);
#pragma unroll
        for (int m = 0; m < MINE; ++m) {
            const size i = top_row + mine + 4 * m;
            real highest = top[m];
#pragma unroll
            for (int j = 0; j < 4; ++j) {
                const size key = start + column + COLUMNS * j;
                const bool here = i < l && key < end && key + before < i + after;
                score[m][j] = here ? score_of(
                    score[m][j], beta, masked,
                    mask + CHECK(i, l) * mask_query + CHECK(key, count) * mask_key, biased,
                    bias + i * bias_query + key * bias_key) : -infinity();
                highest = highest < score[m][j] ? score[m][j] : highest;
            }
            highest = largest_of(8, 2, highest);
            const real scale = exp(factor * (top[m] - highest));
            top[m] = highest;
            total[m] *= scale;
#pragma unroll
            for (int j = 0; j < 4; ++j) {
                const real weight = exp(factor * (score[m][j] - highest));
                weights[mine + 4 * m][CHECK(column + COLUMNS * j, KEYS)] = weight;
                total[m] += weight;
            }
#pragma unroll
            for (int p = 0; p < PACKS; ++p)
#pragma unroll
                for (int n = 0; n < PACK; ++n)
                    sum[m][p][n] *= scale;
        }
        __syncthreads();                          // the keys have been read
        load<KEYS>(both, values + start * v, present, v);
        __syncthreads();
#pragma unroll 1
        for (int j = 0; j < KEYS; j += PACK) {
            Pack w[MINE];
#pragma unroll
            for (int m = 0; m < MINE; ++m)
                w[m] = pack_of(&weights[mine + 4 * m][CHECK(j, KEYS)]);
#pragma unroll
            for (int p = 0; p < PACKS; ++p) {
                if (p * COLUMNS * PACK < v)
#pragma unroll
                for (int k = 0; k < PACK; ++k) {
                    const Pack x = pack_of(&both[j + k][CHECK((COLUMNS * p + column) * PACK, WIDTH)]);
#pragma unroll
                    for (int m = 0; m < MINE; ++m)
#pragma unroll
                        for (int n = 0; n < PACK; ++n)
                            sum[m][CHECK(p, PACKS)][n] += w[CHECK(m, MINE)].at[k] * x.at[n];
                }
            }
        }
    }

    __syncwarp();                                 // in place of the queries of the warp
#pragma unroll
    for (int m = 0; m < MINE; ++m)
#pragma unroll
        for (int p = 0; p < PACKS; ++p)
#pragma unroll
            for (int n = 0; n < PACK; ++n)
                query[mine + 4 * m][CHECK((COLUMNS * p + column) * PACK + n, WIDTH)] = sum[m][p][n];
    __syncwarp();
    for (int m = 0; m < 4 * MINE; ++m) {
        const int row = top_of_warp + m;
        const size part = (head * l + top_row + row) * gridDim.x + blockIdx.x;
        for (int k = lane; row < rows && k < v; k += LANES)
            sums[part * v + k] = query[row][CHECK(k, v)];
    }
#pragma unroll
    for (int m = 0; m < MINE; ++m) {
        const size part = (head * l + top_row + mine + 4 * m) * gridDim.x + blockIdx.x;
        total[m] = sum_of(8, 2, total[m]);
        if (mine + 4 * m < rows && column == 0) {
            totals[part] = total[m];
            tops[part] = top[m];
        }
    }
}
