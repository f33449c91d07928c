// The electrodes of an oracle case, and where its cells lie before them.
#ifndef LIVND_LAB_PARITY_CASE_ELECTRODES_H_
#define LIVND_LAB_PARITY_CASE_ELECTRODES_H_

#include <vector>

#include "absl/status/statusor.h"
#include "io/device/electrode_array.h"
#include "lab/parity/oracle_case.h"
#include "sim/culture/culture.h"

namespace livnd::lab {

// With livn's volume conductor. InvalidArgument says what is wrong with the case's electrodes.
absl::StatusOr<io::ElectrodeArray> ElectrodesOf(const OracleCase& oracle);

// Where sections of built cells are, cells by gid, at most `max_sections` of each.
std::vector<io::Point> SectionPoints(const OracleCase& oracle, const sim::Culture& culture,
                                     int max_sections);

}  // namespace livnd::lab

#endif  // LIVND_LAB_PARITY_CASE_ELECTRODES_H_
