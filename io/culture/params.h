// Parameters by livn's keys, and where they come from. docs/params.md has the grammar.
#ifndef LIVND_IO_CULTURE_PARAMS_H_
#define LIVND_IO_CULTURE_PARAMS_H_

#include <map>
#include <optional>
#include <string>
#include <vector>

#include "absl/status/status.h"
#include "absl/status/statusor.h"
#include "io/culture/culture_setup.h"
#include "io/system/system.h"

namespace livnd::io {

// livn's set_params. Each parameter overrides what was there and what comes before it in the list:
//   [weight-]POST[_PRE][-SECTION[-RECEPTOR[-weight]]]  weights; what is left out matches all
//   [weight-]POST-SECTION-RECEPTOR-PARAM               a number of the receptor at a site
//   noise-NAME, noise-POPULATION-NAME                  and switches the noise on
//   cells-KEY, cells-POPULATION:KEY                    one number, or one for each built cell
//   io-NAME, io-volume_conductor-NAME                  of the electrode array
// The error names "params[KEY].key", ".value", ".values" or ".values[i]"; nothing has changed then.
// Ranges of weights and receptor, noise and cell parameters, and the names of the latter two, are
// checked by sim::Culture::Create.
absl::Status ApplyParams(const ParamList& params, CultureSetup& setup);

// Leaves of equal keys the last one, where it stands: the list means the same.
void DropOverridden(ParamList& params);

// sim::Culture::Create's error, in the words of ApplyParams, if what it is about was set by one of
// the params that were applied to `setup`.
std::optional<absl::Status> FaultOfParams(const ParamList& params, const CultureSetup& setup,
                                          const absl::Status& status);

// A list of numbers alone, in order of their keys: a general key comes before those that it
// is the beginning of.
ParamList ToParamList(const std::map<std::string, double>& params);

// A group of a stored params document; livn looks for the document "default", or that of the
// selection's name. The error names "document", "model" or "group".
absl::StatusOr<ParamList> StoredParams(const System& system, const std::string& params_key,
                                       const std::string& document = "default",
                                       const std::string& group = "default");

// The model's own defaults alone, as livn's sampler takes them: tuned weights for EI1 and EI2, and always
// noise. Connections that the culture lacks are passed over, as in livn.
ParamList ModelDefaultParams(const System& system, const CultureSetup& setup);

// What livn.make applies to an environment: the group of the document of the setup's selection (of
// "default" without one); if there is no such document, or it has nothing for the model, the
// model's own defaults.
// An error about "group": the document has the model, but not the group.
absl::StatusOr<ParamList> DefaultParams(const System& system, const CultureSetup& setup,
                                        const std::string& group = "default");

// An error of DefaultParams, ApplyParams or FaultOfParams about the default params, as one about the
// file that holds them.
absl::Status InDefaultParams(const System& system, const CultureSetup& setup,
                             const std::string& group, const absl::Status& status);

// Keys that ApplyParams takes for this setup, in full: livn's admissible_params. Of "cells-" keys
// none is listed.
std::vector<std::string> AcceptedParams(const CultureSetup& setup);

}  // namespace livnd::io

#endif  // LIVND_IO_CULTURE_PARAMS_H_
