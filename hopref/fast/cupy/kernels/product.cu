// Products of two tiles of rows in shared memory (see numbers.cu, which precedes this).
//
// WIDTH, 64 or 128, is at least the number of components of a row.  A lane has a group g of 4 and a
// column c of 8.  Of the 4 * MINE rows of its warp in the first tile it has g, g + 4, g + 8..., and of
// the KEYS rows of the second one c, c + 8, c + 16...  Lanes i and i ^ 1 differ in g alone, and i and
// i ^ 2 in c alone, so that an access to 16 bytes of the rows takes two passes of shared memory.  None
// takes more, because rows are an odd number of packs of 16 bytes apart.

enum { PACK = 16 / sizeof(real), MINE = sizeof(real) * WIDTH > 256 ? 2 : 4, ROWS = 4 * MINE * WARPS,
       COLUMNS = 8, KEYS = 4 * COLUMNS, PITCH = WIDTH + PACK, RESIDENT = 4 };

struct alignas(16) Pack { real at[PACK]; };

__device__ const Pack& pack_of(const real* numbers) { return *reinterpret_cast<const Pack*>(numbers); }

// Rows of n numbers in a tile of `many`, with zeros after the last row, and up to a multiple of a warp.
// A warp loads rows that follow each other.
template <int many, typename T>
__device__ void load(real (*tile)[PITCH], const T* __restrict__ rows, const size present, const size n)
{
    const int lane = threadIdx.x % LANES, warp = threadIdx.x / LANES;
    for (int k = lane; k - lane < int(n); k += LANES)
#pragma unroll
        for (int j = warp * (many / WARPS); j < (warp + 1) * (many / WARPS); ++j)
            tile[j][CHECK(k, WIDTH)] = j < present && k < n ? number(rows[j * n + CHECK(k, n)])
                                                            : real(0);
}

__device__ int column_of(const int lane) { return lane / 2 % COLUMNS; }

__device__ int group_of(const int lane) { return lane % 2 + lane / 16 * 2; }

// Add the products of the rows mine, mine + 4... of a tile and column, column + 8... of another one, of d
// components.
__device__ __forceinline__ void add_products(real (*product)[4], const real (*first)[PITCH],
                                             const real (*second)[PITCH], const int mine,
                                             const int column, const size d)
{
    for (int k = 0; k < d; k += PACK) {
        Pack q[MINE], x[4];
#pragma unroll
        for (int m = 0; m < MINE; ++m)
            q[m] = pack_of(&first[mine + 4 * m][CHECK(k, WIDTH)]);
#pragma unroll
        for (int j = 0; j < 4; ++j)
            x[j] = pack_of(&second[column + COLUMNS * j][k]);
#pragma unroll
        for (int m = 0; m < MINE; ++m)
#pragma unroll
            for (int j = 0; j < 4; ++j)
#pragma unroll
                for (int n = 0; n < PACK; ++n)
                    product[CHECK(m, MINE)][CHECK(j, 4)] += q[m].at[n] * x[j].at[n];
    }
}
