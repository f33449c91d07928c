#include "server/wire/change_fields.h"

#include <string>

#include "base/field_error.h"
#include "base/field_error_matchers.h"
#include "gmock/gmock.h"
#include "gtest/gtest.h"
#include "server/testing/tensors.h"
#include "server/wire/livn_names.h"

namespace livnd::server {
namespace {

std::string FieldIn(const v1::ConfigureRequest& request, const std::string& field) {
  const absl::Status status = InRequest(request, MakeFieldError(field, "v", "a"));
  EXPECT_THAT(status, IsFieldError(testing::_, "v", "a"));
  return FieldErrorOf(status)->field;
}

TEST(InRequestTest, FieldsThatAreTheSameStay) {
  v1::ConfigureRequest request;
  for (const char* field : {"dt_ms", "params[noise-std_e].value", "params_group", "plasticity_on",
                            "recording.series[0].sites[1].gid", "learned_weights[1][3]", "opsin"}) {
    EXPECT_EQ(FieldIn(request, field), field);
  }
  EXPECT_EQ(InRequest(request, absl::FailedPreconditionError("opsin[g0]")).message(), "opsin[g0]");
  const absl::Status of_file = InFile("graph.json", MakeFieldError("opsin[g0]", "v", "a"));
  EXPECT_THAT(InRequest(request, of_file), IsFileError("graph.json", "opsin[g0]", "v", "a"));
  EXPECT_TRUE(InRequest(request, absl::OkStatus()).ok());
}

TEST(InRequestTest, NamesOfNumbersAreTheMessagesOwn) {
  v1::ConfigureRequest request;
  EXPECT_EQ(FieldIn(request, "opsin[g0]"), "opsin.g0_ps");
  EXPECT_EQ(FieldIn(request, "plasticity[EXC][A_ltp]"), "plasticity.excitatory.a_ltp");
  EXPECT_EQ(FieldIn(request, "plasticity[INH][w_max]"), "plasticity.inhibitory.w_max");
  request.mutable_model()->mutable_rcsd();
  EXPECT_EQ(FieldIn(request, "model.kwargs.refractory_period"), "model.rcsd.refractory_period_ms");
  EXPECT_EQ(FieldIn(request, "model.kwargs.size_cv.INH"), "model.rcsd.size_cv_inh");
  request.mutable_model()->mutable_glif();
  EXPECT_EQ(FieldIn(request, "model.kwargs.level"), "model.glif.level");
  EXPECT_EQ(FieldIn(request, "model.kwargs.params.tau_m"), "model.glif.params[tau_m].value");
}

TEST(InRequestTest, ASelectionHasAFieldForEachKindOfCells) {
  v1::ConfigureRequest request;
  v1::CellSelection& selection = *request.mutable_selection();
  EXPECT_EQ(FieldIn(request, "selection.cells"), "selection");
  EXPECT_EQ(FieldIn(request, "selection.method"), "selection.method");
  EXPECT_EQ(FieldIn(request, "selection.bounds"), "selection.bounds");
  EXPECT_EQ(FieldIn(request, "selection.bounds[0][1]"), "selection.bounds.y0_um");
  EXPECT_EQ(FieldIn(request, "selection.bounds[1][0]"), "selection.bounds.x1_um");
  selection.set_stored("e1");
  EXPECT_EQ(FieldIn(request, "selection.cells"), "selection.stored");
  selection.set_num_cells(3);
  EXPECT_EQ(FieldIn(request, "selection.cells"), "selection.num_cells");
  selection.set_fraction(3);
  EXPECT_EQ(FieldIn(request, "selection.cells"), "selection.fraction");
  v1::PopulationShare* share = selection.mutable_populations()->add_shares();
  share->set_population("EXC");
  share->set_num_cells(99);
  EXPECT_EQ(FieldIn(request, "selection.cells"), "selection.populations");
  EXPECT_EQ(FieldIn(request, "selection.cells[EXC]"), "selection.populations[EXC].num_cells");
  share->set_fraction(2);
  EXPECT_EQ(FieldIn(request, "selection.cells[EXC]"), "selection.populations[EXC].fraction");
  share->mutable_gids();
  EXPECT_EQ(FieldIn(request, "selection.cells[EXC][3]"), "selection.populations[EXC].gids[3]");
}

TEST(InRequestTest, InputSpikesAreFoundInTheirTensors) {
  v1::ConfigureRequest request;
  v1::InputSpikes& spikes = *request.mutable_input_spikes();
  *spikes.mutable_gids() = MakeTensor<int64_t>(v1::DATA_TYPE_INT64, {2}, {7, 5});
  *spikes.mutable_offsets() = MakeTensor<int64_t>(v1::DATA_TYPE_INT64, {3}, {0, 2, 4});
  EXPECT_EQ(FieldIn(request, "input_spikes[7]"), "input_spikes.gids[0]");
  EXPECT_EQ(FieldIn(request, "input_spikes[5][1]"), "input_spikes.times_ms[3]");
  EXPECT_EQ(FieldIn(request, "input_spikes[6][1]"), "input_spikes[6][1]");
}

TEST(LivnNamesTest, EveryNumberOfTheMessagesHasOne) {
  const auto expect_all = [](google::protobuf::Message&& message,
                             absl::Span<const LivnName> names) {
    for (const LivnName& known : names) {
      const auto* field = message.GetDescriptor()->FindFieldByName(known.field);
      ASSERT_NE(field, nullptr) << known.field;
      const google::protobuf::Reflection& reflection = *message.GetReflection();
      if (field->cpp_type() == field->CPPTYPE_INT32) reflection.SetInt32(&message, field, 3);
      if (field->cpp_type() == field->CPPTYPE_INT64) reflection.SetInt64(&message, field, 3);
      if (field->cpp_type() == field->CPPTYPE_DOUBLE) reflection.SetDouble(&message, field, 3);
      EXPECT_EQ(FieldOfName(known.name, names), known.field);
    }
    const auto numbers = NumbersOf(message, names);
    EXPECT_EQ(numbers.size(), names.size());
    for (const auto& [name, number] : numbers) EXPECT_EQ(number, 3) << name;
  };
  expect_all(v1::Opsin(), OpsinNames());
  expect_all(v1::PlasticityRule(), PlasticityRuleNames());
  expect_all(v1::RcsdModel(), RcsdModelNames());
  expect_all(v1::GlifModel(), GlifModelNames());
  EXPECT_EQ(OpsinNames().size(), static_cast<size_t>(v1::Opsin::descriptor()->field_count()));
  EXPECT_EQ(PlasticityRuleNames().size(),
            static_cast<size_t>(v1::PlasticityRule::descriptor()->field_count()));
  EXPECT_TRUE(NumbersOf(v1::Opsin(), OpsinNames()).empty());
}

}  // namespace
}  // namespace livnd::server
