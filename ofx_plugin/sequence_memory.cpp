#include "sequence_memory.h"

#include <map>
#include <mutex>
#include <string>
#include <tuple>

#include "immortal.h"

namespace stereo_convert {
namespace {

using WindowName = std::tuple<std::string, int, int, double>;  // clip, first frame, length, fraction
using Sequence = std::map<WindowName, KnownWindow>;

constexpr std::size_t kMaxWindows = 64;  // of a sequence: renders seldom go back by more

std::mutex mutex;
Immortal<std::map<OfxImageEffectHandle, Sequence>> sequences;

}  // namespace

void SequenceMemory::begin(OfxImageEffectHandle effect) {
  const std::lock_guard lock(mutex);
  (*sequences)[effect].clear();
}

void SequenceMemory::forget(OfxImageEffectHandle effect) noexcept {
  const std::lock_guard lock(mutex);
  sequences->erase(effect);
}

std::optional<KnownWindow> SequenceMemory::recall(OfxImageEffectHandle effect, const char* clip, const Window& window,
                                                  double fraction) {
  const std::lock_guard lock(mutex);
  const auto sequence = sequences->find(effect);
  if (sequence == sequences->end()) return {};
  const auto known = sequence->second.find({clip, window.firstFrame, window.length, fraction});
  if (known == sequence->second.end()) return {};
  return known->second;
}

void SequenceMemory::remember(OfxImageEffectHandle effect, const char* clip, const Window& window, double fraction,
                              const FetchedWindow& fetched) {
  KnownWindow known;
  for (const WindowFrame& frame : fetched.frames) known.frames.push_back(frame.key);
  known.bounds = fetched.bounds;

  const std::lock_guard lock(mutex);
  const auto sequence = sequences->find(effect);
  if (sequence == sequences->end()) return;
  if (sequence->second.size() >= kMaxWindows) sequence->second.clear();
  sequence->second[{clip, window.firstFrame, window.length, fraction}] = std::move(known);
}

}  // namespace stereo_convert
