// ① What the binary exports, and the one door through which the host comes in. Nothing thrown leaves by it.
#include <array>
#include <string_view>

#include "attempt.h"
#include "describe.h"
#include "instance.h"
#include "panel.h"
#include "regions.h"
#include "render.h"
#include "sequence_memory.h"
#include "service_client.h"
#include "status.h"
#include "warm_up.h"

namespace stereo_convert {
namespace {

struct Action {
  OfxImageEffectHandle effect;
  Properties in;
  Properties out;
};

OfxStatus load(const Action&) {
  return fetchSuites() ? kOfxStatOK : kOfxStatErrMissingHostFeature;
}

OfxStatus unload(const Action&) {
  WarmUp::stop();
  ServiceClient::forgetAll();
  return kOfxStatOK;
}

OfxStatus nothingToDo(const Action&) {
  return kOfxStatOK;
}

// Hosts ask for this when a project opens and when an effect was added. Nuke does so while it still builds its nodes,
// and forbids effects to start processes then.
OfxStatus clipPreferences(const Action& action) {
  if (!hostIsNuke()) WarmUp::begin(Instance(action.effect));
  return kOfxStatReplyDefault;
}

OfxStatus beginEdit(const Action& action) {
  WarmUp::begin(Instance(action.effect));
  return kOfxStatReplyDefault;
}

OfxStatus beginSequence(const Action& action) {
  SequenceMemory::begin(action.effect);
  return kOfxStatOK;
}

OfxStatus endSequence(const Action& action) {
  SequenceMemory::forget(action.effect);
  return kOfxStatOK;
}

OfxStatus destroyInstance(const Action& action) {
  SequenceMemory::forget(action.effect);
  clearMessage(action.effect);
  forgetSummary(action.effect);
  return kOfxStatOK;
}

// A button could not do what it is for: no failure of the effect, so nothing stays on the node.
OfxStatus answerButton(const Action& action, const std::string& problem) {
  tellOnce(action.effect, problem);
  showStatus(Instance(action.effect), problem);
  return kOfxStatOK;
}

OfxStatus instanceChanged(const Action& action) {
  SequenceMemory::forget(action.effect);
  if (action.in.text(kOfxPropChangeReason) != kOfxChangeUserEdited) return kOfxStatReplyDefault;
  WarmUp::begin(Instance(action.effect));
  const bool isParam = action.in.text(kOfxPropType) == kOfxTypeParameter;
  panelTouched(Instance(action.effect), isParam ? action.in.text(kOfxPropName).value_or("") : "",
               action.in.real(kOfxPropTime).value_or(0));
  return kOfxStatOK;
}

struct Handler {
  std::string_view action;
  OfxStatus (*run)(const Action&);
};

constexpr std::array kHandlers = {
    Handler{kOfxImageEffectActionRender, [](const Action& a) { return render(Instance(a.effect), a.in); }},
    Handler{kOfxImageEffectActionIsIdentity, [](const Action& a) { return identity(Instance(a.effect), a.in, a.out); }},
    Handler{kOfxImageEffectActionGetFramesNeeded,
            [](const Action& a) { return framesNeeded(Instance(a.effect), a.in, a.out); }},
    Handler{kOfxImageEffectActionGetRegionOfDefinition,
            [](const Action& a) { return regionOfDefinition(Instance(a.effect), a.in, a.out); }},
    Handler{kOfxImageEffectActionGetRegionsOfInterest,
            [](const Action& a) { return regionsOfInterest(Instance(a.effect), a.in, a.out); }},
    Handler{kOfxImageEffectActionBeginSequenceRender, beginSequence},
    Handler{kOfxImageEffectActionEndSequenceRender, endSequence},
    Handler{kOfxImageEffectActionGetClipPreferences, clipPreferences},
    Handler{kOfxActionBeginInstanceEdit, beginEdit},
    Handler{kOfxActionInstanceChanged, instanceChanged},
    Handler{kOfxActionLoad, load},
    Handler{kOfxActionUnload, unload},
    Handler{kOfxActionDescribe, [](const Action& a) { return describe(a.effect); }},
    Handler{kOfxImageEffectActionDescribeInContext, [](const Action& a) { return describeInContext(a.effect); }},
    Handler{kOfxActionCreateInstance, nothingToDo},
    Handler{kOfxActionDestroyInstance, destroyInstance},
};

OfxStatus dispatch(std::string_view name, const Action& action) {
  for (const Handler& handler : kHandlers) {
    if (handler.action == name) return handler.run(action);
  }
  return kOfxStatReplyDefault;
}

OfxStatus mainEntry(const char* name, const void* handle, OfxPropertySetHandle in, OfxPropertySetHandle out) noexcept {
  // The standard hands effects over as const void*.
  const Action action{static_cast<OfxImageEffectHandle>(const_cast<void*>(handle)), Properties(in), Properties(out)};
  OfxStatus status = kOfxStatFailed;
  const auto failure = attempt([&] { status = dispatch(name, action); });
  if (!failure) return status;
  if (std::string_view(name) != kOfxImageEffectActionRender) {
    if (std::string_view(name) != kOfxActionInstanceChanged) return ofxStatusOf(failure->kind());
    return attempt([&] { status = answerButton(action, failure->what()); }) ? kOfxStatFailed : status;
  }
  const auto worse = attempt([&] { status = settleFailedRender(Instance(action.effect), action.in, *failure); });
  if (worse) showMessage(action.effect, kOfxMessageError, failure->what());
  return worse ? kOfxStatFailed : status;
}

void setHostEntry(OfxHost* host) noexcept {
  setHost(host);
}

OfxPlugin plugin = {kOfxImageEffectPluginApi,
                    kOfxImageEffectPluginApiVersion,
                    kEffectIdentifier,
                    kEffectVersionMajor,
                    kEffectVersionMinor,
                    setHostEntry,
                    mainEntry};

}  // namespace
}  // namespace stereo_convert

extern "C" {

[[gnu::visibility("default")]] int OfxGetNumberOfPlugins() {
  return 1;
}

[[gnu::visibility("default")]] OfxPlugin* OfxGetPlugin(int nth) {
  return nth == 0 ? &stereo_convert::plugin : nullptr;
}

[[gnu::visibility("default")]] OfxStatus OfxSetHost(const OfxHost* host) {
  stereo_convert::setHost(host);
  return kOfxStatOK;
}

}  // extern "C"
