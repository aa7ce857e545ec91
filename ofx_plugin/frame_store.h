// Frames by name: sources on their way to the service and results on their way back. What nobody uses any more stays
// until its room is needed, the least recently used goes first, so this is also the result cache.
#pragma once

#include <list>
#include <memory>
#include <mutex>
#include <optional>
#include <unordered_map>
#include <unordered_set>

#include "frame_arena.h"
#include "frame_key.h"

namespace stereo_convert {

class FrameStore {
 public:
  // `capacity` bounds all frames, in bytes; those in use may go beyond it.
  explicit FrameStore(std::size_t capacity);

  // Memory for a frame, in the shared region while that has room. Throws Failure OutOfMemory.
  [[nodiscard]] SharedBlock allocate(std::size_t size);

  // The frame of that name, or null.
  [[nodiscard]] SharedBlock find(const FrameKey& key);

  // Name a filled block. If another has the name already, that one stays. `sketch` is its contentSketch, for frames
  // that somebody may ask for by it.
  void publish(const FrameKey& key, SharedBlock block, std::optional<std::uint64_t> sketch = {});

  // Whether a frame of that contentSketch is here, and so perhaps the very frame.
  [[nodiscard]] bool mayHold(std::uint64_t sketch);

  [[nodiscard]] const FrameArena& arena() const { return *arena_; }

 private:
  struct Named {
    FrameKey key;
    SharedBlock block;
    std::optional<std::uint64_t> sketch;
  };

  void evictUntilFits(std::size_t size);

  const std::size_t capacity_;
  const std::shared_ptr<FrameArena> arena_;
  std::mutex mutex_;         // guards what follows
  std::list<Named> recent_;  // most recently used first
  std::unordered_map<FrameKey, std::list<Named>::iterator, FrameKeyHash> named_;
  std::unordered_multiset<std::uint64_t> sketches_;  // of all in recent_
};

}  // namespace stereo_convert
