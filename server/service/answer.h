// How every call is answered: see who calls, parse, find the session, do the work, tell the error. The
// only place where a handler meets a reactor.
#ifndef LIVND_SERVER_SERVICE_ANSWER_H_
#define LIVND_SERVER_SERVICE_ANSWER_H_

#include <atomic>
#include <memory>
#include <string>
#include <type_traits>
#include <utility>

#include "absl/status/status.h"
#include "absl/status/statusor.h"
#include "absl/time/time.h"
#include "absl/types/variant.h"
#include "base/status_macros.h"
#include "grpcpp/support/byte_buffer.h"
#include "grpcpp/support/server_callback.h"
#include "server/machine/memory_budget.h"
#include "server/machine/strand.h"
#include "server/metrics/metrics.h"
#include "server/metrics/stopwatch.h"
#include "server/service/call_log.h"
#include "server/service/reception.h"
#include "server/session/session.h"
#include "server/session/session_registry.h"
#include "server/wire/errors.h"
#include "server/wire/memory_needs.h"
#include "server/wire/message_bytes.h"

namespace livnd::server {

// Whom a call is for.
enum class Callers { kTenants, kAdmins, kEither };

// One call as gRPC hands it to a service that asked for raw bytes (WithRawCallbackMethod). Bytes,
// because the server then parses by itself and can say what is wrong with a message, and because a
// kept answer is sent again without a copy.
struct RawCall {
  grpc::CallbackServerContext* context;
  const grpc::ByteBuffer* in;
  grpc::ByteBuffer* out;
  const Reception& reception;
  Callers callers = Callers::kTenants;
};

// What a call holds until its answer has left, or its caller is gone: no longer, however slowly that
// one reads.
class CallInProgress final : public grpc::ServerUnaryReactor {
 public:
  void OnDone() override {
    if (unanswered_ != nullptr) --*unanswered_;
    delete this;
  }
  // OnDone is as little as gRPC does in its own reactors, and not worth waking another thread for.
  bool InternalInlineable() override { return true; }
  void Hold(MemoryBudget::Reservation request) { request_ = std::move(request); }
  MemoryBudget::Reservation& request() { return request_; }
  void HoldAnswer(MemoryBudget::Reservation answer) { answer_ = std::move(answer); }
  // Counts as one of a session's calls.
  void CountIn(std::shared_ptr<std::atomic<int>> unanswered) {
    unanswered_ = std::move(unanswered);
    ++*unanswered_;
  }

 private:
  std::shared_ptr<std::atomic<int>> unanswered_;
  MemoryBudget::Reservation request_, answer_;
};

// Called once with a call's answer, on any thread.
class AnswerCallback {
 public:
  // `method` is Metrics::MethodOf its request.
  AnswerCallback(const RawCall& call, int method)
      : reactor_(new CallInProgress),
        out_(call.out),
        metrics_(&call.reception.metrics),
        memory_(&call.reception.memory),
        method_(method) {}

  void operator()(absl::StatusOr<grpc::ByteBuffer> answer) && {
    metrics_->CountCall(method_, answer.status().code(), ReasonTold(answer.status()));
    // The request went with its handler.
    reactor_->request().Release();
    if (answer.ok()) {
      // Whoever made it has seen that there is room.
      reactor_->HoldAnswer(
          memory_->Reserve(MemoryUse::kAnswers, static_cast<int64_t>(answer->Length())));
      *out_ = *std::move(answer);
    }
    reactor_->Finish(ToGrpc(answer.status()));
  }

  CallInProgress* reactor() const { return reactor_; }

 private:
  CallInProgress* reactor_;  // until it is done
  grpc::ByteBuffer* out_;
  Metrics* metrics_;
  MemoryBudget* memory_;
  int method_;
};

// "" for an admin.
inline absl::StatusOr<std::string> TenantOf(const RawCall& call) {
  const Trust& trust = call.reception.trust;
  if (call.callers == Callers::kAdmins) return trust.AdminOf(*call.context);
  absl::StatusOr<std::string> tenant = trust.TenantOf(*call.context);
  if (!tenant.ok() && call.callers == Callers::kEither && trust.AdminOf(*call.context).ok()) {
    tenant = "";
  }
  return tenant;
}

// Reads a request, with the memory that it needs. What gRPC has of it is let go: `in` is empty after.
template <typename Request>
absl::StatusOr<std::unique_ptr<Request>> ReadRequest(const RawCall& call,
                                                     MemoryBudget::Reservation& held) {
  // More is worth finding out how much it takes.
  constexpr int64_t kLarge = 64 << 10;
  const int64_t most = ParsedBytesAtMost(*call.in, *Request::descriptor());
  LIVND_ASSIGN_OR_RETURN(held, ReserveMemory(call.reception.memory, MemoryUse::kRequests, most,
                                             "reading the request"));
  auto request = std::make_unique<Request>();
  const absl::Status parsed = ParseMessage(*call.in, request.get());
  // The call's own, and nobody reads it again.
  const_cast<grpc::ByteBuffer*>(call.in)->Clear();
  LIVND_RETURN_IF_ERROR(parsed);
  if (most > kLarge) held.Resize(static_cast<int64_t>(request->SpaceUsedLong()));
  return request;
}

// The answer comes later: handler(tenant, Request, AnswerCallback). Who shows no token of those whom the
// call is for, where that is asked for, is refused before the message is looked at.
template <typename Request, typename Handler>
grpc::ServerUnaryReactor* AnswerLater(const RawCall& call, Handler handler) {
  AnswerCallback answer(call, Metrics::MethodOf<Request>());
  CallInProgress* const reactor = answer.reactor();
  const absl::StatusOr<std::string> tenant = TenantOf(call);
  if (!tenant.ok()) {
    std::move(answer)(tenant.status());
    return reactor;
  }
  MemoryBudget::Reservation held;
  absl::StatusOr<std::unique_ptr<Request>> request = ReadRequest<Request>(call, held);
  if (!request.ok()) {
    std::move(answer)(request.status());
    return reactor;
  }
  reactor->Hold(std::move(held));
  handler(*tenant, *std::move(request), std::move(answer));
  return reactor;
}

// The answer is at hand: handler(const Request&) -> StatusOr<Response>.
template <typename Request, typename Handler>
grpc::ServerUnaryReactor* AnswerNow(const RawCall& call, Handler handler) {
  return AnswerLater<Request>(call, [&handler, &memory = call.reception.memory](
                                        const std::string&, std::unique_ptr<Request> request,
                                        AnswerCallback answer) {
    auto response = handler(*request);
    if (!response.ok()) {
      std::move(answer)(response.status());
      return;
    }
    const auto room = ReserveMemory(memory, MemoryUse::kAnswers,
                                    static_cast<int64_t>(response->ByteSizeLong()), "the answer");
    if (room.ok()) {
      std::move(answer)(SerializeMessage(*response));
    } else {
      std::move(answer)(room.status());
    }
  });
}

// Has the session that the request names do something on its strand, handler(Session&, Request&) ->
// Session::Reply, and calls answer(StatusOr<ByteBuffer>) once, on any thread. A call that nobody waits for
// any more when its first turn comes is not begun, nor is one whose session is closed meanwhile. The
// context must live until then.
template <typename Request, typename Handler, typename Answer>
void AskSession(SessionRegistry& registry, grpc::CallbackServerContext* context,
                const std::string& tenant, std::unique_ptr<Request> request, Handler handler,
                Answer answer) {
  const std::string name = request->session();
  registry.Acquire(
      tenant, name,
      [&registry, handler, context, request = std::move(request),
       answer = std::move(answer)](absl::StatusOr<SessionUse> use) mutable {
        if (!use.ok()) {
          std::move(answer)(use.status());
          return;
        }
        Session& session = **use;
        if constexpr (std::is_same_v<Answer, AnswerCallback>) {
          answer.reactor()->CountIn(session.unanswered());
        }
        constexpr bool kIsStep = std::is_same_v<Request, v1::StepRequest>;
        const Strand::First first = kIsStep ? session.FirstTurnOfStep() : Strand::First::kOnAWorker;
        session.Post(
            [&registry, watch = Stopwatch(), waited = absl::ZeroDuration(),
             worked = absl::ZeroDuration(), handler, context, request = std::move(request),
             use = *std::move(use), answer = std::move(answer), begun = false](Bid bid) mutable {
              if (bid == Bid::kGo) {
                const absl::Status away = ShuttingDown();
                LogCall(*use, *request, away, false, watch.Lap(), absl::ZeroDuration());
                std::move(answer)(away);
                return Turn::kOver;
              }
              waited += watch.Lap();
              if (!begun && context->IsCancelled()) {
                std::move(answer)(absl::CancelledError("the caller has gone; nothing was done"));
                return Turn::kOver;
              }
              begun = true;
              Session::Reply reply = handler(*use, *request);
              if (const Turn* turn = absl::get_if<Turn>(&reply)) {
                worked += watch.Lap();
                return *turn;
              }
              registry.metrics().Observe(Stage::kQueue, Metrics::MethodOf<Request>(), waited);
              auto told = absl::get<absl::StatusOr<grpc::ByteBuffer>>(std::move(reply));
              worked += watch.Lap();
              if (kIsStep) use->StepTook(worked);
              LogCall(*use, *request, told.status(), true, waited, worked);
              if (!told.ok()) {
                std::move(answer)(std::move(told));
                return Turn::kOver;
              }
              Session& session = *use;
              const Pace::Time due = session.due();
              auto tell = [&registry, due, use = std::move(use), told = *std::move(told),
                           answer = std::move(answer)](const absl::Status& kept) mutable {
                if (!kept.ok()) {
                  std::move(answer)(StateNotWritten(kept, /*done=*/true));
                } else if (due == Pace::kPast) {
                  std::move(answer)(std::move(told));
                } else {
                  registry.timer().At(due, [due, use = std::move(use), told = std::move(told),
                                            answer = std::move(answer)]() mutable {
                    use->Tell(due);
                    std::move(answer)(std::move(told));
                  });
                }
              };
              if (session.waits_for_disk()) {
                session.WhenKept(std::move(tell));
              } else {
                tell(absl::OkStatus());
              }
              return Turn::kOver;
            },
            first);
      });
}

// As AskSession, for a call of its own.
template <typename Request, typename Handler>
grpc::ServerUnaryReactor* AnswerOnStrand(SessionRegistry& registry, const RawCall& call,
                                         Handler handler) {
  return AnswerLater<Request>(call, [&registry, handler, context = call.context](
                                        const std::string& tenant, std::unique_ptr<Request> request,
                                        AnswerCallback answer) {
    AskSession(registry, context, tenant, std::move(request), handler, std::move(answer));
  });
}

}  // namespace livnd::server

#endif  // LIVND_SERVER_SERVICE_ANSWER_H_
