// Which cells of a system a culture builds: livn's selections.
#ifndef LIVND_IO_CULTURE_SELECTION_H_
#define LIVND_IO_CULTURE_SELECTION_H_

#include <cstdint>
#include <map>
#include <optional>
#include <string>
#include <variant>
#include <vector>

#include "absl/status/statusor.h"
#include "absl/types/span.h"
#include "io/json/json_view.h"
#include "io/system/system.h"

namespace livnd::io {

// Cells of one population: how many, which fraction, or which gids.
using PopulationShare = std::variant<int64_t, double, std::vector<int64_t>>;

struct SelectionSpec {
  // Which cells of the populations that a count or a fraction asks for.
  enum class Method {
    kFirst,   // the first of each population
    kRandom,  // drawn with `seed`
    kPatch,   // those in a planar region about the middle of the culture
  };
  // Nothing (with bounds); the name of a stored selection; a number of cells in all, shared between
  // the populations by their sizes; a fraction of each population (kPatch: of the area); or what
  // to take of each population, none of those that are not named.
  std::variant<std::monostate, std::string, int64_t, double, std::map<std::string, PopulationShare>>
      cells;
  Method method = Method::kFirst;
  std::optional<AreaExtent> bounds;  // kPatch: the region, edges included; then `cells` is moot
  uint64_t seed = 123;
};

// Gids to build by population, ascending. A population without a cell is not in it.
using Selection = std::map<std::string, std::vector<int64_t>>;

// livn 2.0.0 system.py, resolve_selection: the same cells for the same request. `populations` are
// those that may be built, in the order of the system. Errors name the member of the spec
// ("cells[EXC][3]"), or the stored selection's file: counts beyond a population, fractions outside
// (0, 1], gids of another population or given twice, a name that is not stored, a stored selection of
// another graph, a request that comes to no cell at all.
absl::StatusOr<Selection> ResolveSelection(const System& system, const SelectionSpec& spec,
                                           absl::Span<const std::string> populations);

// A spec as text: "NAME", 12 (cells), 0.5 (fraction; 1.0 is all), {"EXC": 10, "INH": [8, 9]}, or an
// object with members "cells" (one of those), "method" ("first", "random" or "patch"),
// "bounds" ([[x0, y0], [x1, y1]], um) and "seed".
absl::StatusOr<SelectionSpec> ParseSelectionSpec(const JsonView& view);

}  // namespace livnd::io

#endif  // LIVND_IO_CULTURE_SELECTION_H_
