// Decodings and an encoding of a live culture.
#include <cmath>
#include <cstdint>
#include <memory>
#include <string>
#include <utility>
#include <vector>

#include "base/field_error_matchers.h"
#include "env/culture/live_culture.h"
#include "env/culture/testing/cultures.h"
#include "gmock/gmock.h"
#include "gtest/gtest.h"
#include "io/decoding/catalog.h"
#include "io/decoding/unit_map.h"
#include "io/device/electrode_array.h"
#include "io/encoding/catalog.h"
#include "sim/testing/executors.h"

namespace livnd::env {
namespace {

using testing::_;
using testing::ElementsAre;
using testing::HasSubstr;

constexpr double kDtMs = 0.025;

io::CodingSpec Spec(const std::string& text) { return *io::CodingSpec::ParseText("", text); }

DecodingSelection Select(const std::string& text, DecodingUnits units = DecodingUnits::kAny) {
  return {Spec(text), units, 0.0};
}

std::vector<DecodingSelection> Several() {
  return {Select("spike_counts"), Select("firing_rates", DecodingUnits::kCells),
          Select("{name: network_bursts, bin_ms: 5, min_floor: 1}"), Select("baks"),
          Select("{name: lfp_bands, downsample_hz: 500, segment: 16, low_hz: [1, 30], high_hz: "
                 "[30, 80]}")};
}

class CodingsTest : public testing::Test {
 protected:
  std::unique_ptr<LiveCulture> Busy(std::vector<DecodingSelection> decodings, bool spikes = true,
                                    int num_copies = 2) {
    auto culture = BusyCulture(executor_, num_copies);
    CultureChange change;
    change.recording.emplace();
    change.recording->spikes = spikes;
    change.recording->decodings = std::move(decodings);
    EXPECT_TRUE(culture->Change(change).ok());
    return culture;
  }
  std::unique_ptr<LiveCulture> Encoded(const std::string& text, double step_ms = 5.0) {
    auto culture = BusyCulture(executor_, 2);
    CultureChange change;
    change.encoding = std::optional<EncodingSelection>(EncodingSelection{Spec(text), step_ms});
    EXPECT_TRUE(culture->Change(change).ok());
    return culture;
  }

  sim::ThreadsExecutor executor_{2};
};

// [sample][row] of a copy.
std::vector<double> SamplesOf(const RecordedSeries& series, int copy) {
  std::vector<double> samples;
  for (int64_t s = 0; s < series.num_samples; ++s) {
    for (int64_t row = 0; row < series.num_rows; ++row) {
      samples.push_back(series.values[static_cast<size_t>(
          (copy * series.num_rows + row) * series.num_samples + s)]);
    }
  }
  return samples;
}

// What io gives of the spikes that were recorded, and of samples of each tick.
std::vector<double> Expected(const LiveCulture& culture, const std::string& text, bool by_cell,
                             int copy, const std::vector<double>& samples = {}) {
  const CultureRecording& recording = culture.recording();
  io::DecodingWindow window;
  window.tick_ms = kDtMs;
  window.num_ticks = recording.num_ticks;
  window.sample_ticks = 1;
  const auto array = *io::ElectrodeArray::Create(*culture.setup().electrode_array);
  const io::UnitMap units =
      by_cell ? io::UnitMap::OfCells(culture.culture().gids())
              : io::UnitMap::OfElectrodes(array.CellsInReach(culture.model().system().position_um));
  window.num_units = units.num_units();
  if (by_cell) window.groups = {{"EXC", 0, 8}, {"INH", 8, 2}};
  std::vector<io::UnitSpike> heard;
  const auto c = static_cast<size_t>(copy);
  for (int64_t i = recording.spike_offsets[c]; i < recording.spike_offsets[c + 1]; ++i) {
    const auto at = static_cast<size_t>(i);
    sim::Spike spike;
    spike.gid = recording.spike_gids[at];
    spike.tick = recording.spike_ticks[at];
    units.ForEach(absl::MakeConstSpan(&spike, 1), recording.start_tick,
                  [&](const io::UnitSpike& s) { heard.push_back(s); });
  }
  return *io::DecodeWindow(**io::MakeDecoding(Spec(text), window), heard, samples);
}

std::vector<double> Of(const Decoded& decoded, int copy) {
  const size_t n = decoded.values.size() / 2;
  return {decoded.values.begin() + static_cast<std::ptrdiff_t>(n * static_cast<size_t>(copy)),
          decoded.values.begin() + static_cast<std::ptrdiff_t>(n * static_cast<size_t>(copy + 1))};
}

TEST_F(CodingsTest, DecodingsGiveWhatIoGivesOfTheSameSpikes) {
  auto culture = Busy(Several());
  ASSERT_TRUE(culture->Run(For(7.5)).ok());  // windows begin with the run
  ASSERT_TRUE(culture->Run(For(200.0)).ok());
  const std::vector<Decoded>& decoded = culture->recording().decoded;
  ASSERT_EQ(decoded.size(), 5u);
  EXPECT_EQ(decoded[1].name, "firing_rates");
  EXPECT_EQ(decoded[1].outputs[0].name, "rate_hz");
  for (int copy = 0; copy < 2; ++copy) {
    EXPECT_EQ(Of(decoded[0], copy), Expected(*culture, "spike_counts", false, copy));
    EXPECT_EQ(Of(decoded[1], copy), Expected(*culture, "firing_rates", true, copy));
    EXPECT_EQ(Of(decoded[2], copy),
              Expected(*culture, "{name: network_bursts, bin_ms: 5, min_floor: 1}", false, copy));
    EXPECT_EQ(Of(decoded[3], copy), Expected(*culture, "baks", false, copy));
  }
  EXPECT_NE(Of(decoded[0], 0), Of(decoded[0], 1));
}

TEST_F(CodingsTest, PotentialsAreThoseThatElectrodesHear) {
  const std::string text =
      "{name: lfp_bands, downsample_hz: 500, segment: 16, low_hz: [1, 30], high_hz: [30, 80]}";
  auto culture = Busy({Select(text)});
  CultureChange change;
  change.recording = culture->selection();
  change.recording->series.resize(1);
  change.recording->series[0].quantity = RecordedQuantity::kElectrodePotentialUv;
  change.recording->series[0].sample_dt_ms = 0.1;
  ASSERT_TRUE(culture->Change(change).ok());
  ASSERT_TRUE(culture->Run(For(100.0)).ok());
  const RecordedSeries& series = culture->recording().series[0];
  io::DecodingWindow window;
  window.num_units = series.num_rows;
  window.num_ticks = 4000;
  const auto decoding = *io::MakeDecoding(Spec(text), window);
  for (int copy = 0; copy < 2; ++copy) {
    EXPECT_EQ(Of(culture->recording().decoded[0], copy),
              *io::DecodeWindow(*decoding, {}, SamplesOf(series, copy)));
  }
}

TEST_F(CodingsTest, VoltagesAreThoseOfSomata) {
  const std::string text = "{name: waveforms, max_cutouts: 8}";
  auto culture = Busy({Select(text)});
  CultureChange change;
  change.recording = culture->selection();
  change.recording->series.resize(1);
  change.recording->series[0].quantity = RecordedQuantity::kVoltageMv;
  change.recording->series[0].sample_dt_ms = 0.025;
  for (const int64_t gid : culture->culture().gids()) {
    change.recording->series[0].sites.push_back({gid, 0});
  }
  ASSERT_TRUE(culture->Change(change).ok());
  ASSERT_TRUE(culture->Run(For(100.0)).ok());
  double num_spikes = 0.0;
  for (int copy = 0; copy < 2; ++copy) {
    const std::vector<double> values = Of(culture->recording().decoded[0], copy);
    EXPECT_EQ(values, Expected(*culture, text, true, copy,
                               SamplesOf(culture->recording().series[0], copy)));
    num_spikes += values[0] + values[1];  // of a population each
  }
  EXPECT_GT(num_spikes, 0.0);
}

TEST_F(CodingsTest, NeitherCutsNorWhatIsRecordedMatter) {
  auto whole = Busy(Several()), cut = Busy(Several(), false);
  ASSERT_TRUE(whole->Run(For(100.0)).ok());
  ASSERT_TRUE(cut->BeginRun(For(100.0)).ok());
  for (int64_t ticks = 1; !cut->ContinueRun(ticks).over; ticks = ticks % 211 + 7) {
  }
  ASSERT_TRUE(cut->FinishRun().ok());
  EXPECT_TRUE(cut->recording().spike_gids.empty());
  for (size_t i = 0; i < whole->recording().decoded.size(); ++i) {
    EXPECT_EQ(whole->recording().decoded[i].values, cut->recording().decoded[i].values) << i;
  }
}

TEST_F(CodingsTest, BadDecodingsAreRefused) {
  auto culture = BusyCulture(executor_, 1);
  const auto error = [&](DecodingSelection selection) {
    CultureChange change;
    change.recording.emplace();
    change.recording->decodings = {Select("spike_counts"), std::move(selection)};
    return culture->Change(change);
  };
  EXPECT_THAT(error(Select("firing_rate")), IsFieldError("recording.decodings[1].name",
                                                         "firing_rate", HasSubstr("firing_rates")));
  EXPECT_THAT(error(Select("{name: synchrony, bins_ms: 3}")),
              IsFieldError("recording.decodings[1].bins_ms", _, HasSubstr("bin_ms")));
  EXPECT_THAT(error(Select("{name: synchrony, bin_ms: -3}")),
              IsFieldError("recording.decodings[1].bin_ms", "-3", _));
  EXPECT_THAT(error(Select("lfp_bands", DecodingUnits::kCells)),
              IsFieldError("recording.decodings[1].units", "cells", _));
  DecodingSelection odd = Select("lfp_bands");
  odd.sample_dt_ms = 0.03;
  EXPECT_THAT(error(odd), IsFieldError("recording.decodings[1].sample_dt_ms", "0.03", _));
  EXPECT_TRUE(culture->selection().decodings.empty());
  // What depends on how long a run is, it says.
  ASSERT_TRUE(error(Select("{name: peristimulus_histogram, onsets_ms: [100]}")).ok());
  EXPECT_THAT(culture->Run(For(50.0)),
              IsFieldError(HasSubstr("recording.decodings[1].onsets_ms"), _, _));
  EXPECT_THAT(culture->Run(For(0.0)), IsFieldError("duration_ms", "0", _));
  EXPECT_TRUE(culture->Run(For(400.0)).ok());
}

// What does not fit into a decoding's memory is not told as if it were all.
TEST_F(CodingsTest, WhatIsNotKeptIsNan) {
  auto culture = Busy({Select("{name: baks, max_spikes: 1}")});
  ASSERT_TRUE(culture->Run(For(200.0)).ok());
  EXPECT_TRUE(std::isnan(culture->recording().decoded[0].values[0]));
}

TEST_F(CodingsTest, FeaturesAreTheCurrentsOfTheEncoding) {
  const std::string text = "{name: rate, max_hz: 300, max_amplitude_ua: 20}";
  auto encoded = Encoded(text), sampled = BusyCulture(executor_, 2);
  for (LiveCulture* culture : {encoded.get(), sampled.get()})
    ASSERT_TRUE(culture->Run(For(3.3)).ok());
  const auto num = static_cast<size_t>(encoded->encoding()->encoding().inputs().size());
  ASSERT_EQ(num, 8u);
  CultureFeatures features;
  features.num_steps = 4;
  for (size_t i = 0; i < 2 * 4 * num; ++i)
    features.values.push_back(static_cast<float>(i % 7) / 7.0F);
  CultureRun run = For(20.0);
  run.features = features;
  ASSERT_TRUE(encoded->Run(run).ok());
  // The same, written down by io.
  io::EncodingWindow window{8, kDtMs, 200};
  const auto encoding = *io::MakeEncoding(Spec(text), window);
  CultureStimulus stimulus;
  stimulus.quantity = StimulusQuantity::kElectrodeUa;
  stimulus.sample_dt_ms = 0.2;
  for (int64_t e = 0; e < 8; ++e) stimulus.electrodes.push_back(e);
  stimulus.num_samples = 100;
  stimulus.per_copy = true;
  for (size_t copy = 0; copy < 2; ++copy) {
    std::vector<double> state(encoding->state_size());
    encoding->Begin(absl::MakeSpan(state));
    for (size_t step = 0; step < 4; ++step) {
      sim::Waveform waveform;
      encoding->Encode(absl::MakeConstSpan(features.values).subspan((copy * 4 + step) * num, num),
                       132 + 200 * static_cast<int64_t>(step), absl::MakeSpan(state), &waveform);
      waveform.samples.resize(25 * 8, 0.0);
      stimulus.samples.insert(stimulus.samples.end(), waveform.samples.begin(),
                              waveform.samples.end());
    }
  }
  CultureRun by_samples = For(20.0);
  by_samples.stimuli = {stimulus};
  ASSERT_TRUE(sampled->Run(by_samples).ok());
  EXPECT_EQ(encoded->recording().spike_ticks, sampled->recording().spike_ticks);
  EXPECT_EQ(encoded->recording().series[0].values, sampled->recording().series[0].values);
}

// The phase of trains goes on from run to run, through a snapshot, and begins anew with a Clear.
TEST_F(CodingsTest, WhatIsUnderWayGoesOn) {
  const std::string text = "{name: rate, max_hz: 90, max_amplitude_ua: 20}";
  const auto run_of = [](int64_t num_steps) {
    CultureRun run = For(5.0 * static_cast<double>(num_steps));
    run.features.emplace();
    run.features->num_steps = num_steps;
    run.features->values.assign(static_cast<size_t>(2 * 8 * num_steps), 0.77F);
    return run;
  };
  auto whole = Encoded(text), cut = Encoded(text);
  ASSERT_TRUE(whole->Run(run_of(8)).ok());
  ASSERT_TRUE(cut->Run(run_of(3)).ok());
  auto restored = LiveCulture::Restore(EiMini(), cut->Save(), {0, 1}, executor_);
  ASSERT_TRUE(restored.ok()) << restored.status();
  ASSERT_TRUE((*restored)->Run(run_of(5)).ok());
  const auto learned = [](const LiveCulture& culture) { return culture.LearnedWeights(); };
  EXPECT_EQ(learned(**restored), learned(*whole));
  SavedCulture bad = cut->Save();
  bad.copies[1].encoding_state.pop_back();
  EXPECT_THAT(LiveCulture::Restore(EiMini(), bad, {0, 1}, executor_).status(),
              IsFieldError("copies[1].encoding_state", _, _));
  // A run that is given up has not moved it.
  CultureRun given_up = run_of(5);
  given_up.sure_recording_bytes = 0;
  ASSERT_TRUE(cut->BeginRun(given_up).ok());
  cut->ContinueRun(300);
  cut->GiveUpRun();
  while (!cut->ContinueRun(100).over) {
  }
  EXPECT_EQ(cut->FinishRun().code(), absl::StatusCode::kResourceExhausted);
  ASSERT_TRUE(cut->Run(run_of(5)).ok());
  EXPECT_EQ(learned(*cut), learned(*whole));
  EXPECT_EQ(cut->Save().copies[0].encoding_state, whole->Save().copies[0].encoding_state);
  ASSERT_TRUE(cut->Clear({}).ok());
  EXPECT_NE(cut->Save().copies[0].encoding_state, whole->Save().copies[0].encoding_state);
}

TEST_F(CodingsTest, BadFeaturesAreRefusedWhole) {
  auto culture = Encoded("amplitude"), plain = Encoded("amplitude");
  const auto error = [&](const auto& change) {
    CultureRun run = For(10.0);
    run.features.emplace();
    run.features->num_steps = 2;
    run.features->values.assign(2 * 2 * 8, 0.5F);
    change(run);
    return culture->Run(run);
  };
  EXPECT_THAT(error([](CultureRun& r) { r.features->values[8 * 3 + 2] = 2.0F; }),
              IsFieldError("features[1][1].amplitude_2", "2", _));
  EXPECT_THAT(error([](CultureRun& r) { r.features->values.pop_back(); }),
              IsFieldError("features", "31 numbers", "2 x 2 x 8"));
  EXPECT_THAT(error([](CultureRun& r) { r.duration_ms = 11.0; }),
              IsFieldError("duration_ms", "11", HasSubstr("2 steps of 5 ms")));
  EXPECT_THAT(error([](CultureRun& r) {
                r.pulse_plan.emplace();
                r.pulse_plan->pulses.resize(1);
                r.pulse_plan->pulses[0].electrodes = {0};
              }),
              IsFieldError("features", "beside pulses of a plan", _));
  EXPECT_THAT(error([](CultureRun& r) {
                r.stimuli.resize(1);
                r.stimuli[0].quantity = StimulusQuantity::kElectrodeUa;
                r.stimuli[0].electrodes = {0};
                r.stimuli[0].num_samples = 1;
                r.stimuli[0].samples = {1.0};
              }),
              IsFieldError("features", HasSubstr("stimuli of the field"), _));
  ASSERT_TRUE(culture->Run(For(20.0)).ok());
  ASSERT_TRUE(plain->Run(For(20.0)).ok());
  EXPECT_EQ(culture->recording().series[0].values, plain->recording().series[0].values);

  CultureChange change;
  change.encoding = std::optional<EncodingSelection>();
  ASSERT_TRUE(culture->Change(change).ok());
  EXPECT_THAT(error([](CultureRun&) {}), IsFieldError("features", "present", HasSubstr("absent")));
  change.encoding = std::optional<EncodingSelection>(EncodingSelection{Spec("rates"), 5.0});
  EXPECT_THAT(culture->Change(change), IsFieldError("encoding.name", "rates", HasSubstr("rate")));
  change.encoding = std::optional<EncodingSelection>(EncodingSelection{Spec("rate"), 0.03});
  EXPECT_THAT(culture->Change(change), IsFieldError("encoding.step_ms", "0.03", _));
  change.encoding = std::optional<EncodingSelection>(
      EncodingSelection{Spec("{name: amplitude, max_amplitude_ua: 1000}"), 5.0});
  ASSERT_TRUE(culture->Change(change).ok());
  EXPECT_THAT(error([](CultureRun&) {}),
              IsFieldError("features[0][0]", HasSubstr("mV at a cell"), _));
}

}  // namespace
}  // namespace livnd::env
