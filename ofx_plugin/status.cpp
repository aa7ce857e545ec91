#include "status.h"

#include <algorithm>
#include <array>
#include <map>
#include <mutex>
#include <set>

#include "immortal.h"

namespace stereo_convert {
namespace {

struct Translation {
  int code;  // of grpc::StatusCode
  FailureKind kind;
  const char* advice;
};

constexpr std::array kTranslations = {
    Translation{1, FailureKind::Aborted, "the service cancelled the window; render again"},
    Translation{3, FailureKind::InvalidInput, ""},
    Translation{4, FailureKind::TimedOut,
                "the service did not finish in time; raise Timeout or choose a shorter Window"},
    Translation{5, FailureKind::StoreForgotten, "the service was restarted; render again"},
    Translation{8, FailureKind::OutOfMemory,
                "choose a shorter Window or a lower Max fill width, or wait for other renders"},
    Translation{9, FailureKind::NotReady, "run: python -m service doctor"},
    Translation{12, FailureKind::NotReady, "install the same version of plugin and service"},
    Translation{14, FailureKind::Unavailable, "start the service or correct Address"},
    Translation{16, FailureKind::NotReady, "correct Token file"},
};
constexpr const char* kMessageId = "stereo_convert";

constexpr Translation kUnexpected{-1, FailureKind::Bug, "please report it with the service's log"};

std::mutex shownMutex;
Immortal<std::set<OfxImageEffectHandle>> shown;

std::mutex summaryMutex;
Immortal<std::map<OfxImageEffectHandle, std::string>> summaries;
constexpr OfxImageEffectHandle kAnyEffect = nullptr;

}  // namespace

Failure failureOfGrpcCode(int code, const std::string& detail, const std::string& service) {
  const auto found = std::find_if(kTranslations.begin(), kTranslations.end(),
                                  [code](const Translation& translation) { return translation.code == code; });
  const Translation& translation = found == kTranslations.end() ? kUnexpected : *found;
  const std::string advice = translation.advice;
  std::string message = detail.empty() ? "the call failed with gRPC code " + std::to_string(code) : detail;
  if (translation.kind != FailureKind::InvalidInput) message = service + ": " + message;
  return {translation.kind, advice.empty() ? message : message + ". What to do: " + advice};
}

OfxStatus ofxStatusOf(FailureKind kind) noexcept {
  return kind == FailureKind::OutOfMemory ? kOfxStatErrMemory : kOfxStatFailed;
}

void showMessage(OfxImageEffectHandle effect, const char* type, const std::string& text) noexcept {
  if (const OfxMessageSuiteV2* persistent = suites().persistentMessage; persistent != nullptr) {
    persistent->setPersistentMessage(effect, type, kMessageId, "%s", text.c_str());
    const std::lock_guard lock(shownMutex);
    shown->insert(effect);
  } else if (const OfxMessageSuiteV1* message = suites().message; message != nullptr && message->message != nullptr) {
    message->message(effect, type, kMessageId, "%s", text.c_str());
  }
}

void tellOnce(OfxImageEffectHandle effect, const std::string& text) noexcept {
  const OfxMessageSuiteV1* message = suites().message;
  if (message == nullptr || message->message == nullptr) return;
  message->message(effect, kOfxMessageWarning, kMessageId, "%s", text.c_str());
}

void clearMessage(OfxImageEffectHandle effect) noexcept {
  {
    const std::lock_guard lock(shownMutex);
    if (shown->erase(effect) == 0) return;
  }
  if (suites().persistentMessage != nullptr) suites().persistentMessage->clearPersistentMessage(effect);
}

void rememberSummary(OfxImageEffectHandle effect, const std::string& text) {
  const std::lock_guard lock(summaryMutex);
  (*summaries)[effect] = text;
  (*summaries)[kAnyEffect] = text;
}

std::string lastSummary(OfxImageEffectHandle effect) {
  const std::lock_guard lock(summaryMutex);
  const auto own = summaries->find(effect);
  return own == summaries->end() ? (*summaries)[kAnyEffect] : own->second;
}

void forgetSummary(OfxImageEffectHandle effect) noexcept {
  const std::lock_guard lock(summaryMutex);
  summaries->erase(effect);
}

}  // namespace stereo_convert
