#include "platform/platform.h"
#include "platform/windows_text.h"

// after windows.h
#include <bcrypt.h>

namespace stereo_convert::platform {
namespace {

HANDLE handleOf(SharedObject object) {
  return reinterpret_cast<HANDLE>(object);
}

}  // namespace

std::byte* mapPages(std::size_t size) {
  return static_cast<std::byte*>(VirtualAlloc(nullptr, size, MEM_RESERVE | MEM_COMMIT, PAGE_READWRITE));
}

void unmapPages(std::byte* pages, std::size_t) {
  MEMORY_BASIC_INFORMATION info{};
  VirtualQuery(pages, &info, sizeof(info));
  if (info.Type == MEM_MAPPED) {
    UnmapViewOfFile(pages);
  } else {
    VirtualFree(pages, 0, MEM_RELEASE);
  }
}

SharedObject createShared(const std::string& name, std::size_t size) {
  const std::wstring local = L"Local\\" + wide(name.substr(1));  // of this session; "/" begins POSIX names only
  const HANDLE object =
      CreateFileMappingW(INVALID_HANDLE_VALUE, nullptr, PAGE_READWRITE | SEC_RESERVE,
                         static_cast<DWORD>(std::uint64_t{size} >> 32), static_cast<DWORD>(size), local.c_str());
  if (object == nullptr) return kNoObject;
  if (GetLastError() != ERROR_ALREADY_EXISTS) return reinterpret_cast<SharedObject>(object);
  CloseHandle(object);
  return kNoObject;
}

std::optional<std::uint32_t> openFileOf(SharedObject) {
  return {};
}

std::byte* mapShared(SharedObject object, std::size_t size) {
  return static_cast<std::byte*>(MapViewOfFile(handleOf(object), FILE_MAP_ALL_ACCESS, 0, 0, size));
}

bool backShared(SharedObject, std::byte* pages, std::size_t offset, std::size_t size) {
  return VirtualAlloc(pages + offset, size, MEM_COMMIT, PAGE_READWRITE) != nullptr;
}

void unlinkShared(const std::string&) {}  // a name goes with its last handle

void closeShared(SharedObject object) {
  CloseHandle(handleOf(object));
}

bool hasAvx2() {
  constexpr DWORD kAvx2InstructionsAvailable = 40;  // as newer SDKs name it
  return IsProcessorFeaturePresent(kAvx2InstructionsAvailable) != FALSE;
}

bool fillRandom(std::uint8_t* bytes, std::size_t count) {
  return BCryptGenRandom(nullptr, bytes, static_cast<ULONG>(count), BCRYPT_USE_SYSTEM_PREFERRED_RNG) == 0;
}

}  // namespace stereo_convert::platform
