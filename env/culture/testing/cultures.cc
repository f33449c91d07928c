#include "env/culture/testing/cultures.h"

#include <utility>

#include "gtest/gtest.h"
#include "io/neuroh5/read_system.h"

namespace livnd::env {

std::shared_ptr<const CultureModel> EiMini() {
  static const auto* model = [] {
    auto system = io::ReadSystem("systems/EI-mini");
    EXPECT_TRUE(system.ok()) << system.status();
    auto made = CultureModel::Create(std::make_shared<const io::System>(*std::move(system)));
    EXPECT_TRUE(made.ok()) << made.status();
    return new std::shared_ptr<const CultureModel>(*made);
  }();
  return *model;
}

CultureClear Seeded(int num_copies) {
  CultureClear clear;
  for (int c = 0; c < num_copies; ++c) clear.seeds.push_back(100 + c);
  return clear;
}

std::unique_ptr<LiveCulture> BusyCulture(sim::Executor& executor, int num_copies) {
  auto made = LiveCulture::Create(EiMini(), num_copies, 1, executor);
  EXPECT_TRUE(made.ok()) << made.status();
  CultureChange change;
  change.params = {{"noise-std_e", {0.002}},
                   {"EXC_EXC-dend-AMPA-weight", {5.0}},
                   {"EXC_EXC-dend-NMDA-weight", {5.0}}};
  change.plasticity_on = true;
  change.recording.emplace();
  change.recording->series.resize(2);
  change.recording->series[0].sites = {{0, 0}, {0, 6}, {9, 0}};
  change.recording->series[1].quantity = RecordedQuantity::kLearnedWeight;
  change.recording->series[1].sample_dt_ms = 1.0;
  EXPECT_TRUE((*made)->Change(change).ok());
  EXPECT_TRUE((*made)->Clear(Seeded(num_copies)).ok());
  return *std::move(made);
}

CultureRun For(double duration_ms) {
  CultureRun run;
  run.duration_ms = duration_ms;
  return run;
}

CultureStimulus Current() {
  CultureStimulus stimulus;
  stimulus.quantity = StimulusQuantity::kCurrentNa;
  stimulus.sites = {{0, 0}};
  stimulus.num_samples = 8;
  stimulus.samples = {0, 0, 0.5, 0.5, 0.5, 0.5, 0, 0};
  return stimulus;
}

}  // namespace livnd::env
