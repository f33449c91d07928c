// Recordings' streams and what is asked of them, as messages.
#ifndef LIVND_SERVER_WIRE_RECORDED_STREAM_H_
#define LIVND_SERVER_WIRE_RECORDED_STREAM_H_

#include "absl/status/statusor.h"
#include "env/culture/culture_types.h"
#include "env/recording/episode_rows.h"
#include "env/recording/run_rows.h"
#include "io/recording/recording_reader.h"
#include "io/recording/stream.h"
#include "livnd/v1/recording_service.pb.h"

namespace livnd::server {

// Of an environment with a task. INVALID_FIELD ("kinds[1]"): what is no kind, twice there, or not of such
// an environment, with or without a culture.
absl::StatusOr<env::EpisodeSelection> ParseEpisodeKinds(
    const google::protobuf::RepeatedField<int>& kinds, bool has_culture);

// What of a culture's selection is to be recorded, and what else. INVALID_FIELD, likewise.
absl::StatusOr<env::RunSelection> ParseCultureKinds(
    const google::protobuf::RepeatedField<int>& kinds, const env::RecordingSelection& selection,
    bool has_electrodes);

void EncodeAttributes(const io::Attributes& attributes,
                      google::protobuf::RepeatedPtrField<v1::RecordingAttribute>* messages);
void EncodeColumns(const io::StreamSpec& stream, v1::RecordingHeader* header);

io::RowFilter ParseFilter(const v1::ReadRecordingRequest& request);

}  // namespace livnd::server

#endif  // LIVND_SERVER_WIRE_RECORDED_STREAM_H_
