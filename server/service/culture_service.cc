#include "server/service/culture_service.h"

#include "server/service/answer.h"
#include "server/session/session.h"

namespace livnd::server {

grpc::ServerUnaryReactor* CultureService::GetCulture(Context* context, const Bytes* in,
                                                     Bytes* out) {
  return AnswerOnStrand<v1::GetCultureRequest>(
      registry_, {context, in, out, reception_},
      [](Session& session, const v1::GetCultureRequest& request) {
        return session.GetCulture(request);
      });
}

grpc::ServerUnaryReactor* CultureService::Configure(Context* context, const Bytes* in, Bytes* out) {
  return AnswerOnStrand<v1::ConfigureRequest>(
      registry_, {context, in, out, reception_},
      [](Session& session, v1::ConfigureRequest& request) { return session.Configure(request); });
}

grpc::ServerUnaryReactor* CultureService::Run(Context* context, const Bytes* in, Bytes* out) {
  return AnswerOnStrand<v1::RunRequest>(
      registry_, {context, in, out, reception_},
      [](Session& session, v1::RunRequest& request) { return session.Run(request); });
}

grpc::ServerUnaryReactor* CultureService::Clear(Context* context, const Bytes* in, Bytes* out) {
  return AnswerOnStrand<v1::ClearRequest>(
      registry_, {context, in, out, reception_},
      [](Session& session, v1::ClearRequest& request) { return session.Clear(request); });
}

}  // namespace livnd::server
