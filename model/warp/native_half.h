// Half precision pixels, read without help from the compiler or the processor.
#pragma once

#include <cstdint>
#include <cstring>

namespace warp {

struct Half {
  std::uint16_t bits;

  // Exponent and mantissa move into a float's place; one product then corrects the bias of the exponent and makes
  // subnormals right. Infinity and NaN keep their exponent of all ones.
  explicit operator float() const {
    const std::uint32_t magnitude = static_cast<std::uint32_t>(bits & 0x7fffu) << 13;
    const std::uint32_t sign = static_cast<std::uint32_t>(bits & 0x8000u) << 16;
    float value;
    std::memcpy(&value, &magnitude, sizeof value);
    value *= 0x1p112f;
    std::uint32_t result;
    std::memcpy(&result, &value, sizeof result);
    result |= sign | (magnitude >= 0x0f800000u ? 0x7f800000u : 0u);
    std::memcpy(&value, &result, sizeof value);
    return value;
  }
};

}  // namespace warp
