// Effects: plugin descriptors, context descriptors and instances, with their clips and images.
#pragma once

#include <atomic>
#include <chrono>
#include <functional>
#include <map>
#include <memory>
#include <mutex>
#include <optional>
#include <set>
#include <string>
#include <vector>

#include "host.h"
#include "ofxImageEffect.h"
#include "param.h"
#include "pixel_buffer.h"
#include "property_set.h"

namespace ofx_host {

class Effect;

// What an image is besides its pixels.
struct ImageFacts {
  OfxRectI regionOfDefinition;
  std::string pixelDepth;
  std::string components;
  std::string premultiplication = kOfxImageOpaque;
  std::string field = kOfxImageFieldNone;
  std::string identifier;
  double scaleX = 1;
  double scaleY = 1;
};

// A picture that a clip holds at some time, ready to be handed out. Empty pixels: an image without data.
struct Picture {
  std::shared_ptr<PixelBuffer> pixels;
  ImageFacts facts;
};

// Asks the clip's owner (Python) for the picture at a time; `wanted` are canonical coordinates or nullptr for all.
using PictureSource =
    std::function<std::optional<Picture>(double time, double scaleX, double scaleY, const OfxRectD* wanted)>;

class Clip : public Handle {
 public:
  static constexpr HandleKind kHandleKind = HandleKind::kClip;

  Clip(std::string name, Effect* owner);  // a descriptor
  Clip(const Clip& descriptor, Effect* owner, bool isInstance);

  [[nodiscard]] const std::string& name() const { return name_; }
  [[nodiscard]] Effect& owner() { return *owner_; }
  [[nodiscard]] PropertySet& properties() { return properties_; }
  [[nodiscard]] OfxImageClipHandle handle() { return toHandle<OfxImageClipStruct>(this); }

  PictureSource source;                                               // empty: nothing is connected
  std::function<std::optional<OfxRectD>(double)> regionOfDefinition;  // canonical; empty: none

 private:
  std::string name_;
  Effect* owner_;
  PropertySet properties_;
};

// An image handle that a plugin holds: a property set around shared pixels.
class Image {
 public:
  // `verify` remembers a checksum of an input, for checkUntouched.
  Image(std::string object, Picture picture, bool isOutput, bool verify);

  [[nodiscard]] PropertySet& properties() { return properties_; }
  [[nodiscard]] const std::string& object() const { return properties_.object(); }
  [[nodiscard]] bool isOutput() const { return isOutput_; }
  // Whether an input image is as it was handed out; outputs are judged after the render.
  void checkUntouched() const;

 private:
  Picture picture_;
  bool isOutput_;
  std::optional<std::uint64_t> checksum_;
  PropertySet properties_;
};

class Effect : public Handle {
 public:
  static constexpr HandleKind kHandleKind = HandleKind::kEffect;

  // Makes what Describe fills.
  explicit Effect(std::shared_ptr<Host> host, const std::string& bundlePath);
  // Makes what DescribeInContext fills, or an instance.
  enum class Stage { kContextDescriptor, kInstance };
  Effect(const Effect& from, Stage stage, const std::string& context);
  ~Effect();

  [[nodiscard]] Host& host() const { return *host_; }
  [[nodiscard]] bool isInstance() const { return isInstance_; }
  [[nodiscard]] const std::string& context() const { return context_; }
  [[nodiscard]] PropertySet& properties() { return properties_; }
  [[nodiscard]] ParamSet& params() { return params_; }
  [[nodiscard]] const std::vector<std::unique_ptr<Clip>>& clips() const { return clips_; }
  [[nodiscard]] Clip* findClip(const std::string& name);
  Clip& addClip(std::unique_ptr<Clip> clip);
  [[nodiscard]] OfxImageEffectHandle handle() { return toHandle<OfxImageEffectStruct>(this); }

  // Images out in the plugin's hands.
  OfxPropertySetHandle handOut(std::unique_ptr<Image> image);
  [[nodiscard]] std::unique_ptr<Image> takeBack(PropertySet* properties);
  [[nodiscard]] std::size_t imagesOut() const;

  // Abort now, or from a moment on, until resetAbort, which also sets the count of polls to 0.
  void requestAbort(std::chrono::milliseconds after);
  void resetAbort();
  [[nodiscard]] bool aborting() const;
  [[nodiscard]] bool pollAbort();
  [[nodiscard]] int abortPolls() const { return abortPolls_; }

  void setPersistentMessage(std::optional<Message> message);
  [[nodiscard]] std::optional<Message> persistentMessage() const;
  void notePluginEdit(const std::string& param);
  [[nodiscard]] std::vector<std::string> takePluginEdits();

 private:
  std::shared_ptr<Host> host_;
  bool isInstance_ = false;
  std::string context_;
  PropertySet properties_;
  ParamSet params_;
  std::vector<std::unique_ptr<Clip>> clips_;
  mutable std::mutex mutex_;
  std::map<PropertySet*, std::unique_ptr<Image>> images_;
  std::optional<Message> persistentMessage_;
  std::vector<std::string> pluginEdits_;
  std::atomic<std::int64_t> abortAt_;  // steady clock, ns
  std::atomic<int> abortPolls_{0};
};

}  // namespace ofx_host
