// The law of saved cultures: whoever restores one goes on with its bits, wherever that is.
#include <cmath>
#include <cstring>
#include <limits>
#include <memory>
#include <string>
#include <utility>
#include <vector>

#include "base/field_error_matchers.h"
#include "env/culture/culture_model.h"
#include "env/culture/live_culture.h"
#include "env/culture/testing/cultures.h"
#include "gmock/gmock.h"
#include "gtest/gtest.h"
#include "sim/network/populations.h"
#include "sim/testing/executors.h"

namespace livnd::env {
namespace {

using ::testing::_;
using ::testing::HasSubstr;

constexpr char kGlif[] = "livn.models.glif.GLIF";
constexpr char kIzhikevich[] = "livn.models.izhikevich.Izhikevich";

void Change(LiveCulture& culture, const CultureChange& change) {
  const absl::Status changed = culture.Change(change);
  ASSERT_TRUE(changed.ok()) << changed;
}
void RunOn(LiveCulture& culture, const CultureRun& run) {
  const absl::Status ran = culture.Run(run);
  ASSERT_TRUE(ran.ok()) << ran;
}

// NaN equals NaN: all bits count.
bool SameBits(const std::vector<double>& a, const std::vector<double>& b) {
  return a.size() == b.size() && std::memcmp(a.data(), b.data(), a.size() * sizeof(double)) == 0;
}

// Copy `copy` of one recording is copy `other_copy` of another one.
void ExpectSame(const CultureRecording& a, int copy, const CultureRecording& b, int other_copy) {
  EXPECT_EQ(a.start_tick, b.start_tick);
  EXPECT_EQ(a.num_ticks, b.num_ticks);
  const auto spikes = [](const CultureRecording& r, int c, const auto& of) {
    return std::vector(of.begin() + r.spike_offsets[static_cast<size_t>(c)],
                       of.begin() + r.spike_offsets[static_cast<size_t>(c) + 1]);
  };
  EXPECT_EQ(spikes(a, copy, a.spike_gids), spikes(b, other_copy, b.spike_gids));
  EXPECT_EQ(spikes(a, copy, a.spike_ticks), spikes(b, other_copy, b.spike_ticks));
  EXPECT_TRUE(SameBits({a.failed_at_ms[static_cast<size_t>(copy)]},
                       {b.failed_at_ms[static_cast<size_t>(other_copy)]}));
  ASSERT_EQ(a.series.size(), b.series.size());
  for (size_t i = 0; i < a.series.size(); ++i) {
    const int64_t n = a.series[i].num_rows * a.series[i].num_samples;
    const auto of_copy = [n](const RecordedSeries& s, int c) {
      return std::vector<double>(s.values.begin() + c * n, s.values.begin() + (c + 1) * n);
    };
    EXPECT_TRUE(SameBits(of_copy(a.series[i], copy), of_copy(b.series[i], other_copy)))
        << "series " << i;
  }
}

SeriesSelection Series(RecordedQuantity quantity, std::vector<Site> sites) {
  SeriesSelection out;
  out.quantity = quantity;
  out.sample_dt_ms = 0.1;
  out.sites = std::move(sites);
  return out;
}

CultureChange Model(const std::string& name) {
  CultureChange change;
  change.setup.emplace();
  change.setup->model = io::ModelDocument{name, {}};
  return change;
}

// A culture in the middle of something, by name.
struct Story {
  std::string name;
  void (*prepare)(LiveCulture&);  // before the first Clear
  CultureRun (*run)();            // what is still going on where it is saved
};

CultureStimulus ElectrodeCurrent() {
  CultureStimulus s;
  s.quantity = StimulusQuantity::kElectrodeUa;
  s.electrodes = {0, 3};
  s.sample_dt_ms = 0.2;
  s.num_samples = 150;
  for (int i = 0; i < 150; ++i) {
    s.samples.push_back(i % 7 - 3.0);
    s.samples.push_back(i % 5 - 2.0);
  }
  return s;
}

CultureStimulus CurrentOfEachCopy() {
  CultureStimulus s = Current();
  s.per_copy = true;
  s.sample_dt_ms = 1.0;
  s.num_samples = 40;
  s.samples.clear();
  for (int copy = 0; copy < 3; ++copy) {
    for (int i = 0; i < 40; ++i) s.samples.push_back(0.1 * copy + 0.01 * i);
  }
  return s;
}

CultureRun With(std::vector<CultureStimulus> stimuli) {
  CultureRun run = For(12.0);
  run.stimuli = std::move(stimuli);
  return run;
}

const Story kStories[] = {
    {"Quiet", [](LiveCulture&) {}, [] { return For(12.0); }},
    {"Currents",
     [](LiveCulture& c) {
       CultureChange change;
       change.recording.emplace();
       change.recording->series = {
           Series(RecordedQuantity::kMembraneCurrentUa, {{0, 0}, {3, 1}, {9, 0}}),
           Series(RecordedQuantity::kElectrodePotentialUv, {}),
           Series(RecordedQuantity::kVoltageMv, {{1, 0}, {2, 1}})};
       Change(c, change);
     },
     [] { return With({CurrentOfEachCopy()}); }},
    {"Electrodes",
     [](LiveCulture& c) {
       CultureChange change;
       change.params = {{"noise-std_e", {1.5}}};
       change.dt_ms = 0.05;
       change.v_init_mv = -68.0;
       Change(c, change);
     },
     [] { return With({ElectrodeCurrent()}); }},
    {"LightOnLivnsGrid",
     [](LiveCulture& c) {
       CultureChange change;
       change.opsin = {{"g0", 3.0}, {"phi_m", 2e16}};
       Change(c, change);
     },
     [] {
       CultureStimulus light;
       light.quantity = StimulusQuantity::kIrradianceMwMm2;
       light.timing = sim::SampleTiming::kLivn;
       light.sites = {{0, 0}, {4, 0}};
       light.num_samples = 30;
       light.samples.assign(60, 2.5);
       return With({light});
     }},
    {"Learning",
     [](LiveCulture& c) {
       CultureChange change;
       change.plasticity = sim::PlasticityConfig{{sim::kExcitatoryCells, {{"A_ltp", 0.02}}},
                                                 {sim::kInhibitoryCells, {}}};
       change.plasticity_on = true;
       change.params = {{"noise-g_e0", {4.0}}};
       change.recording.emplace();
       change.recording->series = {Series(RecordedQuantity::kLearnedWeight, {})};
       Change(c, change);
     },
     [] { return With({Current()}); }},
    {"FewerCells",
     [](LiveCulture& c) {
       CultureChange change;
       change.setup.emplace();
       change.setup->selection.emplace();
       change.setup->selection->cells = int64_t{7};
       Change(c, change);
     },
     [] { return With({Current()}); }},
    {"Glif", [](LiveCulture& c) { Change(c, Model(kGlif)); }, [] { return With({Current()}); }},
    {"Izhikevich", [](LiveCulture& c) { Change(c, Model(kIzhikevich)); },
     [] { return With({CurrentOfEachCopy()}); }},
};

class EveryStoryTest : public testing::TestWithParam<Story> {};

TEST_P(EveryStoryTest, ARestoredCultureGoesOnWithTheSameBitsWhereverItIs) {
  sim::InlineExecutor one;
  sim::ThreadsExecutor two(2);
  auto made = LiveCulture::Create(EiMini(), 3, 77, two);
  ASSERT_TRUE(made.ok());
  LiveCulture& undisturbed = **made;
  GetParam().prepare(undisturbed);
  const std::vector<int> order = {2, 0, 2, 1};
  for (int part = 0; part < 5; ++part) {
    SCOPED_TRACE(part);
    const SavedCulture saved = undisturbed.Save();
    auto restored = LiveCulture::Restore(EiMini(), saved, order, one);
    ASSERT_TRUE(restored.ok()) << restored.status();
    EXPECT_EQ((*restored)->params().size(), undisturbed.params().size());
    EXPECT_EQ((*restored)->num_clears(), undisturbed.num_clears());
    for (LiveCulture* culture : {&undisturbed, restored->get()}) {
      switch (part) {
        case 0: {
          CultureClear clear;
          if (culture == &undisturbed) {
            clear.seeds = {std::nullopt, 5, std::nullopt};
          } else {
            clear.seeds = {std::nullopt, std::nullopt, std::nullopt, 5};
          }
          ASSERT_TRUE(culture->Clear(clear).ok());
          break;
        }
        case 1:
          // What is saved next is in the middle of it.
          if (culture == &undisturbed) RunOn(*culture, GetParam().run());
          break;
        case 4:
          ASSERT_TRUE(culture->Clear({}).ok());
          RunOn(*culture, For(5.0));
          break;
        default:
          RunOn(*culture, For(7.3));
      }
    }
    if (part < 2) continue;
    for (size_t c = 0; c < order.size(); ++c) {
      ExpectSame((*restored)->recording(), static_cast<int>(c), undisturbed.recording(), order[c]);
      EXPECT_EQ((*restored)->seeds()[c], undisturbed.seeds()[static_cast<size_t>(order[c])]);
    }
    EXPECT_EQ((*restored)->tick(), undisturbed.tick());
  }
}

INSTANTIATE_TEST_SUITE_P(Stories, EveryStoryTest, testing::ValuesIn(kStories),
                         [](const auto& info) { return info.param.name; });

TEST(SavedCultureTest, ACopyThatHasFailedStaysSo) {
  sim::InlineExecutor executor;
  auto culture = LiveCulture::Create(EiMini(), 2, 1, executor);
  ASSERT_TRUE((*culture)->Clear(Seeded(2)).ok());
  CultureStimulus blow = Current();
  blow.per_copy = true;
  blow.samples.insert(blow.samples.end(), blow.samples.begin(), blow.samples.end());
  for (size_t i = 0; i < blow.samples.size() / 2; ++i) blow.samples[i] = 1e9;
  CultureRun run = For(10.0);
  run.stimuli = {blow};
  RunOn(**culture, run);
  ASSERT_EQ((*culture)->first_failed(), 0);
  auto restored = LiveCulture::Restore(EiMini(), (*culture)->Save(), {0, 1}, executor);
  ASSERT_TRUE(restored.ok()) << restored.status();
  RunOn(**culture, For(10.0));
  RunOn(**restored, For(10.0));
  for (int c = 0; c < 2; ++c) {
    ExpectSame((*restored)->recording(), c, (*culture)->recording(), c);
  }
}

TEST(SavedCultureTest, RefusesWhatWasNeverSaved) {
  sim::InlineExecutor executor;
  auto culture = BusyCulture(executor, 2);
  CultureRun run = For(3.0);
  run.stimuli = {Current()};
  RunOn(*culture, run);
  const SavedCulture good = culture->Save();
  ASSERT_TRUE(LiveCulture::Restore(EiMini(), good, {0, 1}, executor).ok());
  const auto refuses = [&](auto spoil, const std::string& field, std::vector<int> copies = {0, 1}) {
    SavedCulture bad = good;
    spoil(bad);
    EXPECT_THAT(LiveCulture::Restore(EiMini(), bad, copies, executor).status(),
                IsFieldError(HasSubstr(field), _, _))
        << field;
  };
  const auto same = [](SavedCulture&) {};
  refuses(same, "num_copies", {});
  refuses(same, "copies", {0, 2});
  refuses(same, "copies", {-1});
  refuses([](SavedCulture& s) { s.copies.clear(); }, "copies");
  refuses([](SavedCulture& s) { s.copies[1].state.pop_back(); }, "copies[1].state");
  refuses([](SavedCulture& s) { s.tick += 1; }, "copies[0].state[0]");
  refuses([](SavedCulture& s) { s.summed_ms = std::nan(""); }, "summed_ms");
  refuses([](SavedCulture& s) { s.num_clears = 0; }, "num_clears");
  refuses([](SavedCulture& s) { s.copies[0].failed_at_ms = -1.0; }, "copies[0].failed_at_ms");
  refuses([](SavedCulture& s) { s.settings.dt_ms = -1.0; }, "settings.dt_ms");
  refuses([](SavedCulture& s) { s.settings.params = {{"x", {1.0}}}; }, "settings.params[x]");
  SavedStimuli& (*stimuli)(SavedCulture&) = [](SavedCulture& s) -> SavedStimuli& {
    return s.stimuli.at(sim::StimulusMode::kCurrent);
  };
  refuses([&](SavedCulture& s) { stimuli(s).sites[0].gid = 1000; }, "stimuli[current].sites[0]");
  refuses([&](SavedCulture& s) { stimuli(s).sites.push_back(stimuli(s).sites[0]); },
          "stimuli[current].sites[1]");
  refuses([&](SavedCulture& s) { stimuli(s).sites.clear(); }, "stimuli[current]");
  refuses(
      [&](SavedCulture& s) {
        auto bad = std::make_shared<sim::Waveform>(*stimuli(s).waveforms[0][0]);
        bad->channels = {7};
        stimuli(s).waveforms[0] = {bad};
      },
      "stimuli[current].channels");
  // Numbers by which memory is walked: any other than those that were saved is refused, or harmless.
  for (size_t i = 0; i < good.copies[0].state.size(); i += 29) {
    for (const double x : {-1.0, 0.5, 1e300, std::numeric_limits<double>::infinity(), -1e18,
                           std::numeric_limits<double>::quiet_NaN(), 0x1p51, 3.0}) {
      SavedCulture bad = good;
      bad.copies[0].state[i] = x;
      auto restored = LiveCulture::Restore(EiMini(), bad, {0}, executor);
      if (restored.ok()) RunOn(**restored, For(0.2));
    }
  }
}

}  // namespace
}  // namespace livnd::env
