#include "env/culture/stimulus_plan.h"

#include <algorithm>
#include <cmath>
#include <set>
#include <utility>

#include "absl/strings/str_cat.h"
#include "absl/strings/str_join.h"
#include "base/field_error.h"
#include "env/culture/reach.h"
#include "env/culture/sites.h"
#include "io/device/light_array.h"

namespace livnd::env {
namespace {

constexpr double kFieldBoundMv = 1000.0;
constexpr double kMaxMagnitude = 1e9;
// Of one mode that are not over: each is looked at in every step.
constexpr size_t kMaxStimuli = 1024;
// What a stimulus of a copy takes up beside its numbers, about.
constexpr int64_t kStimulusBytes = 256;

// Whether channels are a device's.
bool IsOfDevice(StimulusQuantity quantity) {
  return quantity == StimulusQuantity::kElectrodeUa || quantity == StimulusQuantity::kFiberMw;
}

// The channel of an id, or -1.
int FindChannel(StimulusQuantity quantity, const Devices& devices, int64_t id) {
  if (id != static_cast<int32_t>(id)) return -1;
  return quantity == StimulusQuantity::kElectrodeUa
             ? devices.electrodes->array.Find(static_cast<int32_t>(id))
             : devices.fibers->array.Find(static_cast<int32_t>(id));
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
    case StimulusQuantity::kFiberMw:
      return {0.0, io::PulsePlan::kMaxPowerMw};
    default:
      return {-kMaxMagnitude, kMaxMagnitude};
  }
}

// What the engine's number is for a sample of 1. Light: photons/s/mm2 of 1 mW/mm2, with livn's
// constants (livn/backend/native/env.py, _install_stimulus).
double ScaleOf(const CultureStimulus& stimulus) {
  if (stimulus.quantity != StimulusQuantity::kIrradianceMwMm2) return 1.0;
  return io::PhotonFluxPerIrradiance(stimulus.wavelength_nm);
}

// Where a waveform ends: a tick, or on livn's grid a sample.
int64_t EndOf(const sim::Waveform& w, double dt_ms) {
  if (w.timing == sim::SampleTiming::kLivn) return w.first_sample + w.num_samples();
  return w.first_tick + w.num_samples() * sim::TicksOfSample(w.sample_dt_ms, dt_ms);
}

// Of the stimuli of a mode.
std::string FieldOf(sim::StimulusMode mode) {
  return absl::StrCat("stimuli[", sim::StimulusModeName(mode), "]");
}

// What is behind a pointer, for writing: a copy of its own where others share it.
template <typename T>
T& Own(std::shared_ptr<T>& shared) {
  if (shared == nullptr) {
    shared = std::make_shared<T>();
  } else if (shared.use_count() > 1) {
    shared = std::make_shared<T>(*shared);
  }
  return *shared;
}

// Of stimuli of one shape, for one copy or for each of num_blocks copies.
int64_t BytesOf(int64_t num_blocks, int64_t num_samples, int64_t num_channels) {
  return num_blocks * (kStimulusBytes + num_channels * (num_samples * int64_t{sizeof(double)} +
                                                        int64_t{sizeof(int)}));
}

std::shared_ptr<sim::StimulusMap> MapOf(const std::vector<Site>& sites,
                                        const sim::Culture& culture) {
  auto map = std::make_shared<sim::StimulusMap>();
  map->num_channels = static_cast<int>(sites.size());
  map->row_of_channel.reserve(sites.size());
  for (const Site& site : sites) {
    map->row_of_channel.push_back(culture.SectionRow(site.gid, site.section));
  }
  return map;
}

// Currents of electrodes, or powers of fibres, that make more somewhere in the culture than there may be.
absl::Status CheckReach(absl::string_view field, const CultureStimulus& stimulus,
                        const Devices& devices, int64_t num_rows) {
  const sim::StimulusMode mode = ModeOf(stimulus.quantity);
  Reach reach(mode, devices.map(mode), num_rows);
  std::vector<Reach::Level> levels;
  for (const int64_t id : stimulus.electrodes) {
    levels.emplace_back(FindChannel(stimulus.quantity, devices, id), 0.0);
  }
  // Each channel's largest level, all with the same sign: no sample makes more.
  for (size_t i = 0; i < stimulus.samples.size(); ++i) {
    double& most = levels[i % levels.size()].second;
    most = std::max(most, std::fabs(stimulus.samples[i]));
  }
  if (reach.Worst(levels) <= reach.bound()) return absl::OkStatus();
  for (size_t first = 0; first < stimulus.samples.size(); first += levels.size()) {
    for (size_t i = 0; i < levels.size(); ++i) levels[i].second = stimulus.samples[first + i];
    const double worst = reach.Worst(levels);
    if (worst <= reach.bound()) continue;
    const int64_t sample = static_cast<int64_t>(first / levels.size()) % stimulus.num_samples;
    return MakeFieldError(
        field, absl::StrCat("what makes ", reach.Shown(worst), " at a cell in sample ", sample),
        reach.Accepted());
  }
  return absl::OkStatus();
}

}  // namespace

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
    case StimulusQuantity::kFiberMw:
      return sim::StimulusMode::kLight;
  }
  return sim::StimulusMode::kField;
}

std::shared_ptr<const sim::StimulusMap> Devices::map(sim::StimulusMode mode) const {
  if (mode == sim::StimulusMode::kLight) return fibers == nullptr ? nullptr : fibers->map;
  return electrodes == nullptr ? nullptr : electrodes->map;
}

bool StimulusPlan::uses_device(sim::StimulusMode mode) const {
  return modes_[static_cast<int>(mode)].of_device;
}

size_t StimulusPlan::num_stimuli(sim::StimulusMode mode) const {
  return modes_[static_cast<int>(mode)].layers.size();
}

absl::Status StimulusPlan::Check(absl::string_view field, const CultureStimulus& stimulus,
                                 const sim::Culture& culture, const Devices& devices) const {
  const auto path = [&](absl::string_view name) { return absl::StrCat(field, ".", name); };
  if (!(stimulus.sample_dt_ms >= 1e-3 && stimulus.sample_dt_ms <= 1e6)) {
    return MakeFieldError(path("sample_dt_ms"), Exact(stimulus.sample_dt_ms), "0.001 .. 1e6 (ms)");
  }
  if (stimulus.timing == sim::SampleTiming::kExactTicks &&
      sim::TicksOfSample(stimulus.sample_dt_ms, culture.dt_ms()) == 0) {
    return MakeFieldError(
        path("sample_dt_ms"), Exact(stimulus.sample_dt_ms),
        absl::StrCat("a multiple of dt_ms = ", Exact(culture.dt_ms()), ", or the timing livn"));
  }
  const sim::StimulusMode mode = ModeOf(stimulus.quantity);
  const bool of_device = IsOfDevice(stimulus.quantity);
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
  if (of_device) {
    if (devices.map(mode) == nullptr) {
      return mode == sim::StimulusMode::kLight
                 ? MakeFieldError(path("quantity"), "power of fibres",
                                  "light at sites: this culture has no fibres")
                 : MakeFieldError(path("quantity"), "electrode currents",
                                  "stimuli of sites: this system has no electrodes");
    }
    std::set<int64_t> seen;
    for (size_t i = 0; i < stimulus.electrodes.size(); ++i) {
      const int64_t id = stimulus.electrodes[i];
      if (FindChannel(stimulus.quantity, devices, id) < 0) {
        const std::vector<int32_t> ids = mode == sim::StimulusMode::kLight
                                             ? devices.fibers->array.ids()
                                             : devices.electrodes->array.ids();
        return MakeFieldError(absl::StrCat(path("electrodes"), "[", i, "]"), absl::StrCat(id),
                              absl::StrCat("ids of the array: ", absl::StrJoin(ids, ", ")));
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
        return MakeFieldError(absl::StrCat(path("sites"), "[", i, "].section"),
                              absl::StrCat(site.section), "0: the opsin is on the soma");
      }
      if (!seen.insert(site).second) {
        return MakeFieldError(
            absl::StrCat(path("sites"), "[", i, "].gid"),
            absl::StrCat(site.gid, ", section ", site.section, ", for the second time"),
            "each site once");
      }
    }
  }
  const auto num_channels =
      static_cast<int64_t>(of_device ? stimulus.electrodes.size() : stimulus.sites.size());
  if (num_channels == 0) {
    return MakeFieldError(path(of_device ? "electrodes" : "sites"), "empty", "at least one");
  }
  const int64_t blocks = stimulus.per_copy ? num_copies_ : 1;
  if (stimulus.num_samples < 0 || static_cast<int64_t>(stimulus.samples.size()) !=
                                      blocks * stimulus.num_samples * num_channels) {
    return MakeFieldError(path("samples"), absl::StrCat(stimulus.samples.size(), " numbers"),
                          absl::StrCat(blocks, " x ", stimulus.num_samples, " x ", num_channels));
  }
  if (stimulus.quantity == StimulusQuantity::kIrradianceMwMm2 &&
      !(stimulus.wavelength_nm >= 100.0 && stimulus.wavelength_nm <= 2000.0)) {
    return MakeFieldError(path("wavelength_nm"), Exact(stimulus.wavelength_nm), "100 .. 2000 (nm)");
  }
  const auto [low, high] = BoundsOf(stimulus.quantity);
  for (size_t i = 0; i < stimulus.samples.size(); ++i) {
    const double x = stimulus.samples[i];
    if (x >= low && x <= high) continue;  // false for NaN
    return MakeFieldError(
        path("samples"),
        absl::StrCat(Exact(x), " (sample ",
                     static_cast<int64_t>(i) / num_channels % stimulus.num_samples, ", channel ",
                     static_cast<int64_t>(i) % num_channels, ")"),
        absl::StrCat(Exact(low), " .. ", Exact(high)));
  }
  if (!of_device) return absl::OkStatus();
  return CheckReach(path("samples"), stimulus, devices, culture.num_section_rows());
}

absl::Status StimulusPlan::CheckMode(absl::string_view field, const CultureStimulus& stimulus,
                                     const ModePlan& mode) const {
  if (!mode.fed) return absl::OkStatus();
  const bool of_device = IsOfDevice(stimulus.quantity);
  if (mode.timing != stimulus.timing) {
    const auto name = [](sim::SampleTiming timing) {
      return timing == sim::SampleTiming::kLivn ? "livn" : "exact";
    };
    return MakeFieldError(
        absl::StrCat(field, ".timing"), name(stimulus.timing),
        absl::StrCat(name(mode.timing), ", as this mode's earlier stimulus, until the next Clear"));
  }
  if (mode.timing == sim::SampleTiming::kLivn && mode.sample_dt_ms != stimulus.sample_dt_ms) {
    return MakeFieldError(absl::StrCat(field, ".sample_dt_ms"), Exact(stimulus.sample_dt_ms),
                          absl::StrCat(Exact(mode.sample_dt_ms),
                                       ", as this mode's earlier stimulus, until the next Clear"));
  }
  if (mode.of_device != of_device && IsLight(stimulus.quantity)) {
    return MakeFieldError(absl::StrCat(field, ".quantity"),
                          of_device ? "power of fibres" : "light at sites",
                          "the light's earlier kind, until the next Clear: it comes either from "
                          "fibres or from what is said of sites");
  }
  if (mode.of_device != of_device) {
    return MakeFieldError(absl::StrCat(field, ".quantity"),
                          of_device ? "electrode currents" : "extracellular potentials",
                          "the field's earlier kind, until the next Clear: it comes either from "
                          "electrodes or from potentials at sites");
  }
  return absl::OkStatus();
}

int64_t StimulusPlan::Layer::num_bytes() const {
  return BytesOf(static_cast<int64_t>(of_copy.size()), shape().num_samples(), shape().num_channels);
}

int64_t StimulusPlan::num_bytes() const {
  int64_t bytes = 0;
  for (const ModePlan& mode : modes_) {
    for (const auto& layer : mode.layers) bytes += layer->num_bytes();
  }
  return bytes;
}

absl::Status StimulusPlan::CheckRoom(absl::string_view field, const CultureStimulus& stimulus,
                                     const ModePlan& mode, int64_t max_bytes) const {
  const int64_t num_blocks = stimulus.per_copy ? num_copies_ : 1;
  const auto num_channels =
      static_cast<int64_t>(stimulus.samples.size()) / (num_blocks * stimulus.num_samples);
  const int64_t bytes = BytesOf(num_blocks, stimulus.num_samples, num_channels);
  const int64_t taken = num_bytes();
  if (bytes > max_bytes - taken) {
    return MakeFieldError(absl::StrCat(field, ".samples"), absl::StrCat(bytes, " bytes"),
                          absl::StrCat("0 .. ", std::max<int64_t>(0, max_bytes - taken),
                                       ": stimuli that are not over may take ", max_bytes,
                                       " bytes, and earlier ones take ", taken));
  }
  if (mode.layers.size() >= kMaxStimuli) {
    return MakeFieldError(
        field, absl::StrCat("beside ", mode.layers.size(), " of its quantity that are not over"),
        absl::StrCat("at most ", kMaxStimuli, " at a time: give many channels as one stimulus"));
  }
  return absl::OkStatus();
}

std::vector<int> StimulusPlan::ChannelsOf(const CultureStimulus& stimulus,
                                          const sim::Culture& culture, const Devices& devices,
                                          ModePlan& mode) {
  std::vector<int> out;
  if (IsOfDevice(stimulus.quantity)) {
    mode.device_map = devices.map(ModeOf(stimulus.quantity));
    for (const int64_t id : stimulus.electrodes) {
      out.push_back(FindChannel(stimulus.quantity, devices, id));
    }
    return out;
  }
  for (const Site& site : stimulus.sites) {
    if (mode.channels == nullptr || mode.channels->of_site.count(site) == 0) {
      Channels& channels = Own(mode.channels);
      sim::StimulusMap& map = Own(mode.site_map);
      channels.of_site.emplace(site, static_cast<int>(channels.sites.size()));
      channels.sites.push_back(site);
      map.row_of_channel.push_back(culture.SectionRow(site.gid, site.section));
      ++map.num_channels;
    }
    out.push_back(mode.channels->of_site.at(site));
  }
  return out;
}

std::shared_ptr<StimulusPlan::Layer> StimulusPlan::LayerOf(const CultureStimulus& stimulus,
                                                           std::vector<int> channels,
                                                           const StimulusOnset& onset) const {
  const double scale = ScaleOf(stimulus);
  const int num_blocks = stimulus.per_copy ? num_copies_ : 1;
  const auto block = stimulus.num_samples * static_cast<int64_t>(channels.size());
  auto layer = std::make_shared<Layer>();
  for (int c = 0; c < num_blocks; ++c) {
    auto w = std::make_shared<sim::Waveform>();
    w->timing = stimulus.timing;
    w->sample_dt_ms = stimulus.sample_dt_ms;
    w->first_tick = onset.tick;
    // Python's round, which livn uses: halves go to the even number.
    w->first_sample = static_cast<int64_t>(std::nearbyint(onset.summed_ms / stimulus.sample_dt_ms));
    w->num_channels = static_cast<int>(channels.size());
    w->channels = channels;
    w->samples.assign(stimulus.samples.begin() + c * block,
                      stimulus.samples.begin() + (c + 1) * block);
    if (scale != 1.0) {
      for (double& x : w->samples) x *= scale;
    }
    layer->of_copy.push_back(std::move(w));
  }
  return layer;
}

void StimulusPlan::DropHidden(ModePlan& mode, double dt_ms) {
  const sim::Waveform& last = mode.layers.back()->shape();
  const std::set<int> covered(last.channels.begin(), last.channels.end());
  const auto hidden = [&](const std::shared_ptr<const Layer>& layer) {
    const sim::Waveform& w = layer->shape();
    // On livn's grid the sample that has begun may be before the last stimulus' first one.
    const bool begins =
        w.timing == sim::SampleTiming::kExactTicks || w.first_sample >= last.first_sample;
    return &w != &last && begins && EndOf(w, dt_ms) <= EndOf(last, dt_ms) &&
           std::all_of(w.channels.begin(), w.channels.end(),
                       [&](int c) { return covered.count(c) > 0; });
  };
  const auto kept = std::remove_if(mode.layers.begin(), mode.layers.end(), hidden);
  mode.num_hidden += mode.layers.end() - kept;
  mode.layers.erase(kept, mode.layers.end());
}

absl::Status StimulusPlan::Add(absl::string_view field, const CultureStimulus& stimulus,
                               const sim::Culture& culture, const Devices& devices,
                               const StimulusOnset& onset, int64_t max_bytes) {
  if (absl::Status s = Check(field, stimulus, culture, devices); !s.ok()) return s;
  ModePlan& mode = modes_[static_cast<int>(ModeOf(stimulus.quantity))];
  if (absl::Status s = CheckMode(field, stimulus, mode); !s.ok()) return s;
  if (stimulus.num_samples > 0) {
    if (absl::Status s = CheckRoom(field, stimulus, mode, max_bytes); !s.ok()) return s;
  }
  mode.fed = true;
  mode.of_device = IsOfDevice(stimulus.quantity);
  mode.timing = stimulus.timing;
  mode.sample_dt_ms = stimulus.sample_dt_ms;
  std::vector<int> channels = ChannelsOf(stimulus, culture, devices, mode);
  if (stimulus.num_samples == 0) return absl::OkStatus();
  const std::shared_ptr<Layer> layer = LayerOf(stimulus, std::move(channels), onset);
  layer->serial = mode.next_serial++;
  mode.layers.push_back(layer);
  DropHidden(mode, culture.dt_ms());
  return absl::OkStatus();
}

void StimulusPlan::AppendLatest(sim::StimulusMode mode, std::vector<GivenStimulus>* given) const {
  const ModePlan& of_mode = modes_[static_cast<int>(mode)];
  const Layer& layer = *of_mode.layers.back();
  std::shared_ptr<std::vector<Site>> sites;
  if (!of_mode.of_device) {
    sites = std::make_shared<std::vector<Site>>();
    for (const int channel : layer.shape().channels) {
      sites->push_back(of_mode.channels->sites[static_cast<size_t>(channel)]);
    }
  }
  for (size_t i = 0; i < layer.of_copy.size(); ++i) {
    const int copy = layer.of_copy.size() == 1 ? -1 : static_cast<int>(i);
    given->push_back({mode, copy, sites, layer.of_copy[i]});
  }
}

absl::Status StimulusPlan::Announce(absl::string_view field, sim::StimulusMode mode,
                                    const sim::Culture& culture, const Devices& devices,
                                    const StimulusOnset& onset) {
  const bool is_light = mode == sim::StimulusMode::kLight;
  if (const size_t num = num_stimuli(mode); num > 0) {
    return MakeFieldError(field,
                          absl::StrCat("beside ", num, " stimuli of ",
                                       is_light ? "light" : "the field", " that are not over"),
                          "pulses alone: either would cut the other");
  }
  CultureStimulus nothing;
  nothing.quantity = is_light ? StimulusQuantity::kFiberMw : StimulusQuantity::kElectrodeUa;
  nothing.sample_dt_ms = culture.dt_ms();
  nothing.electrodes = {0};
  if (is_light && devices.fibers != nullptr) nothing.electrodes[0] = devices.fibers->array.ids()[0];
  if (!is_light && devices.electrodes != nullptr) {
    nothing.electrodes[0] = devices.electrodes->array.ids()[0];
  }
  const absl::Status added = Add(field, nothing, culture, devices, onset, 0);
  if (const auto error = FieldErrorOf(added); error.has_value()) {
    const std::string pulses = absl::StrCat(field, is_light ? ".light" : ".pulses");
    return WithFieldError({error->file, pulses, error->value, error->accepted}, added);
  }
  return added;
}

void StimulusPlan::ForgetBefore(int64_t tick, double dt_ms) {
  for (ModePlan& mode : modes_) {
    const auto over = [&](const std::shared_ptr<const Layer>& layer) {
      const sim::Waveform& w = layer->shape();
      if (w.timing == sim::SampleTiming::kExactTicks) return EndOf(w, dt_ms) <= tick;
      // One sample of slack: the engine asks for the sample that has begun.
      const double at = std::floor(static_cast<double>(tick) * dt_ms / w.sample_dt_ms);
      return EndOf(w, dt_ms) <= static_cast<int64_t>(at) - 1;
    };
    mode.layers.erase(std::remove_if(mode.layers.begin(), mode.layers.end(), over),
                      mode.layers.end());
  }
}

absl::Status StimulusPlan::CheckDt(double dt_ms) const {
  for (const ModePlan& mode : modes_) {
    for (const auto& layer : mode.layers) {
      const sim::Waveform& w = layer->shape();
      if (w.timing == sim::SampleTiming::kLivn || sim::TicksOfSample(w.sample_dt_ms, dt_ms) > 0) {
        continue;
      }
      return MakeFieldError("dt_ms", Exact(dt_ms),
                            absl::StrCat("a part of ", Exact(w.sample_dt_ms),
                                         ", the sample_dt_ms of a stimulus that is still to come, "
                                         "until the next Clear"));
    }
  }
  return absl::OkStatus();
}

absl::Status StimulusPlan::CheckDevice(absl::string_view field, sim::StimulusMode mode) const {
  const ModePlan& plan = modes_[static_cast<int>(mode)];
  if (!plan.of_device || plan.layers.empty()) return absl::OkStatus();
  return MakeFieldError(field, "present",
                        "absent: stimuli of the device that there is are still to come, until the "
                        "next Clear");
}

void StimulusPlan::Rebind(const sim::Culture& culture, const Devices& devices) {
  for (int m = 0; m < sim::kNumStimulusModes; ++m) {
    ModePlan& mode = modes_[m];
    if (mode.device_map != nullptr)
      mode.device_map = devices.map(static_cast<sim::StimulusMode>(m));
    if (mode.channels != nullptr) mode.site_map = MapOf(mode.channels->sites, culture);
  }
}

absl::Status StimulusPlan::InstallInto(Copies& copies, absl::FunctionRef<bool(int)> takes,
                                       const StimulusPlan* have) const {
  for (int m = 0; m < sim::kNumStimulusModes; ++m) {
    const auto stimulus_mode = static_cast<sim::StimulusMode>(m);
    const ModePlan& mode = modes_[m];
    const std::shared_ptr<const sim::StimulusMap> map = mode.map();
    if (map == nullptr) continue;
    int64_t next_serial = 0;
    if (have != nullptr && have->modes_[m].map() == map &&
        have->modes_[m].num_hidden == mode.num_hidden) {
      next_serial = have->modes_[m].next_serial;
    } else {
      copies.SetStimulusMap(stimulus_mode, map);
    }
    for (const auto& layer : mode.layers) {
      if (layer->serial < next_serial) continue;
      for (int c = 0; c < copies.num_copies(); ++c) {
        if (!takes(c)) continue;
        if (absl::Status s = copies.Install(c, stimulus_mode,
                                            layer->of_copy[layer->of_copy.size() == 1 ? 0 : c]);
            !s.ok()) {
          return AtField(FieldOf(stimulus_mode), s);
        }
      }
    }
  }
  return absl::OkStatus();
}

std::map<sim::StimulusMode, SavedStimuli> StimulusPlan::Save() const {
  std::map<sim::StimulusMode, SavedStimuli> out;
  for (int m = 0; m < sim::kNumStimulusModes; ++m) {
    const ModePlan& mode = modes_[m];
    if (!mode.fed) continue;
    SavedStimuli& saved = out[static_cast<sim::StimulusMode>(m)];
    saved.of_device = mode.of_device;
    saved.timing = mode.timing;
    saved.sample_dt_ms = mode.sample_dt_ms;
    if (mode.channels != nullptr) saved.sites = mode.channels->sites;
    for (const auto& layer : mode.layers) saved.waveforms.push_back(layer->of_copy);
  }
  return out;
}

absl::StatusOr<StimulusPlan> StimulusPlan::Restore(
    const std::map<sim::StimulusMode, SavedStimuli>& saved, absl::Span<const int> copy_of,
    const sim::Culture& culture, const Devices& devices) {
  StimulusPlan out(static_cast<int>(copy_of.size()));
  for (const auto& [stimulus_mode, from] : saved) {
    const std::string field = FieldOf(stimulus_mode);
    ModePlan& mode = out.modes_[static_cast<int>(stimulus_mode)];
    mode.fed = true;
    mode.of_device = from.of_device;
    mode.timing = from.timing;
    mode.sample_dt_ms = from.sample_dt_ms;
    if (from.of_device) {
      mode.device_map = devices.map(stimulus_mode);
      const bool may_be =
          stimulus_mode == sim::StimulusMode::kField || stimulus_mode == sim::StimulusMode::kLight;
      if (!may_be || mode.device_map == nullptr) {
        return MakeFieldError(field, "stimuli of a device", "sites: the culture has none");
      }
    }
    for (size_t i = 0; i < from.sites.size(); ++i) {
      if (absl::Status s =
              CheckSite(absl::StrCat(field, ".sites[", i, "]"), from.sites[i], culture);
          !s.ok()) {
        return s;
      }
      Channels& channels = Own(mode.channels);
      if (!channels.of_site.emplace(from.sites[i], static_cast<int>(i)).second) {
        return MakeFieldError(absl::StrCat(field, ".sites[", i, "]"), "there before", "each once");
      }
      channels.sites.push_back(from.sites[i]);
    }
    if (mode.channels != nullptr) mode.site_map = MapOf(mode.channels->sites, culture);
    if (mode.map() == nullptr && !from.waveforms.empty()) {
      return MakeFieldError(absl::StrCat(field, ".sites"), "none", "those that waveforms reach");
    }
    for (const auto& of_copy : from.waveforms) {
      auto layer = std::make_shared<Layer>();
      layer->serial = mode.next_serial++;
      if (of_copy.size() == 1) {
        layer->of_copy = of_copy;
      } else {
        for (const int copy : copy_of) {
          if (copy < 0 || static_cast<size_t>(copy) >= of_copy.size()) {
            return MakeFieldError(absl::StrCat(field, ".waveforms"),
                                  absl::StrCat(of_copy.size(), " copies"), "one, or all copies'");
          }
          layer->of_copy.push_back(of_copy[static_cast<size_t>(copy)]);
        }
      }
      mode.layers.push_back(std::move(layer));
    }
  }
  return out;
}

}  // namespace livnd::env
