// std::timed_mutex waits by pthread_mutex_clocklock, which the thread sanitizers of GCC 12 and Clang 14 do not watch:
// ten lines with a timed mutex and no code of ours are told that they unlock what nobody locked, and what the mutex
// guards counts as a race. The watched plugin takes the older function that they do watch.
#include <pthread.h>
#include <time.h>

extern "C" int __wrap_pthread_mutex_clocklock(pthread_mutex_t* mutex, clockid_t clock, const timespec* until) {
  constexpr long kSecond_ns = 1'000'000'000;
  timespec there{}, wall{};
  clock_gettime(clock, &there);
  clock_gettime(CLOCK_REALTIME, &wall);
  timespec moment{wall.tv_sec + until->tv_sec - there.tv_sec, wall.tv_nsec + until->tv_nsec - there.tv_nsec};
  for (; moment.tv_nsec < 0; moment.tv_nsec += kSecond_ns) --moment.tv_sec;
  for (; moment.tv_nsec >= kSecond_ns; moment.tv_nsec -= kSecond_ns) ++moment.tv_sec;
  return pthread_mutex_timedlock(mutex, &moment);
}
