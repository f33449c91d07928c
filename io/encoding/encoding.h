// What an encoding is: from numbers of an agent, or of a stream of data, to currents on electrodes.
#ifndef LIVND_IO_ENCODING_ENCODING_H_
#define LIVND_IO_ENCODING_ENCODING_H_

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
#include "sim/stimulus/stimulus.h"

namespace livnd::io {

// The electrodes, and the time that one set of numbers has.
struct EncodingWindow {
  int64_t num_electrodes = 0;
  double tick_ms = 0.025;
  int64_t num_ticks = 0;

  double duration_ms() const { return static_cast<double>(num_ticks) * tick_ms; }
  // Field errors: "window.num_electrodes" (1 .. 65536) and so on.
  absl::Status Validate() const;
};

// One number that an encoding takes, with its inclusive bounds.
struct EncodingInput {
  std::string name;
  std::string unit;  // "1" for pure numbers
  double low = 0.0;
  double high = 1.0;
  bool is_whole = false;  // a name rather than a quantity: only whole numbers are told apart
};

// Only MakeEncoding has one: whoever holds an encoding holds one that was checked.
class EncodingKey {
  EncodingKey() = default;
  template <typename E>
  friend absl::StatusOr<std::unique_ptr<const E>> MakeEncoding(const typename E::Config&,
                                                               const EncodingWindow&);
};

// An encoding holds what is constant and may be shared by any number of copies and threads. What
// goes on from one step to the next is its state: a flat block of doubles that the caller keeps for
// each copy, can copy, save and load between steps, and whose layout the encoding alone knows.
//
// Of each copy: Begin, then Encode for one step after the other. The results are functions of the
// arguments alone. Encode allocates nothing but the waveform's memory, which it keeps.
class Encoding {
 public:
  // The largest waveform: 32 MiB of samples.
  static constexpr int64_t kMaxSamples = int64_t{1} << 22;

  virtual ~Encoding() = default;
  Encoding(const Encoding&) = delete;
  Encoding& operator=(const Encoding&) = delete;

  const EncodingWindow& window() const { return window_; }
  // In the order of the values that Encode takes.
  const std::vector<EncodingInput>& inputs() const { return inputs_; }
  size_t state_size() const { return layout_.size(); }
  // Whether state_size() numbers from outside can be a state; the field error names "[i]".
  absl::Status CheckState(absl::Span<const double> state) const { return layout_.Check(state); }
  // Whether values may be given to Encode: as many as inputs, each within its bounds. The field
  // error names "NAME".
  absl::Status CheckValues(absl::Span<const float> values) const;

  // Nothing goes on from before.
  void Begin(absl::Span<double> state) const;
  // The currents of all electrodes, uA, in a step that begins at `tick`: 0 after its end, at the
  // latest.
  virtual void Encode(absl::Span<const float> values, int64_t tick, absl::Span<double> state,
                      sim::Waveform* currents_ua) const = 0;

 protected:
  Encoding(EncodingKey, const EncodingWindow& window) : window_(window) {}

  // For constructors.
  void AddInput(absl::string_view name, absl::string_view unit, double low, double high,
                bool is_whole = false);
  // "NAME_0" and so on.
  void AddInputs(absl::string_view name, int64_t num, double low, double high);
  // MakeEncoding's error, unless there is one already.
  void Refuse(const absl::Status& status) { fault_.Update(status); }
  StateLayout& layout() { return layout_; }

 private:
  template <typename E>
  friend absl::StatusOr<std::unique_ptr<const E>> MakeEncoding(const typename E::Config&,
                                                               const EncodingWindow&);

  const EncodingWindow window_;
  std::vector<EncodingInput> inputs_;
  StateLayout layout_;
  absl::Status fault_;
};

// E(EncodingKey, Config, window). Field errors: of the window, of the configuration, and of what
// does not fit into the window.
template <typename E>
absl::StatusOr<std::unique_ptr<const E>> MakeEncoding(const typename E::Config& config,
                                                      const EncodingWindow& window) {
  LIVND_RETURN_IF_ERROR(window.Validate());
  LIVND_RETURN_IF_ERROR(CheckFields(config));
  auto encoding = std::make_unique<E>(EncodingKey(), config, window);
  LIVND_RETURN_IF_ERROR(encoding->fault_);
  return encoding;
}

// Where each value lies between its bounds, from -1 to 1, as livn's replay stores actions; 0 where
// bounds are equal. The values are checked.
absl::StatusOr<std::vector<double>> ScaleToUnit(const Encoding& encoding,
                                                absl::Span<const float> values);

}  // namespace livnd::io

#endif  // LIVND_IO_ENCODING_ENCODING_H_
