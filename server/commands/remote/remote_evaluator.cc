#include "server/commands/remote/remote_evaluator.h"

#include <algorithm>
#include <cmath>
#include <cstddef>
#include <optional>
#include <utility>
#include <vector>

#include "absl/strings/str_cat.h"
#include "base/status_macros.h"
#include "lab/tune/target.h"
#include "server/wire/culture.h"
#include "server/wire/culture_setup.h"
#include "server/wire/pulse_plan.h"
#include "server/wire/recording.h"

namespace livnd::server {
namespace {

// Where a run may be cut: a whole number of the 100 steps after each of which a culture looks whether a copy has
// failed.
constexpr double kCutMs = 5.0;

bool AllFailed(const env::CultureRecording& recording) {
  const std::vector<double>& failed = recording.failed_at_ms;
  return std::none_of(failed.begin(), failed.end(), [](double at) { return std::isnan(at); });
}

int64_t NumSpikes(const env::CultureRecording& recording) {
  return static_cast<int64_t>(recording.spike_gids.size());
}

bool SameRun(const env::CultureRecording& a, const env::CultureRecording& b) {
  const auto same_time = [](double x, double y) {
    return x == y || (std::isnan(x) && std::isnan(y));
  };
  return a.num_ticks == b.num_ticks && a.spike_offsets == b.spike_offsets &&
         a.spike_gids == b.spike_gids && a.spike_ticks == b.spike_ticks &&
         std::equal(a.failed_at_ms.begin(), a.failed_at_ms.end(), b.failed_at_ms.begin(),
                    b.failed_at_ms.end(), same_time);
}

bool Same(const lab::FiredTrials& a, const lab::FiredTrials& b) {
  if (a.resting.has_value() != b.resting.has_value()) return false;
  if (a.resting.has_value() && !SameRun(*a.resting, *b.resting)) return false;
  return std::equal(a.evoked.begin(), a.evoked.end(), b.evoked.begin(), b.evoked.end(), SameRun);
}

// Where a run that has got to begin_ms is cut next: at end_ms, unless that is within the plan's pulse.
double CutOutside(const io::PulsePlan& plan, double begin_ms, double end_ms, double duration_ms) {
  const io::ElectrodePulses& pulse = plan.pulses[0];
  const double from_ms = pulse.train.start_us * 1e-3;
  const double to_ms = from_ms + lab::PulseMs(pulse);
  if (from_ms >= end_ms || to_ms <= end_ms || from_ms < begin_ms) return end_ms;
  const double before_ms = std::floor(from_ms / kCutMs) * kCutMs;
  if (before_ms > begin_ms) return before_ms;
  return std::min(duration_ms, std::ceil(to_ms / kCutMs) * kCutMs);
}

// The plan where its pulse is in the piece, from the piece's begin on.
std::optional<io::PulsePlan> PlanWithin(const io::PulsePlan& plan, double begin_ms, double end_ms) {
  const double from_ms = plan.pulses[0].train.start_us * 1e-3;
  if (from_ms < begin_ms || from_ms >= end_ms) return std::nullopt;
  io::PulsePlan moved = plan;
  moved.pulses[0].train.start_us -= begin_ms * 1e3;
  return moved;
}

// Of copies that have all failed: none run on.
env::CultureRecording Rested(const env::CultureRecording& failed) {
  env::CultureRecording out;
  out.spike_offsets.assign(failed.spike_offsets.size(), 0);
  out.failed_at_ms = failed.failed_at_ms;
  return out;
}

// Other copies of the same time.
void AppendCopies(const env::CultureRecording& more, env::CultureRecording& all) {
  const int64_t num_spikes = NumSpikes(all);
  for (size_t c = 1; c < more.spike_offsets.size(); ++c) {
    all.spike_offsets.push_back(num_spikes + more.spike_offsets[c]);
  }
  const auto append = [](const auto& from, auto& to) {
    to.insert(to.end(), from.begin(), from.end());
  };
  append(more.spike_gids, all.spike_gids);
  append(more.spike_ticks, all.spike_ticks);
  append(more.failed_at_ms, all.failed_at_ms);
  // Of copies that have not failed before.
  all.start_tick = std::max(all.start_tick, more.start_tick);
  all.num_ticks = std::max(all.num_ticks, more.num_ticks);
}

// The same copies, later.
env::CultureRecording Joined(const env::CultureRecording& before,
                             const env::CultureRecording& after) {
  env::CultureRecording out;
  out.start_tick = before.start_tick;
  out.num_ticks = before.num_ticks + after.num_ticks;
  out.failed_at_ms = after.failed_at_ms;
  out.spike_offsets = {0};
  for (size_t c = 0; c + 1 < before.spike_offsets.size(); ++c) {
    for (const env::CultureRecording* piece : {&before, &after}) {
      const auto begin = static_cast<std::ptrdiff_t>(piece->spike_offsets[c]);
      const auto end = static_cast<std::ptrdiff_t>(piece->spike_offsets[c + 1]);
      out.spike_gids.insert(out.spike_gids.end(), piece->spike_gids.begin() + begin,
                            piece->spike_gids.begin() + end);
      out.spike_ticks.insert(out.spike_ticks.end(), piece->spike_ticks.begin() + begin,
                             piece->spike_ticks.begin() + end);
    }
    out.spike_offsets.push_back(static_cast<int64_t>(out.spike_gids.size()));
  }
  return out;
}

}  // namespace

absl::StatusOr<bool> RemoteEvaluator::Ready() {
  return server_.Ready(
      [&](const v1::GetServerInfoResponse& info, bool is_known) -> absl::StatusOr<int> {
        num_copies_ = std::max(1, info.max_envs_per_session());
        if (!is_known) LIVND_RETURN_IF_ERROR(Probe());
        int at_once = std::min(info.num_workers(), info.max_sessions());
        if (const int quota = info.quota().max_sessions(); quota > 0) {
          at_once = std::min(at_once, quota);
        }
        return std::max(1, at_once);
      });
}

absl::Status RemoteEvaluator::Probe() {
  LIVND_ASSIGN_OR_RETURN(const lab::FiredTrials found, RunTrials(work_.probe));
  if (Same(found, work_.probed)) return absl::OkStatus();
  return absl::FailedPreconditionError(
      absl::StrCat(server_.address(), " has another system ", work_.terms.system,
                   ": the same parameters make it fire otherwise there"));
}

v1::ConfigureRequest RemoteEvaluator::FirstRequest() const {
  v1::ConfigureRequest request;
  request.set_forget_params(true);
  const lab::Target& target = work_.evaluator->target();
  if (target.selection.has_value()) EncodeCells(work_.evaluator->setup(), &request);
  if (target.model.has_value()) EncodeCellModel(*target.model, request.mutable_model());
  return request;
}

absl::StatusOr<env::CultureRecording> RemoteEvaluator::RunFor(client::CultureSession& session,
                                                              double duration_ms,
                                                              const io::PulsePlan* plan) {
  std::optional<env::CultureRecording> all;
  double at_ms = 0.0, piece_ms = duration_ms;
  while (at_ms < duration_ms) {
    double end_ms = std::min(at_ms + piece_ms, duration_ms);
    v1::RunRequest request;
    if (plan != nullptr) {
      end_ms = CutOutside(*plan, at_ms, end_ms, duration_ms);
      const auto within = PlanWithin(*plan, at_ms, end_ms);
      if (within.has_value()) EncodePulsePlan(*within, request.mutable_pulse_plan());
    }
    request.set_duration_ms(end_ms - at_ms);
    const auto ran = session.Run(std::move(request));
    if (!ran.ok()) {
      if (ran.error().reason != "TOO_MANY_SPIKES" || piece_ms <= kCutMs) {
        return server_.StatusOf(ran.error());
      }
      piece_ms = std::max(1.0, std::floor(piece_ms / 2.0 / kCutMs)) * kCutMs;
      continue;
    }
    LIVND_ASSIGN_OR_RETURN(env::CultureRecording piece, ParseRecording(*ran, session.num_envs()));
    all = all.has_value() ? Joined(*all, piece) : std::move(piece);
    // What is more has measured nothing.
    if (AllFailed(*all) || lab::kBytesOfSpike * NumSpikes(*all) > lab::kMaxTrialBytes) {
      break;
    }
    at_ms = end_ms;
  }
  return *std::move(all);
}

absl::StatusOr<env::CultureRecording> RemoteEvaluator::RunCopies(const lab::Trials& trials,
                                                                 int first, int num,
                                                                 int64_t* warmup_spikes) {
  LIVND_ASSIGN_OR_RETURN(client::CultureSession* const session,
                         server_.Session(num, [&] { return FirstRequest(); }));
  // Parameters that change what is simulated can be set at time 0 only.
  if (const auto done = session->Clear(); !done.ok()) return server_.StatusOf(done.error());
  v1::ConfigureRequest request;
  env::CultureChange change;
  change.forget_params = true;
  change.params = trials.params;
  EncodeChange(change, &request);
  if (const auto done = session->Configure(std::move(request)); !done.ok()) {
    return server_.StatusOf(done.error());
  }
  client::ClearOptions clear;
  for (int trial = first; trial < first + num; ++trial) {
    clear.seeds.emplace_back(trials.first_seed + static_cast<uint64_t>(trial));
  }
  if (const auto done = session->Clear(clear); !done.ok()) return server_.StatusOf(done.error());
  if (trials.warmup_ms > 0.0) {
    LIVND_ASSIGN_OR_RETURN(env::CultureRecording warmup, RunFor(*session, trials.warmup_ms));
    *warmup_spikes += NumSpikes(warmup);
    if (AllFailed(warmup)) {
      env::CultureRecording rested = Rested(warmup);
      rested.start_tick = warmup.start_tick;
      return rested;
    }
  }
  return RunFor(*session, trials.duration_ms);
}

absl::StatusOr<lab::FiredTrials> RemoteEvaluator::RunTrials(const lab::Trials& trials) {
  const int num_parts = NumParts(trials);
  std::optional<env::CultureRecording> all;
  int64_t warmup_spikes = 0;
  for (int part = 0; part < num_parts; ++part) {
    const int first = trials.num * part / num_parts;
    const int end = trials.num * (part + 1) / num_parts;
    LIVND_ASSIGN_OR_RETURN(env::CultureRecording some,
                           RunCopies(trials, first, end - first, &warmup_spikes));
    if (all.has_value()) {
      AppendCopies(some, *all);
    } else {
      all = std::move(some);
    }
    if (lab::kBytesOfSpike * std::max(warmup_spikes, NumSpikes(*all)) > lab::kMaxTrialBytes) {
      return lab::FiredTrials();
    }
  }
  lab::FiredTrials fired;
  if (AllFailed(*all)) return fired;
  fired.resting = std::move(all);
  LIVND_ASSIGN_OR_RETURN(const bool is_admitted,
                         work_.evaluator->Admits(trials.sweep, fired.resting));
  if (!is_admitted) return fired;
  LIVND_ASSIGN_OR_RETURN(fired.evoked, RunSweep(trials));
  return fired;
}

absl::Status RemoteEvaluator::SweepCopies(client::CultureSession& session, const lab::Sweep& sweep,
                                          std::optional<env::CultureRecording> last,
                                          std::vector<std::optional<env::CultureRecording>>& evoked,
                                          int64_t* num_spikes) {
  for (size_t i = 0; i < sweep.plans.size(); ++i) {
    if (last.has_value() && AllFailed(*last)) {
      last = Rested(*last);
    } else {
      LIVND_ASSIGN_OR_RETURN(last, RunFor(session, sweep.trial_ms, &sweep.plans[i]));
    }
    *num_spikes += NumSpikes(*last);
    if (lab::kBytesOfSpike * *num_spikes > lab::kMaxTrialBytes) break;
    if (evoked[i].has_value()) {
      AppendCopies(*last, *evoked[i]);
    } else {
      evoked[i] = last;
    }
  }
  return absl::OkStatus();
}

absl::StatusOr<std::vector<env::CultureRecording>> RemoteEvaluator::RunSweep(
    const lab::Trials& trials) {
  const std::vector<env::CultureRecording> none;
  std::vector<std::optional<env::CultureRecording>> evoked(trials.sweep.plans.size());
  int64_t num_spikes = 0, unused = 0;
  const int num_parts = NumParts(trials);
  for (int part = 0; part < num_parts; ++part) {
    const int first = trials.num * part / num_parts;
    const int num = trials.num * (part + 1) / num_parts - first;
    // A session goes on; where it has had other trials since, these come to where they were once more.
    std::optional<env::CultureRecording> resting;
    if (num_parts > 1) {
      LIVND_ASSIGN_OR_RETURN(resting, RunCopies(trials, first, num, &unused));
    }
    LIVND_ASSIGN_OR_RETURN(client::CultureSession* const session,
                           server_.Session(num, [&] { return FirstRequest(); }));
    LIVND_RETURN_IF_ERROR(
        SweepCopies(*session, trials.sweep, std::move(resting), evoked, &num_spikes));
    if (lab::kBytesOfSpike * num_spikes > lab::kMaxTrialBytes) return none;
  }
  if (AllFailed(*evoked.back())) return none;
  std::vector<env::CultureRecording> out;
  for (auto& run : evoked) out.push_back(*std::move(run));
  return out;
}

absl::StatusOr<lab::FiredTrials> RemoteEvaluator::Run(const lab::Trials& trials) {
  absl::StatusOr<lab::FiredTrials> fired = RunTrials(trials);
  while (absl::IsResourceExhausted(fired.status()) && std::min(num_copies_, trials.num) > 1) {
    num_copies_ =
        std::min(num_copies_, trials.num) / 2;  // the server's memory has no room for so many
    server_.EndSession();
    fired = RunTrials(trials);
  }
  server_.Note(fired.status());
  return fired;
}

}  // namespace livnd::server
