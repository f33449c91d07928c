// Which cells of a system are built, and with which model.
#ifndef LIVND_SERVER_WIRE_CULTURE_SETUP_H_
#define LIVND_SERVER_WIRE_CULTURE_SETUP_H_

#include "absl/status/statusor.h"
#include "io/culture/selection.h"
#include "io/system/system.h"
#include "livnd/v1/culture.pb.h"

namespace livnd::server {

// What is asked for is held against the system later; INVALID_FIELD names what the wire leaves open,
// below "selection".
absl::StatusOr<io::SelectionSpec> ParseCellSelection(const v1::CellSelection& selection);

// The document that model.json would be. INVALID_FIELD names the field below "model".
absl::StatusOr<io::ModelDocument> ParseCellModel(const v1::CellModel& model);

// The other way, of a document that io::ResolveModel takes: a message that stands for the same model.
void EncodeCellModel(const io::ModelDocument& document, v1::CellModel* message);

}  // namespace livnd::server

#endif  // LIVND_SERVER_WIRE_CULTURE_SETUP_H_
