#include "frame_key.h"

#define XXH_INLINE_ALL
#include <xxhash.h>

#include "failure.h"
#include "platform/platform.h"

namespace stereo_convert {
namespace {

FrameKey keyOf(const XXH128_hash_t& hash) {
  XXH128_canonical_t canonical;
  XXH128_canonicalFromHash(&canonical, hash);
  FrameKey key;
  std::memcpy(key.bytes.data(), canonical.digest, key.bytes.size());
  return key;
}

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
  XXH3_128bits_reset(&state);
  const std::int32_t description[] = {format.width, format.height, static_cast<int>(format.pixelType),
                                      static_cast<int>(format.channelOrder),
                                      static_cast<int>(format.premultiplication)};
  XXH3_128bits_update(&state, description, sizeof(description));
  XXH3_128bits_update(&state, format.colorSpace.data(), format.colorSpace.size());
  if (view.isTight()) {
    XXH3_128bits_update(&state, view.lowestRow, view.rowBytes() * static_cast<std::size_t>(view.height));
  } else {
    for (int y = 0; y < view.height; ++y) XXH3_128bits_update(&state, view.row(y), view.rowBytes());
  }
  return keyOf(XXH3_128bits_digest(&state));
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
