#include "frame_arena.h"

#include <algorithm>
#include <iterator>
#include <utility>

namespace stereo_convert {
namespace {

constexpr std::size_t kPageBytes = 4096;

}  // namespace

FrameBlock::FrameBlock(std::shared_ptr<FrameArena> arena, std::size_t size, std::optional<std::size_t> offset,
                       Mapping pages)
    : arena_(std::move(arena)), size_(size), offset_(offset), pages_(std::move(pages)) {
  data_ = offset_ ? arena_->region()->data() + *offset_ : pages_.data();
  arena_->usedBytes_ += size_;
}

FrameBlock::~FrameBlock() {
  arena_->usedBytes_ -= size_;
  if (offset_) arena_->release(*offset_, size_);
}

std::optional<std::size_t> FrameBlock::offsetIn(const FrameArena& arena) const {
  return arena_.get() == &arena ? offset_ : std::nullopt;
}

FrameArena::FrameArena(std::size_t sharedBytes)
    : region_(SharedRegion::create(roundedUp(sharedBytes) + SharedRegion::kReservedBytes)) {
  if (region_ != nullptr) holes_.emplace(SharedRegion::kReservedBytes, roundedUp(sharedBytes));
}

std::size_t FrameArena::roundedUp(std::size_t size) {
  return (size + kPageBytes - 1) / kPageBytes * kPageBytes;
}

SharedBlock FrameArena::allocate(std::size_t size) {
  const std::size_t room = roundedUp(size);
  const std::optional<std::size_t> offset = reserve(room);
  return std::make_shared<FrameBlock>(shared_from_this(), room, offset, offset ? Mapping() : Mapping(room));
}

std::optional<std::size_t> FrameArena::reserve(std::size_t size) {
  const std::lock_guard lock(mutex_);
  const auto hole =
      std::find_if(holes_.begin(), holes_.end(), [size](const auto& candidate) { return candidate.second >= size; });
  if (hole == holes_.end()) return {};
  const auto [offset, holeSize] = *hole;
  const std::size_t end = offset + size;
  holes_.erase(hole);
  if (end > backedBytes_ && !region_->back(backedBytes_, end - backedBytes_)) {
    // The system has less shared memory than hoped, as in containers: use only what already has pages.
    if (offset < backedBytes_) holes_.emplace(offset, backedBytes_ - offset);
    return {};
  }
  backedBytes_ = std::max(backedBytes_, end);
  if (holeSize > size) holes_.emplace(end, holeSize - size);
  return offset;
}

void FrameArena::release(std::size_t offset, std::size_t size) {
  const std::lock_guard lock(mutex_);
  auto hole = holes_.emplace(offset, size).first;
  if (const auto above = std::next(hole); above != holes_.end() && offset + size == above->first) {
    hole->second += above->second;
    holes_.erase(above);
  }
  if (hole == holes_.begin()) return;
  if (const auto below = std::prev(hole); below->first + below->second == offset) {
    below->second += hole->second;
    holes_.erase(hole);
  }
}

}  // namespace stereo_convert
