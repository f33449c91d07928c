#include "server/service/unknown_method.h"

#include "absl/strings/str_cat.h"
#include "server/wire/errors.h"

namespace livnd::server {
namespace {

class Refusal final : public grpc::ServerGenericBidiReactor {
 public:
  explicit Refusal(const absl::Status& status) { Finish(ToGrpc(status)); }
  void OnDone() override { delete this; }
};

}  // namespace

grpc::ServerGenericBidiReactor* UnknownMethod::CreateReactor(
    grpc::GenericCallbackServerContext* context) {
  if (const auto tenant = reception_.trust.TenantOf(*context); !tenant.ok()) {
    return Refuse(tenant.status());
  }
  constexpr absl::string_view kAccepted = "the methods that reflection lists";
  return Refuse(MakeError(
      absl::StatusCode::kUnimplemented, reason::kUnknownMethod,
      absl::StrCat("there is no method ", context->method(), "; accepted: ", kAccepted),
      {{"field", "method"}, {"value", context->method()}, {"accepted", std::string(kAccepted)}}));
}

grpc::ServerGenericBidiReactor* UnknownMethod::Refuse(const absl::Status& refusal) {
  reception_.metrics.CountUnknownMethod(refusal.code(), ReasonTold(refusal));
  return new Refusal(refusal);
}

}  // namespace livnd::server
