// Recordings of sessions.
#ifndef LIVND_CLIENTS_CPP_RECORDING_H_
#define LIVND_CLIENTS_CPP_RECORDING_H_

#include <cstdint>
#include <string>
#include <vector>

#include "livnd/v1/culture.pb.h"
#include "livnd/v1/recording_service.pb.h"

namespace livnd::client {

struct RecordingOptions {
  std::string label;                    // for people, at most 256 bytes
  std::vector<v1::RecordedKind> kinds;  // none: all that there is
  // Of a task with a culture: what of its cells and electrodes is recorded besides.
  std::vector<v1::SeriesSelection> series;
};

// Rows of a stream, packed and little-endian, as header.columns says.
struct RecordedRows {
  v1::RecordingHeader header;
  std::string rows;
  int64_t next_row = 0;  // where reading goes on
};

}  // namespace livnd::client

#endif  // LIVND_CLIENTS_CPP_RECORDING_H_
