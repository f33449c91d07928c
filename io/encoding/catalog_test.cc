// Every encoding of the catalogue on anything: an error, or finite currents whose pulses are
// balanced to the last bit and end within the step.
#include "io/encoding/catalog.h"

#include <cmath>
#include <cstdint>
#include <string>
#include <vector>

#include "absl/strings/str_cat.h"
#include "absl/types/span.h"
#include "gtest/gtest.h"
#include "io/coding/coding_fields.h"
#include "io/coding/testing/draw.h"
#include "io/encoding/testing/encode.h"

namespace livnd::io {
namespace {

// Draws of each, 3,200 in all.
int NumOfEach() { return NumCodingDraws(400); }

class EncodingDraw : public Draw {
 public:
  using Draw::Draw;

  EncodingWindow Window() {
    EncodingWindow window;
    window.tick_ms = Chance(0.9) ? 0.025 : std::pow(10.0, 14.0 * Uniform() - 8.0);
    window.num_electrodes = Chance(0.9) ? 1 + Below(12) : Below(3) * Below(70'000);
    window.num_ticks = Chance(0.9) ? 1 + Below(40'000) : Below(3) * Below(int64_t{1} << 41);
    return window;
  }

  std::string Spec(const EncodingEntry& entry, const std::vector<CodingFields::Field>& fields) {
    std::string spec = absl::StrCat("{name: ", entry.name);
    for (const CodingFields::Field& field : fields) {
      if (Chance(0.7)) continue;
      std::string value = Value();
      if (field.accepted.find(" numbers, ") != std::string::npos) {
        value =
            absl::StrCat("[", Below(6), ", ", Chance(0.9) ? absl::StrCat(Below(6)) : Value(), "]");
      } else if (field.accepted.find(" or ") != std::string::npos) {
        value = Chance(0.5) ? "latency" : "rate";
      } else if (field.accepted.find("whole") != std::string::npos) {
        value = absl::StrCat(Below(8));
      } else if (field.name == "phase_us" && Chance(0.8)) {
        value = absl::StrCat(25 * (1 + Below(20)));
      }
      absl::StrAppend(&spec, ", ", field.name, ": ", value);
    }
    return spec + "}";
  }

  float Number(const EncodingInput& input) {
    if (Chance(0.002)) return NAN;
    if (Chance(0.002)) return static_cast<float>(std::pow(10.0, 38.0 * Uniform()));
    if (Chance(0.2)) return static_cast<float>(Chance(0.5) ? input.low : input.high);
    return static_cast<float>(input.low + (input.high - input.low) * Uniform());
  }

 private:
  std::string Value() {
    if (Chance(0.05)) return Chance(0.5) ? ".nan" : ".inf";
    if (Chance(0.05)) return absl::StrCat(Chance(0.5) ? "-" : "", std::pow(10.0, 40.0 * Uniform()));
    return absl::StrCat(std::pow(10.0, 4.0 * Uniform() - 3.0));
  }
};

class CatalogTest : public testing::TestWithParam<EncodingEntry> {};

TEST_P(CatalogTest, AnythingIsAnErrorOrFinite) {
  const EncodingEntry& entry = GetParam();
  const std::vector<CodingFields::Field> fields = entry.fields();
  const bool is_balanced = absl::string_view(entry.name).substr(0, 5) != "livn_";
  int num_answers = 0;
  for (int i = 0; i < NumOfEach(); ++i) {
    EncodingDraw draw(static_cast<uint64_t>(i) * 7919 + 5);
    const EncodingWindow window = draw.Window();
    const std::string text = draw.Spec(entry, fields);
    SCOPED_TRACE(absl::StrCat("draw ", i, ": ", text));
    const auto encoding = MakeEncodingOfText(text, window);
    if (!encoding.ok()) continue;
    std::vector<double> state((*encoding)->state_size());
    (*encoding)->Begin(absl::MakeSpan(state));
    int64_t tick = draw.Below(1'000'000);
    for (int step = 0; step < 4; ++step) {
      std::vector<float> values;
      for (const EncodingInput& input : (*encoding)->inputs()) values.push_back(draw.Number(input));
      if (!(*encoding)->CheckValues(values).ok()) continue;
      ASSERT_TRUE((*encoding)->CheckState(state).ok());
      sim::Waveform currents, again;
      std::vector<double> moved = state;
      (*encoding)->Encode(values, tick, absl::MakeSpan(state), &currents);
      ++num_answers;

      const auto num = static_cast<size_t>(window.num_electrodes);
      ASSERT_EQ(currents.num_channels, window.num_electrodes);
      ASSERT_EQ(currents.samples.size() % num, 0u);
      const int64_t sample_ticks = sim::TicksOfSample(currents.sample_dt_ms, window.tick_ms);
      ASSERT_GT(sample_ticks, 0);
      ASSERT_GE(currents.first_tick, tick);
      ASSERT_LE(currents.first_tick + currents.num_samples() * sample_ticks,
                tick + window.num_ticks);
      std::vector<double> sums(num, 0.0);
      for (size_t s = 0; s < currents.samples.size(); ++s) {
        ASSERT_TRUE(std::isfinite(currents.samples[s]));
        sums[s % num] += currents.samples[s];
      }
      if (is_balanced) {
        for (const double sum : sums) ASSERT_EQ(sum, 0.0);
      }

      // The state that was moved elsewhere does the same.
      (*encoding)->Encode(values, tick, absl::MakeSpan(moved), &again);
      ASSERT_EQ(again.samples, currents.samples);
      ASSERT_EQ(moved, state);
      tick += window.num_ticks;
      if (!state.empty() && draw.Chance(0.1)) {
        state[static_cast<size_t>(draw.Below(static_cast<int64_t>(state.size())))] =
            draw.Chance(0.5) ? NAN : std::pow(10.0, 300.0 * draw.Uniform());
        moved = state;
        (*encoding)->Encode(values, tick, absl::MakeSpan(moved), &again);
        for (const double current : again.samples) ASSERT_TRUE(std::isfinite(current));
        break;
      }
    }
  }
  EXPECT_GT(num_answers, NumOfEach() / 4);
}

TEST_P(CatalogTest, TellsWhatItTakes) {
  const auto encoding = MakeEncodingOfText(GetParam().name, StepOf(6, 1000.0));
  ASSERT_TRUE(encoding.ok()) << encoding.status();
  EXPECT_FALSE((*encoding)->inputs().empty());
  for (const EncodingInput& input : (*encoding)->inputs()) {
    EXPECT_FALSE(input.name.empty() || input.unit.empty());
    EXPECT_LT(input.low, input.high);
  }
}

TEST(EncodingsTest, InputsAreTensors) {
  const std::vector<CodingTensor> rate = Encodings()[1].Tensors();
  ASSERT_EQ(rate.size(), 1u);
  EXPECT_EQ(rate[0].name, "rate");
  EXPECT_EQ(rate[0].axes, (std::vector<std::string>{"electrodes"}));
  EXPECT_EQ(rate[0].high, 1.0);
  const std::vector<CodingTensor> population = Encodings()[3].Tensors();
  ASSERT_EQ(population.size(), 1u);
  EXPECT_EQ(population[0].axes, (std::vector<std::string>{"*"}));
  const std::vector<CodingTensor> pulse = Encodings()[4].Tensors();
  ASSERT_EQ(pulse.size(), 3u);
  EXPECT_EQ(pulse[1].name, "time_ms");
  EXPECT_EQ(pulse[1].unit, "ms");
  EXPECT_TRUE(pulse[1].axes.empty());
}

INSTANTIATE_TEST_SUITE_P(All, CatalogTest,
                         testing::ValuesIn(Encodings().begin(), Encodings().end()),
                         [](const testing::TestParamInfo<EncodingEntry>& entry) {
                           return std::string(entry.param.name);
                         });

}  // namespace
}  // namespace livnd::io
