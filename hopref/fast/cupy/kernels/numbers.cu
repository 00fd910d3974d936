// Numbers and blocks of threads, which precede the kernels of attention and of features.
//
// REAL is float or double.  Arrays are stored in it, or some, if REAL is float, as STORED, which is
// float16 or bfloat16.  A block has WARPS warps, and 32 lanes are a warp.

#ifndef STORED
#define STORED REAL
#endif

struct float16 { unsigned short bits; };          // NVRTC defines the types only with headers
struct bfloat16 { unsigned short bits; };

typedef REAL real;
typedef STORED stored;
typedef unsigned char truth;                      // a bool of NumPy

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

