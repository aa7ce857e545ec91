// Asynchronous calls that are waited for in small steps, so that the host's abort is noticed.
#pragma once

#include <grpcpp/grpcpp.h>

#include <chrono>
#include <string>

#include "patience.h"

namespace stereo_convert {

// A call's context and the queue on which its operations end. Destroying it cancels and waits for what is under way.
class PolledCall {
 public:
  enum class Operation : std::intptr_t { Start = 1, Write, Read, Finish };
  struct Event {
    Operation operation;
    bool ok;
  };

  explicit PolledCall(const std::string& token) {
    if (!token.empty()) context.AddMetadata("authorization", "Bearer " + token);
  }
  ~PolledCall() { end(); }
  PolledCall(const PolledCall&) = delete;
  PolledCall& operator=(const PolledCall&) = delete;

  // For gRPC's `tag` arguments.
  [[nodiscard]] static void* tag(Operation operation) { return reinterpret_cast<void*>(operation); }

  // The next operation that ended. When patience ends the call is cancelled, which ends its operations.
  [[nodiscard]] Event next(const Patience& patience) {
    void* tag = nullptr;
    bool ok = false;
    while (queue.AsyncNext(&tag, &ok, std::chrono::system_clock::now() + Patience::kPollInterval) !=
           grpc::CompletionQueue::GOT_EVENT) {
      if (patience.isAborted() || patience.left().count() <= 0) context.TryCancel();
    }
    return {static_cast<Operation>(reinterpret_cast<std::intptr_t>(tag)), ok};
  }

  // Cancel and wait for all operations. A stream of this call must be destroyed between this and the call itself.
  void end() {
    if (ended_) return;
    ended_ = true;
    context.TryCancel();
    queue.Shutdown();
    void* tag = nullptr;
    bool ok = false;
    while (queue.Next(&tag, &ok)) {
    }
  }

  grpc::ClientContext context;
  grpc::CompletionQueue queue;

 private:
  bool ended_ = false;
};

[[nodiscard]] inline std::chrono::system_clock::time_point systemDeadline(const Patience& patience) {
  return std::chrono::system_clock::now() +
         std::chrono::duration_cast<std::chrono::system_clock::duration>(patience.left());
}

}  // namespace stereo_convert
