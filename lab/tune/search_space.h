// The numbers that a search changes, and the parameters that they stand for.
#ifndef LIVND_LAB_TUNE_SEARCH_SPACE_H_
#define LIVND_LAB_TUNE_SEARCH_SPACE_H_

#include <string>
#include <utility>
#include <vector>

#include "absl/status/statusor.h"
#include "absl/strings/string_view.h"
#include "absl/types/span.h"
#include "io/culture/culture_setup.h"
#include "io/system/system.h"
#include "lab/tune/target.h"

namespace livnd::lab {

double Encode(double value, Scale scale);
double Decode(double coordinate, Scale scale);

// One number of the search, in the terms of its scale.
struct Dimension {
  // The key of a parameter, or of what one is made of: "KEY_ratio", "KEY_ignition", "noise-g_total".
  std::string name;
  Range range;
  double low() const { return Encode(range.low, range.scale); }
  double high() const { return Encode(range.high, range.scale); }
};

// What each dimension stands for, by livn's names (livn 2.0.0's culture target, Culture._weight_space,
// ._noise_space and .decode_params). Immutable and thread-safe.
class SearchSpace {
 public:
  // Of a culture that was set up without parameters. Field errors name "space": a range for weights of
  // which there are none, no reference, a population that is none, adaptation of cells that have none, a key
  // given twice, one that is fixed and searched, nothing to search.
  static absl::StatusOr<SearchSpace> Create(const SpaceConfig& config, const io::System& system,
                                            const io::CultureSetup& setup);

  const std::vector<Dimension>& dimensions() const { return dimensions_; }
  // The reference weight's key; empty without one.
  const std::string& reference() const { return reference_; }

  // Parameters for io::ApplyParams, the fixed ones first. As many coordinates as there are dimensions.
  io::ParamList Params(absl::Span<const double> coordinates) const;

  // The coordinates of all dimensions, those that are held too: what Hold takes.
  std::vector<double> All(absl::Span<const double> coordinates) const;

  // All dimensions but those whose names begin with `prefix` stay at these coordinates.
  void Hold(absl::Span<const double> coordinates, absl::string_view prefix);

 private:
  void AddWeights(const SpaceConfig& config, const io::System& system,
                  const io::CultureSetup& setup);
  absl::Status AddNoise(const SpaceConfig& config, const io::CultureSetup& setup);
  absl::Status AddAdaptation(const io::CultureSetup& setup);
  absl::Status Check() const;

  // What is searched is not fixed. Of a space that is whole.
  absl::Status CheckFixed() const;

  std::vector<Dimension> dimensions_;
  // By the order of the dimensions before Hold: where a held one stays.
  std::vector<Dimension> all_;
  std::vector<double> held_;
  std::vector<int> dimension_of_;  // of all_, or -1: held
  std::vector<std::pair<std::string, double>> fixed_;
  std::string reference_;
};

}  // namespace livnd::lab

#endif  // LIVND_LAB_TUNE_SEARCH_SPACE_H_
