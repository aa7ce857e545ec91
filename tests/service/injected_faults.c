/* A wall clock that jumps and a disk that is slow, for one process: loaded before the C library, told what to do by two
 * numbers in a file that it maps (see injected_faults.py). The monotonic clock is left alone, as a real jump leaves it.
 */
#define _GNU_SOURCE
#include <dlfcn.h>
#include <errno.h>
#include <fcntl.h>
#include <linux/futex.h>
#include <stdarg.h>
#include <stdint.h>
#include <stdlib.h>
#include <sys/mman.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <sys/time.h>
#include <sys/uio.h>
#include <time.h>
#include <unistd.h>

struct Faults {
  volatile int64_t clock_shift_s;
  volatile int64_t write_delay_us;
};

static struct Faults none;
static struct Faults* faults = &none;

__attribute__((constructor)) static void map_faults(void) {
  const char* path = getenv("INJECTED_FAULTS");
  const int file = path == NULL ? -1 : open(path, O_RDWR | O_CLOEXEC);
  if (file < 0) return;
  void* page = mmap(NULL, sizeof(struct Faults), PROT_READ | PROT_WRITE, MAP_SHARED, file, 0);
  close(file);
  if (page != MAP_FAILED) faults = page;
}

#define REAL(type, name) ((type)dlsym(RTLD_NEXT, name))

int clock_gettime(clockid_t clock, struct timespec* now) {
  static int (*real)(clockid_t, struct timespec*);
  if (real == NULL) real = REAL(int (*)(clockid_t, struct timespec*), "clock_gettime");
  const int result = real(clock, now);
  if (result == 0 && (clock == CLOCK_REALTIME || clock == CLOCK_REALTIME_COARSE)) now->tv_sec += faults->clock_shift_s;
  return result;
}

int gettimeofday(struct timeval* restrict now, void* restrict zone) {
  (void)zone;
  struct timespec precise;
  if (clock_gettime(CLOCK_REALTIME, &precise) != 0) return -1;
  now->tv_sec = precise.tv_sec;
  now->tv_usec = precise.tv_nsec / 1000;
  return 0;
}

time_t time(time_t* out) {
  struct timespec now;
  clock_gettime(CLOCK_REALTIME, &now);
  if (out != NULL) *out = now.tv_sec;
  return now.tv_sec;
}

/* A wait until a time of the wall clock: the kernel's clock has not jumped, so the time is told to it in its own terms.
 */
long syscall(long number, ...) {
  static long (*real)(long, ...);
  if (real == NULL) real = REAL(long (*)(long, ...), "syscall");
  long a[6];
  va_list arguments;
  va_start(arguments, number);
  for (int i = 0; i < 6; ++i) a[i] = va_arg(arguments, long);
  va_end(arguments);
  struct timespec until;
  if (number == SYS_futex && (a[1] & FUTEX_CLOCK_REALTIME) != 0 && a[3] != 0) {
    until = *(const struct timespec*)a[3];
    until.tv_sec -= faults->clock_shift_s;
    if (until.tv_sec < 0) until.tv_sec = 0;
    a[3] = (long)&until;
  }
  return real(number, a[0], a[1], a[2], a[3], a[4], a[5]);
}

static void wait_for_disk(int file) {
  const int64_t delay_us = faults->write_delay_us;
  struct stat found;
  if (delay_us == 0 || fstat(file, &found) != 0 || !S_ISREG(found.st_mode)) return;
  const int error = errno;
  usleep((useconds_t)delay_us);
  errno = error;
}

ssize_t write(int file, const void* data, size_t size) {
  static ssize_t (*real)(int, const void*, size_t);
  if (real == NULL) real = REAL(ssize_t(*)(int, const void*, size_t), "write");
  wait_for_disk(file);
  return real(file, data, size);
}

ssize_t pwrite(int file, const void* data, size_t size, off_t at) {
  static ssize_t (*real)(int, const void*, size_t, off_t);
  if (real == NULL) real = REAL(ssize_t(*)(int, const void*, size_t, off_t), "pwrite");
  wait_for_disk(file);
  return real(file, data, size, at);
}

ssize_t writev(int file, const struct iovec* parts, int count) {
  static ssize_t (*real)(int, const struct iovec*, int);
  if (real == NULL) real = REAL(ssize_t(*)(int, const struct iovec*, int), "writev");
  wait_for_disk(file);
  return real(file, parts, count);
}

int fsync(int file) {
  static int (*real)(int);
  if (real == NULL) real = REAL(int (*)(int), "fsync");
  wait_for_disk(file);
  return real(file);
}
