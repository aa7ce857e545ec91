// What the windows of a render sequence contain. Between BeginSequenceRender and EndSequenceRender nothing upstream
// changes, so a frame whose window was fetched for a neighbour needs only itself to be looked at again. Outside of
// sequences every frame of every window is fetched anew: hosts tell us nothing of changes upstream.
#pragma once

#include <optional>
#include <vector>

#include "window_source.h"

namespace stereo_convert {

// The content of one window of one clip.
struct KnownWindow {
  std::vector<FrameKey> frames;  // in time order
  OfxRectI bounds{};
};

class SequenceMemory {
 public:
  static void begin(OfxImageEffectHandle effect);
  // Also after something of the instance changed, and when it is destroyed.
  static void forget(OfxImageEffectHandle effect) noexcept;

  // Nothing outside of a sequence, or when the window was not fetched in it.
  [[nodiscard]] static std::optional<KnownWindow> recall(OfxImageEffectHandle effect, const char* clip,
                                                         const Window& window, double fraction);
  // Does nothing outside of a sequence.
  static void remember(OfxImageEffectHandle effect, const char* clip, const Window& window, double fraction,
                       const FetchedWindow& fetched);
};

}  // namespace stereo_convert
