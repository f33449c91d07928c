#include "clients/cpp/step_stream.h"

#include <algorithm>
#include <iterator>
#include <thread>
#include <utility>

#include "google/rpc/status.pb.h"

namespace livnd::client {
namespace {

using internal::RemoteSession;
using internal::StepWire;

// Steps of a session on the wire: of so many the server keeps the answers.
constexpr int kMaxSent = 32;

// A step's op_index.
int64_t NumberOf(const v1::StepStreamRequest& request) { return request.step().op_index(); }

// Of a message's google.rpc.Status.
Error ErrorOf(const std::string& bytes) {
  google::rpc::Status status;
  if (!status.ParseFromString(bytes) || status.code() == 0) {
    return internal::ErrorOf({grpc::StatusCode::UNKNOWN, "an error that is none"});
  }
  return internal::ErrorOf({static_cast<grpc::StatusCode>(status.code()), status.message(), bytes});
}

// Of the transport: what was sent may be done.
Error Lost(grpc::StatusCode code, const std::string& why) {
  Error error{code, why, "", {}};
  error.in_doubt = true;
  return error;
}

Error ErrorOfEnd(const grpc::Status& status) {
  // Nobody here has cancelled it: the server is about to go.
  if (status.ok() || status.error_code() == grpc::StatusCode::CANCELLED) {
    return Lost(grpc::StatusCode::UNAVAILABLE, "the server has ended the stream");
  }
  return internal::ErrorOf(status);
}

Error NotDone(const v1::StepStreamRequest& request) {
  return {grpc::StatusCode::FAILED_PRECONDITION,
          "not done, for a step before it was not",
          "WRONG_OP_INDEX",
          {{"field", "op_index"}, {"value", std::to_string(NumberOf(request))}}};
}

}  // namespace

StepStream::~StepStream() { FailAll(Lost(grpc::StatusCode::UNAVAILABLE, "the stream was closed")); }

int StepStream::num_waiting() const {
  size_t waiting = told_.size();
  for (const auto& [session, lane] : lanes_) waiting += lane.steps.size();
  return static_cast<int>(waiting);
}

// --- sending ----------------------------------------------------------------------------------------

Result<void> StepStream::Send(Session& session, const std::vector<float>& actions) {
  if (Result<void> free = session.remote_.IsFree(this); !free.ok()) return free;
  Step step;
  session.PutActions(actions, step.request.mutable_step());
  const auto found = lanes_.find(&session);
  Result<void> allowed =
      Admit(session, found == lanes_.end() ? nullptr : &found->second.steps, &step);
  if (allowed.ok()) allowed = connection_->CheckSize(step.request);
  if (!allowed.ok()) return allowed;
  session.remote_.Occupy(this);
  Lane& lane = lanes_[&session];
  const bool may_be_sent =
      lane.steps.empty() || (IsOnTheWire(lane.steps.back()) && lane.steps.size() < kMaxSent);
  lane.steps.push_back(std::move(step));
  if (wire_ == nullptr) {
    if (!outage_.has_value()) Open();
  } else if (!lane.due.has_value() && may_be_sent) {
    Put(&session, lane, &lane.steps.back());
  }
  return {};
}

Result<void> StepStream::Admit(Session& session, const std::deque<Step>* before, Step* step) {
  const RemoteSession& remote = session.remote_;
  v1::StepRequest& request = *step->request.mutable_step();
  request.set_session(session.name());
  request.set_generation(remote.created().generation());
  request.set_op_index(remote.next_op_index());
  if (before != nullptr && !before->back().is_doomed) {
    request.set_op_index(NumberOf(before->back().request) + 1);
  }
  if (!remote.is_in_doubt()) return {};
  if (before != nullptr) return remote.UnknownOutcome();
  step->may_be_done = true;
  return remote.MayBeSent(request, RemoteSession::Kind::kOther);
}

void StepStream::Put(Session* session, const Lane& lane, Step* step) {
  step->request.set_tag(++last_tag_);
  step->request.set_oldest_op_index(NumberOf(lane.steps.front().request));
  tags_.emplace(last_tag_, session);
  step->may_be_done |= step->was_sent;
  step->was_sent = true;
  step->sent_at = Clock::now();
  wire_->Send(step->request);
}

bool StepStream::IsOnTheWire(const Step& step) const {
  return step.was_sent && tags_.count(step.request.tag()) > 0;
}

void StepStream::PutAll(Session* session) {
  const auto lane = lanes_.find(session);
  std::deque<Step>& steps = lane->second.steps;
  lane->second.due.reset();
  int num_sent = 0;
  for (auto step = steps.begin(); step != steps.end();) {
    if (IsOnTheWire(*step)) {
      ++num_sent;
      ++step;
    } else if (step->is_doomed && num_sent == 0) {
      // By now its number may be another step's.
      Tell(session, NotDone(step->request));
      if (steps.size() == 1) return Remove(lane, step);
      step = steps.erase(step);
    } else if (step->is_doomed || num_sent == kMaxSent) {
      return;  // after those before it
    } else {
      Put(session, lane->second, &*step++);
      ++num_sent;
    }
  }
}

void StepStream::Open() {
  wire_ = connection_->OpenStepStream();
  std::vector<Session*> sessions;
  for (const auto& [session, lane] : lanes_) sessions.push_back(session);
  for (Session* session : sessions) PutAll(session);
}

// --- receiving --------------------------------------------------------------------------------------

StepAnswer StepStream::Recv() {
  while (told_.empty()) {
    if (lanes_.empty()) {
      return {nullptr, Error{grpc::StatusCode::FAILED_PRECONDITION,
                             "no answer is on its way: Send first",
                             "NOTHING_SENT",
                             {}}};
    }
    if (wire_ == nullptr) {
      Reconnect();
    } else {
      Await();
    }
  }
  StepAnswer answer = std::move(told_.front());
  told_.pop_front();
  return answer;
}

void StepStream::Await() {
  if (num_due_ > 0) PutWhatIsDue();
  const Clock::duration timeout = connection_->options().call_timeout;
  Session* const oldest = tags_.empty() ? nullptr : tags_.begin()->second;
  const Clock::time_point late =
      (oldest == nullptr ? Clock::now() : lanes_.at(oldest).steps.front().sent_at) + timeout;
  Clock::time_point until = late;
  if (num_due_ > 0) {
    for (const auto& [session, lane] : lanes_) until = std::min(until, lane.due.value_or(until));
  }
  switch (wire_->Await(until)) {
    case StepWire::Event::kAnswer:
      Answered(wire_->answer());
      break;
    case StepWire::Event::kEnd:
      LoseWire(ErrorOfEnd(wire_->status()));
      break;
    case StepWire::Event::kTimeout:
      if (oldest != nullptr && Clock::now() >= late) {
        Fail(oldest, Lost(grpc::StatusCode::DEADLINE_EXCEEDED, "no answer in time"));
      }
      break;
  }
}

void StepStream::PutWhatIsDue() {
  const Clock::time_point now = Clock::now();
  std::vector<Session*> sessions;
  for (const auto& [session, lane] : lanes_) {
    if (lane.due.has_value() && *lane.due <= now) sessions.push_back(session);
  }
  num_due_ -= static_cast<int>(sessions.size());
  for (Session* session : sessions) PutAll(session);
}

void StepStream::Answered(const v1::StepStreamResponse& message) {
  if (message.has_goodbye()) {
    return LoseWire({grpc::StatusCode::UNAVAILABLE, "the server ends", "SHUTTING_DOWN", {}});
  }
  const auto tag = tags_.find(message.tag());
  if (tag == tags_.end()) return;  // of a sending that was given up
  Session* const session = tag->second;
  tags_.erase(tag);
  outage_.reset();
  const auto lane = lanes_.find(session);
  const auto step =
      std::find_if(lane->second.steps.begin(), lane->second.steps.end(),
                   [&](const Step& each) { return each.request.tag() == message.tag(); });
  if (message.has_step()) {
    lane->second.patience.reset();
    session->remote_.AdvanceTo(NumberOf(step->request) + 1);
    Tell(session, session->ResultOf(message.step()));
    Remove(lane, step);
  } else {
    Error error = ErrorOf(message.error());
    if (HasRenewedToken(error)) return LoseWire(std::move(error));
    Refused(lane, step, std::move(error));
  }
  const auto left = lanes_.find(session);
  if (left == lanes_.end() || left->second.due.has_value()) return;
  if (!IsOnTheWire(left->second.steps.back())) PutAll(session);
}

void StepStream::Refused(Lanes::iterator at, std::deque<Step>::iterator step, Error error) {
  Session* const session = at->first;
  Lane& lane = at->second;
  const bool repeat = internal::ShouldRepeat(error);
  step->in_doubt = error.in_doubt || (step->in_doubt && repeat);
  // A server that ends may refuse what waits before it has done what is under way.
  const auto behind = std::next(step);
  if (repeat) {
    if (!lane.patience.has_value()) lane.patience.emplace(connection_->options().retry_time);
    if (const auto due = lane.patience->NextTry(); due.has_value()) {
      if (!lane.due.has_value()) ++num_due_;
      lane.due = due;
      // Those behind it are refused for its sake, and sent again with it.
      for (auto each = behind; each != lane.steps.end(); ++each) tags_.erase(each->request.tag());
      return;
    }
  }
  lane.patience.reset();
  error.in_doubt = step->in_doubt;
  const int64_t number = NumberOf(step->request);
  if (step->may_be_done && internal::ExpectedOpIndex(error) > number) {
    session->remote_.AdvanceTo(number + 1);
    error = internal::AnswerLost(error);
  } else if (step->in_doubt) {
    session->remote_.RememberStep(step->request.step(), number);
  } else {
    for (auto each = behind; each != lane.steps.end(); ++each) each->is_doomed = true;
  }
  session->remote_.Notice(error);
  Tell(session, std::move(error));
  Remove(at, step);
}

void StepStream::Tell(Session* session, Result<StepResult> result) {
  told_.push_back({session, std::move(result)});
}

void StepStream::Remove(Lanes::iterator lane, std::deque<Step>::iterator step) {
  lane->second.steps.erase(step);
  if (!lane->second.steps.empty()) return;
  lane->first->remote_.Occupy(nullptr);
  if (lane->second.due.has_value()) --num_due_;
  lanes_.erase(lane);
}

// --- losses -----------------------------------------------------------------------------------------

bool StepStream::HasRenewedToken(const Error& error) const {
  return error.unauthenticated() && connection_->HasRenewedToken(wire_->token);
}

void StepStream::LoseWire(Error error) {
  const bool has_renewed_token = HasRenewedToken(error);
  DropWire();
  for (auto& [session, lane] : lanes_) {
    lane.due.reset();
    for (Step& step : lane.steps) step.in_doubt |= step.was_sent && error.in_doubt;
  }
  if (has_renewed_token) return Open();
  if (internal::ShouldRepeat(error)) {
    if (!outage_.has_value()) outage_.emplace(connection_->options().retry_time);
    if (const auto next = outage_->NextTry(); next.has_value()) {
      reconnect_at_ = *next;
      line_is_broken_ = error.reason.empty();
      return;
    }
  }
  outage_.reset();
  FailAll(error);
}

void StepStream::Reconnect() {
  if (outage_.has_value()) {
    std::this_thread::sleep_until(reconnect_at_);
    // A broken line is mended while a call waits for it.
    if (line_is_broken_) connection_->WaitForServer(outage_->give_up() - Clock::now());
  }
  Open();
}

void StepStream::DropWire() {
  wire_.reset();
  tags_.clear();
  num_due_ = 0;
}

void StepStream::Fail(Session* session, const Error& error) {
  const auto lane = lanes_.find(session);
  for (size_t left = lane->second.steps.size(); left > 0; --left) {
    const auto step = lane->second.steps.begin();
    tags_.erase(step->request.tag());
    Error told = step->is_doomed ? NotDone(step->request) : error;
    if (!step->is_doomed) told.in_doubt = step->in_doubt || (error.in_doubt && step->was_sent);
    if (told.in_doubt) {
      session->remote_.RememberStep(step->request.step(), NumberOf(step->request));
    }
    Tell(session, std::move(told));
    Remove(lane, step);
  }
}

void StepStream::FailAll(const Error& error) {
  while (!lanes_.empty()) Fail(lanes_.begin()->first, error);
}

}  // namespace livnd::client
