#include <array>
#include <cwchar>

#include "platform/platform.h"
#include "platform/windows_text.h"

// after windows.h
#include <shellapi.h>

namespace stereo_convert::platform {
namespace {

// As CommandLineToArgvW takes it apart: quotes and the backslashes before them are escaped.
std::wstring quoted(const std::string& word) {
  std::wstring text = L"\"";
  std::size_t backslashes = 0;
  for (const wchar_t letter : wide(word)) {
    if (letter == L'"') text.append(backslashes + 1, L'\\');
    backslashes = letter == L'\\' ? backslashes + 1 : 0;
    text += letter;
  }
  return text.append(backslashes, L'\\') + L"\"";
}

// Hosts point these at modules of their own, which break any other Python.
std::wstring cleanEnvironment() {
  std::wstring kept;
  wchar_t* const all = GetEnvironmentStringsW();
  for (const wchar_t* entry = all; *entry != L'\0'; entry += std::wcslen(entry) + 1) {
    const std::wstring text = entry;
    const std::wstring name = text.substr(0, text.find(L'=', 1));
    if (name != L"PYTHONHOME" && name != L"PYTHONPATH") kept += text + L'\0';
  }
  FreeEnvironmentStringsW(all);
  return kept + L'\0';
}

class InheritableFile {
 public:
  InheritableFile(const std::wstring& path, DWORD access) {
    SECURITY_ATTRIBUTES inheritable{sizeof(SECURITY_ATTRIBUTES), nullptr, TRUE};
    handle = CreateFileW(path.c_str(), access, FILE_SHARE_READ | FILE_SHARE_WRITE | FILE_SHARE_DELETE, &inheritable,
                         OPEN_ALWAYS, FILE_ATTRIBUTE_NORMAL, nullptr);
  }
  ~InheritableFile() { CloseHandle(handle); }
  InheritableFile(const InheritableFile&) = delete;
  InheritableFile& operator=(const InheritableFile&) = delete;

  HANDLE handle;
};

// Lets a child inherit these handles and no other.
class HandleList {
 public:
  explicit HandleList(std::array<HANDLE, 2>& handles) {
    SIZE_T size = 0;
    InitializeProcThreadAttributeList(nullptr, 1, 0, &size);
    memory_.resize(size);
    InitializeProcThreadAttributeList(list(), 1, 0, &size);
    UpdateProcThreadAttribute(list(), 0, PROC_THREAD_ATTRIBUTE_HANDLE_LIST, handles.data(),
                              handles.size() * sizeof(HANDLE), nullptr, nullptr);
  }
  ~HandleList() { DeleteProcThreadAttributeList(list()); }
  HandleList(const HandleList&) = delete;
  HandleList& operator=(const HandleList&) = delete;

  [[nodiscard]] LPPROC_THREAD_ATTRIBUTE_LIST list() {
    return reinterpret_cast<LPPROC_THREAD_ATTRIBUTE_LIST>(memory_.data());
  }

 private:
  std::vector<char> memory_;
};

}  // namespace

Start startDetached(const std::vector<std::string>& words, const std::string& log) {
  std::wstring line;
  for (const std::string& word : words) line += quoted(word) + L' ';
  std::wstring environment = cleanEnvironment();
  const InheritableFile input(L"NUL", GENERIC_READ), output(wide(log), FILE_APPEND_DATA);
  std::array<HANDLE, 2> handles{input.handle, output.handle};
  HandleList inherited(handles);

  STARTUPINFOEXW startup{};
  startup.StartupInfo.cb = sizeof(startup);
  startup.StartupInfo.dwFlags = STARTF_USESTDHANDLES;
  startup.StartupInfo.hStdInput = input.handle;
  startup.StartupInfo.hStdOutput = output.handle;
  startup.StartupInfo.hStdError = output.handle;
  startup.lpAttributeList = inherited.list();
  PROCESS_INFORMATION started{};
  const DWORD how =
      CREATE_NO_WINDOW | CREATE_NEW_PROCESS_GROUP | CREATE_UNICODE_ENVIRONMENT | EXTENDED_STARTUPINFO_PRESENT;
  if (!CreateProcessW(nullptr, line.data(), nullptr, nullptr, TRUE, how, environment.data(), nullptr,
                      &startup.StartupInfo, &started)) {
    return {kNoProcess, words.front() + ": " + lastProblem()};
  }
  CloseHandle(started.hThread);
  return {reinterpret_cast<Process>(started.hProcess), {}};
}

std::optional<Ending> endingOf(Process process) {
  const HANDLE handle = reinterpret_cast<HANDLE>(process);
  if (WaitForSingleObject(handle, 0) != WAIT_OBJECT_0) return {};
  DWORD code = 0;
  GetExitCodeProcess(handle, &code);
  CloseHandle(handle);
  return Ending{static_cast<int>(code), "exit code " + std::to_string(code)};
}

void letGo(Process process) {
  if (process != kNoProcess) CloseHandle(reinterpret_cast<HANDLE>(process));
}

std::int64_t ownProcessId() {
  return GetCurrentProcessId();
}

std::string showFolder(const std::string& path) {
  const auto result = reinterpret_cast<std::intptr_t>(
      ShellExecuteW(nullptr, L"explore", wide(path).c_str(), nullptr, nullptr, SW_SHOWNORMAL));
  return result > 32 ? std::string() : lastProblem();
}

}  // namespace stereo_convert::platform
