// What a service says when a plugin connects: its description, and its part of the proof that memory is shared.
// The plugin has a session with a model version and a whole or no store id, or throws a Failure.
#include <cstdlib>

#include "answering_service.h"
#include "service_client.h"

// What answers is in this process; an answer that is no description may be asked for again and again until this ends.
constexpr std::chrono::duration<double> kPatience{0.2};

extern "C" int LLVMFuzzerInitialize(int*, char***) {
  return setenv("STEREO_CONVERT_CACHE_MB", "1", 1);
}

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  using namespace stereo_convert;
  if (size == 0) return 0;
  static fuzz::AnsweringService& service = *new fuzz::AnsweringService;
  const std::size_t described = std::min<std::size_t>(data[0] * 4, size - 1);
  service.set("Describe", fuzz::answerFrom(data + 1, described));
  service.set("ShareFrameStore", fuzz::answerFrom(data + 1 + described, size - 1 - described));

  ServiceChoice choice;
  choice.address = service.address();
  ServiceClient client(choice);
  try {
    const auto session = client.session({kPatience, nullptr});
    // Nobody but the service that read our nonce can answer with it.
    if (!session->storeId.empty()) std::abort();
  } catch (const Failure&) {
  }
  return 0;
}
