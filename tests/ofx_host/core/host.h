// The host that a plugin meets: its properties, its suites, its rules and what it noticed.
#pragma once

#include <atomic>
#include <map>
#include <memory>
#include <set>
#include <string>
#include <vector>

#include "journal.h"
#include "ofxCore.h"
#include "property_set.h"

namespace ofx_host {

enum class MessageSuite { kV1Only, kV2, kV2WithNullMembers };
// What clipGetImage gives where a clip has no image.
enum class MissingImage { kFailed, kOkWithNull, kOkWithoutData };

// Habits of a real host that suites must imitate; tests/ofx_host/personality.py says which host has which.
struct Habits {
  MessageSuite messageSuite = MessageSuite::kV2;
  MissingImage missingImage = MissingImage::kFailed;
  std::set<std::string> suites;                          // names that fetchSuite knows
  std::set<std::string> noParamSetIn;                    // actions in which a plugin must not change params
  bool freezeAfterDescribe = false;                      // choice lists and secrecy cannot change on an instance
  bool unknownClipIsNull = false;                        // clipGetHandle of an undefined clip: OK and NULL
  bool onlyDeclaredFrames = false;                       // reading a frame outside GetFramesNeeded is a problem
  bool verifyInputs = true;                              // compare each input image when it is released
  bool noParamGetters = false;                           // paramGetValue: MissingHostFeature, nothing written
  std::map<std::string, std::set<std::string>> omitted;  // object ("clip", "instance", ...) to property names
};

class Host : public std::enable_shared_from_this<Host> {
 public:
  explicit Host(Habits habits);
  ~Host();

  [[nodiscard]] const Habits& habits() const { return habits_; }
  [[nodiscard]] PropertySet& properties() { return properties_; }
  [[nodiscard]] Journal& journal() { return journal_; }
  [[nodiscard]] OfxHost* ofxHost() { return &ofxHost_; }
  [[nodiscard]] bool omits(const std::string& object, const std::string& property) const;
  // Defines by a table, without what this host leaves out.
  void defineAll(PropertySet* set, const std::string& object, const std::vector<PropertyRule>& rules) const;

  std::atomic<int> memoryOut{0};  // blocks of the memory suite and image memory not yet freed
  std::atomic<int> mutexesOut{0};
  std::atomic<bool> progressCancelled{false};

 private:
  Habits habits_;
  PropertySet properties_;
  Journal journal_;
  OfxHost ofxHost_;
};

}  // namespace ofx_host
