#include "server/wire/pulse_plan.h"

#include <algorithm>
#include <optional>
#include <string>

#include "absl/strings/str_cat.h"
#include "base/status_macros.h"
#include "server/wire/enum_words.h"
#include "server/wire/errors.h"
#include "server/wire/tensor.h"

namespace livnd::server {
namespace {

// A pulse as it is scheduled, while its list grows; and its ends, while fields are looked at.
constexpr int64_t kBytesOfPulse = 160;
constexpr int64_t kBytesOfEntry = 512;

// Of either kind of entry: when its pulses begin.
template <typename Message>
io::PulseTrain TrainOf(const Message& message) {
  io::PulseTrain train;
  train.start_us = message.start_us();
  if (message.has_num_pulses()) train.num_pulses = message.num_pulses();
  train.rate_hz = message.rate_hz();
  if (message.has_last_rate_hz()) train.last_rate_hz = message.last_rate_hz();
  if (message.has_num_bursts()) train.num_bursts = message.num_bursts();
  train.burst_rate_hz = message.burst_rate_hz();
  return train;
}

template <typename Message>
void PutTrain(const io::PulseTrain& train, Message* message) {
  message->set_start_us(train.start_us);
  message->set_num_pulses(train.num_pulses);
  if (train.rate_hz != 0.0) message->set_rate_hz(train.rate_hz);
  if (train.last_rate_hz.has_value()) message->set_last_rate_hz(*train.last_rate_hz);
  message->set_num_bursts(train.num_bursts);
  if (train.burst_rate_hz != 0.0) message->set_burst_rate_hz(train.burst_rate_hz);
}

absl::StatusOr<io::PulseShape> ParseShape(absl::string_view field, v1::PulseShape shape) {
  switch (shape) {
    case v1::PULSE_SHAPE_UNSPECIFIED:
    case v1::PULSE_SHAPE_BIPHASIC:
      return io::PulseShape::kBiphasic;
    case v1::PULSE_SHAPE_MONOPHASIC:
      return io::PulseShape::kMonophasic;
    default:
      return InvalidField(field, WordOf(shape), WordsOf<v1::PulseShape>());
  }
}

// Pulses of an entry, of which a plan may have so many.
template <typename Message>
int64_t NumPulses(const Message& entry) {
  const auto within = [](int64_t n) {
    return std::clamp<int64_t>(n, 1, io::PulsePlan::kMaxPulses);
  };
  return std::min(within(entry.num_pulses()) * within(entry.num_bursts()),
                  io::PulsePlan::kMaxPulses);
}

}  // namespace

absl::StatusOr<io::PulsePlan> ParsePulsePlan(const std::string& field,
                                             const v1::PulsePlan& message) {
  io::PulsePlan plan;
  for (int i = 0; i < message.pulses_size(); ++i) {
    const v1::ElectrodePulses& from = message.pulses(i);
    const std::string place = absl::StrCat(field, ".pulses[", i, "]");
    io::ElectrodePulses& entry = plan.pulses.emplace_back();
    entry.electrodes.assign(from.electrodes().begin(), from.electrodes().end());
    if (!from.has_amplitude_ua()) {
      return InvalidField(absl::StrCat(place, ".amplitude_ua"), "absent", "a number (uA)");
    }
    entry.amplitude_ua = from.amplitude_ua();
    if (from.has_last_amplitude_ua()) entry.last_amplitude_ua = from.last_amplitude_ua();
    LIVND_ASSIGN_OR_RETURN(entry.shape, ParseShape(absl::StrCat(place, ".shape"), from.shape()));
    if (from.has_cathodic_first()) entry.cathodic_first = from.cathodic_first();
    if (from.has_width_us()) entry.width_us = from.width_us();
    entry.gap_us = from.gap_us();
    if (from.has_recovery_width_us()) entry.recovery_width_us = from.recovery_width_us();
    if (from.has_recovery_amplitude_ua()) {
      entry.recovery_amplitude_ua = from.recovery_amplitude_ua();
    }
    entry.train = TrainOf(from);
  }
  for (int i = 0; i < message.light_size(); ++i) {
    const v1::LightPulses& from = message.light(i);
    io::LightPulses& entry = plan.light.emplace_back();
    entry.fibers.assign(from.fibers().begin(), from.fibers().end());
    if (!from.has_power_mw()) {
      return InvalidField(absl::StrCat(field, ".light[", i, "].power_mw"), "absent",
                          "a number (mW)");
    }
    entry.power_mw = from.power_mw();
    if (from.has_last_power_mw()) entry.last_power_mw = from.last_power_mw();
    if (from.has_width_us()) entry.width_us = from.width_us();
    entry.train = TrainOf(from);
  }
  return plan;
}

void EncodePulsePlan(const io::PulsePlan& plan, v1::PulsePlan* message) {
  for (const io::ElectrodePulses& entry : plan.pulses) {
    v1::ElectrodePulses* added = message->add_pulses();
    added->mutable_electrodes()->Add(entry.electrodes.begin(), entry.electrodes.end());
    added->set_amplitude_ua(entry.amplitude_ua);
    if (entry.last_amplitude_ua.has_value()) {
      added->set_last_amplitude_ua(*entry.last_amplitude_ua);
    }
    added->set_shape(entry.shape == io::PulseShape::kBiphasic ? v1::PULSE_SHAPE_BIPHASIC
                                                              : v1::PULSE_SHAPE_MONOPHASIC);
    added->set_cathodic_first(entry.cathodic_first);
    added->set_width_us(entry.width_us);
    added->set_gap_us(entry.gap_us);
    if (entry.recovery_width_us.has_value()) {
      added->set_recovery_width_us(*entry.recovery_width_us);
    }
    if (entry.recovery_amplitude_ua.has_value()) {
      added->set_recovery_amplitude_ua(*entry.recovery_amplitude_ua);
    }
    PutTrain(entry.train, added);
  }
  for (const io::LightPulses& entry : plan.light) {
    v1::LightPulses* added = message->add_light();
    added->mutable_fibers()->Add(entry.fibers.begin(), entry.fibers.end());
    added->set_power_mw(entry.power_mw);
    if (entry.last_power_mw.has_value()) added->set_last_power_mw(*entry.last_power_mw);
    added->set_width_us(entry.width_us);
    PutTrain(entry.train, added);
  }
}

int64_t BytesOfPlan(const v1::PulsePlan& message) {
  int64_t num_pulses = 0, num_flashes = 0;
  for (const v1::ElectrodePulses& entry : message.pulses()) num_pulses += NumPulses(entry);
  for (const v1::LightPulses& entry : message.light()) num_flashes += NumPulses(entry);
  return (std::min(num_pulses, io::PulsePlan::kMaxPulses) +
          std::min(num_flashes, io::PulsePlan::kMaxPulses)) *
             kBytesOfPulse +
         int64_t{message.pulses_size() + message.light_size()} * kBytesOfEntry +
         4 * static_cast<int64_t>(message.ByteSizeLong());
}

int64_t MostPhases(const v1::PulsePlan& message) {
  int64_t out = 0;
  for (const v1::ElectrodePulses& entry : message.pulses()) {
    out += 2 * NumPulses(entry) * entry.electrodes_size();
  }
  for (const v1::LightPulses& entry : message.light()) {
    out += NumPulses(entry) * entry.fibers_size();
  }
  return out;
}

void EncodeCharges(const std::vector<io::ElectrodeCharge>& charges,
                   const io::ElectrodeArrayConfig& array, v1::ElectrodeCharges* message) {
  std::vector<int64_t> ids, num_pulses;
  std::vector<double> net, absolute, largest;
  for (size_t e = 0; e < charges.size(); ++e) {
    ids.push_back(array.electrodes[e].id);
    num_pulses.push_back(charges[e].num_pulses);
    net.push_back(charges[e].net_nc);
    absolute.push_back(charges[e].absolute_nc);
    largest.push_back(charges[e].max_phase_nc);
  }
  EncodeVector(ids, message->mutable_electrodes());
  EncodeVector(num_pulses, message->mutable_num_pulses());
  EncodeVector(net, message->mutable_net_nc());
  EncodeVector(absolute, message->mutable_absolute_nc());
  EncodeVector(largest, message->mutable_max_phase_nc());
}

}  // namespace livnd::server
