#include "frame_wire.h"

#include <algorithm>

#include "failure.h"

namespace stereo_convert {

namespace wire = stereoconvert::v1;

std::string toWire(const FrameKey& key) {
  return {key.bytes.begin(), key.bytes.end()};
}

wire::PixelFormat toWire(const FrameFormat& format) {
  wire::PixelFormat message;
  message.set_width(static_cast<std::uint32_t>(format.width));
  message.set_height(static_cast<std::uint32_t>(format.height));
  message.set_pixel_type(static_cast<wire::PixelType>(format.pixelType));
  message.set_channel_order(static_cast<wire::ChannelOrder>(format.channelOrder));
  message.set_row_order(wire::ROW_ORDER_BOTTOM_UP);
  message.set_premultiplication(static_cast<wire::Premultiplication>(format.premultiplication));
  message.set_color_space(format.colorSpace);
  return message;
}

bool locate(const FrameBlock& block, const SharedStore& store, wire::StoreLocation& location) {
  const auto offset = block.offsetIn(store.arena);
  if (store.id.empty() || !offset) return false;
  location.set_store_id(store.id);
  location.set_offset_bytes(*offset);
  location.set_size_bytes(block.size());
  return true;
}

wire::FrameReference referenceTo(const FrameKey& key, const FrameBlock& block, const SharedStore& store) {
  wire::FrameReference reference;
  reference.set_content_key(toWire(key));
  *reference.mutable_format() = toWire(block.format);
  wire::StoreLocation location;
  if (locate(block, store, location)) *reference.mutable_location() = location;
  return reference;
}

wire::FrameChunk chunkOf(const FrameKey& key, const FrameBlock& block, std::size_t offset) {
  wire::FrameChunk chunk;
  chunk.set_content_key(toWire(key));
  chunk.set_offset_bytes(offset);
  chunk.set_data(block.data() + offset, std::min(kChunkBytes, block.format.sizeBytes() - offset));
  return chunk;
}

void checkFormat(const wire::PixelFormat& came, const FrameFormat& expected) {
  const wire::PixelFormat wanted = toWire(expected);
  if (came.width() == wanted.width() && came.height() == wanted.height() && came.pixel_type() == wanted.pixel_type() &&
      came.channel_order() == wanted.channel_order() && came.row_order() == wanted.row_order()) {
    return;
  }
  const auto words = [](const wire::PixelFormat& format) {
    return std::to_string(format.width()) + " x " + std::to_string(format.height()) + ", type " +
           std::to_string(format.pixel_type()) + ", channels " + std::to_string(format.channel_order()) + ", rows " +
           std::to_string(format.row_order());
  };
  throw Failure(FailureKind::Bug, "the service sent a frame of " + words(came) + "; expected " + words(wanted));
}

}  // namespace stereo_convert
