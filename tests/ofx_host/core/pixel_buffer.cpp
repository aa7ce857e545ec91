#include "pixel_buffer.h"

#include <algorithm>
#include <cstring>

namespace ofx_host {

namespace {

constexpr std::size_t kGuardBytes = 4096;

// A byte that a plugin is unlikely to write by accident, different at each place.
std::uint8_t patternAt(std::size_t place) {
  std::uint32_t hash = static_cast<std::uint32_t>(place) * 2654435761u ^ 0x9E3779B9u;
  hash ^= hash >> 15;
  hash *= 2246822519u;
  return static_cast<std::uint8_t>(hash >> 24);
}

}  // namespace

PixelBuffer::PixelBuffer(const PixelLayout& layout) : layout_(layout) {
  memory_.resize(2 * kGuardBytes + stride() * static_cast<std::size_t>(std::max(0, height())));
  for (std::size_t i = 0; i < memory_.size(); ++i) memory_[i] = patternAt(i);
}

std::size_t PixelBuffer::stride() const {
  return static_cast<std::size_t>(std::max(0, width())) * static_cast<std::size_t>(layout_.bytesPerPixel) +
         static_cast<std::size_t>(layout_.paddingBytes);
}

std::ptrdiff_t PixelBuffer::rowBytes() const {
  return layout_.topDown ? -static_cast<std::ptrdiff_t>(stride()) : static_cast<std::ptrdiff_t>(stride());
}

std::uint8_t* PixelBuffer::row(int y) {
  const int place = layout_.topDown ? layout_.bounds.y2 - 1 - y : y - layout_.bounds.y1;
  return memory_.data() + kGuardBytes + stride() * static_cast<std::size_t>(place);
}

void PixelBuffer::copyFrom(const std::uint8_t* picture, std::ptrdiff_t pictureRowBytes) {
  const std::size_t used = stride() - static_cast<std::size_t>(layout_.paddingBytes);
  for (int y = layout_.bounds.y2 - 1; y >= layout_.bounds.y1; --y, picture += pictureRowBytes)
    std::memcpy(row(y), picture, used);
}

void PixelBuffer::copyTo(std::uint8_t* picture) {
  const std::size_t used = stride() - static_cast<std::size_t>(layout_.paddingBytes);
  for (int y = layout_.bounds.y2 - 1; y >= layout_.bounds.y1; --y, picture += used) std::memcpy(picture, row(y), used);
}

bool PixelBuffer::holdsPattern(const std::uint8_t* from, std::size_t count) const {
  const auto place = static_cast<std::size_t>(from - memory_.data());
  for (std::size_t i = 0; i < count; ++i)
    if (from[i] != patternAt(place + i)) return false;
  return true;
}

std::size_t PixelBuffer::brokenGuards() const {
  std::size_t broken = 0;
  const auto count = [&](std::size_t from, std::size_t to) {
    for (std::size_t i = from; i < to; ++i) broken += memory_[i] != patternAt(i) ? 1 : 0;
  };
  count(0, kGuardBytes);
  const auto padding = static_cast<std::size_t>(layout_.paddingBytes);
  for (int row = 0; padding > 0 && row < height(); ++row) {
    const std::size_t end = kGuardBytes + stride() * (static_cast<std::size_t>(row) + 1);
    count(end - padding, end);
  }
  count(memory_.size() - kGuardBytes, memory_.size());
  return broken;
}

std::size_t PixelBuffer::unwritten(const OfxRectI& window, std::string* first) {
  const int group = std::max(1, (4 + layout_.bytesPerPixel - 1) / layout_.bytesPerPixel);
  std::size_t missing = 0;
  for (int y = window.y1; y < window.y2; ++y) {
    for (int x = window.x1; x < window.x2; x += group) {
      const int pixels = std::min(group, window.x2 - x);
      const auto offset = static_cast<std::size_t>(x - layout_.bounds.x1) * layout_.bytesPerPixel;
      if (!holdsPattern(row(y) + offset, static_cast<std::size_t>(pixels) * layout_.bytesPerPixel)) continue;
      if (missing == 0) *first = "(" + std::to_string(x) + ", " + std::to_string(y) + ")";
      missing += static_cast<std::size_t>(pixels);
    }
  }
  return missing;
}

std::size_t PixelBuffer::writtenOutside(const OfxRectI& window) {
  const auto pixel = static_cast<std::size_t>(layout_.bytesPerPixel);
  std::size_t touched = 0;
  for (int y = layout_.bounds.y1; y < layout_.bounds.y2; ++y) {
    const bool inRows = y >= window.y1 && y < window.y2;
    for (int x = layout_.bounds.x1; x < layout_.bounds.x2; ++x) {
      if (inRows && x == window.x1 && window.x2 > window.x1) x = window.x2;
      if (x >= layout_.bounds.x2) break;
      const auto offset = static_cast<std::size_t>(x - layout_.bounds.x1) * pixel;
      touched += holdsPattern(row(y) + offset, pixel) ? 0 : 1;
    }
  }
  return touched;
}

std::uint64_t PixelBuffer::checksum() const {
  std::uint64_t hash = 1469598103934665603u;
  std::size_t i = 0;
  for (; i + 8 <= memory_.size(); i += 8) {
    std::uint64_t word;
    std::memcpy(&word, memory_.data() + i, sizeof word);
    hash = (hash ^ word) * 1099511628211u;
    hash ^= hash >> 29;
  }
  for (; i < memory_.size(); ++i) hash = (hash ^ memory_[i]) * 1099511628211u;
  return hash;
}

}  // namespace ofx_host
