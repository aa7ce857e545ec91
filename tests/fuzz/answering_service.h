// A service that answers each call with bytes that a fuzzer chose.
#pragma once

#include <grpcpp/generic/async_generic_service.h>
#include <grpcpp/grpcpp.h>

#include <cstdint>
#include <map>
#include <mutex>
#include <string>
#include <vector>

namespace stereo_convert::fuzz {

// What one call gets: messages one after the other, then a status and trailing metadata.
struct Answer {
  std::vector<std::string> messages;
  int status = 0;
  std::string retryAfter_ms;  // trailing metadata, absent when empty
};

// One answer from a fuzzer's input: a byte for the status, then records of a byte for the kind (odd: `retry-after-ms`),
// two for the length, low first, and the content. Input that ends early ends the last record.
[[nodiscard]] Answer answerFrom(const std::uint8_t* data, std::size_t size);

// Answers every call of a method, whatever it asks, with what was set last.
class AnsweringService : public grpc::CallbackGenericService {
 public:
  AnsweringService();
  ~AnsweringService() override;

  // Of the method whose name ends so.
  void set(const std::string& method, Answer answer);

  // A real one: what lies between, HTTP/2 included, is tried too.
  [[nodiscard]] const std::shared_ptr<grpc::Channel>& channel() const { return channel_; }
  [[nodiscard]] const std::string& address() const { return address_; }

 private:
  grpc::ServerGenericBidiReactor* CreateReactor(grpc::GenericCallbackServerContext* context) override;

  std::string address_;
  std::mutex mutex_;  // guards what follows
  std::map<std::string, Answer> answers_;
  std::unique_ptr<grpc::Server> server_;
  std::shared_ptr<grpc::Channel> channel_;
};

}  // namespace stereo_convert::fuzz
