// The loops of a PixelHashKernel, for pixel_hash_*.cpp alone: each includes them under the instruction set that it
// asks the compiler for. Everything is static and no header of the C++ library that has code may come in: a function
// that the linker shares between files would be run by processors that lack those instructions.
#pragma once

#define XXH_INLINE_ALL
#include <xxhash.h>

#include <cstddef>
#include <cstdint>
#include <cstring>

#include "pixel_hash_kernel.h"

namespace stereo_convert {

constexpr std::size_t kLine = 64;
constexpr std::size_t kHashBlock = 64 * kLine;  // an eighth of the nearest cache; of 1, 4, 16 and 64 KiB the quickest

// Both aligned to a line; `size` a multiple of it.
static inline void streamLines(const std::byte* from, std::byte* to, std::size_t size) {
#if XXH_VECTOR == XXH_AVX2
  for (std::size_t at = 0; at < size; at += kLine) {
    const __m256i a = _mm256_loadu_si256(reinterpret_cast<const __m256i*>(from + at));
    const __m256i b = _mm256_loadu_si256(reinterpret_cast<const __m256i*>(from + at + kLine / 2));
    _mm256_stream_si256(reinterpret_cast<__m256i*>(to + at), a);
    _mm256_stream_si256(reinterpret_cast<__m256i*>(to + at + kLine / 2), b);
  }
#elif XXH_VECTOR == XXH_SSE2
  for (std::size_t at = 0; at < size; at += kLine) {
    const auto* const source = reinterpret_cast<const __m128i*>(from + at);
    auto* const target = reinterpret_cast<__m128i*>(to + at);
    const __m128i a = _mm_loadu_si128(source), b = _mm_loadu_si128(source + 1);
    const __m128i c = _mm_loadu_si128(source + 2), d = _mm_loadu_si128(source + 3);
    _mm_stream_si128(target, a), _mm_stream_si128(target + 1, b);
    _mm_stream_si128(target + 2, c), _mm_stream_si128(target + 3, d);
  }
#else
  std::memcpy(to, from, size);
#endif
}

static inline void streamFence() {
#if XXH_VECTOR == XXH_AVX2 || XXH_VECTOR == XXH_SSE2
  _mm_sfence();  // streaming stores are ordered by nothing else
#endif
}

static void add(void* state, const std::byte* data, std::size_t size) {
  XXH3_128bits_update(static_cast<XXH3_state_t*>(state), data, size);
}

static void addCopying(void* state, const std::byte* from, std::byte* to, std::size_t size, bool pastCaches) {
  std::size_t block = -reinterpret_cast<std::uintptr_t>(to) % kLine;  // then the target is aligned
  if (block == 0) block = kHashBlock;
  while (size > 0) {
    if (block > size) block = size;
    add(state, from, block);
    const std::size_t lines = pastCaches && block >= kLine ? block / kLine * kLine : 0;
    streamLines(from, to, lines);
    std::memcpy(to + lines, from + lines, block - lines);
    from += block, to += block, size -= block;
    block = kHashBlock;
  }
  if (pastCaches) streamFence();
}

}  // namespace stereo_convert
