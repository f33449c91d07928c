// A pulse plan as YAML or JSON text.
//
//   pulses:                        # of currents on electrodes
//   - electrodes: [12, 34]         # required; ids
//     amplitude_ua: 10             # required
//     width_us: 200
//     shape: biphasic              # or monophasic
//     cathodic_first: true
//     gap_us: 50
//     recovery_width_us: 400       # or recovery_amplitude_ua
//     start_us: 100000
//     num_pulses: 5                # a train ...
//     rate_hz: 20
//     last_amplitude_ua: 20        # ... that sweeps; so does last_rate_hz
//     num_bursts: 3                # and again
//     burst_rate_hz: 0.5
//   light:                         # power out of fibres
//   - {fibers: [0], power_mw: 5, width_us: 5000, start_us: 0}
//
// PulsePlan has the defaults of what is not there.
#ifndef LIVND_IO_STIMULUS_PULSE_PLAN_TEXT_H_
#define LIVND_IO_STIMULUS_PULSE_PLAN_TEXT_H_

#include "absl/status/statusor.h"
#include "absl/strings/string_view.h"
#include "io/json/json_file.h"
#include "io/json/json_view.h"
#include "io/stimulus/pulse_plan.h"

namespace livnd::io {

// A plan for which Validate() holds, or a field error with the place in the document. Nothing is skipped.
absl::StatusOr<PulsePlan> ParsePulsePlan(const JsonView& document);

// The same of YAML text, which JSON is too; `name` names it in errors.
absl::StatusOr<PulsePlan> ParsePulsePlanText(absl::string_view name, absl::string_view text);

// ParsePulsePlan gives back the same plan. What has its default may be left out.
Json PulsePlanToJson(const PulsePlan& plan);

}  // namespace livnd::io

#endif  // LIVND_IO_STIMULUS_PULSE_PLAN_TEXT_H_
