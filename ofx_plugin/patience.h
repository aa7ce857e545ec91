// How long to wait, and whether anyone still wants the answer. Nothing in the plugin waits without one.
#pragma once

#include <algorithm>
#include <chrono>
#include <functional>
#include <string>

#include "failure.h"

namespace stereo_convert {

class Patience {
 public:
  using Clock = std::chrono::steady_clock;
  static constexpr std::chrono::milliseconds kPollInterval{20};

  Patience(std::chrono::duration<double> limit, std::function<bool()> isAborted)
      : deadline_(Clock::now() + std::chrono::duration_cast<Clock::duration>(withinClock(limit))),
        isAborted_(std::move(isAborted)) {}

  [[nodiscard]] Clock::time_point deadline() const { return deadline_; }
  [[nodiscard]] bool isAborted() const { return isAborted_ && isAborted_(); }
  [[nodiscard]] std::chrono::duration<double> left() const { return deadline_ - Clock::now(); }
  // The same, but no longer than `limit` from now.
  [[nodiscard]] Patience atMost(std::chrono::duration<double> limit) const {
    return {std::min(limit, std::chrono::duration<double>(left())), isAborted_};
  }

  // Throws Failure Aborted or TimedOut; `what` completes "timed out while …".
  void check(const char* what) const {
    if (isAborted()) throw Failure(FailureKind::Aborted, "the host aborted the render");
    if (Clock::now() >= deadline_) {
      throw Failure(FailureKind::TimedOut,
                    std::string("timed out while ") + what + "; raise Timeout or see the service's log");
    }
  }

 private:
  // A damaged project may hold any number as its Timeout; the clock counts nanoseconds in 64 bits. NaN is no patience.
  [[nodiscard]] static std::chrono::duration<double> withinClock(std::chrono::duration<double> limit) {
    constexpr std::chrono::duration<double> kThirtyYears{1e9};
    return limit.count() > 0 ? std::min(limit, kThirtyYears) : std::chrono::duration<double>{0};
  }

  Clock::time_point deadline_;
  std::function<bool()> isAborted_;
};

}  // namespace stereo_convert
