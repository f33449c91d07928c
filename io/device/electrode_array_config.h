// What a user says about a multi-electrode array (mea.json): electrode places, reach and the
// constants of the volume conductor. Plain values; ElectrodeArray::Create validates them.
//
// Lengths are in um, electrode currents in uA, potentials caused by stimulation in mV and
// recorded potentials in uV.

#ifndef LIVND_IO_DEVICE_ELECTRODE_ARRAY_CONFIG_H_
#define LIVND_IO_DEVICE_ELECTRODE_ARRAY_CONFIG_H_

#include <array>
#include <cstdint>
#include <vector>

#include "absl/status/status.h"
#include "absl/strings/string_view.h"

namespace livnd::io {

// Point-source model of the medium between electrodes and cells. At a distance r in um:
//   stimulation  stimulation_gain * h / sqrt(r^2 + h^2)   mV per uA,
//                h = sqrt(electrode_radius_um^2 + culture_height_um^2)
//   recording    recording_gain * m / (r + m)             uV per uA, m = min_distance_um
// Radius and height change the shape only: the gain at contact stays what is set here.
struct VolumeConductor {
  double stimulation_gain = 5.335497577070286;  // mV per uA at contact
  double recording_gain = 53051.64769729845;    // uV per uA at contact
  double min_distance_um = 5.0;
  double electrode_radius_um = 15.0;
  double culture_height_um = 50.0;

  // Sets one of the five by its name in mea.json: stimulation_gain, recording_gain,
  // min_distance_um, electrode_radius_um, culture_height_um. The error names `name`, or the number that
  // Validate refuses; nothing changes then.
  absl::Status Set(absl::string_view name, double value);

  // InvalidArgument unless all five are finite and >= 0, min_distance_um > 0 and the effective
  // height h > 0.
  absl::Status Validate() const;
};

struct Electrode {
  int32_t id = 0;
  std::array<double, 3> position_um = {0, 0, 0};
};

struct ElectrodeArrayConfig {
  std::vector<Electrode> electrodes;  // in declared order, which is the channel order everywhere
  double input_radius_um = 250.0;     // stored, not applied to stimulation (as in livn)
  double output_radius_um = 250.0;    // recording reach, inclusive
  VolumeConductor conductor;

  // The error names the place in mea.json unless ids are unique, places as CheckPosition has them, radii finite and >= 0, there is at
  // least one electrode and at most 65536, and the conductor is valid.
  absl::Status Validate() const;
};

}  // namespace livnd::io

#endif  // LIVND_IO_DEVICE_ELECTRODE_ARRAY_CONFIG_H_
