// The one place where failures become what the host and the artist get: gRPC code → Failure → OfxStatus + message.
#pragma once

#include <string>

#include "failure.h"
#include "suites.h"

namespace stereo_convert {

// `code` is a grpc::StatusCode, `detail` what the service said, `service` who should have answered.
[[nodiscard]] Failure failureOfGrpcCode(int code, const std::string& detail, const std::string& service);

[[nodiscard]] OfxStatus ofxStatusOf(FailureKind kind) noexcept;

// Show a text on the node until clearMessage; `type` is kOfxMessageError or kOfxMessageWarning.
void showMessage(OfxImageEffectHandle effect, const char* type, const std::string& text) noexcept;

// Tell the artist something once, in answer to a press of a button: nothing stands on the node afterwards.
void tellOnce(OfxImageEffectHandle effect, const std::string& text) noexcept;

// Take the message away that showMessage left on this instance, if any: Nuke renders nothing while an error stands.
void clearMessage(OfxImageEffectHandle effect) noexcept;

// What there is to say about an effect's last window, for the panel's Status: hosts let it be shown only later. Some
// hosts render with other instances than the one whose panel is open, which then gets the last of all effects.
void rememberSummary(OfxImageEffectHandle effect, const std::string& text);
[[nodiscard]] std::string lastSummary(OfxImageEffectHandle effect);
void forgetSummary(OfxImageEffectHandle effect) noexcept;

}  // namespace stereo_convert
