#include "server/service/step_stream.h"

#include <algorithm>
#include <memory>
#include <string>
#include <utility>
#include <vector>

#include "base/status_macros.h"
#include "google/protobuf/io/coded_stream.h"
#include "google/protobuf/io/zero_copy_stream_impl_lite.h"
#include "google/protobuf/wire_format_lite.h"
#include "grpcpp/support/slice.h"
#include "server/service/answer.h"
#include "server/wire/errors.h"
#include "server/wire/memory_needs.h"
#include "server/wire/message_bytes.h"

namespace livnd::server {
namespace {

// More is not read. Half of what a session may have waiting, so that a stream to one session is held up
// and never refused.
constexpr int kMaxUnanswered = OperationLog::kMaxKept;

// A StepStreamResponse around the bytes of a StepResponse, which are not copied.
grpc::ByteBuffer Wrapped(int64_t tag, const grpc::ByteBuffer& answer) {
  using google::protobuf::internal::WireFormatLite;
  std::string head;
  {
    google::protobuf::io::StringOutputStream stream(&head);
    google::protobuf::io::CodedOutputStream coded(&stream);
    if (tag != 0) {
      WireFormatLite::WriteInt64(v1::StepStreamResponse::kTagFieldNumber, tag, &coded);
    }
    WireFormatLite::WriteTag(v1::StepStreamResponse::kStepFieldNumber,
                             WireFormatLite::WIRETYPE_LENGTH_DELIMITED, &coded);
    coded.WriteVarint32(static_cast<uint32_t>(answer.Length()));
  }
  std::vector<grpc::Slice> slices;
  (void)answer.Dump(&slices);  // it has one slice, uncompressed
  slices.insert(slices.begin(), grpc::Slice(head));
  return grpc::ByteBuffer(slices.data(), slices.size());
}

}  // namespace

grpc::ServerBidiReactor<grpc::ByteBuffer, grpc::ByteBuffer>* StepStreams::Open(
    grpc::CallbackServerContext* context) {
  auto* stream = new StepStream(*this, context);
  absl::Status refused = reception_.trust.TenantOf(*context).status();
  {
    MutexLock lock(mu_);
    open_.insert(stream);
    if (refused.ok() && closed_) refused = ShuttingDown();
  }
  stream->Begin(refused);
  return stream;
}

void StepStreams::Close() {
  MutexLock lock(mu_);
  closed_ = true;
  for (StepStream* stream : open_) stream->SayGoodbye();
}

void StepStreams::Gone(StepStream* stream) {
  MutexLock lock(mu_);
  open_.erase(stream);
}

StepStream::StepStream(StepStreams& streams, grpc::CallbackServerContext* context)
    : streams_(streams), context_(context) {}

void StepStream::Begin(const absl::Status& refused) {
  {
    MutexLock lock(mu_);
    ++num_inside_;
    end_ = refused;
    read_all_ = !refused.ok();
  }
  GoOn();
}

void StepStream::SayGoodbye() {
  {
    MutexLock lock(mu_);
    ++num_inside_;
    goodbye_ = !read_all_;
    read_all_ = true;
  }
  GoOn();
}

void StepStream::OnReadDone(bool ok) {
  v1::StepStreamRequest request;
  bool take = false;
  // Of the request, until it is answered.
  MemoryBudget::Reservation held;
  {
    MutexLock lock(mu_);
    ++num_inside_;
    if (!ok) {
      read_all_ = true;
    } else if (!read_all_) {
      if (absl::Status parsed = Parse(&request, &held); parsed.ok()) {
        take = true;
        ++num_unanswered_;
      } else {  // nobody knows which request it was
        end_ = std::move(parsed);
        read_all_ = true;
      }
    }
    in_.Clear();
  }
  if (take) Take(std::move(request), std::move(held));
  {
    // Not before: another thread would read the next request, and might be the first to take it.
    MutexLock lock(mu_);
    reading_ = false;
  }
  GoOn();
}

absl::Status StepStream::Parse(v1::StepStreamRequest* request, MemoryBudget::Reservation* held) {
  LIVND_ASSIGN_OR_RETURN(
      *held, ReserveMemory(streams_.reception_.memory, MemoryUse::kRequests,
                           ParsedBytesAtMost(in_, *request->GetDescriptor()), "reading a step"));
  return ParseMessage(in_, request);
}

void StepStream::Take(v1::StepStreamRequest request, MemoryBudget::Reservation held) {
  const int64_t tag = request.tag();
  // As a call of its own would be asked: a token may have been taken away meanwhile.
  const absl::StatusOr<std::string> tenant = streams_.reception_.trust.TenantOf(*context_);
  if (!tenant.ok()) {
    Answer(tag, tenant.status());
  } else if (!request.has_step()) {
    Answer(tag, InvalidField("step", "missing", "a StepRequest"));
  } else {
    auto step = std::make_unique<v1::StepRequest>(std::move(*request.mutable_step()));
    AskSession(
        streams_.registry_, context_, *tenant, std::move(step),
        [oldest = std::max<int64_t>(1, request.oldest_op_index())](
            Session& session, v1::StepRequest& step) { return session.Step(step, oldest); },
        [this, tag, held = std::move(held)](absl::StatusOr<grpc::ByteBuffer> answer) {
          Answer(tag, std::move(answer));
        });
  }
}

void StepStream::Answer(int64_t tag, absl::StatusOr<grpc::ByteBuffer> answer) {
  streams_.reception_.metrics.CountCall(Metrics::MethodOf<v1::StepRequest>(),
                                        answer.status().code(), ReasonTold(answer.status()));
  grpc::ByteBuffer bytes;
  if (answer.ok()) {
    bytes = Wrapped(tag, *answer);
  } else {
    v1::StepStreamResponse response;
    response.set_tag(tag);
    response.set_error(ToGrpc(answer.status()).error_details());
    bytes = SerializeMessage(response);
  }
  {
    MutexLock lock(mu_);
    ++num_inside_;
    const auto size = static_cast<int64_t>(bytes.Length());
    answers_.push_back(
        {std::move(bytes), streams_.reception_.memory.Reserve(MemoryUse::kAnswers, size)});
  }
  GoOn();
}

void StepStream::OnWriteDone(bool ok) {
  {
    MutexLock lock(mu_);
    ++num_inside_;
    writing_ = false;
    leaving_.Release();
    --num_unanswered_;
    if (!ok) broken_ = read_all_ = true;
  }
  GoOn();
}

void StepStream::GoOn() {
  bool read = false, write = false;
  {
    MutexLock lock(mu_);
    if (broken_) {
      num_unanswered_ -= static_cast<int>(answers_.size());
      answers_.clear();
      goodbye_ = false;
    }
    if (goodbye_ && num_unanswered_ == 0) {
      goodbye_ = false;
      ++num_unanswered_;
      v1::StepStreamResponse response;
      response.mutable_goodbye();
      answers_.push_back({SerializeMessage(response), {}});
    }
    if (!writing_ && !answers_.empty()) {
      writing_ = write = true;
      out_ = std::move(answers_.front().bytes);
      leaving_ = std::move(answers_.front().held);
      answers_.pop_front();
    }
    if (!reading_ && !read_all_ && num_unanswered_ < kMaxUnanswered) reading_ = read = true;
  }
  if (write) StartWrite(&out_);
  if (read) StartRead(&in_);
  absl::Status end;
  {
    MutexLock lock(mu_);
    if (--num_inside_ > 0 || !read_all_ || num_unanswered_ > 0 || finished_) return;
    finished_ = true;
    end = end_;
  }
  streams_.reception_.metrics.CountCall(Metrics::MethodOf<v1::StepStreamRequest>(), end.code(),
                                        ReasonTold(end));
  Finish(ToGrpc(end));  // a read that is under way ends with it
}

void StepStream::OnDone() {
  streams_.Gone(this);
  delete this;
}

}  // namespace livnd::server
