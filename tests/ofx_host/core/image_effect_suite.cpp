// OfxImageEffectSuiteV1.
#include <cmath>
#include <exception>
#include <new>
#include <sstream>

#include "action_scope.h"
#include "effect.h"
#include "suites.h"

namespace ofx_host {

namespace {

OfxStatus getPropertySet(OfxImageEffectHandle handle, OfxPropertySetHandle* properties) {
  auto* effect = fromHandle<Effect>(handle, "getPropertySet");
  if (effect == nullptr || properties == nullptr) return kOfxStatErrBadHandle;
  *properties = effect->properties().handle();
  return kOfxStatOK;
}

OfxStatus getParamSet(OfxImageEffectHandle handle, OfxParamSetHandle* params) {
  auto* effect = fromHandle<Effect>(handle, "getParamSet");
  if (effect == nullptr || params == nullptr) return kOfxStatErrBadHandle;
  *params = effect->params().handle();
  return kOfxStatOK;
}

OfxStatus clipDefine(OfxImageEffectHandle handle, const char* name, OfxPropertySetHandle* properties) {
  auto* effect = fromHandle<Effect>(handle, "clipDefine");
  if (effect == nullptr || name == nullptr) return kOfxStatErrBadHandle;
  if (effect->isInstance()) {
    currentJournal().problem("forbidden-call", std::string("clipDefine of ") + name + " outside describe");
    return kOfxStatErrBadHandle;
  }
  if (effect->findClip(name) != nullptr) {
    currentJournal().problem("duplicate-name", std::string("clip ") + name + " was defined before");
    return kOfxStatErrExists;
  }
  Clip& clip = effect->addClip(std::make_unique<Clip>(name, effect));
  if (properties != nullptr) *properties = clip.properties().handle();
  return kOfxStatOK;
}

OfxStatus clipGetHandle(OfxImageEffectHandle handle, const char* name, OfxImageClipHandle* clip,
                        OfxPropertySetHandle* properties) {
  auto* effect = fromHandle<Effect>(handle, "clipGetHandle");
  if (effect == nullptr || name == nullptr || clip == nullptr) return kOfxStatErrBadHandle;
  Clip* found = effect->findClip(name);
  *clip = found == nullptr ? nullptr : found->handle();
  if (properties != nullptr) *properties = found == nullptr ? nullptr : found->properties().handle();
  if (found != nullptr) return kOfxStatOK;
  return effect->host().habits().unknownClipIsNull ? kOfxStatOK : kOfxStatErrUnknown;
}

OfxStatus clipGetPropertySet(OfxImageClipHandle handle, OfxPropertySetHandle* properties) {
  auto* clip = fromHandle<Clip>(handle, "clipGetPropertySet");
  if (clip == nullptr || properties == nullptr) return kOfxStatErrBadHandle;
  *properties = clip->properties().handle();
  return kOfxStatOK;
}

OfxPropertySetHandle give(Clip* clip, double time, Picture picture, bool isOutput) {
  std::ostringstream object;
  object << "image of " << clip->name() << " at " << time;
  auto image =
      std::make_unique<Image>(object.str(), std::move(picture), isOutput, clip->owner().host().habits().verifyInputs);
  PropertySet* key = &image->properties();
  if (ActionScope* scope = ActionScope::current()) scope->noteImage(key);
  return clip->owner().handOut(std::move(image));
}

OfxStatus giveOutput(Clip* clip, double time, OfxPropertySetHandle* handle) {
  const ActionScope* scope = ActionScope::current();
  if (scope == nullptr || !scope->output) {
    currentJournal().problem("forbidden-call", "the Output clip was read outside a render");
    return kOfxStatFailed;
  }
  if (scope->time && *scope->time != time) {
    std::ostringstream text;
    text << "Output was fetched at " << time << " while rendering " << *scope->time;
    currentJournal().problem("wrong-time", text.str());
    return kOfxStatFailed;
  }
  *handle = give(clip, time, *scope->output, true);
  return kOfxStatOK;
}

void checkDeclared(const Clip& clip, double time) {
  const ActionScope* scope = ActionScope::current();
  if (scope == nullptr || !scope->framesNeeded) return;
  const auto ranges = scope->framesNeeded->find(clip.name());
  if (ranges != scope->framesNeeded->end())
    for (const auto& range : ranges->second)
      if (time >= range.first && time <= range.second) return;
  std::ostringstream text;
  text << clip.name() << " was read at " << time << ", which GetFramesNeeded had not named";
  currentJournal().problem("undeclared-frame", text.str());
}

OfxStatus giveMissing(Clip* clip, double time, OfxPropertySetHandle* handle) {
  switch (clip->owner().host().habits().missingImage) {
    case MissingImage::kFailed:
      return kOfxStatFailed;
    case MissingImage::kOkWithNull:
      return kOfxStatOK;
    case MissingImage::kOkWithoutData:
      *handle = give(clip, time, Picture{}, false);
      return kOfxStatOK;
  }
  return kOfxStatFailed;
}

const OfxRectD* wantedRegion(const Clip& clip, const OfxRectD* region) {
  const ActionScope* scope = ActionScope::current();
  if (region != nullptr || scope == nullptr) return region;
  const auto found = scope->regionsOfInterest.find(clip.name());
  return found == scope->regionsOfInterest.end() ? nullptr : &found->second;
}

OfxStatus clipGetImage(OfxImageClipHandle handle, OfxTime time, const OfxRectD* region,
                       OfxPropertySetHandle* imageHandle) {
  auto* clip = fromHandle<Clip>(handle, "clipGetImage");
  if (clip == nullptr || imageHandle == nullptr) return kOfxStatErrBadHandle;
  *imageHandle = nullptr;
  if (clip->name() == kOfxImageEffectOutputClipName) return giveOutput(clip, time, imageHandle);
  const ActionScope* scope = ActionScope::current();
  const double scaleX = scope == nullptr ? 1 : scope->scaleX;
  const double scaleY = scope == nullptr ? 1 : scope->scaleY;
  if (clip->owner().host().habits().onlyDeclaredFrames) checkDeclared(*clip, time);
  try {
    std::optional<Picture> picture;
    if (clip->source) picture = clip->source(time, scaleX, scaleY, wantedRegion(*clip, region));
    currentJournal().read({clip->name(), time, picture.has_value()});
    if (!picture) return giveMissing(clip, time, imageHandle);
    *imageHandle = give(clip, time, std::move(*picture), false);
    return kOfxStatOK;
  } catch (const std::bad_alloc&) {
    return kOfxStatErrMemory;
  } catch (const std::exception& error) {
    currentJournal().problem("host-error", "the source of clip " + clip->name() + " failed: " + error.what());
    return kOfxStatFailed;
  }
}

OfxStatus clipReleaseImage(OfxPropertySetHandle handle) {
  auto* properties = fromHandle<PropertySet>(handle, "clipReleaseImage");
  if (properties == nullptr) return kOfxStatErrBadHandle;
  Effect* effect = properties->imageOwner;
  const std::unique_ptr<Image> image = effect == nullptr ? nullptr : effect->takeBack(properties);
  if (image == nullptr) {
    currentJournal().problem("bad-handle", "clipReleaseImage of " + properties->object() + ", which is no image");
    return kOfxStatErrBadHandle;
  }
  image->checkUntouched();
  if (ActionScope* scope = ActionScope::current()) scope->noteReleased(properties);
  return kOfxStatOK;
}

OfxStatus clipGetRegionOfDefinition(OfxImageClipHandle handle, OfxTime time, OfxRectD* bounds) {
  auto* clip = fromHandle<Clip>(handle, "clipGetRegionOfDefinition");
  if (clip == nullptr || bounds == nullptr) return kOfxStatErrBadHandle;
  *bounds = {0, 0, 0, 0};
  if (!clip->regionOfDefinition)
    return clip->owner().host().habits().missingImage == MissingImage::kOkWithoutData ? kOfxStatOK : kOfxStatFailed;
  const std::optional<OfxRectD> region = clip->regionOfDefinition(time);
  if (!region) return kOfxStatFailed;
  *bounds = *region;
  return kOfxStatOK;
}

int abortRender(OfxImageEffectHandle handle) {
  auto* effect = fromHandle<Effect>(handle, "abort");
  return effect != nullptr && effect->pollAbort() ? 1 : 0;
}

struct ImageMemory : Handle {
  static constexpr HandleKind kHandleKind = HandleKind::kImageMemory;
  explicit ImageMemory(std::size_t bytes, Host* owner) : Handle(kHandleKind), data(bytes / 16 + 1), host(owner) {}
  struct alignas(16) Block {
    unsigned char bytes[16];
  };
  std::vector<Block> data;
  Host* host;
};

OfxStatus imageMemoryAlloc(OfxImageEffectHandle handle, size_t bytes, OfxImageMemoryHandle* memory) {
  auto* effect = fromHandle<Effect>(handle, "imageMemoryAlloc");
  if (effect == nullptr || memory == nullptr) return kOfxStatErrBadHandle;
  *memory = nullptr;
  try {
    *memory = toHandle<OfxImageMemoryStruct>(new ImageMemory(bytes, &effect->host()));
  } catch (const std::bad_alloc&) {
    return kOfxStatErrMemory;
  }
  ++effect->host().memoryOut;
  return kOfxStatOK;
}

OfxStatus imageMemoryFree(OfxImageMemoryHandle handle) {
  auto* memory = fromHandle<ImageMemory>(handle, "imageMemoryFree");
  if (memory == nullptr) return kOfxStatErrBadHandle;
  --memory->host->memoryOut;
  delete memory;
  return kOfxStatOK;
}

OfxStatus imageMemoryLock(OfxImageMemoryHandle handle, void** pointer) {
  auto* memory = fromHandle<ImageMemory>(handle, "imageMemoryLock");
  if (memory == nullptr || pointer == nullptr) return kOfxStatErrBadHandle;
  *pointer = memory->data.data();
  return kOfxStatOK;
}

OfxStatus imageMemoryUnlock(OfxImageMemoryHandle handle) {
  return fromHandle<ImageMemory>(handle, "imageMemoryUnlock") == nullptr ? kOfxStatErrBadHandle : kOfxStatOK;
}

}  // namespace

const OfxImageEffectSuiteV1* imageEffectSuite() {
  static const OfxImageEffectSuiteV1 suite = {
      getPropertySet,     getParamSet,      clipDefine,       clipGetHandle,
      clipGetPropertySet, clipGetImage,     clipReleaseImage, clipGetRegionOfDefinition,
      abortRender,        imageMemoryAlloc, imageMemoryFree,  imageMemoryLock,
      imageMemoryUnlock};
  return &suite;
}

}  // namespace ofx_host
