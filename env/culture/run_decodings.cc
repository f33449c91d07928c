#include "env/culture/run_decodings.h"

#include <algorithm>
#include <cmath>
#include <limits>
#include <string>
#include <utility>

#include "absl/strings/str_cat.h"
#include "base/field_error.h"
#include "base/status_macros.h"
#include "io/decoding/catalog.h"
#include "io/device/electrode_array.h"

namespace livnd::env {
namespace {

constexpr size_t kMaxDecodings = 16;
constexpr double kDefaultPotentialMs = 0.1;
constexpr double kDefaultVoltageMs = 0.025;

std::string Place(absl::string_view field, size_t i) { return absl::StrCat(field, "[", i, "]"); }

// An electrode's units, or a cell's.
DecodingUnits UnitsOf(const DecodingSelection& selection, const io::CultureSetup& setup) {
  if (selection.units != DecodingUnits::kAny) return selection.units;
  if (io::HeardBy(selection.spec) == io::Heard::kSpikesAndVoltages) return DecodingUnits::kCells;
  return setup.electrode_array.has_value() ? DecodingUnits::kElectrodes : DecodingUnits::kCells;
}

// Of voltages, as near to the default from below as the culture's ticks allow.
double SampleMs(const DecodingSelection& selection, double dt_ms) {
  if (selection.sample_dt_ms != 0.0) return selection.sample_dt_ms;
  if (io::HeardBy(selection.spec) == io::Heard::kPotentials) return kDefaultPotentialMs;
  return std::max(1.0, std::floor(kDefaultVoltageMs / dt_ms + 1e-9)) * dt_ms;
}

}  // namespace

absl::StatusOr<DecodingEars> DecodingEars::Create(const io::System& system,
                                                  const io::CultureSetup& setup,
                                                  const sim::Culture& culture) {
  DecodingEars ears;
  if (setup.electrode_array.has_value()) {
    LIVND_ASSIGN_OR_RETURN(const io::ElectrodeArray array,
                           io::ElectrodeArray::Create(*setup.electrode_array));
    ears.electrodes = io::UnitMap::OfElectrodes(array.CellsInReach(system.position_um));
  }
  ears.cells = io::UnitMap::OfCells(culture.gids());
  // By gid, and so population by population.
  for (const int64_t gid : culture.gids()) {
    const std::string& population = culture.groups()[culture.Find(gid).group].population;
    if (ears.populations.empty() || ears.populations.back().name != population) {
      const int64_t first = ears.populations.empty()
                                ? 0
                                : ears.populations.back().first + ears.populations.back().count;
      ears.populations.push_back({population, first, 0});
    }
    ++ears.populations.back().count;
  }
  return ears;
}

absl::Status RunDecodings::Check(absl::string_view field,
                                 const std::vector<DecodingSelection>& selections,
                                 const io::CultureSetup& setup, const sim::Culture& culture) {
  if (selections.size() > kMaxDecodings) {
    return MakeFieldError(field, absl::StrCat(selections.size(), " decodings"),
                          absl::StrCat("at most ", kMaxDecodings));
  }
  for (size_t i = 0; i < selections.size(); ++i) {
    const DecodingSelection& selection = selections[i];
    const std::string place = Place(field, i);
    LIVND_RETURN_IF_ERROR(AtField(place, io::CheckDecoding(selection.spec)));
    const bool by_electrode = UnitsOf(selection, setup) == DecodingUnits::kElectrodes;
    if (by_electrode && !setup.electrode_array.has_value()) {
      return MakeFieldError(absl::StrCat(place, ".units"), "electrodes",
                            "cells: this culture has no electrodes");
    }
    const io::Heard heard = io::HeardBy(selection.spec);
    if (heard == io::Heard::kSpikes) continue;
    if (heard == io::Heard::kPotentials && !by_electrode) {
      return MakeFieldError(absl::StrCat(place, ".units"), "cells",
                            "electrodes, of whose potentials this decoding is");
    }
    if (heard == io::Heard::kSpikesAndVoltages && by_electrode) {
      return MakeFieldError(absl::StrCat(place, ".units"), "electrodes",
                            "cells, of whose voltages this decoding is");
    }
    const double ticks = SampleMs(selection, culture.dt_ms()) / culture.dt_ms();
    if (!(ticks >= 1.0 - 1e-9 && ticks <= 1e6 && std::fabs(ticks - std::round(ticks)) <= 1e-6)) {
      return MakeFieldError(absl::StrCat(place, ".sample_dt_ms"), Exact(selection.sample_dt_ms),
                            absl::StrCat("a multiple of dt_ms = ", Exact(culture.dt_ms())));
    }
  }
  return absl::OkStatus();
}

absl::StatusOr<RunDecodings> RunDecodings::Create(absl::string_view field,
                                                  const std::vector<DecodingSelection>& selections,
                                                  std::shared_ptr<const DecodingEars> ears,
                                                  const io::CultureSetup& setup,
                                                  const sim::Culture& culture, int64_t num_ticks) {
  RunDecodings out;
  out.ears_ = ears;
  for (size_t i = 0; i < selections.size(); ++i) {
    const bool by_electrode = UnitsOf(selections[i], setup) == DecodingUnits::kElectrodes;
    Running& running = out.decodings_.emplace_back();
    running.name = selections[i].spec.name();
    running.units = by_electrode ? &ears->electrodes : &ears->cells;
    running.series.sample_dt_ms = SampleMs(selections[i], culture.dt_ms());
    if (by_electrode) {
      running.series.quantity = RecordedQuantity::kElectrodePotentialUv;
    } else {
      running.series.quantity = RecordedQuantity::kVoltageMv;
      for (const int64_t gid : culture.gids()) running.series.sites.push_back({gid, 0});
    }
    io::DecodingWindow window;
    window.num_units = running.units->num_units();
    window.tick_ms = culture.dt_ms();
    window.num_ticks = num_ticks;
    window.sample_ticks =
        std::max<int64_t>(1, std::llround(running.series.sample_dt_ms / window.tick_ms));
    if (!by_electrode) window.groups = ears->populations;
    auto made = io::MakeDecoding(selections[i].spec, window);
    if (!made.ok()) return AtField(Place(field, i), made.status());
    running.decoding = *std::move(made);
  }
  return out;
}

int64_t RunDecodings::NumBytes(int num_copies) const {
  int64_t numbers = 0;
  for (const Running& running : decodings_) {
    numbers +=
        static_cast<int64_t>(running.decoding->state_size() + running.decoding->num_values());
  }
  return num_copies * numbers * int64_t{sizeof(double)};
}

int64_t RunDecodings::ValueBytes(int num_copies) const {
  int64_t numbers = 0;
  for (const Running& running : decodings_) {
    numbers += static_cast<int64_t>(running.decoding->num_values());
  }
  return num_copies * numbers * int64_t{sizeof(double)};
}

void RunDecodings::Begin(int num_copies, int64_t start_tick) {
  start_tick_ = start_tick;
  for (Running& running : decodings_) {
    running.states.assign(static_cast<size_t>(num_copies),
                          std::vector<double>(running.decoding->state_size()));
    for (std::vector<double>& state : running.states) {
      running.decoding->Begin(absl::MakeSpan(state));
    }
  }
}

bool RunDecodings::hears_spikes() const {
  return std::any_of(decodings_.begin(), decodings_.end(),
                     [](const Running& r) { return r.decoding->hears_spikes(); });
}

bool RunDecodings::hears_potentials() const {
  return std::any_of(decodings_.begin(), decodings_.end(), [](const Running& r) {
    return r.decoding->heard() == io::Heard::kPotentials;
  });
}

std::vector<RunDecodings::HeardSeries> RunDecodings::series() const {
  std::vector<HeardSeries> out;
  for (size_t i = 0; i < decodings_.size(); ++i) {
    if (decodings_[i].decoding->hears_samples()) out.push_back({i, decodings_[i].series});
  }
  return out;
}

void RunDecodings::AddSpikes(int copy, absl::Span<const sim::Spike> spikes) {
  for (Running& running : decodings_) {
    if (!running.decoding->hears_spikes()) continue;
    const absl::Span<double> state = absl::MakeSpan(running.states[static_cast<size_t>(copy)]);
    running.units->ForEach(spikes, start_tick_, [&](const io::UnitSpike& spike) {
      running.decoding->AddSpike(spike, state);
    });
  }
}

void RunDecodings::AddSamples(int copy, size_t decoding, absl::Span<const double> samples) {
  Running& running = decodings_[decoding];
  const absl::Span<double> state = absl::MakeSpan(running.states[static_cast<size_t>(copy)]);
  const auto width = static_cast<size_t>(running.decoding->window().num_units);
  for (size_t first = 0; first < samples.size(); first += width) {
    running.decoding->AddSample(samples.subspan(first, width), state);
  }
}

std::vector<Decoded> RunDecodings::Finish(absl::Span<const double> failed_at_ms) {
  std::vector<Decoded> out;
  for (Running& running : decodings_) {
    const io::Decoding& decoding = *running.decoding;
    Decoded& decoded = out.emplace_back();
    decoded.name = running.name;
    decoded.outputs = decoding.outputs();
    const size_t n = decoding.num_values();
    decoded.values.assign(running.states.size() * n, std::numeric_limits<double>::quiet_NaN());
    for (size_t copy = 0; copy < running.states.size(); ++copy) {
      if (!std::isnan(failed_at_ms[copy])) continue;
      const auto values = absl::MakeSpan(decoded.values).subspan(copy * n, n);
      if (!decoding.Finish(absl::MakeSpan(running.states[copy]), values).ok()) {
        std::fill(values.begin(), values.end(), std::numeric_limits<double>::quiet_NaN());
      }
    }
    running.states.clear();
  }
  return out;
}

}  // namespace livnd::env
