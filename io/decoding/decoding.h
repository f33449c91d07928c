// What a decoding is: from the activity of a culture in a window of time to numbers.
//
// A decoding holds what is constant and may be shared by any number of copies and threads. What it
// has heard in a window is its state: a flat block of doubles that the caller keeps for each copy,
// can copy, save and load at any time, and whose layout the decoding alone knows. Its size is fixed
// by the window, whatever happens in it.
#ifndef LIVND_IO_DECODING_DECODING_H_
#define LIVND_IO_DECODING_DECODING_H_

#include <cstddef>
#include <cstdint>
#include <memory>
#include <string>
#include <vector>

#include "absl/status/status.h"
#include "absl/status/statusor.h"
#include "absl/strings/string_view.h"
#include "absl/types/span.h"
#include "base/status_macros.h"
#include "io/coding/coding_fields.h"
#include "io/coding/state_layout.h"
#include "io/decoding/bins.h"
#include "io/decoding/window.h"

namespace livnd::io {

// One tensor of what a decoding gives.
struct DecodingOutput {
  std::string name;
  std::string unit;            // "1" for pure numbers
  std::vector<int64_t> shape;  // empty for a single number
  std::string description;

  int64_t size() const;
};

// What a decoding listens to: spikes of units; potentials at electrodes, uV; or spikes of cells and
// the voltages of their somata, mV.
enum class Heard { kSpikes, kPotentials, kSpikesAndVoltages };

// Only MakeDecoding has one: whoever holds a decoding holds one that was checked.
class DecodingKey {
  DecodingKey() = default;
  template <typename D>
  friend absl::StatusOr<std::unique_ptr<const D>> MakeDecoding(const typename D::Config&,
                                                               const DecodingWindow&);
};

// Of each window: Begin, then AddSpike (or AddSample) as things happen, then Finish. The results
// are functions of the arguments alone. None of them allocates, unless a decoding says so.
class Decoding {
 public:
  // Bounds of what a decoding may ask for: 128 MiB of state, 32 MiB of values.
  static constexpr size_t kMaxStateSize = size_t{1} << 24;
  static constexpr int64_t kMaxValues = int64_t{1} << 22;

  virtual ~Decoding() = default;
  Decoding(const Decoding&) = delete;
  Decoding& operator=(const Decoding&) = delete;

  const DecodingWindow& window() const { return window_; }
  // In the order of the values that Finish gives, each tensor in C order.
  const std::vector<DecodingOutput>& outputs() const { return outputs_; }
  size_t num_values() const { return num_values_; }
  size_t state_size() const { return layout_.size(); }
  virtual Heard heard() const { return Heard::kSpikes; }
  bool hears_spikes() const { return heard() != Heard::kPotentials; }
  bool hears_samples() const { return heard() != Heard::kSpikes; }

  // Whether state_size() numbers from outside can be a state; the field error names "[i]".
  absl::Status CheckState(absl::Span<const double> state) const { return layout_.Check(state); }

  // A window begins: nothing has been heard.
  void Begin(absl::Span<double> state) const;
  // A spike within the window, none of them before the last one (CheckSpikes).
  virtual void AddSpike(const UnitSpike& spike, absl::Span<double> state) const;
  // The potential, uV, or the voltage, mV, of each unit, [num_units], at the next multiple of
  // sample_ticks. Spikes before that tick may come later, and those after it sooner.
  virtual void AddSample(absl::Span<const double> samples, absl::Span<double> state) const;
  // The window has ended. Values are all finite. The state is spent: Begin comes next.
  // Errors: ResourceExhausted if a decoding that keeps spikes has heard more than it keeps;
  // FailedPrecondition if a value is no finite number, since potentials were not.
  absl::Status Finish(absl::Span<double> state, absl::Span<double> values) const;

 protected:
  Decoding(DecodingKey, const DecodingWindow& window) : window_(window) {}

  // For constructors, which run before anything is allocated.
  void AddOutput(absl::string_view name, absl::string_view unit, std::vector<int64_t> shape,
                 absl::string_view description);
  // As Bins::Of; more of them than a decoding may have are an error about the field.
  Bins BinsOf(absl::string_view field, double bin_ms, int64_t min_num = 1);
  // MakeDecoding's error, unless there is one already.
  void Refuse(const absl::Status& status) { fault_.Update(status); }
  StateLayout& layout() { return layout_; }
  int64_t num_units() const { return window_.num_units; }
  int64_t num_groups() const { return static_cast<int64_t>(window_.groups.size()); }

 private:
  template <typename D>
  friend absl::StatusOr<std::unique_ptr<const D>> MakeDecoding(const typename D::Config&,
                                                               const DecodingWindow&);

  virtual absl::Status Read(absl::Span<double> state, absl::Span<double> values) const = 0;
  absl::Status CheckSizes() const;

  const DecodingWindow window_;
  std::vector<DecodingOutput> outputs_;
  size_t num_values_ = 0;
  StateLayout layout_;
  absl::Status fault_;
};

// D(DecodingKey, Config, window). Field errors: of the window ("window.num_ticks"), of the
// configuration, and of what both together would take.
template <typename D>
absl::StatusOr<std::unique_ptr<const D>> MakeDecoding(const typename D::Config& config,
                                                      const DecodingWindow& window) {
  LIVND_RETURN_IF_ERROR(window.Validate());
  LIVND_RETURN_IF_ERROR(CheckFields(config));
  auto decoding = std::make_unique<D>(DecodingKey(), config,
                                      window.groups.empty() ? window.OneGroup() : window);
  LIVND_RETURN_IF_ERROR(decoding->CheckSizes());
  return decoding;
}

// A whole window at once, of what the decoding hears; what it does not is none. Errors: those of
// CheckSpikes, and Finish's; samples are [num_samples][num_units], and must be finite and as many as
// the window has.
absl::StatusOr<std::vector<double>> DecodeWindow(const Decoding& decoding,
                                                 absl::Span<const UnitSpike> spikes,
                                                 absl::Span<const double> samples = {});

}  // namespace livnd::io

#endif  // LIVND_IO_DECODING_DECODING_H_
