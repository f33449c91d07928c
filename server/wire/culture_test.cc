#include "server/wire/culture.h"

#include <functional>
#include <map>
#include <string>
#include <variant>
#include <vector>

#include "gtest/gtest.h"
#include "io/culture/model_options.h"
#include "server/testing/tensors.h"
#include "server/wire/culture_setup.h"
#include "server/wire/errors.h"
#include "server/wire/recording.h"
#include "server/wire/stimulus.h"
#include "server/wire/tensor.h"

namespace livnd::server {
namespace {

v1::Sites SomaOf(int64_t gid) {
  v1::Sites sites;
  *sites.mutable_gids() = MakeTensor<int64_t>(v1::DATA_TYPE_INT64, {1}, {gid});
  *sites.mutable_sections() = MakeTensor<int64_t>(v1::DATA_TYPE_INT64, {1}, {0});
  return sites;
}

TEST(StimulusTest, SamplesOfAllCopiesOrOfEach) {
  v1::CultureStimulus message;
  message.set_quantity(v1::STIMULUS_QUANTITY_CURRENT_NA);
  message.set_sample_dt_ms(0.5);
  *message.mutable_sites() = SomaOf(3);
  *message.mutable_samples() = MakeTensor<double>(v1::DATA_TYPE_FLOAT64, {2, 1}, {1, 2});
  auto stimulus = ParseStimulus("stimuli[0]", message, 2);
  ASSERT_TRUE(stimulus.ok()) << stimulus.status();
  EXPECT_FALSE(stimulus->per_copy);
  EXPECT_EQ(stimulus->num_samples, 2);
  EXPECT_EQ(stimulus->sites, (std::vector<env::Site>{{3, 0}}));
  *message.mutable_samples() = MakeTensor<double>(v1::DATA_TYPE_FLOAT64, {2, 1, 1}, {1, 2});
  stimulus = ParseStimulus("stimuli[0]", message, 2);
  ASSERT_TRUE(stimulus.ok()) << stimulus.status();
  EXPECT_TRUE(stimulus->per_copy);
  EXPECT_EQ(stimulus->num_samples, 1);
}

TEST(StimulusTest, BadOnesNameTheirField) {
  v1::CultureStimulus good;
  good.set_quantity(v1::STIMULUS_QUANTITY_ELECTRODE_UA);
  good.set_sample_dt_ms(1);
  *good.mutable_electrodes() = MakeTensor<int64_t>(v1::DATA_TYPE_INT64, {1}, {0});
  *good.mutable_samples() = MakeTensor<double>(v1::DATA_TYPE_FLOAT64, {1, 1}, {1});
  ASSERT_TRUE(ParseStimulus("stimuli[0]", good, 1).ok());
  const auto field_of = [&](auto change) {
    v1::CultureStimulus bad = good;
    change(&bad);
    const absl::Status status = ParseStimulus("stimuli[0]", bad, 1).status();
    EXPECT_EQ(ReasonOf(status), reason::kInvalidField) << status;
    EXPECT_NE(MetadataOf(status, "accepted"), "");
    return MetadataOf(status, "field");
  };
  using Message = v1::CultureStimulus;
  EXPECT_EQ(field_of([](Message* m) { m->clear_quantity(); }), "stimuli[0].quantity");
  EXPECT_EQ(field_of([](Message* m) { m->clear_electrodes(); }), "stimuli[0].electrodes.shape");
  EXPECT_EQ(field_of([](Message* m) { *m->mutable_sites() = SomaOf(1); }), "stimuli[0].sites");
  EXPECT_EQ(field_of([](Message* m) { m->mutable_samples()->set_data("1234567"); }),
            "stimuli[0].samples.shape");
}

TEST(RecordingTest, ASelectionIsTheSameAfterTheWay) {
  v1::RecordingSelection message;
  message.set_spikes(true);
  message.add_spike_populations("EXC");
  v1::SeriesSelection* series = message.add_series();
  series->set_quantity(v1::RECORDED_QUANTITY_STATE);
  series->set_state("m");
  series->set_sample_dt_ms(0.25);
  series->set_dtype(v1::DATA_TYPE_FLOAT32);
  *series->mutable_sites() = SomaOf(2);
  const auto selection = ParseSelection(message);
  ASSERT_TRUE(selection.ok()) << selection.status();
  v1::RecordingSelection again;
  EncodeSelection(*selection, &again);
  EXPECT_EQ(again.SerializeAsString(), message.SerializeAsString());
  series->set_dtype(v1::DATA_TYPE_BOOL);
  EXPECT_EQ(MetadataOf(ParseSelection(message).status(), "field"), "recording.series[0].dtype");
}

TEST(RecordingTest, WhatARunLeftIsTheSameAfterTheWay) {
  env::RecordingSelection selection;
  selection.series.resize(2);
  selection.series[1].single_precision = true;
  env::CultureRecording recording;
  recording.start_tick = 40;
  recording.num_ticks = 400;
  recording.spike_offsets = {0, 2, 3};
  recording.spike_gids = {8, 9, 8};
  recording.spike_ticks = {50, 60, 439};
  recording.spike_times_ms = {0.25, 0.5, 9.975};
  recording.failed_at_ms = {0.0, 7.5};
  recording.series = {{1, 2, {0.1, 0.2, 0.3, 0.4}}, {2, 1, {0.25, 0.5, 0.75, 1.0}}};
  v1::CultureRecording message;
  EncodeRecording(recording, selection, 2, 25'000, &message);
  const auto again = ParseRecording(message, 2);
  ASSERT_TRUE(again.ok()) << again.status();
  v1::CultureRecording twice;
  EncodeRecording(*again, selection, 2, 25'000, &twice);
  EXPECT_EQ(twice.SerializeAsString(), message.SerializeAsString());

  EXPECT_EQ(MetadataOf(ParseRecording(message, 3).status(), "field"), "recording.spike_offsets");
  const auto field_of = [&](const std::function<void(v1::CultureRecording*)>& spoil) {
    v1::CultureRecording spoilt = message;
    spoil(&spoilt);
    return MetadataOf(ParseRecording(spoilt, 2).status(), "field");
  };
  using Recording = v1::CultureRecording;
  EXPECT_EQ(
      field_of([](Recording* m) {
        *m->mutable_spike_offsets() = MakeTensor<int64_t>(v1::DATA_TYPE_INT64, {3}, {0, 4, 3});
      }),
      "recording.spike_offsets");
  EXPECT_EQ(field_of([](Recording* m) { m->mutable_spike_ticks()->clear_data(); }),
            "recording.spike_ticks.data");
  EXPECT_EQ(field_of([](Recording* m) { m->mutable_failed_at_ms()->set_shape(0, 1); }),
            "recording.failed_at_ms.shape");
  EXPECT_EQ(field_of([](Recording* m) { m->mutable_series(1)->set_shape(0, 3); }),
            "recording.series[1].shape");
}

TEST(CultureSetupTest, EverySelectionArrives) {
  using Method = io::SelectionSpec::Method;
  v1::CellSelection message;
  EXPECT_TRUE(std::holds_alternative<std::monostate>(ParseCellSelection(message)->cells));
  message.set_stored("e1");
  EXPECT_EQ(std::get<std::string>(ParseCellSelection(message)->cells), "e1");
  message.set_num_cells(40);
  EXPECT_EQ(std::get<int64_t>(ParseCellSelection(message)->cells), 40);
  message.set_fraction(0.25);
  message.set_method(v1::SELECTION_METHOD_RANDOM);
  message.set_seed(7);
  auto spec = ParseCellSelection(message);
  EXPECT_EQ(std::get<double>(spec->cells), 0.25);
  EXPECT_EQ(spec->method, Method::kRandom);
  EXPECT_EQ(spec->seed, 7u);
  message.set_method(v1::SELECTION_METHOD_PATCH);
  message.mutable_bounds()->set_x1_um(5);
  EXPECT_EQ(ParseCellSelection(message)->method, Method::kPatch);
  EXPECT_TRUE(ParseCellSelection(message)->bounds.has_value());

  v1::PopulationShare* share = message.mutable_populations()->add_shares();
  share->set_population("EXC");
  EXPECT_EQ(MetadataOf(ParseCellSelection(message).status(), "field"),
            "selection.populations[EXC]");
  *share->mutable_gids() = MakeTensor<int64_t>(v1::DATA_TYPE_INT64, {2}, {8, 9});
  const auto shares =
      std::get<std::map<std::string, io::PopulationShare>>(ParseCellSelection(message)->cells);
  EXPECT_EQ(std::get<std::vector<int64_t>>(shares.at("EXC")), (std::vector<int64_t>{8, 9}));
  *message.mutable_populations()->add_shares() = *share;
  EXPECT_EQ(MetadataOf(ParseCellSelection(message).status(), "value"), "given twice");
  message.clear_populations();
  message.set_seed(-1);
  EXPECT_EQ(MetadataOf(ParseCellSelection(message).status(), "field"), "selection.seed");
}

TEST(CultureSetupTest, EveryModelIsTheDocumentItWouldBe) {
  v1::CellModel message;
  EXPECT_EQ(MetadataOf(ParseCellModel(message).status(), "field"), "model");
  message.mutable_rcsd()->set_refractory_period_ms(3);
  message.mutable_rcsd()->set_short_term_depression(false);
  message.mutable_rcsd()->set_size_cv_exc(0.2);
  message.mutable_rcsd()->set_dendrite_orientation(v1::DENDRITE_ORIENTATION_ALIGNED);
  const auto rcsd = ParseCellModel(message);
  ASSERT_TRUE(rcsd.ok());
  const auto options = io::ResolveModel(*rcsd);
  ASSERT_TRUE(options.ok()) << options.status();
  EXPECT_EQ(options->model.refractory_period_ms, 3);
  EXPECT_FALSE(options->model.short_term_depression);
  EXPECT_TRUE(options->orientation.aligned);
  EXPECT_EQ(options->model.size_cv.at("EXC"), 0.2);
  message.mutable_glif()->set_level(2);
  v1::Param* param = message.mutable_glif()->add_params();
  param->set_key("tau_m");
  param->set_value(20);
  const auto glif = io::ResolveModel(*ParseCellModel(message));
  ASSERT_TRUE(glif.ok()) << glif.status();
  EXPECT_EQ(glif->model.point->level, 2);
  EXPECT_EQ(glif->model.point->params.at("tau_m"), 20);
  *message.mutable_glif()->add_params() = *param;
  EXPECT_EQ(MetadataOf(ParseCellModel(message).status(), "field"), "model.glif.params[tau_m]");
  message.mutable_izhikevich();
  EXPECT_TRUE(io::ResolveModel(*ParseCellModel(message)).ok());
}

TEST(CultureSetupTest, AModelIsTheSameAfterTheWay) {
  const auto again = [](const io::ModelDocument& document) {
    v1::CellModel message;
    EncodeCellModel(document, &message);
    return io::ResolveModel(*ParseCellModel(message)).value();
  };
  const io::ModelDocument rcsd = {io::kRcsdClass,
                                  {{"size_cv", 0.1},
                                   {"size_seed", -7.0},
                                   {"short_term_depression", false},
                                   {"dendrite_offset", -20.0},
                                   {"dendrite_orientation", std::string("aligned")},
                                   {"dendrite_orientation_seed", 5.0},
                                   {"input_mode", std::string("current")}}};
  const io::ModelOptions wanted = io::ResolveModel(rcsd).value(), found = again(rcsd);
  EXPECT_EQ(found.params_key, wanted.params_key);
  EXPECT_EQ(found.model.size_cv, wanted.model.size_cv);
  EXPECT_EQ(found.model.size_seed, wanted.model.size_seed);
  EXPECT_EQ(found.model.short_term_depression, wanted.model.short_term_depression);
  EXPECT_EQ(found.orientation.dendrite_offset_um, wanted.orientation.dendrite_offset_um);
  EXPECT_TRUE(found.orientation.aligned);
  EXPECT_EQ(found.orientation.seed, wanted.orientation.seed);
  using Numbers = std::map<std::string, double>;
  const auto one = again({io::kRcsdClass, {{"size_cv", Numbers{{"INH", 0.3}}}}});
  EXPECT_EQ(one.model.size_cv, (Numbers{{"INH", 0.3}}));
  const auto glif = again(
      {io::kGlifClass,
       {{"level", 3.0}, {"params", Numbers{{"tau_m", 12.0}}}, {"mechanism", std::string("hard")}}});
  EXPECT_EQ(glif.model.point->level, 3);
  EXPECT_EQ(glif.model.point->params, (Numbers{{"tau_m", 12.0}}));
  EXPECT_EQ(again({io::kIzhikevichClass, {}}).params_key, "Izhikevich");
}

TEST(ClearTest, EveryFieldArrives) {
  v1::ClearRequest request;
  auto clear = ParseClear(request, 2);
  ASSERT_TRUE(clear.ok());
  EXPECT_FALSE(clear->repeat_noise || clear->forget_learned_weights);
  EXPECT_FALSE(clear->noise_stream.has_value());
  EXPECT_TRUE(clear->seeds.empty());
  *request.mutable_seeds() = MakeTensor<uint64_t>(v1::DATA_TYPE_UINT64, {2}, {5, 6});
  *request.mutable_seed_present() = MakeTensor<uint8_t>(v1::DATA_TYPE_BOOL, {2}, {0, 1});
  request.set_repeat_noise(true);
  request.set_noise_stream(0);
  request.set_forget_learned_weights(true);
  clear = ParseClear(request, 2);
  ASSERT_TRUE(clear.ok());
  EXPECT_TRUE(clear->repeat_noise && clear->forget_learned_weights);
  EXPECT_EQ(clear->noise_stream, 0u);
  EXPECT_EQ(clear->seeds, (std::vector<std::optional<uint64_t>>{std::nullopt, 6}));
  EXPECT_EQ(MetadataOf(ParseClear(request, 3).status(), "field"), "seeds.shape");
}

}  // namespace
}  // namespace livnd::server
