#include "server/service/reflection_service.h"

#include "absl/status/statusor.h"
#include "absl/strings/str_cat.h"
#include "base/status_macros.h"
#include "server/wire/errors.h"
#include "server/wire/message_bytes.h"

namespace livnd::server::internal {
namespace {

// Far above any name; the request is sent back with the answer, and a stream's buffers are the
// server's.
constexpr size_t kMaxRequestBytes = 16 << 10;

class ReflectionStream final : public ReflectionReactor {
 public:
  ReflectionStream(const Reflection& reflection, const absl::Status& admitted)
      : reflection_(reflection) {
    if (admitted.ok()) {
      StartRead(&in_);
    } else {
      Finish(ToGrpc(admitted));
    }
  }

 private:
  // One of them is under way at any time, and each begins the next or finishes.
  void OnReadDone(bool ok) override {
    if (!ok) return Finish(grpc::Status::OK);  // the client has no more to ask, or is gone
    absl::StatusOr<grpc::ByteBuffer> out = Answer();
    if (!out.ok()) return Finish(ToGrpc(out.status()));
    out_ = *std::move(out);
    StartWrite(&out_);
  }
  void OnWriteDone(bool ok) override {
    if (!ok) return Finish(grpc::Status::CANCELLED);
    StartRead(&in_);
  }
  void OnDone() override { delete this; }

  absl::StatusOr<grpc::ByteBuffer> Answer() const {
    if (in_.Length() > kMaxRequestBytes) {
      return InvalidField("message_request", absl::StrCat(in_.Length(), " bytes"),
                          absl::StrCat("a request of at most ", kMaxRequestBytes, " bytes"));
    }
    Reflection::Request request;
    LIVND_RETURN_IF_ERROR(ParseMessage(in_, &request));
    return SerializeMessage(reflection_.Answer(request));
  }

  const Reflection& reflection_;
  grpc::ByteBuffer in_;
  grpc::ByteBuffer out_;
};

}  // namespace

ReflectionReactor* NewReflectionStream(const Reflection& reflection, const absl::Status& admitted) {
  return new ReflectionStream(reflection, admitted);
}

}  // namespace livnd::server::internal
