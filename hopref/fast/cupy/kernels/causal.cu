// Causal linear attention: for every position i the sums over j <= i of (q_i k_j) (1, v_j), of which
// the first is the denominator, and the state after the last position.
//
// A block processes COLUMNS of the sums of one head, position after position.  Each number of the
// state, of feature r and one column, belongs to one thread, which adds the products of the keys and
// values and multiplies the queries; after POSITIONS positions the products are added over the
// features.  All arithmetic is in double precision, so that no product of floats is out of range.
//
// REAL is float or double.  grid: (blocks of COLUMNS of 1 + v columns, heads).

typedef REAL real;

enum { COLUMNS = 16, GROUPS = 8, POSITIONS = 8, THREADS = COLUMNS * GROUPS };

// Dynamic shared memory: the state, of d * COLUMNS numbers.
extern "C" __global__ void __launch_bounds__(THREADS)
causal(const real* __restrict__ queries, const real* __restrict__ keys,
       const real* __restrict__ values, const size length, const size d, const size v,
       double* __restrict__ states, double* __restrict__ sums)
{
    extern __shared__ double state[];
    __shared__ double parts[POSITIONS][GROUPS][COLUMNS];
    const int here = threadIdx.x % COLUMNS, group = threadIdx.x / COLUMNS;
    const size column = size(blockIdx.x) * COLUMNS + here, head = blockIdx.y;
    const bool present = column <= v;
    queries += head * length * d;
    keys += head * length * d;
    values += head * length * v;
    states += head * d * (v + 1);
    sums += head * length * (v + 1);

    for (size r = group; r < d; r += GROUPS)
        state[r * COLUMNS + here] = present ? states[r * (v + 1) + CHECK(column, v + 1)] : 0.0;

    for (size start = 0; start < length; start += POSITIONS) {
        const int many = length - start < POSITIONS ? int(length - start) : POSITIONS;
        for (int p = 0; p < many; ++p) {
            const size i = start + p;
            const double value = !present ? 0.0 : column
                ? double(values[CHECK(i, length) * v + CHECK(column - 1, v)]) : 1.0;
            double part = 0;
            for (size r = group; r < d; r += GROUPS) {
                const double held = state[r * COLUMNS + here] + double(keys[i * d + r]) * value;
                state[r * COLUMNS + here] = held;
                part += double(queries[i * d + r]) * held;
            }
            parts[p][group][here] = part;
        }
        __syncthreads();
        if (group < many && present) {            // POSITIONS are no more than GROUPS
            double sum = 0;
            for (int g = 0; g < GROUPS; ++g)
                sum += parts[group][CHECK(g, GROUPS)][here];
            sums[CHECK(start + group, length) * (v + 1) + CHECK(column, v + 1)] = sum;
        }
        __syncthreads();                          // the products have been read
    }

    for (size r = group; r < d && present; r += GROUPS)
        states[r * (v + 1) + CHECK(column, v + 1)] = state[r * COLUMNS + here];
}
