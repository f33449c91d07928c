#include "tools/bench/closed_loop.h"

#include <cmath>
#include <set>
#include <utility>

namespace livnd::bench {
namespace {

constexpr double kStepMs = 10.0;
constexpr int64_t kStepsBetweenStarts = 100;

}  // namespace

ClosedLoop::ClosedLoop(const Subject& subject) : subject_(subject), gang_(subject.culture, 1) {
  if (subject.stimulation == nullptr) Die("a closed loop takes a culture with electrodes");
  gang_.SetStimulusMap(sim::StimulusMode::kField, subject.stimulation);
  Start(subject, gang_, 0);
  gang_.Advance(std::llround(kStepMs / subject.culture->dt_ms()), &spikes_);
}

void ClosedLoop::Step(const std::vector<double>& action_ua) {
  const double dt_ms = gang_.culture().dt_ms();
  sim::Waveform pulse;
  pulse.timing = sim::SampleTiming::kLivn;  // the other side's
  pulse.sample_dt_ms = 1.0;
  pulse.first_sample = std::llround(static_cast<double>(gang_.tick(0)) * dt_ms);
  pulse.num_channels = static_cast<int>(action_ua.size());
  pulse.samples = action_ua;
  for (double current : action_ua) pulse.samples.push_back(-current);
  const absl::Status installed = gang_.Install(0, sim::StimulusMode::kField, std::move(pulse));
  if (!installed.ok()) Die(installed.ToString());

  spikes_.clear();
  gang_.Advance(std::llround(kStepMs / dt_ms), &spikes_);

  per_electrode_.assign(action_ua.size(), 0.0);
  std::set<int64_t> active;
  for (const sim::Spike& spike : spikes_) {
    active.insert(spike.gid);
    for (int electrode : subject_.electrodes_of_gid[spike.gid]) per_electrode_[electrode] += 1.0;
  }
  const double num_active = active.empty() ? 1.0 : static_cast<double>(active.size());
  rate_hz_ = static_cast<double>(spikes_.size()) / (num_active * kStepMs * 1e-3);

  if (++num_steps_ % kStepsBetweenStarts == 0) Start(subject_, gang_, 0, ++num_starts_);
}

Json ClosedLoop::Steps(const Json& request) {
  const auto action_ua = request.at("action").get<std::vector<double>>();
  const int count = request.value("count", 1);
  std::vector<double> seconds;
  size_t num_spikes = 0;
  double rate_hz = 0.0;
  for (int i = 0; i < count; ++i) {
    const double start_s = ThreadCpuSeconds();
    Step(action_ua);
    seconds.push_back(ThreadCpuSeconds() - start_s);
    num_spikes += spikes_.size();
    rate_hz += rate_hz_;
  }
  return {{"cpu_s", seconds}, {"spikes", num_spikes}, {"rate_hz", rate_hz / count}};
}

}  // namespace livnd::bench
