// Features of rows x for m directions omega (see numbers.cu and product.cu, which precede this): for each
// function f, with u = stretch <root x, omega> + bend |omega|^2 and h = slope |root x|^2 + level, f(u) e^h,
// or, if LOGARITHMS is defined, log|f(u)| + h, and, if SIGNS is defined, the sign of f(u).
//
// FUNCTIONS is a list of those below.  A block has ROWS rows and a part of the directions, of which it
// passes over tiles of KEYS; WIDTH is at least the number of components.
// grid: (tiles of ROWS rows, parts of `length` directions).

enum { EXP, EXP_MINUS, SIN, COS, RELU };

// The sum of the squares of a row, which is scaled in place.
__device__ real square_of(real* row, const real scale, const size d)
{
    real sum = real(0);
    for (int k = 0; k < d; k += PACK) {
        Pack pack = pack_of(&row[CHECK(k, WIDTH)]);
#pragma unroll
        for (int n = 0; n < PACK; ++n) {
            pack.at[n] *= scale;
            sum += pack.at[n] * pack.at[n];
        }
        *reinterpret_cast<Pack*>(&row[k]) = pack;
    }
    return sum;
}

// sin u or cos u: u/pi is a whole number, a part of at most 1/2, and what rounding took from it, so that
// large u take no other way, which would need memory, and no zero of a wave loses digits.
__device__ real wave(const bool sine, const real u)
{
    const double over = 0.3183098861837907, more = -1.9678676675182486e-17;     // 1/pi
    const real factor = real(over), turns = u * factor, whole = rint(turns), part = turns - whole;
    const real low = sizeof(real) == 4 ? real(over - double(factor)) : real(more);
    const real lost = fma(u, factor, -turns) + u * low;
    real y, unused;
    sincospi(sine ? part + lost : (real(0.5) - fabs(part)) + (part < 0 ? lost : -lost), &y, &unused);
    return y * (rint(whole / 2) == whole / 2 ? 1 : -1);
}

__device__ real value_of(const int f, const real u)
{
    return f == RELU ? (u < real(0) ? real(0) : u) : wave(f == SIN, u);
}

__device__ real logarithm_of(const int f, const real u)
{
    return f == EXP ? u : f == EXP_MINUS ? -u : log(fabs(value_of(f, u)));
}

// f(u) e^h, where e^h alone may be out of range.
__device__ real feature_of(const int f, const real u, const real h)
{
    if (h == -infinity())
        return real(0);
    if (f == EXP || f == EXP_MINUS)
        return exp(logarithm_of(f, u) + h);
    const real value = value_of(f, u), root = exp(h / 4);
    return value == real(0) ? value : value * root * root * root * root;
}

extern "C" __global__ void __launch_bounds__(THREADS, RESIDENT)
features(const real* __restrict__ x, const real* __restrict__ omega, const size count, const size m,
         const size d, const size length, const real root, const real slope, const real level,
         const real stretch, const real bend, real* __restrict__ found, real* __restrict__ signs)
{
    constexpr int functions[] = {FUNCTIONS}, many = sizeof(functions) / sizeof(int);
    __shared__ alignas(16) real rows[ROWS][PITCH], both[KEYS][PITCH], heights[ROWS], bends[KEYS];
    const int t = threadIdx.x, column = column_of(t % LANES);
    const int mine = t / LANES * (4 * MINE) + group_of(t % LANES);
    const size top_row = size(blockIdx.x) * ROWS, first = size(blockIdx.y) * length;
    const size present_rows = count - top_row < ROWS ? count - top_row : size(ROWS);
    const size end = first + length < m ? first + length : m;

    load<ROWS>(rows, x + top_row * d, present_rows, d);
    __syncthreads();
    if (t < ROWS) {                               // without a slope, a square may overflow
        const real square = square_of(rows[t], root, d);
        heights[t] = slope == real(0) ? level : slope * square + level;
    }
    for (size start = first; start < end; start += KEYS) {
        __syncthreads();                          // the last tile has been read
        load<KEYS>(both, omega + start * d, end - start, d);
        __syncthreads();
        if (bend != real(0)) {
            if (t < KEYS)
                bends[t] = bend * square_of(both[t], real(1), d);
            __syncthreads();
        }
        real product[MINE][4] = {};
        add_products(product, rows, both, mine, column, d);
#pragma unroll
        for (int k = 0; k < MINE; ++k) {
            const size i = top_row + mine + 4 * k;
            const real h = heights[CHECK(mine + 4 * k, ROWS)];
#pragma unroll
            for (int j = 0; j < 4; ++j) {
                const size key = start + column + COLUMNS * j;
                const real u = stretch * product[k][j]
                    + (bend == real(0) ? real(0) : bends[CHECK(column + COLUMNS * j, KEYS)]);
                if (i < count && key < end)
#pragma unroll
                for (int n = 0; n < many; ++n) {
                    const size at = (CHECK(i, count) * many + n) * m + CHECK(key, m);
#ifdef LOGARITHMS
                    found[at] = h - h == real(0) ? logarithm_of(functions[n], u) + h : h - h;
#else
                    found[at] = feature_of(functions[n], u, h);
#endif
#ifdef SIGNS
                    const real y = functions[n] < SIN ? real(1) : value_of(functions[n], u);
                    signs[at] = y > real(0) ? real(1) : y < real(0) ? real(-1) : y;
#endif
                }
            }
        }
    }
}
