#include <fcntl.h>
#include <sys/mman.h>
#include <sys/random.h>
#include <sys/stat.h>
#include <unistd.h>

#include <cerrno>

#include "platform/platform.h"

namespace stereo_convert::platform {
namespace {

std::byte* mapped(int file, int flags, std::size_t size) {
  void* pages = mmap(nullptr, size, PROT_READ | PROT_WRITE, flags, file, 0);
  return pages == MAP_FAILED ? nullptr : static_cast<std::byte*>(pages);
}

int fileOf(SharedObject object) {
  return static_cast<int>(object);
}

}  // namespace

std::byte* mapPages(std::size_t size) {
  return mapped(-1, MAP_PRIVATE | MAP_ANONYMOUS, size);
}

void unmapPages(std::byte* pages, std::size_t size) {
  munmap(pages, size);
}

#ifdef __linux__

SharedObject createShared(const std::string& name, std::size_t size) {
  const int file = memfd_create(name.c_str() + 1, MFD_CLOEXEC | MFD_ALLOW_SEALING);
  if (file < 0) return kNoObject;
  // A service that has it mapped would die of an access to what was cut off.
  constexpr int kSizeStays = F_SEAL_SHRINK | F_SEAL_GROW | F_SEAL_SEAL;
  const bool isMade = ftruncate(file, static_cast<off_t>(size)) == 0 && fchmod(file, S_IRUSR | S_IWUSR) == 0 &&
                      fcntl(file, F_ADD_SEALS, kSizeStays) == 0;
  if (isMade) return file;
  close(file);
  return kNoObject;
}

std::optional<std::uint32_t> openFileOf(SharedObject object) {
  return static_cast<std::uint32_t>(object);
}

void unlinkShared(const std::string&) {}  // it never was in a folder

#else

SharedObject createShared(const std::string& name, std::size_t size) {
  const int file = shm_open(name.c_str(), O_RDWR | O_CREAT | O_EXCL, 0600);  // with FD_CLOEXEC, says POSIX
  if (file < 0) return kNoObject;
  if (ftruncate(file, static_cast<off_t>(size)) == 0) return file;
  shm_unlink(name.c_str());
  close(file);
  return kNoObject;
}

std::optional<std::uint32_t> openFileOf(SharedObject) {
  return {};
}

void unlinkShared(const std::string& name) {
  shm_unlink(name.c_str());
}

#endif

std::byte* mapShared(SharedObject object, std::size_t size) {
  return mapped(fileOf(object), MAP_SHARED, size);
}

bool backShared(SharedObject object, std::byte*, std::size_t offset, std::size_t size) {
#ifdef __APPLE__
  (void)object, (void)offset, (void)size;  // macOS backs shared memory by swap: it has memory from the start
  return true;
#else
  int status = 0;
  do status = posix_fallocate(fileOf(object), static_cast<off_t>(offset), static_cast<off_t>(size));
  while (status == EINTR);
  return status == 0;
#endif
}

void closeShared(SharedObject object) {
  close(fileOf(object));
}

bool hasAvx2() {
#ifdef __x86_64__
  return __builtin_cpu_supports("avx2");
#else
  return false;
#endif
}

bool fillRandom(std::uint8_t* bytes, std::size_t count) {
  int status = 0;
  do status = getentropy(bytes, count);  // of at most 256 bytes
  while (status != 0 && errno == EINTR);
  return status == 0;
}

}  // namespace stereo_convert::platform
