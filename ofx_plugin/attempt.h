// The only try block of the plugin: nothing thrown may leave by the host's door, nor end a thread of ours.
#pragma once

#include <exception>
#include <new>
#include <optional>

#include "failure.h"

namespace stereo_convert {

// Run `body`; what it throws comes back as a failure.
template <typename Body>
[[nodiscard]] std::optional<Failure> attempt(Body body) noexcept {
  try {
    body();
    return {};
  } catch (const Failure& failure) {
    return failure;
  } catch (const std::bad_alloc&) {
    return Failure(FailureKind::OutOfMemory, "out of memory");
  } catch (const std::exception& error) {
    return Failure(FailureKind::Bug, error.what());
  } catch (...) {
    return Failure(FailureKind::Bug, "unknown error");
  }
}

}  // namespace stereo_convert
