#include "warm_up.h"

#include <atomic>
#include <chrono>
#include <condition_variable>
#include <mutex>
#include <set>
#include <thread>
#include <vector>

#include "attempt.h"
#include "environment.h"
#include "immortal.h"
#include "log.h"
#include "service_client.h"

namespace stereo_convert {
namespace {

using Seconds = std::chrono::duration<double>;

constexpr Seconds kLimit{120};  // ServiceClient has tighter ones of its own
constexpr Seconds kFarewell{1};

std::atomic<bool> isLeaving{false};
std::mutex mutex;  // guards what follows
Immortal<std::set<std::string>> begun;
Immortal<std::vector<std::thread>> threads;
Immortal<std::condition_variable> someEnded;
int underWay = 0;

bool isWanted() {
  const bool hostHasUser = Properties(suites().host).integer(kOfxImageEffectHostPropIsBackground).value_or(0) == 0;
  return hostHasUser && environmentText("STEREO_CONVERT_WARM_UP") != "0";
}

std::string secondsSince(std::chrono::steady_clock::time_point start) {
  return std::to_string(
             std::chrono::duration_cast<std::chrono::milliseconds>(std::chrono::steady_clock::now() - start).count()) +
         " ms";
}

void run(const ServiceChoice& choice, bool isLogged) noexcept {
  const auto start = std::chrono::steady_clock::now();
  const auto failure = attempt([&] {
    const Patience patience(kLimit, [] { return isLeaving.load(); });
    const auto session = ServiceClient::of(choice)->session(patience);
    if (isLogged) writeLog("warm-up done: " + session->text + ", after " + secondsSince(start));
  });
  if (failure && isLogged) {
    (void)attempt([&] { writeLog(std::string("warm-up failed: ") + failure->what()); });
  }
  const std::lock_guard lock(mutex);
  --underWay;
  someEnded->notify_all();
}

void beginOnce(const Instance& instance) {
  if (!isWanted()) return;
  const ServiceChoice choice = instance.service(0);
  const bool isLogged = logIsWanted(instance.writesLog(0));
  const std::lock_guard lock(mutex);
  if (!begun->insert(choice.address + "\n" + choice.tokenFile + "\n" + choice.program).second) return;
  // Here and not in the thread: the first line names the host, which may be asked only while it calls us.
  if (isLogged) writeLog("warm-up begins");
  isLeaving = false;
  threads->emplace_back(run, choice, isLogged);
  ++underWay;
}

}  // namespace

void WarmUp::begin(const Instance& instance) noexcept {
  (void)attempt([&] { beginOnce(instance); });
}

void WarmUp::stop() noexcept {
  isLeaving = true;
  std::vector<std::thread> leaving;
  std::unique_lock lock(mutex);
  const bool allEnded = someEnded->wait_for(lock, kFarewell, [] { return underWay == 0; });
  leaving.swap(*threads);
  begun->clear();
  lock.unlock();
  for (std::thread& thread : leaving) {
    if (allEnded) {
      thread.join();
    } else {
      thread.detach();  // the library stays mapped for it
    }
  }
}

}  // namespace stereo_convert
