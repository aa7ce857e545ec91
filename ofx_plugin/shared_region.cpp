#include "shared_region.h"

#include <fcntl.h>
#include <sys/mman.h>
#include <unistd.h>

#include <cerrno>
#include <cstdio>
#include <cstring>
#include <utility>

#include "failure.h"

namespace stereo_convert {
namespace {

constexpr std::size_t kAnswerOffset = 16;

std::byte* map(int file, std::size_t size) {
  const int flags = file < 0 ? MAP_PRIVATE | MAP_ANONYMOUS : MAP_SHARED;
  void* pages = mmap(nullptr, size, PROT_READ | PROT_WRITE, flags, file, 0);
  if (pages == MAP_FAILED) {
    throw Failure(FailureKind::OutOfMemory, "no memory for " + std::to_string(size >> 20) +
                                                " MiB of frames; choose a shorter Window or a smaller frame");
  }
  return static_cast<std::byte*>(pages);
}

// "/stereo-" and 80 random bits: the whole name must stay below macOS's 31 characters.
std::string randomName() {
  constexpr std::size_t kRandomBytes = 10;
  const FrameKey random = randomKey();
  std::string name = "/stereo-";
  for (std::size_t i = 0; i < kRandomBytes; ++i) {
    char digits[3];
    std::snprintf(digits, sizeof(digits), "%02x", random.bytes[i]);
    name += digits;
  }
  return name;
}

}  // namespace

Mapping::Mapping(std::size_t size) : data_(map(-1, size)), size_(size) {}
Mapping::Mapping(int file, std::size_t size) : data_(map(file, size)), size_(size) {}
Mapping::~Mapping() {
  if (data_ != nullptr) munmap(data_, size_);
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
  const int file = shm_open(name.c_str(), O_RDWR | O_CREAT | O_EXCL | O_CLOEXEC, 0600);
  if (file < 0) return nullptr;
  auto region = std::make_unique<SharedRegion>(std::move(name), file, size);
  if (region->size() == 0) return nullptr;
  std::memcpy(region->data(), region->nonce_.bytes.data(), region->nonce_.bytes.size());
  return region;
}

SharedRegion::SharedRegion(std::string name, int file, std::size_t size)
    : name_(std::move(name)), file_(file), nonce_(randomKey()) {
  if (ftruncate(file_, static_cast<off_t>(size)) == 0 && back(0, kReservedBytes)) mapping_ = Mapping(file_, size);
}

SharedRegion::~SharedRegion() {
  unlink();
  close(file_);
}

FrameKey SharedRegion::answer() const {
  FrameKey answer;
  std::memcpy(answer.bytes.data(), data() + kAnswerOffset, answer.bytes.size());
  return answer;
}

bool SharedRegion::back(std::size_t offset, std::size_t size) const {
  int status = 0;
  do status = posix_fallocate(file_, static_cast<off_t>(offset), static_cast<off_t>(size));
  while (status == EINTR);
  return status == 0;
}

void SharedRegion::unlink() {
  if (!name_.empty()) shm_unlink(name_.c_str());
  name_.clear();
}

}  // namespace stereo_convert
