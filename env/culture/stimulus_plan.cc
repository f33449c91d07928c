#include "env/culture/stimulus_plan.h"

#include <algorithm>
#include <cmath>
#include <set>
#include <utility>

#include "absl/strings/str_cat.h"
#include "absl/strings/str_join.h"
#include "base/field_error.h"
#include "env/culture/sites.h"

namespace livnd::env {
namespace {

constexpr double kFieldBoundMv = 1000.0;
constexpr double kMaxMagnitude = 1e9;
// Samples of one mode that are still to come, all copies.
constexpr int64_t kMaxPendingBytes = int64_t{1} << 30;

sim::StimulusMode ModeOf(StimulusQuantity quantity) {
  switch (quantity) {
    case StimulusQuantity::kExtracellularMv:
    case StimulusQuantity::kElectrodeUa:
      return sim::StimulusMode::kField;
    case StimulusQuantity::kCurrentNa:
      return sim::StimulusMode::kCurrent;
    case StimulusQuantity::kCurrentDensityMaCm2:
      return sim::StimulusMode::kCurrentDensity;
    case StimulusQuantity::kIrradianceMwMm2:
    case StimulusQuantity::kPhotonFlux:
      return sim::StimulusMode::kLight;
  }
  return sim::StimulusMode::kField;
}

bool IsLight(StimulusQuantity quantity) { return ModeOf(quantity) == sim::StimulusMode::kLight; }

// Bounds of a sample.
std::pair<double, double> BoundsOf(StimulusQuantity quantity) {
  switch (quantity) {
    case StimulusQuantity::kExtracellularMv:
      return {-kFieldBoundMv, kFieldBoundMv};
    case StimulusQuantity::kIrradianceMwMm2:
      return {0.0, 1e6};
    case StimulusQuantity::kPhotonFlux:
      return {0.0, 1e24};
    default:
      return {-kMaxMagnitude, kMaxMagnitude};
  }
}

// What the engine's number is for a sample of 1. Light: photons/s/mm2 of 1 mW/mm2, with livn's
// constants (livn/backend/native/env.py, _install_stimulus).
double ScaleOf(const CultureStimulus& stimulus) {
  if (stimulus.quantity != StimulusQuantity::kIrradianceMwMm2) return 1.0;
  return 1.0 / (6.626e-34 * 3e8 / (stimulus.wavelength_nm * 1e-9) * 1e3);
}

// Drops the samples before index `first`.
void DropBefore(int64_t first, sim::Waveform& w) {
  const int64_t gone = std::min(std::max<int64_t>(first - w.first_sample, 0), w.num_samples());
  w.samples.erase(w.samples.begin(), w.samples.begin() + gone * w.num_channels);
  w.first_sample += gone;
}

// Electrode currents whose field leaves the bounds somewhere in the culture.
absl::Status CheckField(absl::string_view field, const CultureStimulus& stimulus,
                        const Electrodes& electrodes) {
  const sim::StimulusMap& map = *electrodes.map;
  const size_t num_rows = map.gains.size() / static_cast<size_t>(map.num_channels);
  const size_t width = stimulus.electrodes.size();
  std::vector<const double*> gains;  // [channel] to [row]
  std::vector<double> largest;       // [channel]
  for (const int64_t id : stimulus.electrodes) {
    gains.push_back(map.gains.data() +
                    static_cast<size_t>(electrodes.array.Find(static_cast<int32_t>(id))) *
                        num_rows);
    largest.push_back(num_rows == 0 ? 0.0
                                    : *std::max_element(gains.back(), gains.back() + num_rows));
  }
  for (size_t first = 0; first < stimulus.samples.size(); first += width) {
    const double* x = stimulus.samples.data() + first;
    double most = 0.0;
    for (size_t i = 0; i < width; ++i) most += std::fabs(x[i]) * largest[i];
    if (most <= kFieldBoundMv) continue;
    for (size_t row = 0; row < num_rows; ++row) {
      double ve_mv = 0.0;
      for (size_t i = 0; i < width; ++i) ve_mv += x[i] * gains[i][row];
      if (std::fabs(ve_mv) <= kFieldBoundMv) continue;
      return MakeFieldError(
          field,
          absl::StrCat("currents of sample ",
                       static_cast<int64_t>(first / width) % stimulus.num_samples,
                       " that make a potential of ", ve_mv, " mV at a cell"),
          absl::StrCat("potentials of ", -kFieldBoundMv, " .. ", kFieldBoundMv, " mV"));
    }
  }
  return absl::OkStatus();
}

}  // namespace

bool StimulusPlan::uses_electrodes() const {
  return modes_[static_cast<int>(sim::StimulusMode::kField)].electrodes;
}

absl::Status StimulusPlan::Check(absl::string_view field, const CultureStimulus& stimulus,
                                 const sim::Culture& culture, const Electrodes* electrodes) const {
  const auto path = [&](absl::string_view name) { return absl::StrCat(field, ".", name); };
  if (!(stimulus.sample_dt_ms >= 1e-3 && stimulus.sample_dt_ms <= 1e6)) {
    return MakeFieldError(path("sample_dt_ms"), absl::StrCat(stimulus.sample_dt_ms),
                          "0.001 .. 1e6 (ms)");
  }
  const sim::StimulusMode mode = ModeOf(stimulus.quantity);
  const bool by_electrode = stimulus.quantity == StimulusQuantity::kElectrodeUa;
  for (const sim::CellGroup& group : culture.groups()) {
    if (group.model->supports(mode)) continue;
    std::vector<absl::string_view> takes;
    for (int m = 0; m < sim::kNumStimulusModes; ++m) {
      const auto other = static_cast<sim::StimulusMode>(m);
      if (group.model->supports(other)) takes.push_back(sim::StimulusModeName(other));
    }
    return MakeFieldError(path("quantity"), sim::StimulusModeName(mode),
                          absl::StrCat(absl::StrJoin(takes, ", "), ": the neurons of ",
                                       group.population, " take nothing else"));
  }
  if (by_electrode) {
    if (electrodes == nullptr) {
      return MakeFieldError(path("quantity"), "electrode currents",
                            "stimuli of sites: this system has no electrodes");
    }
    const io::ElectrodeArray& array = electrodes->array;
    std::set<int64_t> seen;
    for (size_t i = 0; i < stimulus.electrodes.size(); ++i) {
      const int64_t id = stimulus.electrodes[i];
      if (id != static_cast<int32_t>(id) || array.Find(static_cast<int32_t>(id)) < 0) {
        return MakeFieldError(absl::StrCat(path("electrodes"), "[", i, "]"), absl::StrCat(id),
                              absl::StrCat("ids of the array: ", absl::StrJoin(array.ids(), ", ")));
      }
      if (!seen.insert(id).second) {
        return MakeFieldError(absl::StrCat(path("electrodes"), "[", i, "]"),
                              absl::StrCat(id, " for the second time"), "each electrode once");
      }
    }
  } else {
    std::set<Site> seen;
    for (size_t i = 0; i < stimulus.sites.size(); ++i) {
      const Site& site = stimulus.sites[i];
      if (absl::Status s = CheckSite(absl::StrCat(path("sites"), "[", i, "]"), site, culture);
          !s.ok()) {
        return s;
      }
      if (IsLight(stimulus.quantity) && site.section != 0) {
        return MakeFieldError(absl::StrCat(path("sites"), "[", i, "]"),
                              absl::StrCat("section ", site.section, " of gid ", site.gid),
                              "section 0: the opsin is on the soma");
      }
      if (!seen.insert(site).second) {
        return MakeFieldError(
            absl::StrCat(path("sites"), "[", i, "]"),
            absl::StrCat("gid ", site.gid, " section ", site.section, " for the second time"),
            "each site once");
      }
    }
  }
  const auto num_channels =
      static_cast<int64_t>(by_electrode ? stimulus.electrodes.size() : stimulus.sites.size());
  if (num_channels == 0) {
    return MakeFieldError(path(by_electrode ? "electrodes" : "sites"), "empty", "at least one");
  }
  const int64_t blocks = stimulus.per_copy ? num_copies_ : 1;
  if (stimulus.num_samples < 0 || static_cast<int64_t>(stimulus.samples.size()) !=
                                      blocks * stimulus.num_samples * num_channels) {
    return MakeFieldError(path("samples"), absl::StrCat(stimulus.samples.size(), " numbers"),
                          absl::StrCat(blocks, " x ", stimulus.num_samples, " x ", num_channels));
  }
  if (stimulus.quantity == StimulusQuantity::kIrradianceMwMm2 &&
      !(stimulus.wavelength_nm >= 100.0 && stimulus.wavelength_nm <= 2000.0)) {
    return MakeFieldError(path("wavelength_nm"), absl::StrCat(stimulus.wavelength_nm),
                          "100 .. 2000 (nm)");
  }
  const auto [low, high] = BoundsOf(stimulus.quantity);
  for (size_t i = 0; i < stimulus.samples.size(); ++i) {
    const double x = stimulus.samples[i];
    if (x >= low && x <= high) continue;  // false for NaN
    return MakeFieldError(
        path("samples"),
        absl::StrCat(x, " (sample ", static_cast<int64_t>(i) / num_channels % stimulus.num_samples,
                     ", channel ", static_cast<int64_t>(i) % num_channels, ")"),
        absl::StrCat(low, " .. ", high));
  }
  return by_electrode ? CheckField(path("samples"), stimulus, *electrodes) : absl::OkStatus();
}

absl::Status StimulusPlan::Add(absl::string_view field, const CultureStimulus& stimulus,
                               const sim::Culture& culture, const Electrodes* electrodes,
                               double now_ms) {
  if (absl::Status s = Check(field, stimulus, culture, electrodes); !s.ok()) return s;
  ModePlan& mode = modes_[static_cast<int>(ModeOf(stimulus.quantity))];
  const bool by_electrode = stimulus.quantity == StimulusQuantity::kElectrodeUa;
  if (mode.sample_dt_ms != 0.0 && std::fabs(mode.sample_dt_ms - stimulus.sample_dt_ms) > 1e-12) {
    return MakeFieldError(
        absl::StrCat(field, ".sample_dt_ms"), absl::StrCat(stimulus.sample_dt_ms),
        absl::StrCat(mode.sample_dt_ms, ", as this mode's earlier stimulus, until the next Reset"));
  }
  if (mode.sample_dt_ms != 0.0 && mode.electrodes != by_electrode) {
    return MakeFieldError(absl::StrCat(field, ".quantity"),
                          by_electrode ? "electrode currents" : "extracellular potentials",
                          "the field's earlier kind, until the next Reset: it comes either from "
                          "electrodes or from potentials at sites");
  }

  // Channels of this stimulus among those of the mode.
  std::vector<int> channel;
  int num_channels = mode.num_channels;
  std::map<Site, int> channel_of = mode.channel_of;
  std::vector<Site> channels = mode.channels;
  if (by_electrode) {
    num_channels = static_cast<int>(electrodes->array.num_electrodes());
    for (const int64_t id : stimulus.electrodes) {
      channel.push_back(electrodes->array.Find(static_cast<int32_t>(id)));
    }
  } else {
    for (const Site& site : stimulus.sites) {
      const auto [at, fresh] = channel_of.try_emplace(site, num_channels);
      if (fresh) {
        ++num_channels;
        channels.push_back(site);
      }
      channel.push_back(at->second);
    }
  }

  // Python's round, which livn uses: halves go to the even number.
  const auto first = static_cast<int64_t>(std::nearbyint(now_ms / stimulus.sample_dt_ms));
  int64_t begin = first;
  int64_t end = first + stimulus.num_samples;
  for (const sim::Waveform& w : mode.pending) {
    if (w.num_samples() == 0) continue;
    begin = std::min(begin, w.first_sample);
    end = std::max(end, w.first_sample + w.num_samples());
  }
  if ((end - begin) * num_channels > kMaxPendingBytes / 8 / num_copies_) {
    return MakeFieldError(
        absl::StrCat(field, ".samples"),
        absl::StrCat(end - begin, " samples of ", num_channels, " channels for ", num_copies_,
                     " copies"),
        absl::StrCat("at most ", kMaxPendingBytes / 8, " numbers still to come, all copies"));
  }

  const double scale = ScaleOf(stimulus);
  std::vector<sim::Waveform> pending(static_cast<size_t>(num_copies_));
  for (int c = 0; c < num_copies_; ++c) {
    sim::Waveform& w = pending[static_cast<size_t>(c)];
    w.timing = sim::SampleTiming::kLivn;
    w.sample_dt_ms = stimulus.sample_dt_ms;
    w.first_sample = begin;
    w.num_channels = num_channels;
    w.samples.assign(static_cast<size_t>((end - begin) * num_channels), 0.0);
    if (!mode.pending.empty()) {
      const sim::Waveform& old = mode.pending[static_cast<size_t>(c)];
      for (int64_t s = 0; s < old.num_samples(); ++s) {
        std::copy_n(old.samples.begin() + s * old.num_channels, old.num_channels,
                    w.samples.begin() + (old.first_sample + s - begin) * num_channels);
      }
    }
    const auto width = static_cast<int64_t>(channel.size());
    const double* in = stimulus.samples.data() +
                       (stimulus.per_copy ? c * stimulus.num_samples * width : int64_t{0});
    for (int64_t s = 0; s < stimulus.num_samples; ++s) {
      double* out = w.samples.data() + (first + s - begin) * num_channels;
      for (int64_t i = 0; i < width; ++i) out[channel[static_cast<size_t>(i)]] = scale * *in++;
    }
  }
  mode.electrodes = by_electrode;
  mode.sample_dt_ms = stimulus.sample_dt_ms;
  mode.channel_of = std::move(channel_of);
  mode.channels = std::move(channels);
  mode.num_channels = num_channels;
  mode.pending = std::move(pending);
  return absl::OkStatus();
}

void StimulusPlan::ForgetBefore(double now_ms) {
  for (ModePlan& mode : modes_) {
    if (mode.sample_dt_ms == 0.0) continue;
    // One sample of slack: the engine asks for the sample that has begun.
    const auto now = static_cast<int64_t>(std::floor(now_ms / mode.sample_dt_ms)) - 1;
    for (sim::Waveform& w : mode.pending) DropBefore(now, w);
  }
}

void StimulusPlan::InstallInto(Copies& copies, const Electrodes* electrodes) const {
  for (int m = 0; m < sim::kNumStimulusModes; ++m) {
    const ModePlan& mode = modes_[m];
    if (mode.sample_dt_ms == 0.0) continue;
    std::shared_ptr<const sim::StimulusMap> map;
    if (mode.electrodes) {
      map = electrodes->map;
    } else {
      auto sites = std::make_shared<sim::StimulusMap>();
      sites->num_channels = mode.num_channels;
      for (const Site& site : mode.channels) {
        sites->row_of_channel.push_back(copies.culture().SectionRow(site.gid, site.section));
      }
      map = std::move(sites);
    }
    copies.SetStimulusMap(static_cast<sim::StimulusMode>(m), map);
    for (int c = 0; c < copies.num_copies(); ++c) {
      const sim::Waveform& w = mode.pending[static_cast<size_t>(c)];
      if (w.num_samples() == 0) continue;
      // Cannot fail: the map is set and Add has seen the numbers.
      copies.Install(c, static_cast<sim::StimulusMode>(m), w).IgnoreError();
    }
  }
}

}  // namespace livnd::env
