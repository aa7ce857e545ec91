// A host that can do nothing: loads a plugin and asks it for a picture. The plugin must fail in words, which takes
// threads, exceptions and gRPC. Small enough to run with a C library older than the tests' own; prints what it was
// told.
//   load_probe PLUGIN.ofx
#include <dlfcn.h>
#include <gnu/libc-version.h>

#include <cstdarg>
#include <cstdio>
#include <cstring>

#include "ofxImageEffect.h"
#include "ofxMessage.h"

namespace {

OfxStatus setPersistentMessage(void*, const char*, const char*, const char* format, ...) {
  va_list values;
  va_start(values, format);
  std::vprintf(format, values);
  va_end(values);
  std::printf("\n");
  return kOfxStatOK;
}

// Every other function of a suite: it answers no, whatever it is asked.
OfxStatus refuse() {
  return kOfxStatFailed;
}

const void* refusingSuite() {
  static void* functions[64];
  for (void*& function : functions) function = reinterpret_cast<void*>(refuse);
  return functions;
}

const void* fetchSuite(OfxPropertySetHandle, const char* name, int version) {
  static OfxMessageSuiteV2 messages{};
  messages.setPersistentMessage = setPersistentMessage;
  messages.clearPersistentMessage = [](void*) -> OfxStatus { return kOfxStatOK; };
  if (std::strcmp(name, kOfxMessageSuite) == 0) return version == 2 ? &messages : nullptr;
  static OfxImageEffectSuiteV1 effects{};
  std::memcpy(&effects, refusingSuite(), sizeof(effects));
  effects.abort = [](OfxImageEffectHandle) { return 0; };
  if (std::strcmp(name, kOfxImageEffectSuite) == 0) return &effects;
  return refusingSuite();
}

}  // namespace

// The start of a program has a new version too. An older C library runs no constructors for us then; none are needed.
extern "C" {
int oldStart(int (*)(int, char**, char**), int, char**, void (*)(), void (*)(), void (*)(), void*);
#ifdef __x86_64__
__asm__(".symver oldStart,__libc_start_main@GLIBC_2.2.5");
#else
__asm__(".symver oldStart,__libc_start_main@GLIBC_2.17");
#endif
int __wrap___libc_start_main(int (*run)(int, char**, char**), int count, char** words, void (*begin)(), void (*end)(),
                             void (*unload)(), void* stack) {
  return oldStart(run, count, words, begin, end, unload, stack);
}
}

int main(int, char** arguments) {
  std::printf("glibc %s\n", gnu_get_libc_version());
  void* library = dlopen(arguments[1], RTLD_NOW);
  if (library == nullptr) {
    std::printf("%s\n", dlerror());
    return 1;
  }
  const auto getPlugin = reinterpret_cast<OfxPlugin* (*)(int)>(dlsym(library, "OfxGetPlugin"));
  OfxPlugin* plugin = getPlugin(0);
  static OfxHost host{nullptr, fetchSuite};
  plugin->setHost(&host);
  if (plugin->mainEntry(kOfxActionLoad, nullptr, nullptr, nullptr) != kOfxStatOK) return 2;
  const OfxStatus status = plugin->mainEntry(kOfxImageEffectActionRender, nullptr, nullptr, nullptr);
  plugin->mainEntry(kOfxActionUnload, nullptr, nullptr, nullptr);
  return status == kOfxStatFailed ? 0 : 3;
}
