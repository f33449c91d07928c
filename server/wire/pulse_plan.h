// Plans of pulses, and what they deliver.
#ifndef LIVND_SERVER_WIRE_PULSE_PLAN_H_
#define LIVND_SERVER_WIRE_PULSE_PLAN_H_

#include <cstdint>
#include <string>
#include <vector>

#include "absl/status/statusor.h"
#include "io/device/electrode_array_config.h"
#include "io/stimulus/pulse_plan.h"
#include "io/stimulus/pulse_schedule.h"
#include "livnd/v1/pulse_plan.pb.h"

namespace livnd::server {

// Sees to what has to be there and to enum values; numbers and ids are io::PulseSchedule's business. `field` is the
// path of the message in the request.
absl::StatusOr<io::PulsePlan> ParsePulsePlan(const std::string& field,
                                             const v1::PulsePlan& message);
// ParsePulsePlan gives back the same plan.
void EncodePulsePlan(const io::PulsePlan& plan, v1::PulsePlan* message);

// Memory that admitting the plan takes, about.
int64_t BytesOfPlan(const v1::PulsePlan& message);
// Phases of all its pulses on all their channels, at most.
int64_t MostPhases(const v1::PulsePlan& message);

// Of every electrode of the array, in its order.
void EncodeCharges(const std::vector<io::ElectrodeCharge>& charges,
                   const io::ElectrodeArrayConfig& array, v1::ElectrodeCharges* message);

}  // namespace livnd::server

#endif  // LIVND_SERVER_WIRE_PULSE_PLAN_H_
