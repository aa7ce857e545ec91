#include "host.h"

#include <cstring>

#include "suites.h"

namespace ofx_host {

namespace {

const void* suiteOf(const Habits& habits, const std::string& name, int version) {
  if (name == kOfxPropertySuite && version == 1) return propertySuite();
  if (name == kOfxParameterSuite && version == 1) return parameterSuite();
  if (name == kOfxImageEffectSuite && version == 1) return imageEffectSuite();
  if (name == kOfxMemorySuite && version == 1) return memorySuite();
  if (name == kOfxMultiThreadSuite && version == 1) return multiThreadSuite();
  if (name == kOfxMessageSuite && version == 1) return messageSuiteV1();
  if (name == kOfxMessageSuite && version == 2 && habits.messageSuite != MessageSuite::kV1Only)
    return messageSuiteV2(habits.messageSuite == MessageSuite::kV2WithNullMembers);
  if (name == kOfxProgressSuite && version == 1) return progressSuiteV1();
  if (name == kOfxProgressSuite && version == 2) return progressSuiteV2();
  if (name == kOfxTimeLineSuite && version == 1) return timeLineSuite();
  return nullptr;
}

// The suite call names no host, so the property set behind the handle has to lead back to it.
std::map<PropertySet*, Host*>& hostsByProperties() {
  static std::map<PropertySet*, Host*> hosts;
  return hosts;
}

const void* fetchSuite(OfxPropertySetHandle handle, const char* name, int version) {
  auto* properties = fromHandle<PropertySet>(handle, "fetchSuite");
  if (properties == nullptr || name == nullptr) return nullptr;
  const auto found = hostsByProperties().find(properties);
  if (found == hostsByProperties().end()) {
    currentJournal().problem("bad-handle", "fetchSuite was called with a handle that is not OfxHost::host");
    return nullptr;
  }
  const Habits& habits = found->second->habits();
  return habits.suites.count(name) > 0 ? suiteOf(habits, name, version) : nullptr;
}

}  // namespace

Host::Host(Habits habits) : habits_(std::move(habits)), properties_("host") {
  ofxHost_ = {properties_.handle(), fetchSuite};
  hostsByProperties()[&properties_] = this;
  setCurrentJournal(&journal_);
}

Host::~Host() {
  hostsByProperties().erase(&properties_);
  if (&currentJournal() == &journal_) setCurrentJournal(nullptr);
}

bool Host::omits(const std::string& object, const std::string& property) const {
  const auto found = habits_.omitted.find(object);
  return found != habits_.omitted.end() && found->second.count(property) > 0;
}

void Host::defineAll(PropertySet* set, const std::string& object, const std::vector<PropertyRule>& rules) const {
  for (const PropertyRule& rule : rules)
    if (!omits(object, rule.name)) set->define(rule);
}

}  // namespace ofx_host
