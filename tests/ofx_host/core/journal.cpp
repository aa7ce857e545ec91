#include "journal.h"

#include <algorithm>
#include <atomic>

namespace ofx_host {

namespace {
std::atomic<Journal*> lastJournal{nullptr};
}  // namespace

void Journal::problem(const std::string& kind, const std::string& text) {
  const std::lock_guard lock(mutex_);
  problems_.push_back({kind, text});
}

void Journal::message(Message message) {
  const std::lock_guard lock(mutex_);
  messages_.push_back(std::move(message));
}

void Journal::read(ClipRead read) {
  const std::lock_guard lock(mutex_);
  reads_.push_back(std::move(read));
}

void Journal::missedProperty(const std::string& object, const std::string& property) {
  const std::lock_guard lock(mutex_);
  const std::string entry = object + ": " + property;
  if (std::find(missedProperties_.begin(), missedProperties_.end(), entry) == missedProperties_.end())
    missedProperties_.push_back(entry);
}

std::vector<Problem> Journal::problems() const {
  const std::lock_guard lock(mutex_);
  return problems_;
}

std::vector<Message> Journal::messages() const {
  const std::lock_guard lock(mutex_);
  return messages_;
}

std::vector<ClipRead> Journal::reads() const {
  const std::lock_guard lock(mutex_);
  return reads_;
}

std::vector<std::string> Journal::missedProperties() const {
  const std::lock_guard lock(mutex_);
  return missedProperties_;
}

void Journal::clear() {
  const std::lock_guard lock(mutex_);
  problems_.clear();
  messages_.clear();
  reads_.clear();
  missedProperties_.clear();
}

Journal& currentJournal() {
  static Journal nobody;
  Journal* journal = lastJournal.load();
  return journal != nullptr ? *journal : nobody;
}

void setCurrentJournal(Journal* journal) {
  lastJournal.store(journal);
}

}  // namespace ofx_host
