#include "frame_store.h"

#include <iterator>
#include <utility>

namespace stereo_convert {

FrameStore::FrameStore(std::size_t capacity)
    : capacity_(FrameArena::roundedUp(capacity)), arena_(std::make_shared<FrameArena>(capacity_)) {}

SharedBlock FrameStore::allocate(std::size_t size) {
  evictUntilFits(FrameArena::roundedUp(size));
  return arena_->allocate(size);
}

SharedBlock FrameStore::find(const FrameKey& key) {
  const std::lock_guard lock(mutex_);
  const auto found = named_.find(key);
  if (found == named_.end()) return nullptr;
  recent_.splice(recent_.begin(), recent_, found->second);
  return found->second->block;
}

void FrameStore::publish(const FrameKey& key, SharedBlock block, std::optional<std::uint64_t> sketch) {
  const std::lock_guard lock(mutex_);
  if (named_.count(key) != 0) return;
  recent_.push_front({key, std::move(block), sketch});
  named_.emplace(key, recent_.begin());
  if (sketch) sketches_.insert(*sketch);
}

bool FrameStore::mayHold(std::uint64_t sketch) {
  const std::lock_guard lock(mutex_);
  return sketches_.count(sketch) != 0;
}

void FrameStore::evictUntilFits(std::size_t size) {
  const std::lock_guard lock(mutex_);
  for (auto last = recent_.end(); last != recent_.begin() && arena_->usedBytes() + size > capacity_;) {
    const auto candidate = std::prev(last);
    if (candidate->block.use_count() > 1) {
      last = candidate;  // somebody works with it
      continue;
    }
    named_.erase(candidate->key);
    if (candidate->sketch) sketches_.erase(sketches_.find(*candidate->sketch));
    last = recent_.erase(candidate);
  }
}

}  // namespace stereo_convert
