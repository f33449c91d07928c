#include "clients/cpp/step_wire.h"

#include <algorithm>
#include <utility>

#include "grpc/support/time.h"

namespace livnd::client::internal {
namespace {

using std::chrono::steady_clock;

// What an event of the queue is of.
enum Tag : char { kStart, kWrite, kRead, kFinish };
constexpr char kTags[] = {kStart, kWrite, kRead, kFinish};

void* Of(Tag tag) { return const_cast<char*>(&kTags[tag]); }

}  // namespace

StepWire::~StepWire() {
  if (stream_ != nullptr) {
    context_.TryCancel();
    Finish();
  }
  queue_.Shutdown();
  void* tag;
  bool ok;
  while (queue_.Next(&tag, &ok)) {
  }
}

void StepWire::Open(v1::EnvironmentService::Stub& stub) {
  stream_ = stub.PrepareAsyncStepStream(&context_, &queue_);
  starting_ = true;
  stream_->StartCall(Of(kStart));
}

void StepWire::Send(const v1::StepStreamRequest& message) {
  while ((starting_ || writing_) && Pump(steady_clock::time_point::min())) {
  }
  if (starting_ || writing_ || finishing_) {
    unsent_.push_back(message);
    return;
  }
  writing_ = true;
  stream_->Write(message, Of(kWrite));
}

StepWire::Event StepWire::Await(steady_clock::time_point until) {
  while (true) {
    if (has_answer_) {
      has_answer_ = false;
      return Event::kAnswer;
    }
    if (has_ended_) return Event::kEnd;
    if (!starting_ && !reading_ && !finishing_) {
      reading_ = true;
      stream_->Read(&answer_, Of(kRead));
    }
    if (!Pump(until)) return Event::kTimeout;
  }
}

bool StepWire::Pump(steady_clock::time_point until) {
  const auto wait = until == steady_clock::time_point::min() ? steady_clock::duration::zero()
                                                             : until - steady_clock::now();
  const int64_t wait_ns = std::chrono::duration_cast<std::chrono::nanoseconds>(wait).count();
  void* tag;
  bool ok;
  const auto event = queue_.AsyncNext(
      &tag, &ok,
      gpr_time_add(gpr_now(GPR_CLOCK_MONOTONIC),
                   gpr_time_from_nanos(std::max<int64_t>(wait_ns, 0), GPR_TIMESPAN)));
  if (event != grpc::CompletionQueue::GOT_EVENT) return false;
  switch (static_cast<Tag>(*static_cast<char*>(tag))) {
    case kStart:
      starting_ = false;
      if (!ok) {
        Finish();
      } else {
        WriteNext();
      }
      break;
    case kWrite:
      writing_ = false;
      // Where it has failed, the read that follows tells.
      if (ok) WriteNext();
      break;
    case kRead:
      reading_ = false;
      has_answer_ = ok;
      if (!ok) Finish();
      break;
    case kFinish:
      has_ended_ = true;
      break;
  }
  return true;
}

void StepWire::WriteNext() {
  if (finishing_ || unsent_.empty()) return;
  writing_ = true;
  stream_->Write(unsent_.front(), Of(kWrite));
  unsent_.pop_front();
}

void StepWire::Finish() {
  if (finishing_) return;
  finishing_ = true;
  stream_->Finish(&status_, Of(kFinish));
}

}  // namespace livnd::client::internal
