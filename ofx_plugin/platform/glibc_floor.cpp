// Lets a bundle that was linked on a new Linux load where glibc is 2.28, as on Resolve's Rocky Linux 8. The linker
// sends calls of functions that glibc has since given a new version here (cmake/GlibcFloor.cmake has their list), and
// we pass them on to the version that both have; what 2.28 has not at all is done by other means.
#include <dirent.h>
#include <dlfcn.h>
#include <link.h>
#include <pthread.h>
#include <spawn.h>
#include <sys/random.h>
#include <sys/stat.h>
#include <time.h>

#include <cerrno>
#include <cstdint>
#include <cstdlib>

#if defined(__x86_64__)
#define OLDEST "GLIBC_2.2.5"
#define OLDEST_SETNAME "GLIBC_2.12"
constexpr int kStatVersion = 1;
#elif defined(__aarch64__)
#define OLDEST "GLIBC_2.17"
#define OLDEST_SETNAME "GLIBC_2.17"
constexpr int kStatVersion = 0;
#endif

// Sends calls of NAME to the version of it that glibc has had from the beginning of this architecture.
#define OLD(result, name, parameters, arguments, version) \
  result old_##name parameters;                           \
  __asm__(".symver old_" #name "," #name "@" version);    \
  result __wrap_##name parameters {                       \
    return old_##name arguments;                          \
  }

extern "C" {

OLD(int, pthread_create, (pthread_t * t, const pthread_attr_t* a, void* (*run)(void*), void* data), (t, a, run, data),
    OLDEST)
OLD(int, pthread_join, (pthread_t t, void** result), (t, result), OLDEST)
OLD(int, pthread_detach, (pthread_t t), (t), OLDEST)
OLD(int, pthread_once, (pthread_once_t * once, void (*run)()), (once, run), OLDEST)
OLD(int, pthread_key_create, (pthread_key_t * key, void (*destroy)(void*)), (key, destroy), OLDEST)
OLD(int, pthread_key_delete, (pthread_key_t key), (key), OLDEST)
OLD(void*, pthread_getspecific, (pthread_key_t key), (key), OLDEST)
OLD(int, pthread_setspecific, (pthread_key_t key, const void* value), (key, value), OLDEST)
OLD(int, pthread_sigmask, (int how, const sigset_t* set, sigset_t* before), (how, set, before), OLDEST)
OLD(int, pthread_attr_setstacksize, (pthread_attr_t * attributes, size_t size), (attributes, size), OLDEST)
OLD(int, pthread_setname_np, (pthread_t t, const char* name), (t, name), OLDEST_SETNAME)
OLD(int, pthread_mutex_timedlock, (pthread_mutex_t * mutex, const timespec* until), (mutex, until), OLDEST)
OLD(int, pthread_rwlock_init, (pthread_rwlock_t * lock, const pthread_rwlockattr_t* a), (lock, a), OLDEST)
OLD(int, pthread_rwlock_destroy, (pthread_rwlock_t * lock), (lock), OLDEST)
OLD(int, pthread_rwlock_rdlock, (pthread_rwlock_t * lock), (lock), OLDEST)
OLD(int, pthread_rwlock_wrlock, (pthread_rwlock_t * lock), (lock), OLDEST)
OLD(int, pthread_rwlock_unlock, (pthread_rwlock_t * lock), (lock), OLDEST)
OLD(int, dladdr, (const void* address, Dl_info* info), (address, info), OLDEST)
OLD(void*, dlopen, (const char* path, int mode), (path, mode), OLDEST)
OLD(int, dlclose, (void* library), (library), OLDEST)
OLD(char*, dlerror, (), (), OLDEST)
OLD(void*, dlsym, (void* library, const char* name), (library, name), OLDEST)
OLD(double, pow, (double base, double exponent), (base, exponent), OLDEST)
OLD(double, log2, (double value), (value), OLDEST)

int __wrap___pthread_key_create(pthread_key_t* key, void (*destroy)(void*)) {
  return old_pthread_key_create(key, destroy);
}
int __xstat(int version, const char* path, struct stat* found);
int __lxstat(int version, const char* path, struct stat* found);
int __fxstat(int version, int file, struct stat* found);
int __fxstat64(int version, int file, struct stat64* found);

int __wrap_stat(const char* path, struct stat* found) {
  return __xstat(kStatVersion, path, found);
}
int __wrap_lstat(const char* path, struct stat* found) {
  return __lxstat(kStatVersion, path, found);
}
int __wrap_fstat(int file, struct stat* found) {
  return __fxstat(kStatVersion, file, found);
}
int __wrap_fstat64(int file, struct stat64* found) {
  return __fxstat64(kStatVersion, file, found);
}

}  // extern "C"

namespace {

// A function that this system's glibc may have; null where it has not.
template <typename Function>
Function* newer(const char* name) {
  return reinterpret_cast<Function*>(old_dlsym(RTLD_DEFAULT, name));
}

// The moment on the wall clock that a moment of another clock will be, unless somebody sets the wall clock meanwhile.
timespec onWallClock(clockid_t clock, const timespec& moment) {
  constexpr std::int64_t kSecond_ns = 1'000'000'000;
  timespec there{}, wall{};
  clock_gettime(clock, &there);
  clock_gettime(CLOCK_REALTIME, &wall);
  const std::int64_t left_ns =
      (moment.tv_sec - there.tv_sec) * kSecond_ns + (moment.tv_nsec - there.tv_nsec) + wall.tv_nsec;
  const std::int64_t carry = left_ns / kSecond_ns - (left_ns % kSecond_ns < 0 ? 1 : 0);  // rounds down
  return {static_cast<time_t>(wall.tv_sec + carry), static_cast<long>(left_ns - carry * kSecond_ns)};
}

// Of the loaded library that holds `address`: where it lies and where its unwind table is.
struct LoadedObject {
  std::uintptr_t address;
  char* begin = nullptr;
  char* end = nullptr;
  void* unwindTable = nullptr;
};

int compareObject(dl_phdr_info* info, std::size_t, void* data) {
  auto& wanted = *static_cast<LoadedObject*>(data);
  bool isHere = false;
  void* unwindTable = nullptr;
  for (int index = 0; index < info->dlpi_phnum; ++index) {
    const ElfW(Phdr)& segment = info->dlpi_phdr[index];
    const std::uintptr_t begin = info->dlpi_addr + segment.p_vaddr;
    if (segment.p_type == PT_GNU_EH_FRAME) unwindTable = reinterpret_cast<void*>(begin);
    if (segment.p_type != PT_LOAD || wanted.address < begin || wanted.address >= begin + segment.p_memsz) continue;
    isHere = true;
    wanted.begin = reinterpret_cast<char*>(begin);
    wanted.end = reinterpret_cast<char*>(begin + segment.p_memsz);
  }
  if (isHere) wanted.unwindTable = unwindTable;
  return isHere ? 1 : 0;
}

}  // namespace

extern "C" {

// 2.30
int __wrap_pthread_cond_clockwait(pthread_cond_t* condition, pthread_mutex_t* mutex, clockid_t clock,
                                  const timespec* until) {
  static const auto real = newer<decltype(pthread_cond_clockwait)>("pthread_cond_clockwait");
  if (real != nullptr) return real(condition, mutex, clock, until);
  const timespec wall = onWallClock(clock, *until);
  return pthread_cond_timedwait(condition, mutex, &wall);
}

// 2.30
int __wrap_pthread_mutex_clocklock(pthread_mutex_t* mutex, clockid_t clock, const timespec* until) {
  static const auto real = newer<decltype(pthread_mutex_clocklock)>("pthread_mutex_clocklock");
  if (real != nullptr) return real(mutex, clock, until);
  const timespec wall = onWallClock(clock, *until);
  return old_pthread_mutex_timedlock(mutex, &wall);
}

// 2.34. Elsewhere the files that are open now are closed one by one; closing one that has gone meanwhile is no error.
int __wrap_posix_spawn_file_actions_addclosefrom_np(posix_spawn_file_actions_t* actions, int first) {
  static const auto real =
      newer<decltype(posix_spawn_file_actions_addclosefrom_np)>("posix_spawn_file_actions_addclosefrom_np");
  if (real != nullptr) return real(actions, first);
  DIR* const folder = opendir("/proc/self/fd");
  if (folder == nullptr) return errno;
  int error = 0;
  for (const dirent* entry = readdir(folder); entry != nullptr && error == 0; entry = readdir(folder)) {
    const int file = std::atoi(entry->d_name);
    if (file >= first) error = posix_spawn_file_actions_addclose(actions, file);
  }
  closedir(folder);
  return error;
}

// 2.36
std::uint32_t __wrap_arc4random() {
  std::uint32_t number = 0;
  if (getentropy(&number, sizeof(number)) != 0) std::abort();
  return number;
}

// 2.35; libgcc finds by it how to unwind an exception.
int __wrap__dl_find_object(void* address, dl_find_object* result) {
  LoadedObject object{reinterpret_cast<std::uintptr_t>(address)};
  if (dl_iterate_phdr(compareObject, &object) == 0 || object.unwindTable == nullptr) return -1;
  *result = {};
  result->dlfo_map_start = object.begin;
  result->dlfo_map_end = object.end;
  result->dlfo_eh_frame = object.unwindTable;
  return 0;
}

// 2.32. libstdc++ counts references without atomics while this is not 0; a host has threads.
extern char __libc_single_threaded;
char __libc_single_threaded = 0;

}  // extern "C"
