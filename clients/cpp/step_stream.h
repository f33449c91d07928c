// Steps without waiting for each answer, of one session or of many.
#ifndef LIVND_CLIENTS_CPP_STEP_STREAM_H_
#define LIVND_CLIENTS_CPP_STEP_STREAM_H_

#include <chrono>
#include <cstdint>
#include <deque>
#include <map>
#include <memory>
#include <optional>
#include <string>
#include <vector>

#include "clients/cpp/connection.h"
#include "clients/cpp/patience.h"
#include "clients/cpp/result.h"
#include "clients/cpp/session.h"
#include "clients/cpp/step_wire.h"
#include "livnd/v1/environment_service.pb.h"

namespace livnd::client {

// What a step has come to.
struct StepAnswer {
  Session* session = nullptr;  // whose step it was; null where none was on its way
  Result<StepResult> result;   // as Session::Step gives it
};

// Sends steps and receives their answers as they are done; made by Client::OpenStepStream.
//
// The steps of one session are done and answered in the order in which they were sent; those of
// different sessions side by side, and whichever is done first is received first. While steps of a
// session are on their way every other call of it is STEPS_UNDER_WAY, but Close.
//
// Every step is done exactly once. Where the connection breaks or the server ends, what was sent and
// not answered is sent again, by the rules and for as long as the client repeats calls. A step that
// fails changes nothing, and those of its session that were sent after it are not done either: each is
// answered WRONG_OP_INDEX. What was done already is answered and not done again.
//
// Thread-compatible. May outlive the client; a session outlives its steps.
class StepStream {
 public:
  // Hangs up. Steps on their way may be done or not, as where a call got no answer.
  ~StepStream();

  // Has a session of the stream's client step: actions as Session::Step. MESSAGE_TOO_LARGE,
  // UNKNOWN_OUTCOME, and whatever hinders connecting: nothing was sent.
  Result<void> Send(Session& session, const std::vector<float>& actions);
  // The next answer, of whichever session; waits for it. NOTHING_SENT: none is on its way.
  StepAnswer Recv();
  // How many answers Recv has still to give.
  int num_waiting() const;

 private:
  using Clock = std::chrono::steady_clock;
  friend class Client;

  // On its way.
  struct Step {
    v1::StepStreamRequest request;  // with the tag of its last sending
    Clock::time_point sent_at{};
    bool was_sent = false;
    bool may_be_done = false;  // by an earlier sending
    bool in_doubt = false;     // as Error's
    bool is_doomed = false;    // one before it was not done, so this one is not either
  };
  // The steps of a session, in order. There is none without steps.
  struct Lane {
    std::deque<Step> steps;
    std::optional<internal::Patience> patience;  // with the first of them
    std::optional<Clock::time_point> due;        // when they are sent again
  };
  using Lanes = std::map<Session*, Lane>;

  explicit StepStream(std::shared_ptr<internal::Connection> connection)
      : connection_(std::move(connection)) {}

  // Gives a step its number, behind those of its session that are on their way, if there are any.
  // UNKNOWN_OUTCOME: another one is in doubt.
  static Result<void> Admit(Session& session, const std::deque<Step>* before, Step* step);
  void Put(Session* session, const Lane& lane, Step* step);
  // Whether the server has got it.
  bool IsOnTheWire(const Step& step) const;
  // What the server has not got, as far as it may have it now.
  void PutAll(Session* session);
  // Over a new wire everything that has got no answer is sent.
  void Open();

  // One thing that happens on the wire, or what it is time for.
  void Await();
  void PutWhatIsDue();
  void Answered(const v1::StepStreamResponse& message);
  void Refused(Lanes::iterator lane, std::deque<Step>::iterator step, Error error);
  void Tell(Session* session, Result<StepResult> result);
  // Takes a step out of the lane, and with the last one the lane.
  void Remove(Lanes::iterator lane, std::deque<Step>::iterator step);

  // Whether the wire's token was refused, and there is another one by now.
  bool HasRenewedToken(const Error& error) const;
  void LoseWire(Error error);
  void Reconnect();
  void DropWire();
  // Gives up all steps of a session; of all sessions.
  void Fail(Session* session, const Error& error);
  void FailAll(const Error& error);

  const std::shared_ptr<internal::Connection> connection_;
  std::unique_ptr<internal::StepWire> wire_;
  Lanes lanes_;
  // Whose step each tag is that the server has got, the oldest first.
  std::map<int64_t, Session*> tags_;
  int64_t last_tag_ = 0;
  int num_due_ = 0;  // lanes whose steps wait to be sent again
  std::deque<StepAnswer> told_;
  // Since the wire was lost, until an answer comes over another one.
  std::optional<internal::Patience> outage_;
  Clock::time_point reconnect_at_{};
  bool line_is_broken_ = false;
};

}  // namespace livnd::client

#endif  // LIVND_CLIENTS_CPP_STEP_STREAM_H_
