// What can go wrong in a render, in words for the artist. Thrown inside the plugin and caught only by attempt().
#pragma once

#include <stdexcept>
#include <string>

namespace stereo_convert {

enum class FailureKind {
  InvalidInput,    // can never work: settings, sizes or formats
  NotReady,        // the service must be fixed first: weights, estimator, version, token
  OutOfMemory,     // here or on the service
  Unavailable,     // the service is absent or went away
  TimedOut,        // the panel's timeout passed
  StoreForgotten,  // the service was restarted and no longer knows our shared memory
  Aborted,         // the host no longer wants the frame
  Bug,             // ours, here or on the service
};

// `what()` says what was expected, what came and what to do.
class Failure : public std::runtime_error {
 public:
  Failure(FailureKind kind, const std::string& message) : std::runtime_error(message), kind_(kind) {}
  [[nodiscard]] FailureKind kind() const noexcept { return kind_; }

 private:
  FailureKind kind_;
};

}  // namespace stereo_convert
