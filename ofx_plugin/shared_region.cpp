#include "shared_region.h"

#include <cstring>
#include <utility>

#include "failure.h"

namespace stereo_convert {
namespace {

constexpr std::size_t kAnswerOffset = 16;

std::byte* checked(std::byte* pages, std::size_t size) {
  if (pages != nullptr) return pages;
  throw Failure(FailureKind::OutOfMemory, "no memory for " + std::to_string(size >> 20) +
                                              " MiB of frames; choose a shorter Window or a smaller frame");
}

// "/stereo-" and 80 random bits: the whole name must stay below macOS's 31 characters.
std::string randomName() {
  constexpr std::size_t kRandomDigits = 20;
  return "/stereo-" + hexadecimal(randomKey()).substr(0, kRandomDigits);
}

}  // namespace

Mapping::Mapping(std::size_t size) : data_(checked(platform::mapPages(size), size)), size_(size) {}
Mapping::~Mapping() {
  if (data_ != nullptr) platform::unmapPages(data_, size_);
}
Mapping::Mapping(Mapping&& other) noexcept
    : data_(std::exchange(other.data_, nullptr)), size_(std::exchange(other.size_, 0)) {}
Mapping& Mapping::operator=(Mapping&& other) noexcept {
  std::swap(data_, other.data_);
  std::swap(size_, other.size_);
  return *this;
}

std::unique_ptr<SharedRegion> SharedRegion::create(std::size_t size) {
  std::string name = randomName();
  const platform::SharedObject object = platform::createShared(name, size);
  if (object == platform::kNoObject) return nullptr;
  auto region = std::make_unique<SharedRegion>(std::move(name), object);
  region->mapping_ = Mapping(platform::mapShared(object, size), size);
  if (region->data() == nullptr || !region->back(0, kReservedBytes)) return nullptr;
  std::memcpy(region->data(), region->nonce_.bytes.data(), region->nonce_.bytes.size());
  return region;
}

SharedRegion::SharedRegion(std::string name, platform::SharedObject object)
    : name_(std::move(name)), object_(object), nonce_(randomKey()) {}

SharedRegion::~SharedRegion() {
  unlink();
  platform::closeShared(object_);
}

FrameKey SharedRegion::answer() const {
  FrameKey answer;
  std::memcpy(answer.bytes.data(), data() + kAnswerOffset, answer.bytes.size());
  return answer;
}

bool SharedRegion::back(std::size_t offset, std::size_t size) const {
  return platform::backShared(object_, data(), offset, size);
}

void SharedRegion::unlink() {
  if (!name_.empty()) platform::unlinkShared(name_);
  name_.clear();
}

}  // namespace stereo_convert
