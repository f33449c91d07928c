// Every decoding of the catalogue on anything: an error or finite numbers; and its state is all
// that it knows.
#include "io/decoding/catalog.h"

#include <algorithm>
#include <cmath>
#include <cstdint>
#include <map>
#include <set>
#include <string>
#include <utility>
#include <vector>

#include "absl/strings/str_cat.h"
#include "absl/types/span.h"
#include "gtest/gtest.h"
#include "io/coding/coding_fields.h"
#include "io/coding/coding_spec.h"
#include "io/coding/testing/draw.h"
#include "io/decoding/testing/decode.h"

namespace livnd::io {
namespace {

// Draws of each, 7,800 in all.
int NumOfEach() { return NumCodingDraws(300); }

class DecodingDraw : public Draw {
 public:
  using Draw::Draw;

  DecodingWindow Window() {
    DecodingWindow window;
    window.tick_ms = Chance(0.9) ? 0.025 : std::pow(10.0, 14.0 * Uniform() - 8.0);
    window.num_units = Chance(0.9) ? 1 + Below(12) : Below(3) * Below(int64_t{1} << 20);
    window.num_ticks = Chance(0.9) ? 1 + Below(40'000) : Below(3) * Below(int64_t{1} << 41);
    window.sample_ticks = Chance(0.9) ? 1 + Below(40) : Below(int64_t{1} << 40);
    for (int64_t first = Below(4); Chance(0.6) && first < window.num_units;) {
      const int64_t count = 1 + Below(4);
      window.groups.push_back({absl::StrCat("g", first), first, count});
      first += count + Below(2);
    }
    return window;
  }

  std::string Value() {
    if (Chance(0.05)) return Chance(0.5) ? ".nan" : "-.inf";
    if (Chance(0.1)) return absl::StrCat(Chance(0.5) ? "-" : "", std::pow(10.0, 40.0 * Uniform()));
    if (Chance(0.3)) return absl::StrCat(Below(20) - 1);
    return absl::StrCat(std::pow(10.0, 6.0 * Uniform() - 3.0));
  }

  std::string List() {
    std::string list = "[";
    for (int64_t n = Below(6); n > 0; --n) absl::StrAppend(&list, Value(), n > 1 ? ", " : "");
    return list + "]";
  }

  // Some fields, each of the kind that it is, mostly.
  std::string Spec(const DecodingEntry& entry, const std::vector<CodingFields::Field>& fields) {
    std::string spec = absl::StrCat("{name: ", entry.name);
    for (const CodingFields::Field& field : fields) {
      if (Chance(0.6)) continue;
      std::string value = Value();
      if (field.accepted.find(" lists ") != std::string::npos) {
        value = Chance(0.5) ? "[]" : absl::StrCat("[", List(), ", ", List(), "]");
      } else if (field.accepted.find(" numbers, ") != std::string::npos) {
        value = List();
      } else if (field.accepted.find(" or ") != std::string::npos) {
        const size_t second = field.accepted.find(" or ") + 4;
        value = Chance(0.5) ? field.accepted.substr(second) : field.value;
      } else if (field.accepted.find("whole") != std::string::npos) {
        value = absl::StrCat(Below(Chance(0.9) ? 64 : 100'000));
      }
      absl::StrAppend(&spec, ", ", field.name, ": ", value);
    }
    return spec + "}";
  }

  std::vector<UnitSpike> Spikes(const DecodingWindow& window) {
    std::vector<UnitSpike> spikes;
    const int64_t num = Chance(0.1) ? 0 : Below(Chance(0.1) ? 2000 : 100);
    const int64_t reach = Chance(0.7) ? window.num_ticks : 1 + Below(window.num_ticks);
    for (int64_t i = 0; i < num; ++i) {
      spikes.push_back({static_cast<int32_t>(Below(window.num_units)), Below(reach)});
    }
    std::stable_sort(spikes.begin(), spikes.end(),
                     [](const UnitSpike& a, const UnitSpike& b) { return a.tick < b.tick; });
    return spikes;
  }

  std::vector<double> Samples(const DecodingWindow& window) {
    std::vector<double> samples(static_cast<size_t>(window.num_samples() * window.num_units));
    const double scale = std::pow(10.0, 24.0 * Uniform() - 12.0);
    for (double& sample : samples) sample = scale * (Uniform() - 0.5);
    return samples;
  }

  double Spoilt() { return Chance(0.3) ? NAN : std::pow(10.0, 300.0 * Uniform()); }
};

// The first half of what there is to hear, or the second.
void AddHalf(const Decoding& decoding, const std::vector<UnitSpike>& spikes,
             const std::vector<double>& samples, size_t half, absl::Span<double> state) {
  const auto begin = [half](size_t size) { return half == 0 ? 0 : size / 2; };
  const auto end = [half](size_t size) { return half == 0 ? size / 2 : size; };
  for (size_t i = begin(spikes.size()); i < end(spikes.size()); ++i) {
    decoding.AddSpike(spikes[i], state);
  }
  const auto width = static_cast<size_t>(decoding.window().num_units);
  const size_t num = samples.size() / width;
  for (size_t i = begin(num); i < end(num); ++i) {
    decoding.AddSample(absl::MakeConstSpan(samples).subspan(i * width, width), state);
  }
}

void ExpectFinite(const std::vector<double>& values) {
  for (const double value : values) ASSERT_TRUE(std::isfinite(value));
}

const std::vector<UnitSpike> kNone;
const std::vector<double> kEmpty;

class CatalogTest : public testing::TestWithParam<DecodingEntry> {};

TEST_P(CatalogTest, AnythingIsAnErrorOrFinite) {
  const DecodingEntry& entry = GetParam();
  const std::vector<CodingFields::Field> fields = entry.fields();
  int num_answers = 0;
  for (int i = 0; i < NumOfEach(); ++i) {
    DecodingDraw draw(static_cast<uint64_t>(i) * 1000003 + 17);
    const DecodingWindow window = draw.Window();
    const std::string text = draw.Spec(entry, fields);
    SCOPED_TRACE(absl::StrCat("draw ", i, ": ", text));
    const auto decoding = MakeOfText(text, window);
    if (!decoding.ok()) continue;
    // What is drawn at random seldom has memory and time of its own bounds.
    ASSERT_LE((*decoding)->state_size(), Decoding::kMaxStateSize);
    const double num_samples = static_cast<double>(window.num_samples());
    if ((*decoding)->hears_samples() && num_samples * static_cast<double>(window.num_units) > 2e5) {
      continue;
    }
    const std::vector<UnitSpike> spikes = (*decoding)->hears_spikes() ? draw.Spikes(window) : kNone;
    const std::vector<double> samples =
        (*decoding)->hears_samples() ? draw.Samples(window) : kEmpty;
    const auto values = DecodeWindow(**decoding, spikes, samples);
    if (!values.ok()) continue;
    ExpectFinite(*values);
    ++num_answers;

    // The state in the middle, moved elsewhere, is enough to go on; and it is one.
    std::vector<double> state((*decoding)->state_size()), again((*decoding)->num_values());
    (*decoding)->Begin(absl::MakeSpan(state));
    AddHalf(**decoding, spikes, samples, 0, absl::MakeSpan(state));
    ASSERT_TRUE((*decoding)->CheckState(state).ok());
    const auto other = MakeOfText(text, window);
    std::vector<double> moved = state;
    AddHalf(**other, spikes, samples, 1, absl::MakeSpan(moved));
    ASSERT_TRUE((*other)->Finish(absl::MakeSpan(moved), absl::MakeSpan(again)).ok());
    ASSERT_EQ(again, *values);

    // A state that was spoilt is refused, or does no harm: here and there, or all of a stretch that may be
    // anything.
    if (draw.Chance(0.5)) {
      for (int n = 0; n < 3 && !state.empty(); ++n) {
        state[static_cast<size_t>(draw.Below(static_cast<int64_t>(state.size())))] = draw.Spoilt();
      }
      if (!(*decoding)->CheckState(state).ok()) continue;
    }
    const int num_stretches = draw.Chance(0.2) && !state.empty() ? 3 : 0;
    for (int n = 0; n < num_stretches; ++n) {
      std::vector<double> spoilt = state;
      const auto size = static_cast<int64_t>(state.size());
      const int64_t first = draw.Below(size), num = 1 + draw.Below(size - first);
      std::fill_n(spoilt.begin() + first, num, draw.Spoilt());
      if ((*decoding)->CheckState(spoilt).ok()) state = std::move(spoilt);
    }
    AddHalf(**decoding, spikes, samples, 1, absl::MakeSpan(state));
    if ((*decoding)->Finish(absl::MakeSpan(state), absl::MakeSpan(again)).ok()) ExpectFinite(again);
  }
  // Some draws are taken, or nothing much was tried.
  EXPECT_GT(num_answers, NumOfEach() / 50);
}

TEST_P(CatalogTest, TellsWhatItGives) {
  const auto decoding = MakeOfText(GetParam().name, WindowOf(3, 5000.0));
  ASSERT_TRUE(decoding.ok()) << decoding.status();
  std::set<std::string> names;
  size_t num_values = 0;
  for (const DecodingOutput& output : (*decoding)->outputs()) {
    EXPECT_TRUE(names.insert(output.name).second) << output.name;
    EXPECT_FALSE(output.unit.empty());
    EXPECT_FALSE(output.description.empty());
    num_values += static_cast<size_t>(output.size());
  }
  EXPECT_EQ(num_values, (*decoding)->num_values());
  // And before there is a window.
  const std::vector<CodingTensor> tensors = GetParam().Tensors();
  ASSERT_EQ(tensors.size(), (*decoding)->outputs().size());
  for (size_t i = 0; i < tensors.size(); ++i) {
    EXPECT_EQ(tensors[i].name, (*decoding)->outputs()[i].name);
    EXPECT_EQ(tensors[i].axes.size(), (*decoding)->outputs()[i].shape.size());
  }
  EXPECT_EQ(GetParam().heard, (*decoding)->heard());
  const auto spec = CodingSpec::ParseText("", GetParam().name);
  EXPECT_EQ(HeardBy(*spec), GetParam().heard);
  EXPECT_TRUE(CheckDecoding(*spec).ok());
}

TEST(DecodingsTest, AxesAreNamed) {
  std::map<std::string, std::vector<CodingTensor>> tensors;
  for (const DecodingEntry& entry : Decodings()) tensors[entry.name] = entry.Tensors();
  EXPECT_EQ(tensors["spike_counts"][0].axes, (std::vector<std::string>{"units"}));
  EXPECT_EQ(tensors["firing_rates"][1].axes, (std::vector<std::string>{"groups"}));
  EXPECT_EQ(tensors["van_rossum"][0].axes, (std::vector<std::string>{"units", "units"}));
  EXPECT_EQ(tensors["baks"][0].axes, (std::vector<std::string>{"units", "*"}));
  EXPECT_TRUE(tensors["synchrony"][0].axes.empty());
}

TEST(DecodingsTest, WhatNoWindowWouldMendIsKnownWithoutOne) {
  for (const char* text :
       {"nonsense", "{name: synchrony, bins_ms: 1}", "{name: synchrony, bin_ms: -1}"}) {
    EXPECT_FALSE(CheckDecoding(*CodingSpec::ParseText("", text)).ok()) << text;
  }
  EXPECT_EQ(HeardBy(*CodingSpec::ParseText("", "nonsense")), Heard::kSpikes);
}

INSTANTIATE_TEST_SUITE_P(All, CatalogTest,
                         testing::ValuesIn(Decodings().begin(), Decodings().end()),
                         [](const testing::TestParamInfo<DecodingEntry>& entry) {
                           return std::string(entry.param.name);
                         });

}  // namespace
}  // namespace livnd::io
