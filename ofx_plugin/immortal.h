// A process-global that is never destroyed: hosts end with renders in flight on threads that would still use it.
#pragma once

#include <cstddef>
#include <new>

namespace stereo_convert {

template <typename T>
class Immortal {
 public:
  Immortal() : value_(*::new (storage_) T()) {}
  T& operator*() { return value_; }
  T* operator->() { return &value_; }

 private:
  alignas(T) std::byte storage_[sizeof(T)];
  T& value_;
};

}  // namespace stereo_convert
