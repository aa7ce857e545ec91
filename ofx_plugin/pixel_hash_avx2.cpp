#if defined(__x86_64__) || defined(_M_X64)
#include <immintrin.h>  // xxhash.h leaves it out where the compiler's options do not ask for AVX2
#define XXH_VECTOR 2    // XXH_AVX2
#if defined(__clang__)
#pragma clang attribute push(__attribute__((target("avx2"))), apply_to = function)
#elif defined(__GNUC__)
#pragma GCC target("avx2")
#endif
#include "pixel_hash_loops.h"

namespace stereo_convert {

extern const PixelHashKernel kAvx2Hash = {"avx2", add, addCopying};

}  // namespace stereo_convert

#if defined(__clang__)
#pragma clang attribute pop
#endif
#endif
