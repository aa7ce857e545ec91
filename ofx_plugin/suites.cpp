#include "suites.h"

#include <atomic>
#include <deque>
#include <mutex>

namespace stereo_convert {
namespace {

std::atomic<const OfxHost*> currentHost{nullptr};
std::atomic<const Suites*> currentSuites{nullptr};

bool operator==(const Suites& a, const Suites& b) {
  return a.host == b.host && a.property == b.property && a.effect == b.effect && a.parameter == b.parameter &&
         a.message == b.message && a.persistentMessage == b.persistentMessage;
}

template <typename Suite>
const Suite* fetch(const OfxHost& host, const char* name, int version) {
  return static_cast<const Suite*>(host.fetchSuite(host.host, name, version));
}

}  // namespace

void setHost(const OfxHost* host) noexcept {
  currentHost.store(host);
}

bool fetchSuites() {
  const OfxHost* host = currentHost.load();
  if (host == nullptr || host->fetchSuite == nullptr) return false;

  Suites fetched;
  fetched.host = host->host;
  fetched.property = fetch<OfxPropertySuiteV1>(*host, kOfxPropertySuite, 1);
  fetched.effect = fetch<OfxImageEffectSuiteV1>(*host, kOfxImageEffectSuite, 1);
  fetched.parameter = fetch<OfxParameterSuiteV1>(*host, kOfxParameterSuite, 1);
  fetched.message = fetch<OfxMessageSuiteV1>(*host, kOfxMessageSuite, 1);
  const auto* persistent = fetch<OfxMessageSuiteV2>(*host, kOfxMessageSuite, 2);
  if (persistent != nullptr && persistent->setPersistentMessage != nullptr &&
      persistent->clearPersistentMessage != nullptr) {
    fetched.persistentMessage = persistent;
  }
  if (fetched.property == nullptr || fetched.effect == nullptr || fetched.parameter == nullptr) return false;

  // Renders on other threads may hold a reference to the table before: keep them all. A host has one, rarely two.
  static std::mutex mutex;
  static std::deque<Suites> everFetched;
  const std::lock_guard lock(mutex);
  for (const Suites& known : everFetched) {
    if (known == fetched) {
      currentSuites.store(&known);
      return true;
    }
  }
  currentSuites.store(&everFetched.emplace_back(fetched));
  return true;
}

const Suites& suites() noexcept {
  return *currentSuites.load();
}

}  // namespace stereo_convert
