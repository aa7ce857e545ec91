// Memory that the service may map too, and plain memory of the same shape for when it cannot.
#pragma once

#include <cstddef>
#include <cstdint>
#include <memory>
#include <optional>
#include <string>

#include "frame_key.h"
#include "platform/platform.h"

namespace stereo_convert {

// Pages of this process; unmapped when it ends.
class Mapping {
 public:
  Mapping() = default;
  // Anonymous pages, not shared. Throws Failure OutOfMemory.
  explicit Mapping(std::size_t size);
  // Takes over pages that are mapped already.
  Mapping(std::byte* pages, std::size_t size) : data_(pages), size_(size) {}
  ~Mapping();
  Mapping(Mapping&& other) noexcept;
  Mapping& operator=(Mapping&& other) noexcept;
  Mapping(const Mapping&) = delete;
  Mapping& operator=(const Mapping&) = delete;

  [[nodiscard]] std::byte* data() const { return data_; }
  [[nodiscard]] std::size_t size() const { return size_; }

 private:
  std::byte* data_ = nullptr;
  std::size_t size_ = 0;
};

// A shared memory object of this user with an unguessable name. Pages get memory only by `back`, because a
// write to a page that the system cannot provide would kill the host by SIGBUS.
class SharedRegion {
 public:
  static constexpr std::size_t kReservedBytes = 4096;  // nonces of the handshake

  // `size` is the most that it may hold. Null when the system has no shared memory.
  [[nodiscard]] static std::unique_ptr<SharedRegion> create(std::size_t size);
  SharedRegion(std::string name, platform::SharedObject object);
  ~SharedRegion();
  SharedRegion(const SharedRegion&) = delete;
  SharedRegion& operator=(const SharedRegion&) = delete;

  [[nodiscard]] std::byte* data() const { return mapping_.data(); }
  [[nodiscard]] std::size_t size() const { return mapping_.size(); }
  [[nodiscard]] const std::string& name() const { return name_; }
  // Its number among the files of this process, where it is found by that instead of by its name alone.
  [[nodiscard]] std::optional<std::uint32_t> openFile() const { return platform::openFileOf(object_); }
  [[nodiscard]] const FrameKey& nonce() const { return nonce_; }
  // What the service wrote in answer to our nonce.
  [[nodiscard]] FrameKey answer() const;

  // Give pages memory; false when the system has none left.
  [[nodiscard]] bool back(std::size_t offset, std::size_t size) const;

  // Take the name away once the service has mapped the object, so that nothing is left behind whatever happens.
  void unlink();

 private:
  std::string name_;
  platform::SharedObject object_;
  Mapping mapping_;
  FrameKey nonce_;
};

}  // namespace stereo_convert
