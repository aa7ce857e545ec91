#include "answering_service.h"

#include <unistd.h>

#include <algorithm>

namespace stereo_convert::fuzz {
namespace {

constexpr int kStatusCount = 17;

// Sends an answer; what the client says is not even read.
class Reactor : public grpc::ServerGenericBidiReactor {
 public:
  Reactor(Answer answer, grpc::GenericCallbackServerContext& context) : answer_(std::move(answer)) {
    if (!answer_.retryAfter_ms.empty()) context.AddTrailingMetadata("retry-after-ms", answer_.retryAfter_ms);
    sendNext();
  }

  void OnWriteDone(bool ok) override {
    if (ok) {
      sendNext();
    } else {
      Finish(grpc::Status::CANCELLED);
    }
  }
  void OnDone() override { delete this; }

 private:
  void sendNext() {
    if (sent_ == answer_.messages.size()) {
      Finish({static_cast<grpc::StatusCode>(answer_.status), "as the fuzzer says"});
      return;
    }
    const grpc::Slice slice(answer_.messages[sent_++]);
    buffer_ = grpc::ByteBuffer(&slice, 1);
    StartWrite(&buffer_);
  }

  const Answer answer_;
  std::size_t sent_ = 0;
  grpc::ByteBuffer buffer_;
};

// Metadata must be text; gRPC aborts the process that sends other bytes.
std::string printable(std::string text) {
  std::replace_if(
      text.begin(), text.end(), [](char c) { return c < ' ' || c > '~'; }, '0');
  return text;
}

}  // namespace

Answer answerFrom(const std::uint8_t* data, std::size_t size) {
  Answer answer;
  if (size == 0) return answer;
  answer.status = data[0] % kStatusCount;
  std::size_t at = 1;
  while (at + 3 <= size) {
    const bool isHint = data[at] % 2 != 0;
    const std::size_t length = std::min<std::size_t>(data[at + 1] | data[at + 2] << 8, size - at - 3);
    std::string content(reinterpret_cast<const char*>(data) + at + 3, length);
    if (isHint) {
      answer.retryAfter_ms = printable(std::move(content));
    } else {
      answer.messages.push_back(std::move(content));
    }
    at += 3 + length;
  }
  return answer;
}

AnsweringService::AnsweringService() : address_("unix:/tmp/stereo-fuzz-" + std::to_string(getpid()) + ".sock") {
  grpc::ServerBuilder builder;
  builder.AddListeningPort(address_, grpc::InsecureServerCredentials());
  builder.RegisterCallbackGenericService(this);
  server_ = builder.BuildAndStart();
  channel_ = grpc::CreateChannel(address_, grpc::InsecureChannelCredentials());
}

AnsweringService::~AnsweringService() {
  server_->Shutdown();
}

void AnsweringService::set(const std::string& method, Answer answer) {
  const std::lock_guard lock(mutex_);
  answers_[method] = std::move(answer);
}

grpc::ServerGenericBidiReactor* AnsweringService::CreateReactor(grpc::GenericCallbackServerContext* context) {
  const std::string& path = context->method();
  const std::lock_guard lock(mutex_);
  return new Reactor(answers_[path.substr(path.rfind('/') + 1)], *context);
}

}  // namespace stereo_convert::fuzz
