// Indices of arrays, which precede the source of every kernel: their type, and a check.

typedef unsigned long long size;                  // size_t, which NVRTC defines only with headers

// An index in a row, or in a part of an array, which must be below the extent of this; beyond it there is
// more of the same array.  If CHECKED is defined, as in tests, a kernel traps there; otherwise the index is
// compiled alone.
#ifdef CHECKED
#define CHECK(index, extent) (size(index) < size(extent) ? (index) : (__trap(), (index)))
#else
#define CHECK(index, extent) (index)
#endif

