// The inner loops of naming a frame, compiled once for every x86-64 and once for those with AVX2: the hash reads 33 MB
// for 1080p float, which is bound by memory only where its arithmetic is wide.
#pragma once

#include <cstddef>

namespace stereo_convert {

// `state` is an XXH3_state_t of xxhash.h that XXH3_128bits_reset has prepared. All kernels give the same hash.
struct PixelHashKernel {
  const char* name;
  // Hash `size` bytes more.
  void (*add)(void* state, const std::byte* data, std::size_t size);
  // The same, and copy them: what was hashed is still in the nearest cache. `pastCaches` is for targets that are so
  // large that no cache would keep them.
  void (*addCopying)(void* state, const std::byte* from, std::byte* to, std::size_t size, bool pastCaches);
};

extern const PixelHashKernel kBaselineHash;
#if defined(__x86_64__) || defined(_M_X64)
#define STEREO_CONVERT_HAS_AVX2_HASH 1
extern const PixelHashKernel kAvx2Hash;  // only where platform::hasAvx2()
#endif

// The quickest that this processor can run.
[[nodiscard]] const PixelHashKernel& pixelHashKernel();

}  // namespace stereo_convert
