#include "handle.h"

#include <mutex>
#include <shared_mutex>
#include <sstream>
#include <unordered_map>

#include "journal.h"

namespace ofx_host {

namespace {

std::shared_mutex mutex;

std::unordered_map<const void*, HandleKind>& live() {
  static std::unordered_map<const void*, HandleKind> handles;
  return handles;
}

const char* nameOf(HandleKind kind) {
  switch (kind) {
    case HandleKind::kPropertySet:
      return "property set or image";
    case HandleKind::kEffect:
      return "image effect";
    case HandleKind::kParamSet:
      return "parameter set";
    case HandleKind::kParam:
      return "parameter";
    case HandleKind::kClip:
      return "clip";
    case HandleKind::kImageMemory:
      return "image memory";
    case HandleKind::kMutex:
      return "mutex";
  }
  return "handle";
}

}  // namespace

Handle::Handle(HandleKind kind) : kind_(kind) {
  const std::unique_lock lock(mutex);
  live()[this] = kind;
}

Handle::~Handle() {
  const std::unique_lock lock(mutex);
  live().erase(this);
}

bool isLive(const void* handle, HandleKind kind) {
  const std::shared_lock lock(mutex);
  const auto found = live().find(handle);
  return found != live().end() && found->second == kind;
}

void noteBadHandle(const void* handle, HandleKind expected, const char* function) {
  std::ostringstream text;
  text << function << " was called with " << handle << ", which is no living " << nameOf(expected);
  currentJournal().problem("bad-handle", text.str());
}

}  // namespace ofx_host
