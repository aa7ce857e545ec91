// All that the plugin asks of the operating system; nothing here knows OpenFX or gRPC. posix_*.cpp defines it for Linux
// and macOS, windows_*.cpp for Windows. What goes wrong is told as a value, in words where somebody will read them.
#pragma once

#include <cstddef>
#include <cstdint>
#include <optional>
#include <string>
#include <vector>

namespace stereo_convert::platform {

// Folders and files: *_files.cpp. Paths are UTF-8.

// Path of this binary, wherever the host found it; empty when the system does not say.
[[nodiscard]] std::string ownPath();
[[nodiscard]] bool isExecutable(const std::string& path);
[[nodiscard]] bool exists(const std::string& path);
// Whether the mode of a file lets others than its owner read it; a system without modes says no.
[[nodiscard]] bool othersMayRead(const std::string& path);
// File name of a program: `name`, with the system's suffix.
[[nodiscard]] std::string programName(const std::string& name);

// Where sockets of this user's session belong, where logs do, and what was set up; none needs to exist.
[[nodiscard]] std::string sessionFolder();
[[nodiscard]] std::string stateFolder();
[[nodiscard]] std::string configFolder();

// Make a folder that nobody else may enter, with its parents. Returns what is wrong; empty when it is as it should be.
[[nodiscard]] std::string makePrivateFolder(const std::string& path);

// Append in one write, so that lines of several processes do not mix; a new file is for this user alone. False when the
// file cannot be written.
bool appendLine(const std::string& path, const std::string& line);

// Held by one process at a time; `isHeld` is false while another has it.
class FileLock {
 public:
  explicit FileLock(const std::string& path);
  ~FileLock();
  FileLock(const FileLock&) = delete;
  FileLock& operator=(const FileLock&) = delete;
  [[nodiscard]] bool isHeld() const { return file_ != -1; }

 private:
  std::intptr_t file_ = -1;
};

// Memory: *_memory.cpp.

// Private pages, zero; null when there are none left.
[[nodiscard]] std::byte* mapPages(std::size_t size);
void unmapPages(std::byte* pages, std::size_t size);

// A piece of memory that other processes of this user can open: on Linux where this process has it open, so that
// nothing is left of it however the process ends; elsewhere by its name.
using SharedObject = std::intptr_t;
constexpr SharedObject kNoObject = -1;

// `name` begins with a slash. kNoObject when it is taken or the system has no shared memory.
[[nodiscard]] SharedObject createShared(const std::string& name, std::size_t size);
// The number under which others find it among the files of this process; nothing where it is found by its name.
[[nodiscard]] std::optional<std::uint32_t> openFileOf(SharedObject object);
// Its pages; null when there is no room for them among the addresses.
[[nodiscard]] std::byte* mapShared(SharedObject object, std::size_t size);
// Give pages memory before they are touched; false when the system has none left.
[[nodiscard]] bool backShared(SharedObject object, std::byte* pages, std::size_t offset, std::size_t size);
// Take the name away; what is mapped stays.
void unlinkShared(const std::string& name);
void closeShared(SharedObject object);

// Whether this processor has the instructions of AVX2, and the system keeps their registers.
[[nodiscard]] bool hasAvx2();

// Bytes that nobody can guess; false when the system has none.
[[nodiscard]] bool fillRandom(std::uint8_t* bytes, std::size_t count);

// Processes: *_process.cpp.

using Process = std::intptr_t;
constexpr Process kNoProcess = 0;

struct Start {
  Process process = kNoProcess;
  std::string problem;  // empty when it was started
};
struct Ending {
  int code = 0;  // 0: without complaint, or nobody can say
  std::string text;
};

// Start words[0] with the rest as its arguments, detached from the host: a session of its own, no inherited files, none
// of the variables by which hosts redirect libraries and Python. Its output is appended to the file `log`.
[[nodiscard]] Start startDetached(const std::vector<std::string>& words, const std::string& log);
// How a process of startDetached ended; nothing while it runs.
[[nodiscard]] std::optional<Ending> endingOf(Process process);
// We no longer want to know how it ends.
void letGo(Process process);

[[nodiscard]] std::int64_t ownProcessId();

// Show a folder in the desktop's file manager. Returns what is wrong; empty when the request was made.
[[nodiscard]] std::string showFolder(const std::string& path);

}  // namespace stereo_convert::platform
