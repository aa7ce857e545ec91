// Whether a picture is to be kept or only looked at while somebody adjusts. A function of what the host says of the
// render and of the settings, never of what was rendered before, so each mode gives the same pixels in any order.
#pragma once

#include <string>

#include "instance.h"
#include "settings.h"

namespace stereo_convert {

struct RenderMode {
  bool isInteractive = false;  // someone waits: the service takes it before batch work
  bool isPreview = false;      // this frame alone, its fill at the least width

  // A preview is what the host asks for as draft, and outside of a sequence a frame at a reduced scale, for a viewer or
  // for a thumbnail; nothing is while the panel says Always final.
  [[nodiscard]] static RenderMode of(const Instance& instance, const Properties& in);

  // What to compute instead of `settings`; the difference enters the key of the result.
  [[nodiscard]] Settings applied(Settings settings) const;

  // What a preview leaves out, for the artist; empty for final pictures.
  [[nodiscard]] std::string note(const Settings& settings) const;
};

}  // namespace stereo_convert
