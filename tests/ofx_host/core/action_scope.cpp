#include "action_scope.h"

#include <algorithm>

namespace ofx_host {

namespace {
thread_local ActionScope* currentScope = nullptr;
}  // namespace

ActionScope::ActionScope(std::string action, Effect* effect, Host* host)
    : action_(std::move(action)), effect_(effect), host_(host), outer_(currentScope) {
  currentScope = this;
  setCurrentJournal(&host->journal());
}

ActionScope::~ActionScope() {
  currentScope = outer_;
  for (PropertySet* key : images_) {
    const std::unique_ptr<Image> image = effect_->takeBack(key);
    if (image == nullptr) continue;
    currentJournal().problem("leaked-image", image->object() + " was fetched in " + action_ + " and not released");
    image->checkUntouched();
  }
}

ActionScope* ActionScope::current() {
  return currentScope;
}

void ActionScope::adopt(ActionScope* scope) {
  currentScope = scope;
}

bool ActionScope::mayChangeParam(const std::string& param, const std::string& property) const {
  const Habits& habits = host_->habits();
  const bool isValue = property.empty();
  const bool isShown = property == kOfxParamPropSecret || property == kOfxParamPropEnabled;
  const bool isFrozen = property == kOfxParamPropSecret || property == kOfxParamPropChoiceOption;
  std::string why;
  if ((isValue || isShown) && habits.noParamSetIn.count(action_) > 0) why = " must not change in " + action_;
  if (isFrozen && habits.freezeAfterDescribe) why = " cannot change after describe";
  if (why.empty()) return true;
  currentJournal().problem("forbidden-call", param + (isValue ? "" : ", " + property) + why);
  return false;
}

void ActionScope::noteImage(PropertySet* image) {
  const std::lock_guard lock(mutex_);
  images_.push_back(image);
}

void ActionScope::noteReleased(PropertySet* image) {
  const std::lock_guard lock(mutex_);
  images_.erase(std::remove(images_.begin(), images_.end(), image), images_.end());
}

}  // namespace ofx_host
