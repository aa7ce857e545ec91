// What a host notices about a plugin: broken rules, messages, reads of clips.
#pragma once

#include <mutex>
#include <string>
#include <vector>

namespace ofx_host {

// One broken rule. `kind` is a short word that tests compare; `text` says what came, where, and what the rule is.
struct Problem {
  std::string kind;
  std::string text;
};

struct Message {
  std::string type;  // kOfxMessage*
  std::string id;
  std::string text;
  bool persistent;
};

struct ClipRead {
  std::string clip;
  double time;
  bool found;  // false: the clip has no image there
};

// Thread-safe lists, one set for each host.
class Journal {
 public:
  void problem(const std::string& kind, const std::string& text);
  void message(Message message);
  void read(ClipRead read);
  // Somebody asked for a property that the object does not have: legal, but worth knowing.
  void missedProperty(const std::string& object, const std::string& property);

  [[nodiscard]] std::vector<Problem> problems() const;
  [[nodiscard]] std::vector<Message> messages() const;
  [[nodiscard]] std::vector<ClipRead> reads() const;
  [[nodiscard]] std::vector<std::string> missedProperties() const;
  void clear();

 private:
  mutable std::mutex mutex_;
  std::vector<Problem> problems_;
  std::vector<Message> messages_;
  std::vector<ClipRead> reads_;
  std::vector<std::string> missedProperties_;
};

// The journal of the host that acts on this thread, or of the host that acted last.
Journal& currentJournal();
void setCurrentJournal(Journal* journal);

}  // namespace ofx_host
