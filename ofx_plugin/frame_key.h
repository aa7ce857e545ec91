// 128-bit names of content: equal keys mean equal pixels. Hosts reuse buffers and times, so nothing else identifies
// a frame.
#pragma once

#include <array>
#include <cstdint>
#include <cstring>
#include <string>
#include <string_view>

#include "pixels.h"

namespace stereo_convert {

struct FrameKey {
  std::array<std::uint8_t, 16> bytes{};
};
[[nodiscard]] inline bool operator==(const FrameKey& a, const FrameKey& b) {
  return a.bytes == b.bytes;
}

struct FrameKeyHash {
  [[nodiscard]] std::size_t operator()(const FrameKey& key) const {
    std::size_t value = 0;
    std::memcpy(&value, key.bytes.data(), sizeof(value));
    return value;
  }
};

// Two digits for each byte.
[[nodiscard]] std::string hexadecimal(const FrameKey& key);

// Hash of the format and the tight rows of `view`, whatever its stride.
[[nodiscard]] FrameKey contentKey(const PixelView& view, const FrameFormat& format);

// Copy `view` to tight rows at `to`; the contentKey of what was copied. One pass over memory does both.
[[nodiscard]] FrameKey copyAndKey(const PixelView& view, std::byte* to, const FrameFormat& format);

// A number that frames of equal content share and others seldom do, from a few hundred places of the frame. It says
// where to look first, never what is equal. Small frames all share one.
[[nodiscard]] std::uint64_t contentSketch(const PixelView& view, const FrameFormat& format);

// Collects what a result depends on into one key.
class KeyBuilder {
 public:
  KeyBuilder();
  KeyBuilder& add(const FrameKey& key);
  KeyBuilder& add(std::int64_t number);
  KeyBuilder& add(double number);
  KeyBuilder& add(std::string_view text);
  [[nodiscard]] FrameKey key() const;

 private:
  void mix(const void* data, std::size_t size);
  FrameKey state_;
};

// 16 bytes from the system's random source, for names that nobody should guess.
[[nodiscard]] FrameKey randomKey();

}  // namespace stereo_convert
