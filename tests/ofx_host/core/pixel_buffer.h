// Pixels as a plugin sees them, between guard bytes and over a known pattern.
#pragma once

#include <cstddef>
#include <cstdint>
#include <string>
#include <vector>

#include "ofxCore.h"

namespace ofx_host {

struct PixelLayout {
  OfxRectI bounds;       // pixels in memory
  int bytesPerPixel;     // all channels
  bool topDown = false;  // memory begins with the top row: rowBytes is negative
  int paddingBytes = 0;  // after each row
};

// Memory for one image. Every byte holds a pattern that depends on its place, so that what a plugin did not write,
// and what it wrote where it must not, can be found afterwards.
class PixelBuffer {
 public:
  explicit PixelBuffer(const PixelLayout& layout);

  [[nodiscard]] const PixelLayout& layout() const { return layout_; }
  [[nodiscard]] int width() const { return layout_.bounds.x2 - layout_.bounds.x1; }
  [[nodiscard]] int height() const { return layout_.bounds.y2 - layout_.bounds.y1; }
  [[nodiscard]] std::ptrdiff_t rowBytes() const;  // signed, to the row above
  [[nodiscard]] std::uint8_t* row(int y);         // pixel bounds.x1 of row y, bounds.y1 <= y < bounds.y2
  [[nodiscard]] std::uint8_t* data() { return row(layout_.bounds.y1); }

  // Copies a tight, top-down picture of the size of the bounds in or out.
  void copyFrom(const std::uint8_t* picture, std::ptrdiff_t pictureRowBytes);
  void copyTo(std::uint8_t* picture);

  // Bytes before, between and after the rows that no longer hold the pattern.
  [[nodiscard]] std::size_t brokenGuards() const;
  // Pixels of `window` that still hold the pattern. Pixels under 4 bytes are judged in groups of 4 bytes or more.
  [[nodiscard]] std::size_t unwritten(const OfxRectI& window, std::string* first);
  // Pixels outside `window` that no longer hold it.
  [[nodiscard]] std::size_t writtenOutside(const OfxRectI& window);
  [[nodiscard]] std::uint64_t checksum() const;

 private:
  [[nodiscard]] bool holdsPattern(const std::uint8_t* from, std::size_t count) const;
  [[nodiscard]] std::size_t stride() const;

  PixelLayout layout_;
  std::vector<std::uint8_t> memory_;
};

}  // namespace ofx_host
