#include "pixel_hash_loops.h"
#include "platform/platform.h"

namespace stereo_convert {

extern const PixelHashKernel kBaselineHash = {"baseline", add, addCopying};

const PixelHashKernel& pixelHashKernel() {
#ifdef STEREO_CONVERT_HAS_AVX2_HASH
  static const PixelHashKernel& best = platform::hasAvx2() ? kAvx2Hash : kBaselineHash;
  return best;
#else
  return kBaselineHash;
#endif
}

}  // namespace stereo_convert
