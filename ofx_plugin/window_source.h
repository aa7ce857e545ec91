// ② The frames of a window, fetched from a clip of the host and put where the service can read them.
#pragma once

#include <vector>

#include "clip_image.h"
#include "patience.h"
#include "service_client.h"
#include "trace.h"
#include "window.h"

namespace stereo_convert {

// A moment of a clip: whole frames count windows, the fraction of a retimed clip is kept for fetching.
struct FrameTime {
  int frame = 0;
  double fraction = 0;  // 0 <= fraction < 1

  [[nodiscard]] static FrameTime at(double time);
  [[nodiscard]] double time(int ofFrame) const { return ofFrame + fraction; }
};

// The window that `time` belongs to; of one frame where the host cannot give others.
[[nodiscard]] Window windowAt(const FrameTime& time, const Settings& settings);

// One frame as the host gives it.
struct SeenFrame {
  FrameKey key;
  OfxRectI bounds{};  // in pixels
};

// Look at the frame at `time` without keeping it; nothing when there is no image.
[[nodiscard]] std::optional<SeenFrame> look(const Clip& clip, const FrameTime& time, RenderTrace& trace);

struct FetchedWindow {
  std::vector<WindowFrame> frames;  // in time order
  OfxRectI bounds{};                // of all of them, in pixels
};

// Fetch a window around `time`. Beyond the clip's ends, and where the host has no image, the nearest frame towards
// `time` stands in; frames of other bounds are cut or padded with transparent black. Throws Failure InvalidInput when
// there is no image at `time` itself.
[[nodiscard]] FetchedWindow fetchWindow(const Clip& clip, const Window& window, const FrameTime& time,
                                        FrameStore& store, const Patience& patience, RenderTrace& trace);

}  // namespace stereo_convert
