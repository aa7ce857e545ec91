// Memory for views, lent and taken back: new pages cost as much time as the warp itself.
#pragma once

#include <cstddef>
#include <cstdint>
#include <memory>
#include <mutex>
#include <new>
#include <utility>
#include <vector>

#ifdef __linux__
#include <sys/mman.h>
#endif

namespace warp {

constexpr std::size_t kLargePage = std::size_t{2} << 20;

struct FreeAligned {
  void operator()(void* memory) const { ::operator delete (memory, std::align_val_t{kLargePage}); }
};

struct Block {
  std::unique_ptr<void, FreeAligned> memory;
  std::size_t bytes;
};

// Keeps blocks that were given back for the next frame of the same size, up to kKeptBytes in all.
class MemoryPool {
 public:
  [[nodiscard]] Block lend(std::size_t bytes) {
    const std::lock_guard<std::mutex> lock(mutex_);
    for (std::size_t n = 0; n < kept_.size(); ++n)
      if (kept_[n].bytes == bytes) {
        Block block = std::move(kept_[n]);
        kept_.erase(kept_.begin() + static_cast<std::ptrdiff_t>(n));
        keptBytes_ -= bytes;
        return block;
      }
    Block block{std::unique_ptr<void, FreeAligned>(::operator new (bytes, std::align_val_t{kLargePage})), bytes};
#ifdef __linux__
    if (bytes >= kLargePage) madvise(block.memory.get(), bytes / kLargePage * kLargePage, MADV_HUGEPAGE);
#endif
    return block;
  }

  void takeBack(Block block) {
    const std::lock_guard<std::mutex> lock(mutex_);
    keptBytes_ += block.bytes;
    kept_.push_back(std::move(block));
    while (keptBytes_ > kKeptBytes) {
      keptBytes_ -= kept_.front().bytes;
      kept_.erase(kept_.begin());
    }
  }

 private:
  static constexpr std::size_t kKeptBytes = std::size_t{192} << 20;  // one 3840x2160 RGB frame takes 141 MB

  std::mutex mutex_;
  std::vector<Block> kept_;
  std::size_t keptBytes_ = 0;
};

}  // namespace warp
