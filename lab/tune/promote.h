// A solution becomes parameters of its system.
#ifndef LIVND_LAB_TUNE_PROMOTE_H_
#define LIVND_LAB_TUNE_PROMOTE_H_

#include <string>

#include "absl/status/statusor.h"
#include "io/json/json_file.h"

namespace livnd::lab {

struct PromoteOptions {
  int loc = 0;                    // the solution's place on the front
  std::string group = "default";  // of parameters; "default" is what an environment begins with
  std::string system;             // its folder; empty: the front's
  bool force = false;             // replace a group that is there
};

struct Promoted {
  std::string path;  // of the document
  std::string params_key, group;
  bool feasible = false;
};

// Puts a solution of a front.json, ours or livn's, into the system's params/SELECTION.json or params/default.json,
// with where it comes from, as livn 2.0.0 does (Tune.promote). Other groups and models of the document stay as they
// are. Field errors name `front_path` or a flag: no such place, a selection without a name, a group that is there.
absl::StatusOr<Promoted> Promote(const std::string& front_path, const PromoteOptions& options);

}  // namespace livnd::lab

#endif  // LIVND_LAB_TUNE_PROMOTE_H_
