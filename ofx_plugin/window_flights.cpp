#include "window_flights.h"

#include <condition_variable>
#include <mutex>
#include <unordered_set>

#include "immortal.h"

namespace stereo_convert {
namespace {

std::mutex mutex;
Immortal<std::condition_variable> landed;
Immortal<std::unordered_set<FrameKey, FrameKeyHash>> flying;

}  // namespace

std::unique_ptr<WindowFlight> WindowFlight::takeOrWait(const FrameKey& window, const Patience& patience) {
  std::unique_lock lock(mutex);
  if (flying->insert(window).second) return std::make_unique<WindowFlight>(window);
  while (flying->count(window) != 0) {
    landed->wait_for(lock, Patience::kPollInterval);
    lock.unlock();  // the host may ask us anything from its abort
    patience.check("waiting for another render of the same window");
    lock.lock();
  }
  return nullptr;
}

WindowFlight::~WindowFlight() {
  {
    const std::lock_guard lock(mutex);
    flying->erase(window_);
  }
  landed->notify_all();
}

}  // namespace stereo_convert
