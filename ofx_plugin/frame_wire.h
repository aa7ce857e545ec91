// Frames as messages of frame.proto and back.
#pragma once

#include <stereoconvert/v1/frame.pb.h>

#include <string>

#include "frame_arena.h"
#include "frame_key.h"

namespace stereo_convert {

constexpr std::size_t kChunkBytes = std::size_t{1} << 20;

// Where a service has our memory mapped: an arena and the name that ShareFrameStore gave it. Without a name nothing is
// shared and pixels travel as chunks.
struct SharedStore {
  const FrameArena& arena;
  std::string id;  // 16 bytes or none
};

[[nodiscard]] std::string toWire(const FrameKey& key);
[[nodiscard]] stereoconvert::v1::PixelFormat toWire(const FrameFormat& format);

// False when the block is not where the service can see it; `location` is then untouched.
[[nodiscard]] bool locate(const FrameBlock& block, const SharedStore& store,
                          stereoconvert::v1::StoreLocation& location);

[[nodiscard]] stereoconvert::v1::FrameReference referenceTo(const FrameKey& key, const FrameBlock& block,
                                                            const SharedStore& store);

// The piece of `block` that starts at `offset`.
[[nodiscard]] stereoconvert::v1::FrameChunk chunkOf(const FrameKey& key, const FrameBlock& block, std::size_t offset);

// Check the format of a result against the one that the request implies. Throws Failure Bug.
void checkFormat(const stereoconvert::v1::PixelFormat& came, const FrameFormat& expected);

}  // namespace stereo_convert
