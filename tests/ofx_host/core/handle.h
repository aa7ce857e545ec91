// Blind handles that can be told from rubbish: every object behind one is registered while it lives.
#pragma once

#include <string>

namespace ofx_host {

enum class HandleKind { kPropertySet, kEffect, kParamSet, kParam, kClip, kImageMemory, kMutex };

// Base of everything that a plugin gets a handle of. The handle is the address of this base.
class Handle {
 public:
  Handle(const Handle&) = delete;
  Handle& operator=(const Handle&) = delete;

  [[nodiscard]] HandleKind kind() const { return kind_; }

 protected:
  explicit Handle(HandleKind kind);
  ~Handle();

 private:
  HandleKind kind_;
};

// Whether `handle` is the address of a living object of that kind.
[[nodiscard]] bool isLive(const void* handle, HandleKind kind);

// Notes a `bad-handle` problem about a call of `function`.
void noteBadHandle(const void* handle, HandleKind expected, const char* function);

template <typename Struct, typename Object>
[[nodiscard]] Struct* toHandle(Object* object) {
  return reinterpret_cast<Struct*>(static_cast<Handle*>(object));
}

// The object behind a handle, or nullptr after noting a problem. Object::kHandleKind says what is expected.
template <typename Object, typename Struct>
[[nodiscard]] Object* fromHandle(Struct* handle, const char* function) {
  if (!isLive(handle, Object::kHandleKind)) {
    noteBadHandle(handle, Object::kHandleKind, function);
    return nullptr;
  }
  return static_cast<Object*>(reinterpret_cast<Handle*>(handle));
}

}  // namespace ofx_host
