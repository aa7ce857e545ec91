// One ConvertWindow call, from the header to the last result.
#pragma once

#include <grpcpp/generic/generic_stub.h>
#include <stereoconvert/v1/stereo_convert.grpc.pb.h>

#include <deque>
#include <memory>
#include <string>
#include <unordered_map>
#include <vector>

#include "frame_wire.h"
#include "service_client.h"
#include "service_client_queue.h"

namespace stereo_convert {

class WindowCall {
 public:
  WindowCall(const WindowRequest& request, const ServiceSession& session, const FrameKey& sessionId,
             const std::string& token);
  ~WindowCall() { call_.end(); }
  WindowCall(const WindowCall&) = delete;
  WindowCall& operator=(const WindowCall&) = delete;

  // Talk until the service ends the call. `answer` is complete when the status is OK. Throws Failure Bug when the
  // service breaks the contract, OutOfMemory when there is no room for a result.
  [[nodiscard]] grpc::Status run(const std::shared_ptr<grpc::ChannelInterface>& channel, const Patience& patience,
                                 WindowAnswer& answer);

  // How long the service asked to wait after a full queue; 0 when it did not.
  [[nodiscard]] double retryAfter_s() const;

 private:
  using Request = stereoconvert::v1::ConvertWindowRequest;
  using Response = stereoconvert::v1::ConvertWindowResponse;
  // Answers are read as bytes: gRPC never ends a call of its own stub that got a message that it cannot read.
  using WindowStub = grpc::TemplatedGenericStub<Request, grpc::ByteBuffer>;

  [[nodiscard]] Request header(const FrameKey& sessionId);
  void offerSlots(stereoconvert::v1::WindowHeader& header);
  void writeNext();
  void take(WindowAnswer& answer);
  void take(const stereoconvert::v1::FramesNeeded& needed);
  void take(const stereoconvert::v1::ResultFrame& result, WindowAnswer& answer);
  void take(const stereoconvert::v1::FrameChunk& chunk);
  [[nodiscard]] SharedBlock takeSlot(const stereoconvert::v1::StoreLocation& location);

  const WindowRequest& request_;
  const ServiceSession& session_;
  const FrameKey requestId_ = randomKey();
  const SharedStore shared_;
  FrameFormat resultFormat_;
  std::vector<SharedBlock> slots_;  // where the service may write

  std::deque<Request> outgoing_;                                // header and releases; before the chunks
  std::deque<const WindowFrame*> needed_;                       // whose chunks are to be sent
  std::unordered_map<std::string, const WindowFrame*> unsent_;  // by key; each may be asked for once
  std::size_t sentBytes_ = 0;                                   // of needed_.front()
  bool isWriting_ = false;

  SharedBlock incoming_;  // whose chunks are to come
  std::size_t receivedBytes_ = 0;

  grpc::ByteBuffer received_;
  Response response_;  // `received_`, read
  grpc::Status status_;
  PolledCall call_;
  std::unique_ptr<grpc::ClientAsyncReaderWriter<Request, grpc::ByteBuffer>> stream_;  // lies in the memory of call_
};

}  // namespace stereo_convert
