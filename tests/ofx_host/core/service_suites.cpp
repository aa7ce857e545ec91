// The small suites: memory, threads, messages, progress, time line.
#include <algorithm>
#include <cstdarg>
#include <cstdio>
#include <cstdlib>
#include <map>
#include <mutex>
#include <thread>

#include "action_scope.h"
#include "effect.h"
#include "suites.h"

namespace ofx_host {

namespace {

// Memory. The suite names no host when memory is freed, so blocks remember theirs.

std::mutex memoryMutex;
std::map<void*, std::weak_ptr<Host>>& blocks() {
  static std::map<void*, std::weak_ptr<Host>> owners;
  return owners;
}

Host* actingHost() {
  const ActionScope* scope = ActionScope::current();
  return scope == nullptr ? nullptr : &scope->host();
}

OfxStatus memoryAlloc(void*, size_t bytes, void** data) {
  if (data == nullptr) return kOfxStatErrBadHandle;
  *data = std::malloc(std::max<size_t>(bytes, 1));
  if (*data == nullptr) return kOfxStatErrMemory;
  Host* host = actingHost();
  if (host != nullptr) ++host->memoryOut;
  const std::lock_guard lock(memoryMutex);
  blocks()[*data] = host == nullptr ? std::weak_ptr<Host>() : host->weak_from_this();
  return kOfxStatOK;
}

OfxStatus memoryFree(void* data) {
  const std::lock_guard lock(memoryMutex);
  const auto found = blocks().find(data);
  if (found == blocks().end()) {
    currentJournal().problem("bad-handle", "memoryFree of memory that memoryAlloc did not give");
    return kOfxStatErrBadHandle;
  }
  if (const std::shared_ptr<Host> host = found->second.lock()) --host->memoryOut;
  blocks().erase(found);
  std::free(data);
  return kOfxStatOK;
}

// Threads.

thread_local unsigned int threadIndex = 0;
thread_local bool isSpawned = false;

OfxStatus multiThreadNumCPUs(unsigned int* count) {
  if (count == nullptr) return kOfxStatFailed;
  *count = std::max(1u, std::thread::hardware_concurrency());
  return kOfxStatOK;
}

OfxStatus multiThread(OfxThreadFunctionV1 function, unsigned int wanted, void* argument) {
  if (isSpawned) return kOfxStatErrExists;
  unsigned int count = 1;
  multiThreadNumCPUs(&count);
  count = std::clamp(wanted, 1u, count);
  ActionScope* scope = ActionScope::current();
  std::vector<std::thread> threads;
  for (unsigned int i = 0; i < count; ++i)
    threads.emplace_back([=] {
      ActionScope::adopt(scope);
      threadIndex = i;
      isSpawned = true;
      function(i, count, argument);
    });
  for (std::thread& thread : threads) thread.join();
  return kOfxStatOK;
}

OfxStatus multiThreadIndex(unsigned int* index) {
  if (index == nullptr) return kOfxStatFailed;
  *index = threadIndex;
  return kOfxStatOK;
}

int multiThreadIsSpawnedThread() {
  return isSpawned ? 1 : 0;
}

struct Mutex : Handle {
  static constexpr HandleKind kHandleKind = HandleKind::kMutex;
  explicit Mutex(Host* owner) : Handle(kHandleKind), host(owner) {}
  std::recursive_mutex mutex;
  Host* host;
};

Mutex* mutexOf(OfxMutexHandle handle, const char* function) {
  return fromHandle<Mutex>(handle, function);
}

OfxStatus mutexCreate(OfxMutexHandle* handle, int lockCount) {
  if (handle == nullptr) return kOfxStatErrBadHandle;
  auto* mutex = new Mutex(actingHost());
  for (int i = 0; i < lockCount; ++i) mutex->mutex.lock();
  if (mutex->host != nullptr) ++mutex->host->mutexesOut;
  *handle = toHandle<OfxMutex>(mutex);
  return kOfxStatOK;
}

OfxStatus mutexDestroy(const OfxMutexHandle handle) {
  Mutex* mutex = mutexOf(handle, "mutexDestroy");
  if (mutex == nullptr) return kOfxStatErrBadHandle;
  if (mutex->host != nullptr) --mutex->host->mutexesOut;
  delete mutex;
  return kOfxStatOK;
}

OfxStatus mutexLock(const OfxMutexHandle handle) {
  Mutex* mutex = mutexOf(handle, "mutexLock");
  if (mutex == nullptr) return kOfxStatErrBadHandle;
  mutex->mutex.lock();
  return kOfxStatOK;
}

OfxStatus mutexUnLock(const OfxMutexHandle handle) {
  Mutex* mutex = mutexOf(handle, "mutexUnLock");
  if (mutex == nullptr) return kOfxStatErrBadHandle;
  mutex->mutex.unlock();
  return kOfxStatOK;
}

OfxStatus mutexTryLock(const OfxMutexHandle handle) {
  Mutex* mutex = mutexOf(handle, "mutexTryLock");
  if (mutex == nullptr) return kOfxStatErrBadHandle;
  return mutex->mutex.try_lock() ? kOfxStatOK : kOfxStatFailed;
}

// Messages.

Message format(const char* type, const char* id, bool persistent, const char* pattern, va_list arguments) {
  char text[4096];
  std::vsnprintf(text, sizeof text, pattern == nullptr ? "" : pattern, arguments);
  return {type == nullptr ? "" : type, id == nullptr ? "" : id, text, persistent};
}

OfxStatus message(void* handle, const char* type, const char* id, const char* pattern, ...) {
  if (handle != nullptr && !isLive(handle, HandleKind::kEffect)) {
    noteBadHandle(handle, HandleKind::kEffect, "message");
    return kOfxStatErrBadHandle;
  }
  va_list arguments;
  va_start(arguments, pattern);
  Message posted = format(type, id, false, pattern, arguments);
  va_end(arguments);
  const bool isQuestion = posted.type == kOfxMessageQuestion;
  currentJournal().message(std::move(posted));
  return isQuestion ? kOfxStatReplyNo : kOfxStatOK;
}

OfxStatus setPersistentMessage(void* handle, const char* type, const char* id, const char* pattern, ...) {
  auto* effect = fromHandle<Effect>(static_cast<OfxImageEffectHandle>(handle), "setPersistentMessage");
  if (effect == nullptr) return kOfxStatErrBadHandle;
  va_list arguments;
  va_start(arguments, pattern);
  Message posted = format(type, id, true, pattern, arguments);
  va_end(arguments);
  effect->host().journal().message(posted);
  effect->setPersistentMessage(std::move(posted));
  return kOfxStatOK;
}

OfxStatus clearPersistentMessage(void* handle) {
  auto* effect = fromHandle<Effect>(static_cast<OfxImageEffectHandle>(handle), "clearPersistentMessage");
  if (effect == nullptr) return kOfxStatErrBadHandle;
  effect->setPersistentMessage(std::nullopt);
  return kOfxStatOK;
}

// Progress: never shown, but it can be cancelled.

OfxStatus progressStart(void*, const char*) {
  return kOfxStatOK;
}
OfxStatus progressStartV2(void*, const char*, const char*) {
  return kOfxStatOK;
}
OfxStatus progressUpdate(void* handle, double) {
  auto* effect = fromHandle<Effect>(static_cast<OfxImageEffectHandle>(handle), "progressUpdate");
  if (effect == nullptr) return kOfxStatErrBadHandle;
  return effect->host().progressCancelled ? kOfxStatReplyNo : kOfxStatOK;
}
OfxStatus progressEnd(void*) {
  return kOfxStatOK;
}

// Time line: the cursor is at the frame that is rendered.

OfxStatus getTime(void*, double* time) {
  const ActionScope* scope = ActionScope::current();
  if (time == nullptr || scope == nullptr || !scope->time) return kOfxStatFailed;
  *time = *scope->time;
  return kOfxStatOK;
}
OfxStatus gotoTime(void*, double) {
  return kOfxStatFailed;
}
OfxStatus getTimeBounds(void* handle, double* first, double* last) {
  auto* effect = fromHandle<Effect>(static_cast<OfxImageEffectHandle>(handle), "getTimeBounds");
  Clip* clip = effect == nullptr ? nullptr : effect->findClip(kOfxImageEffectOutputClipName);
  if (clip == nullptr || first == nullptr || last == nullptr) return kOfxStatErrBadHandle;
  const std::vector<PropertyValue> range = clip->properties().values(kOfxImageEffectPropFrameRange);
  if (range.size() != 2) return kOfxStatFailed;
  *first = std::get<double>(range[0]);
  *last = std::get<double>(range[1]);
  return kOfxStatOK;
}

}  // namespace

const OfxMemorySuiteV1* memorySuite() {
  static const OfxMemorySuiteV1 suite = {memoryAlloc, memoryFree};
  return &suite;
}

const OfxMultiThreadSuiteV1* multiThreadSuite() {
  static const OfxMultiThreadSuiteV1 suite = {
      multiThread, multiThreadNumCPUs, multiThreadIndex, multiThreadIsSpawnedThread, mutexCreate, mutexDestroy,
      mutexLock,   mutexUnLock,        mutexTryLock};
  return &suite;
}

const OfxMessageSuiteV1* messageSuiteV1() {
  static const OfxMessageSuiteV1 suite = {message};
  return &suite;
}

const OfxMessageSuiteV2* messageSuiteV2(bool withNullMembers) {
  static const OfxMessageSuiteV2 whole = {message, setPersistentMessage, clearPersistentMessage};
  static const OfxMessageSuiteV2 hollow = {message, nullptr, nullptr};
  return withNullMembers ? &hollow : &whole;
}

const OfxProgressSuiteV1* progressSuiteV1() {
  static const OfxProgressSuiteV1 suite = {progressStart, progressUpdate, progressEnd};
  return &suite;
}

const OfxProgressSuiteV2* progressSuiteV2() {
  static const OfxProgressSuiteV2 suite = {progressStartV2, progressUpdate, progressEnd};
  return &suite;
}

const OfxTimeLineSuiteV1* timeLineSuite() {
  static const OfxTimeLineSuiteV1 suite = {getTime, gotoTime, getTimeBounds};
  return &suite;
}

}  // namespace ofx_host
