#include "lab/sample/sample_plan.h"

#include <map>
#include <set>
#include <string>

#include "base/field_error_matchers.h"
#include "gmock/gmock.h"
#include "gtest/gtest.h"
#include "io/json/yaml.h"
#include "io/neuroh5/read_system.h"

namespace livnd::lab {
namespace {

using testing::_;
using testing::AllOf;
using testing::ElementsAre;
using testing::Ge;
using testing::HasSubstr;
using testing::Le;
using testing::SizeIs;

class Plans : public testing::Test {
 protected:
  Plans() : system_(io::ReadSystem("systems/EI-mini").value()) { config_.count = 4000; }

  SamplePlan Plan() const {
    absl::StatusOr<SamplePlan> plan = SamplePlan::Create(system_, config_, "livnd sample");
    EXPECT_TRUE(plan.ok()) << plan.status();
    return *std::move(plan);
  }
  absl::Status Fault() const {
    return SamplePlan::Create(system_, config_, "livnd sample").status();
  }
  static io::Json Yaml(const std::string& text) { return io::ParseYaml("flag", text).value(); }

  const io::System system_;
  SampleConfig config_;
};

TEST_F(Plans, DrawLivnsBoxUnlessTold) {
  const SamplePlan plan = Plan();
  ASSERT_THAT(plan.features(), SizeIs(3));
  std::map<float, int> channels;
  std::set<uint32_t> seeds;
  float first_ms = 1e9f, last_ms = 0, weakest = 1e9f, strongest = 0;
  double sum_ms = 0;
  for (int64_t i = 0; i < plan.count(); ++i) {
    const DrawnSample drawn = plan.Draw(i);
    ASSERT_THAT(drawn.features, SizeIs(3));
    ++channels[drawn.features[0]];
    first_ms = std::min(first_ms, drawn.features[1]);
    last_ms = std::max(last_ms, drawn.features[1]);
    sum_ms += drawn.features[1];
    weakest = std::min(weakest, drawn.features[2]);
    strongest = std::max(strongest, drawn.features[2]);
    seeds.insert(drawn.seed);
  }
  // All electrodes as often, the ones at the ends too: 500 each, with a deviation of 21.
  EXPECT_EQ(channels.size(), 8u);
  for (const auto& [channel, num] : channels) {
    EXPECT_EQ(channel, std::floor(channel));
    EXPECT_THAT(num, AllOf(Ge(400), Le(600))) << channel;
  }
  EXPECT_THAT(first_ms, AllOf(Ge(0), Le(5)));
  EXPECT_THAT(last_ms, AllOf(Ge(895), Le(900)));
  EXPECT_NEAR(sum_ms / 4000, 450, 20);
  EXPECT_THAT(weakest, AllOf(Ge(250), Le(255)));
  EXPECT_THAT(strongest, AllOf(Ge(745), Le(750)));
  EXPECT_EQ(seeds.size(), 4000u);
}

TEST_F(Plans, DrawASampleByItsNumberAndTheSeedAlone) {
  const DrawnSample drawn = Plan().Draw(17);
  config_.count = 20;
  config_.trials = 3;
  config_.part = 5;
  config_.range = {10, 20};
  config_.noise = false;
  EXPECT_EQ(Plan().Draw(17).features, drawn.features);
  EXPECT_EQ(Plan().Draw(17).seed, drawn.seed);
  EXPECT_NE(Plan().Draw(18).features, drawn.features);
  config_.seed = 124;
  EXPECT_NE(Plan().Draw(17).features, drawn.features);
  EXPECT_NE(Plan().Draw(17).seed, drawn.seed);
}

TEST_F(Plans, TakeRangesAndStepsOfAnyEncoding) {
  config_.encoding = Yaml("{name: rate, max_hz: 40}");
  config_.step_ms = 250;
  config_.ranges = Yaml("{rate: [0.25, 0.5], rate_3: 1}");
  const SamplePlan plan = Plan();
  EXPECT_EQ(plan.num_steps(), 4);
  const DrawnSample drawn = plan.Draw(0);
  ASSERT_THAT(drawn.features, SizeIs(32));
  for (size_t i = 0; i < 32; ++i) {
    if (i % 8 == 3) {
      EXPECT_EQ(drawn.features[i], 1);
    } else {
      EXPECT_THAT(drawn.features[i], AllOf(Ge(0.25f), Le(0.5f)));
    }
  }
  EXPECT_EQ(std::set<float>(drawn.features.begin(), drawn.features.end()).size(), 29u);
  config_.encoding.reset();
  config_.step_ms.reset();
  config_.ranges = nullptr;
  EXPECT_THAT(Plan().Draw(0).features, SizeIs(0));
}

TEST_F(Plans, SplitSamplesInTheirOrder) {
  config_.count = 0;
  config_.split = {{"train", 30}, {"test", 12}};
  config_.part = 8;
  const SamplePlan plan = Plan();
  EXPECT_EQ(plan.count(), 42);
  EXPECT_EQ(plan.document()["splits"].dump(), R"({"train":30,"test":12})");
  config_.range = {40, 42};
  EXPECT_EQ(Plan().begin(), 40);
  config_.range = {40, 41};
  EXPECT_THAT(Fault(), IsFieldError("--range", "40:41", HasSubstr("multiples of the 8 samples")));
  config_.range = {8, 8};
  EXPECT_THAT(Fault(), IsFieldError("--range", "8:8", HasSubstr("FIRST < END <= 42")));
  config_.range.reset();
  config_.count = 40;
  EXPECT_THAT(Fault(), IsFieldError("--split", "42 samples", "--count, 40, in all"));
  config_.split = {{"a", 20}, {"a", 20}};
  EXPECT_THAT(Fault(), IsFieldError("--split", "a twice", "each name once"));
  config_.split.clear();
  config_.count = 0;
  EXPECT_THAT(Fault(), IsFieldError("--count", "absent", _));
}

TEST_F(Plans, TakeParamsAndNoise) {
  const auto has_noise = [&] {
    const SamplePlan plan = Plan();
    for (const io::Param& p : plan.params()) {
      if (p.key.rfind("noise-", 0) == 0) return true;
    }
    return false;
  };
  EXPECT_TRUE(has_noise());
  const std::string of_model = Plan().document()["params"].dump();
  config_.params = "default";
  EXPECT_NE(Plan().document()["params"].dump(), of_model);
  EXPECT_TRUE(has_noise());
  EXPECT_TRUE(Plan().setup().culture.noise.has_value());
  config_.noise = false;
  EXPECT_FALSE(has_noise());
  EXPECT_FALSE(Plan().setup().culture.noise.has_value());
  config_.params = "systems/EI-mini/params/default.json";
  EXPECT_FALSE(has_noise());
  config_.group = "none";
  EXPECT_THAT(Fault(), IsFieldError("--group", "none", "default"));
  config_.params = "tuned";
  EXPECT_THAT(Fault(), IsFieldError("--params", "tuned", HasSubstr("document of the system")));
}

TEST_F(Plans, RefuseByFlagValueAndWhatIsAccepted) {
  config_.warmup_ms = -1;
  EXPECT_THAT(Fault(), IsFieldError("--warmup", "-1", HasSubstr("a multiple of 0.025")));
  config_.warmup_ms = 250;
  config_.duration_ms = 0;
  EXPECT_THAT(Fault(), IsFieldError("--duration", "0", _));
  config_.duration_ms = 100.01;
  EXPECT_THAT(Fault(), IsFieldError("--duration", "100.01", _));
  config_.duration_ms = 1000;
  config_.step_ms = 300;
  EXPECT_THAT(Fault(), IsFieldError("--step", "300", HasSubstr("a whole part of it")));
  config_.step_ms.reset();
  config_.encoding = Yaml("livn_puls");
  EXPECT_THAT(std::string(Fault().message()), HasSubstr("livn_pulse (the nearest)"));
  config_.encoding = Yaml("{name: livn_pulse, width: 3}");
  EXPECT_THAT(std::string(Fault().message()), HasSubstr("--encoding"));
  config_.encoding = Yaml("livn_pulse");
  config_.ranges = Yaml("{chanel: 1}");
  EXPECT_THAT(Fault(), IsFieldError("--ranges.chanel", "an unknown name",
                                    HasSubstr("channel (the nearest)")));
  config_.ranges = Yaml("{channel: [0, 8]}");
  EXPECT_THAT(std::string(Fault().message()),
              HasSubstr("--ranges: channel is an array of 2 elements; accepted: a whole number"));
  config_.ranges = Yaml("{channel: [0.2, 0.8]}");
  EXPECT_FALSE(Fault().ok());
  config_.ranges = Yaml("[1]");
  EXPECT_THAT(std::string(Fault().message()), HasSubstr("{INPUT: [LOW, HIGH]}"));
  config_.ranges = nullptr;
  config_.voltages = Yaml("[3, 3]");
  EXPECT_THAT(std::string(Fault().message()), HasSubstr("--voltages: [1] is 3; accepted: all"));
  config_.voltages = nullptr;
  config_.selection = Yaml("nothing");
  EXPECT_FALSE(Fault().ok());
}

}  // namespace
}  // namespace livnd::lab
