#include "frame_key.h"

#define XXH_INLINE_ALL
#include <xxhash.h>

#include "failure.h"
#include "pixel_hash_kernel.h"
#include "platform/platform.h"
#include "streaming_copy.h"

namespace stereo_convert {
namespace {

FrameKey keyOf(const XXH128_hash_t& hash) {
  XXH128_canonical_t canonical;
  XXH128_canonicalFromHash(&canonical, hash);
  FrameKey key;
  std::memcpy(key.bytes.data(), canonical.digest, key.bytes.size());
  return key;
}

void addFormat(XXH3_state_t& state, const FrameFormat& format) {
  XXH3_128bits_reset(&state);
  const std::int32_t description[] = {format.width, format.height, static_cast<int>(format.pixelType),
                                      static_cast<int>(format.channelOrder),
                                      static_cast<int>(format.premultiplication)};
  XXH3_128bits_update(&state, description, sizeof(description));
  XXH3_128bits_update(&state, format.colorSpace.data(), format.colorSpace.size());
}

// The rows in pieces that lie together in memory: all at once, or one by one.
struct Pieces {
  explicit Pieces(const PixelView& view)
      : count(view.isTight() ? 1 : view.height),
        bytes(view.rowBytes() * static_cast<std::size_t>(view.isTight() ? view.height : 1)) {}

  const int count;
  const std::size_t bytes;
};

}  // namespace

std::string hexadecimal(const FrameKey& key) {
  constexpr const char* kDigits = "0123456789abcdef";
  std::string text;
  for (const std::uint8_t byte : key.bytes) {
    text += kDigits[byte >> 4];
    text += kDigits[byte & 15];
  }
  return text;
}

FrameKey contentKey(const PixelView& view, const FrameFormat& format) {
  XXH3_state_t state;
  addFormat(state, format);
  const Pieces pieces(view);
  for (int y = 0; y < pieces.count; ++y) pixelHashKernel().add(&state, view.row(y), pieces.bytes);
  return keyOf(XXH3_128bits_digest(&state));
}

FrameKey copyAndKey(const PixelView& view, std::byte* to, const FrameFormat& format) {
  XXH3_state_t state;
  addFormat(state, format);
  const Pieces pieces(view);
  const bool pastCaches = format.sizeBytes() >= kStreamFromBytes;
  for (int y = 0; y < pieces.count; ++y, to += pieces.bytes) {
    pixelHashKernel().addCopying(&state, view.row(y), to, pieces.bytes, pastCaches);
  }
  return keyOf(XXH3_128bits_digest(&state));
}

std::uint64_t contentSketch(const PixelView& view, const FrameFormat& format) {
  constexpr std::size_t kPlaces = 512, kPlaceBytes = 64;
  constexpr std::uint64_t kScatter = 0x9E3779B97F4A7C15;  // the golden ratio: neighbours land far apart in their rows
  std::byte sketch[kPlaces * kPlaceBytes] = {};
  if (format.sizeBytes() >= 16 * sizeof(sketch) && view.rowBytes() > kPlaceBytes) {
    for (std::size_t place = 0; place < kPlaces; ++place) {
      const int y = static_cast<int>(place * static_cast<std::size_t>(view.height) / kPlaces);
      const std::size_t x = (place * kScatter >> 32) % (view.rowBytes() - kPlaceBytes);
      std::memcpy(sketch + place * kPlaceBytes, view.row(y) + x, kPlaceBytes);
    }
  }
  return XXH3_64bits(sketch, sizeof(sketch));
}

KeyBuilder::KeyBuilder() = default;

void KeyBuilder::mix(const void* data, std::size_t size) {
  XXH3_state_t state;
  XXH3_128bits_reset(&state);
  XXH3_128bits_update(&state, state_.bytes.data(), state_.bytes.size());
  XXH3_128bits_update(&state, data, size);
  state_ = keyOf(XXH3_128bits_digest(&state));
}

KeyBuilder& KeyBuilder::add(const FrameKey& key) {
  mix(key.bytes.data(), key.bytes.size());
  return *this;
}

KeyBuilder& KeyBuilder::add(std::int64_t number) {
  mix(&number, sizeof(number));
  return *this;
}

KeyBuilder& KeyBuilder::add(double number) {
  mix(&number, sizeof(number));
  return *this;
}

KeyBuilder& KeyBuilder::add(std::string_view text) {
  mix(text.data(), text.size());
  return *this;
}

FrameKey KeyBuilder::key() const {
  return state_;
}

FrameKey randomKey() {
  FrameKey key;
  if (!platform::fillRandom(key.bytes.data(), key.bytes.size())) {
    throw Failure(FailureKind::Bug, "the system gave no random numbers");
  }
  return key;
}

}  // namespace stereo_convert
