// A few floats that are computed at once, written like one float; compiled for several instruction sets.
#pragma once

#include <cstdint>
#include <cstring>

#include "native_half.h"

#if defined(__x86_64__) && defined(__linux__) && defined(__GNUC__) && !defined(__clang__)
#define VECTOR_CLONES __attribute__((target_clones("default", "avx2", "arch=x86-64-v4")))
#else
#define VECTOR_CLONES
#endif

#if defined(__GNUC__)
#define INLINE inline __attribute__((always_inline))
#define PREFETCH(address) __builtin_prefetch(address)
#define PREFETCH_TO_WRITE(address) __builtin_prefetch(address, 1)
#else
#define INLINE inline
#define PREFETCH(address)
#define PREFETCH_TO_WRITE(address)
#endif

namespace warp {

#if defined(__GNUC__)
using EightFloats = float __attribute__((vector_size(32)));
using FourFloats = float __attribute__((vector_size(16)));
#else
using EightFloats = float;
using FourFloats = float;
#endif

template <typename Lanes>
constexpr int kCount = static_cast<int>(sizeof(Lanes) / sizeof(float));

template <typename Lanes>
INLINE void load(const float* from, Lanes& lanes) {
  std::memcpy(&lanes, from, sizeof lanes);
}

INLINE void load(const Half* from, float& value) {
  value = static_cast<float>(*from);
}

#if defined(__GNUC__)
// What Half's conversion does, for eight at once.
INLINE void load(const Half* from, EightFloats& lanes) {
  using EightHalves = std::uint16_t __attribute__((vector_size(16)));
  using EightInts = std::uint32_t __attribute__((vector_size(32)));
  EightHalves halves;
  std::memcpy(&halves, from, sizeof halves);
  const EightInts bits = __builtin_convertvector(halves, EightInts);
  const EightInts magnitude = (bits & 0x7fffu) << 13, notFinite = (EightInts)(magnitude >= 0x0f800000u) & 0x7f800000u;
  lanes = (EightFloats)magnitude * 0x1p112f;
  lanes = (EightFloats)((EightInts)lanes | (bits & 0x8000u) << 16 | notFinite);
}
#endif

template <typename Lanes>
INLINE void store(const Lanes& lanes, float* to) {
  std::memcpy(to, &lanes, sizeof lanes);
}

}  // namespace warp
