// Which samples a data set has: what goes into each, and how it is run.
#ifndef LIVND_LAB_SAMPLE_SAMPLE_PLAN_H_
#define LIVND_LAB_SAMPLE_SAMPLE_PLAN_H_

#include <cstdint>
#include <optional>
#include <string>
#include <utility>
#include <vector>

#include "absl/status/statusor.h"
#include "io/coding/coding_spec.h"
#include "io/culture/culture_setup.h"
#include "io/json/json_file.h"
#include "io/system/system.h"
#include "lab/sample/draws.h"

namespace livnd::lab {

// What is asked for. Errors name the flags of `livnd sample`, which have these names.
struct SampleConfig {
  static constexpr int64_t kMaxCount = 1'000'000'000;

  int64_t count = 0;                                   // 0: that of the splits
  std::vector<std::pair<std::string, int64_t>> split;  // by sample, in order; none: all are "train"
  std::optional<std::pair<int64_t, int64_t>> range;    // of this folder; absent: all
  int64_t seed = 123;
  int trials = 1;
  double warmup_ms = 250.0;
  double duration_ms = 1000.0;
  // The Box of livn's older sampler, until it is told otherwise. Absent: nothing goes in.
  std::optional<io::Json> encoding = io::Json{{"name", "livn_pulse"}};
  std::optional<double> step_ms;  // absent: the duration
  io::Json ranges = nullptr;  // {input: [low, high] or number} or null: the encoding's own bounds
  // "model": the model's defaults; the name of a document of the system; or a file.
  std::string params = "model";
  std::string group = "default";
  bool noise = true;
  std::optional<io::Json> selection;
  io::Json voltages = nullptr;  // null: none; "all", or a list of gids
  bool potentials = false;
  double sample_dt_ms = 0.1;  // of both
  int64_t part = 0;           // samples of a file; 0: as many as take some seconds
};

// One input of the encoding, in each of its steps.
struct SampleFeature {
  std::string name, unit;
  DrawnRange range;
};

struct DrawnSample {
  uint32_t seed = 0;            // trial k has the k-th stream of this seed's noise
  std::vector<float> features;  // [step][input]
};

// Immutable; safe to share between threads.
class SamplePlan {
 public:
  // `command` is what made it, for its readers. Field errors: of the flags, the params document, the encoding.
  static absl::StatusOr<SamplePlan> Create(const io::System& system, const SampleConfig& config,
                                           const std::string& command);

  DrawnSample Draw(int64_t sample) const;

  int64_t count() const { return count_; }
  int64_t begin() const { return begin_; }  // of this folder
  int64_t end() const { return end_; }
  int trials() const { return config_.trials; }
  double warmup_ms() const { return config_.warmup_ms; }
  double duration_ms() const { return config_.duration_ms; }
  // Samples of a file; the last one has fewer.
  int64_t part() const { return part_; }
  const std::optional<io::CodingSpec>& encoding() const { return encoding_; }
  double step_ms() const { return step_ms_; }
  int64_t num_steps() const { return num_steps_; }
  const std::vector<SampleFeature>& features() const { return features_; }
  const std::vector<int64_t>& voltage_gids() const { return voltage_gids_; }
  bool potentials() const { return config_.potentials; }
  double sample_dt_ms() const { return config_.sample_dt_ms; }
  int64_t num_samples() const;  // of a trial
  // Of the culture, set in this order on a graph without any; and with them.
  const io::ParamList& params() const { return params_; }
  // An error about them, as one about where they come from.
  absl::Status InParams(const absl::Status& status) const;
  const io::CultureSetup& setup() const { return setup_; }
  const std::optional<io::SelectionSpec>& selection() const { return options_.selection; }

  // run.json.
  const io::Json& document() const { return document_; }

 private:
  SamplePlan() = default;

  absl::Status TakeParams(const io::System& system);
  absl::Status TakeTimes();
  absl::Status TakeEncoding();
  absl::Status TakeRanges(const std::vector<SampleFeature>& bounds);
  absl::Status TakeSeries();
  absl::Status TakeCount();
  absl::Status TakeDocument(const io::System& system, const std::string& command);

  SampleConfig config_;
  io::SetupOptions options_;
  io::CultureSetup setup_;
  std::string params_source_;
  std::string params_file_;  // empty: the model's defaults
  io::ParamList params_;
  std::optional<io::CodingSpec> encoding_;
  double step_ms_ = 0.0;
  int64_t num_steps_ = 0;
  std::vector<SampleFeature> features_;
  std::vector<int64_t> voltage_gids_;
  int64_t count_ = 0, begin_ = 0, end_ = 0, part_ = 0;
  io::Json document_;
};

}  // namespace livnd::lab

#endif  // LIVND_LAB_SAMPLE_SAMPLE_PLAN_H_
