// A few floats that are computed at once, written like one float; compiled for several instruction sets.
//
// A function with VECTOR_CLONES is compiled for each set, and with FLATTEN all that it calls becomes part of it: one
// choice of the set for a whole row instead of one for every loop made rows of many surfaces a tenth faster.
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
#define FLATTEN __attribute__((flatten))
#define PREFETCH(address) __builtin_prefetch(address)
#define PREFETCH_TO_WRITE(address) __builtin_prefetch(address, 1)
#else
#define INLINE inline
#define FLATTEN
#define PREFETCH(address)
#define PREFETCH_TO_WRITE(address)
#endif

namespace warp {

// Which of eight bytes in memory, read as one number, is the first that is not 0; there must be one.
INLINE int firstByte(std::uint64_t bytes) {
#if defined(__GNUC__) && __BYTE_ORDER__ == __ORDER_LITTLE_ENDIAN__
  return __builtin_ctzll(bytes) / 8;
#else
  std::uint8_t each[8];
  std::memcpy(each, &bytes, sizeof each);
  int first = 0;
  while (each[first] == 0) ++first;
  return first;
#endif
}

#if defined(__GNUC__)
using EightFloats = float __attribute__((vector_size(32)));
using EightInts = int __attribute__((vector_size(32)));
using FourFloats = float __attribute__((vector_size(16)));
#else
using EightFloats = float;
using EightInts = int;
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

// Writes the first `count` lanes only.
template <typename Lanes>
INLINE void storeFirst(const Lanes& lanes, int count, float* to) {
  float all[kCount<Lanes>];
  store(lanes, all);
  for (int n = 0; n < count; ++n) to[n] = all[n];
}

// Takes from[index] for each index: all of them lie among as many floats from `from` on as there are lanes.
INLINE void pick(const float* from, const EightInts& index, EightFloats& picked) {
#if defined(__GNUC__) && !defined(__clang__)
  EightFloats all;
  load(from, all);
  picked = __builtin_shuffle(all, index);
#elif defined(__GNUC__)
  for (int n = 0; n < kCount<EightFloats>; ++n) picked[n] = from[index[n]];
#else
  picked = from[index];
#endif
}

}  // namespace warp
