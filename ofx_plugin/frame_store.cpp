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

void FrameStore::publish(const FrameKey& key, SharedBlock block) {
  const std::lock_guard lock(mutex_);
  if (named_.count(key) != 0) return;
  recent_.push_front({key, std::move(block)});
  named_.emplace(key, recent_.begin());
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
    last = recent_.erase(candidate);
  }
}

}  // namespace stereo_convert
