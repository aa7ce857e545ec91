// The service on this machine, started when the first render needs it and shared by all hosts of this user.
#pragma once

#include <string>

namespace stereo_convert {

// gRPC target of the local service's socket.
[[nodiscard]] std::string localServiceTarget();

// Start the program, detached from the host: own session, no inherited files, output to service.log. Returns at once; a
// second instance finds the first one's lock and leaves. Throws Failure NotReady when it cannot be started.
void startLocalService(const std::string& program);

// Whether the program that startLocalService started last still runs; false when it left without complaint, because it
// was idle or another instance serves. Throws Failure NotReady with the end of service.log when it failed.
[[nodiscard]] bool localServiceRuns();

}  // namespace stereo_convert
