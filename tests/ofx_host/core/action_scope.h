// What the host is doing on this thread: the action, and for a render its output.
#pragma once

#include <map>
#include <memory>
#include <mutex>
#include <optional>
#include <string>
#include <utility>
#include <vector>

#include "effect.h"

namespace ofx_host {

using TimeRanges = std::vector<std::pair<double, double>>;

// One run of an action. Images fetched in it must be back when it ends.
class ActionScope {
 public:
  ActionScope(std::string action, Effect* effect, Host* host);
  ~ActionScope();
  ActionScope(const ActionScope&) = delete;
  ActionScope& operator=(const ActionScope&) = delete;

  [[nodiscard]] static ActionScope* current();
  // Lets a thread that the multi-thread suite started act for `scope`.
  static void adopt(ActionScope* scope);

  [[nodiscard]] const std::string& action() const { return action_; }
  [[nodiscard]] Effect* effect() const { return effect_; }
  [[nodiscard]] Host& host() const { return *host_; }
  // Whether the plugin may now change a param or its property; a refusal is noted as `forbidden-call`.
  [[nodiscard]] bool mayChangeParam(const std::string& param, const std::string& property) const;
  void noteImage(PropertySet* image);
  void noteReleased(PropertySet* image);

  double scaleX = 1;
  double scaleY = 1;
  std::optional<double> time;
  std::optional<Picture> output;                      // of a render
  std::map<std::string, OfxRectD> regionsOfInterest;  // canonical, by clip; empty: all of every clip
  std::optional<std::map<std::string, TimeRanges>> framesNeeded;

 private:
  std::string action_;
  Effect* effect_;
  Host* host_;
  ActionScope* outer_;
  std::mutex mutex_;
  std::vector<PropertySet*> images_;
};

}  // namespace ofx_host
