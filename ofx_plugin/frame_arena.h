// Where the memory of frames comes from: a shared region with a first-fit list of holes, private pages beyond it.
#pragma once

#include <atomic>
#include <cstddef>
#include <map>
#include <memory>
#include <mutex>
#include <optional>

#include "pixels.h"
#include "shared_region.h"

namespace stereo_convert {

class FrameArena;

// Memory for one frame; returned to its arena with the last owner.
class FrameBlock {
 public:
  FrameBlock(std::shared_ptr<FrameArena> arena, std::size_t size, std::optional<std::size_t> offset, Mapping pages);
  ~FrameBlock();
  FrameBlock(const FrameBlock&) = delete;
  FrameBlock& operator=(const FrameBlock&) = delete;

  [[nodiscard]] std::byte* data() const { return data_; }
  [[nodiscard]] std::size_t size() const { return size_; }
  // Where it lies in the shared region of `arena`; nothing when it lies elsewhere.
  [[nodiscard]] std::optional<std::size_t> offsetIn(const FrameArena& arena) const;

  FrameFormat format;  // of the pixels inside

 private:
  std::shared_ptr<FrameArena> arena_;
  std::size_t size_;
  std::optional<std::size_t> offset_;
  Mapping pages_;  // empty when the block lies in the region
  std::byte* data_;
};
using SharedBlock = std::shared_ptr<FrameBlock>;

class FrameArena : public std::enable_shared_from_this<FrameArena> {
 public:
  explicit FrameArena(std::size_t sharedBytes);

  // Uninitialised memory of at least `size` bytes. Throws Failure OutOfMemory.
  [[nodiscard]] SharedBlock allocate(std::size_t size);

  // What `allocate` would really take.
  [[nodiscard]] static std::size_t roundedUp(std::size_t size);

  // Bytes of all living blocks.
  [[nodiscard]] std::size_t usedBytes() const { return usedBytes_; }

  // Null when this system has no shared memory.
  [[nodiscard]] SharedRegion* region() const { return region_.get(); }

 private:
  friend class FrameBlock;
  [[nodiscard]] std::optional<std::size_t> reserve(std::size_t size);
  void release(std::size_t offset, std::size_t size);

  const std::unique_ptr<SharedRegion> region_;
  std::atomic<std::size_t> usedBytes_{0};
  std::mutex mutex_;                                        // guards what follows
  std::size_t backedBytes_ = SharedRegion::kReservedBytes;  // of the region, from its start
  std::map<std::size_t, std::size_t> holes_;                // offset -> size
};

}  // namespace stereo_convert
