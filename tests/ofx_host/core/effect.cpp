#include "effect.h"

#include <limits>
#include <utility>

#include "property_tables.h"

namespace ofx_host {

namespace {

std::int64_t nowNs() {
  return std::chrono::duration_cast<std::chrono::nanoseconds>(std::chrono::steady_clock::now().time_since_epoch())
      .count();
}

std::vector<PropertyValue> ints(const OfxRectI& rect) {
  return {rect.x1, rect.y1, rect.x2, rect.y2};
}

}  // namespace

Clip::Clip(std::string name, Effect* owner)
    : Handle(kHandleKind), name_(std::move(name)), owner_(owner), properties_("clip " + name_) {
  owner->host().defineAll(&properties_, "clipDescriptor", clipDescriptorRules());
  for (const char* label : {kOfxPropName, kOfxPropLabel, kOfxPropShortLabel, kOfxPropLongLabel})
    if (properties_.has(label)) properties_.set(label, {name_});
}

Clip::Clip(const Clip& descriptor, Effect* owner, bool isInstance)
    : Handle(kHandleKind),
      name_(descriptor.name_),
      owner_(owner),
      properties_("clip " + descriptor.name_, descriptor.properties_) {
  if (isInstance) owner->host().defineAll(&properties_, "clip", clipRules());
}

Image::Image(std::string object, Picture picture, bool isOutput, bool verify)
    : picture_(std::move(picture)), isOutput_(isOutput), properties_(std::move(object)) {
  for (const PropertyRule& rule : imageRules()) properties_.define(rule);
  const ImageFacts& facts = picture_.facts;
  properties_.set(kOfxImagePropRegionOfDefinition, ints(facts.regionOfDefinition));
  properties_.set(kOfxImageEffectPropPixelDepth, {facts.pixelDepth});
  properties_.set(kOfxImageEffectPropComponents, {facts.components});
  properties_.set(kOfxImageEffectPropPreMultiplication, {facts.premultiplication});
  properties_.set(kOfxImagePropField, {facts.field});
  properties_.set(kOfxImagePropUniqueIdentifier, {facts.identifier});
  properties_.set(kOfxImageEffectPropRenderScale, {facts.scaleX, facts.scaleY});
  if (picture_.pixels == nullptr) return;
  PixelBuffer& pixels = *picture_.pixels;
  properties_.set(kOfxImagePropData, {static_cast<void*>(pixels.data())});
  properties_.set(kOfxImagePropBounds, ints(pixels.layout().bounds));
  properties_.set(kOfxImagePropRowBytes, {static_cast<int>(pixels.rowBytes())});
  if (!isOutput_ && verify) checksum_ = pixels.checksum();
}

void Image::checkUntouched() const {
  if (!checksum_ || picture_.pixels->checksum() == *checksum_) return;
  const std::size_t guards = picture_.pixels->brokenGuards();
  currentJournal().problem(guards > 0 ? "guard" : "input-modified",
                           object() + " is an input; " +
                               (guards > 0 ? std::to_string(guards) + " guard bytes around it" : "its pixels") +
                               " were written");
}

Effect::Effect(std::shared_ptr<Host> host, const std::string& bundlePath)
    : Handle(kHandleKind),
      host_(std::move(host)),
      properties_("plugin descriptor"),
      params_(this),
      abortAt_(std::numeric_limits<std::int64_t>::max()) {
  host_->defineAll(&properties_, "descriptor", pluginDescriptorRules());
  if (properties_.has(kOfxPluginPropFilePath)) properties_.set(kOfxPluginPropFilePath, {bundlePath});
}

Effect::Effect(const Effect& from, Stage stage, const std::string& context)
    : Handle(kHandleKind),
      host_(from.host_),
      isInstance_(stage == Stage::kInstance),
      context_(context),
      properties_(stage == Stage::kInstance ? "instance" : "context descriptor", from.properties_),
      params_(this),
      abortAt_(std::numeric_limits<std::int64_t>::max()) {
  for (const auto& param : from.params_.all()) params_.add(std::make_unique<Param>(*param, isInstance_));
  for (const auto& clip : from.clips_) clips_.push_back(std::make_unique<Clip>(*clip, this, isInstance_));
  if (!isInstance_) return;
  host_->defineAll(&properties_, "instance", instanceRules());
  properties_.set(kOfxImageEffectPropContext, {context}, 1, false);
}

Effect::~Effect() {
  for (const auto& image : images_)
    host_->journal().problem("leaked-image", image.second->object() + " was still held when its effect was destroyed");
}

Clip* Effect::findClip(const std::string& name) {
  for (const auto& clip : clips_)
    if (clip->name() == name) return clip.get();
  return nullptr;
}

Clip& Effect::addClip(std::unique_ptr<Clip> clip) {
  clips_.push_back(std::move(clip));
  return *clips_.back();
}

OfxPropertySetHandle Effect::handOut(std::unique_ptr<Image> image) {
  const std::lock_guard lock(mutex_);
  PropertySet* key = &image->properties();
  key->imageOwner = this;
  images_[key] = std::move(image);
  return key->handle();
}

std::unique_ptr<Image> Effect::takeBack(PropertySet* properties) {
  const std::lock_guard lock(mutex_);
  const auto found = images_.find(properties);
  if (found == images_.end()) return nullptr;
  std::unique_ptr<Image> image = std::move(found->second);
  images_.erase(found);
  return image;
}

std::size_t Effect::imagesOut() const {
  const std::lock_guard lock(mutex_);
  return images_.size();
}

void Effect::requestAbort(std::chrono::milliseconds after) {
  abortAt_ = nowNs() + std::chrono::duration_cast<std::chrono::nanoseconds>(after).count();
}

void Effect::resetAbort() {
  abortAt_ = std::numeric_limits<std::int64_t>::max();
  abortPolls_ = 0;
}

bool Effect::aborting() const {
  return nowNs() >= abortAt_;
}

bool Effect::pollAbort() {
  ++abortPolls_;
  return aborting();
}

void Effect::setPersistentMessage(std::optional<Message> message) {
  const std::lock_guard lock(mutex_);
  persistentMessage_ = std::move(message);
}

std::optional<Message> Effect::persistentMessage() const {
  const std::lock_guard lock(mutex_);
  return persistentMessage_;
}

void Effect::notePluginEdit(const std::string& param) {
  const std::lock_guard lock(mutex_);
  pluginEdits_.push_back(param);
}

std::vector<std::string> Effect::takePluginEdits() {
  const std::lock_guard lock(mutex_);
  return std::exchange(pluginEdits_, {});
}

}  // namespace ofx_host
