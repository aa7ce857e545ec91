#include <filesystem>
#include <system_error>

#include "platform/platform.h"
#include "platform/windows_text.h"

namespace stereo_convert::platform {
namespace {

// Only this user may enter what lies below.
std::string localData() {
  wchar_t folder[MAX_PATH] = {};
  const DWORD length = GetEnvironmentVariableW(L"LOCALAPPDATA", folder, MAX_PATH);
  return length == 0 || length >= MAX_PATH ? "." : narrow(folder);
}

}  // namespace

std::string ownPath() {
  HMODULE self = nullptr;
  const DWORD how = GET_MODULE_HANDLE_EX_FLAG_FROM_ADDRESS | GET_MODULE_HANDLE_EX_FLAG_UNCHANGED_REFCOUNT;
  if (!GetModuleHandleExW(how, reinterpret_cast<LPCWSTR>(&ownPath), &self)) return {};
  wchar_t path[32768];
  const DWORD length = GetModuleFileNameW(self, path, 32768);
  return narrow(std::wstring(path, length));
}

bool isExecutable(const std::string& path) {
  const DWORD attributes = GetFileAttributesW(wide(path).c_str());
  return attributes != INVALID_FILE_ATTRIBUTES && (attributes & FILE_ATTRIBUTE_DIRECTORY) == 0;
}

bool exists(const std::string& path) {
  return GetFileAttributesW(wide(path).c_str()) != INVALID_FILE_ATTRIBUTES;
}

bool othersMayRead(const std::string&) {
  return false;  // what lies below a user's folders is for that user
}

std::string programName(const std::string& name) {
  return name + ".exe";
}

std::string sessionFolder() {
  return localData() + "/StereoConvert/Session";
}

std::string stateFolder() {
  return localData() + "/StereoConvert/Logs";
}

std::string configFolder() {
  return localData() + "/StereoConvert/Config";
}

std::string makePrivateFolder(const std::string& path) {
  std::error_code error;
  const std::filesystem::path folder(wide(path));
  std::filesystem::create_directories(folder, error);
  if (std::filesystem::is_directory(folder, error)) return {};
  return "cannot make the folder " + path + ": " + error.message();
}

bool appendLine(const std::string& path, const std::string& line) {
  const DWORD sharing = FILE_SHARE_READ | FILE_SHARE_WRITE | FILE_SHARE_DELETE;
  const HANDLE file =
      CreateFileW(wide(path).c_str(), FILE_APPEND_DATA, sharing, nullptr, OPEN_ALWAYS, FILE_ATTRIBUTE_NORMAL, nullptr);
  if (file == INVALID_HANDLE_VALUE) return false;
  DWORD written = 0;
  const BOOL done = WriteFile(file, line.data(), static_cast<DWORD>(line.size()), &written, nullptr);
  CloseHandle(file);
  return done && written == line.size();
}

FileLock::FileLock(const std::string& path) {
  const HANDLE file =
      CreateFileW(wide(path).c_str(), GENERIC_WRITE, 0, nullptr, OPEN_ALWAYS, FILE_FLAG_DELETE_ON_CLOSE, nullptr);
  if (file != INVALID_HANDLE_VALUE) file_ = reinterpret_cast<std::intptr_t>(file);
}

FileLock::~FileLock() {
  if (isHeld()) CloseHandle(reinterpret_cast<HANDLE>(file_));
}

}  // namespace stereo_convert::platform
