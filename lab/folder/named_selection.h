// Selections that a system keeps by name: selection/NAME.json.
#ifndef LIVND_LAB_FOLDER_NAMED_SELECTION_H_
#define LIVND_LAB_FOLDER_NAMED_SELECTION_H_

#include <array>
#include <cstdint>
#include <optional>
#include <string>

#include "absl/status/status.h"
#include "absl/status/statusor.h"
#include "absl/types/span.h"
#include "io/culture/selection.h"
#include "io/json/json_file.h"
#include "io/json/json_view.h"
#include "io/system/system.h"

namespace livnd::lab {

// A name of a file of up to 64 letters, digits and signs that is no number, which wherever a selection is asked for
// would be taken as that many cells (livn 2.0.0 tune.py, freeze_selection).
absl::Status CheckSelectionName(const std::string& name);

struct NamedSelection {
  io::Selection gids;
  // What livn 2.0.0 and io/system/system_documents.h read: the gids, and under "meta" how they were asked for, their
  // counts and the graph that they were cut from.
  io::Json document;
  uint64_t num_edges = 0;  // within it
  // Of the inputs that its cells have in the whole culture, the share that it keeps; 1 where they have none.
  double kept_inputs = 1.0;
};

// The cells that io::ParseSelectionSpec's text asks for, drawn from these populations (none named: from all). Errors:
// field errors of the text, ResolveSelection's, and about "populations".
absl::StatusOr<NamedSelection> SelectCells(const io::System& system, const io::JsonView& spec,
                                           absl::Span<const std::string> populations);

// The spec of a square with sides of `side_um` about the middle of the cells' places, or about `center_um`.
io::Json SquareSpec(const io::System& system, double side_um,
                    const std::optional<std::array<double, 2>>& center_um);

}  // namespace livnd::lab

#endif  // LIVND_LAB_FOLDER_NAMED_SELECTION_H_
