// Gets the service ready while somebody still looks at an opening project: it is started or connected to on a thread
// of its own, and a service that starts loads its models at once. The first picture then waits for neither.
#pragma once

#include "instance.h"

namespace stereo_convert {

class WarmUp {
 public:
  // The host showed that a user is there: it opened the project, the panel, or passed on an edit. Returns at once and
  // throws nothing; does nothing for a service that was begun with, in a host without a user, or when
  // STEREO_CONVERT_WARM_UP is 0. What goes wrong is for the first render to tell.
  static void begin(const Instance& instance) noexcept;

  // Give up what is under way. Waits for its end, but no longer than a second.
  static void stop() noexcept;
};

}  // namespace stereo_convert
