#include "server/wire/livn_names.h"

#include <algorithm>

#include "google/protobuf/descriptor.h"

namespace livnd::server {
namespace {

constexpr LivnName kOpsin[] = {{"g0_ps", "g0"},       {"e_mv", "E"},  {"v0_mv", "v0"},
                               {"k_a", "k_a"},        {"k_r", "k_r"}, {"gd_per_ms", "Gd"},
                               {"gr0_per_ms", "Gr0"}, {"p", "p"},     {"q", "q"},
                               {"phi_m", "phi_m"}};

constexpr LivnName kPlasticityRule[] = {{"a_ltp", "A_ltp"},
                                        {"a_ltd", "A_ltd"},
                                        {"theta_ltp", "theta_ltp"},
                                        {"theta_ltd", "theta_ltd"},
                                        {"ltp_sigmoid_half", "ltp_sigmoid_half"},
                                        {"ltd_sigmoid_half", "ltd_sigmoid_half"},
                                        {"learning_slope", "learning_slope"},
                                        {"learning_tau", "learning_tau"},
                                        {"w_max", "w_max"},
                                        {"w_min", "w_min"}};

constexpr LivnName kRcsdModel[] = {{"refractory_period_ms", "refractory_period"},
                                   {"dendrite_offset_um", "dendrite_offset"},
                                   {"dendrite_orientation_seed", "dendrite_orientation_seed"},
                                   {"size_cv_exc", "size_cv.EXC"},
                                   {"size_cv_inh", "size_cv.INH"},
                                   {"size_seed", "size_seed"}};

constexpr LivnName kGlifModel[] = {{"level", "level"}};

double NumberOf(const google::protobuf::Message& message,
                const google::protobuf::FieldDescriptor& field) {
  const google::protobuf::Reflection& reflection = *message.GetReflection();
  switch (field.cpp_type()) {
    case google::protobuf::FieldDescriptor::CPPTYPE_INT32:
      return reflection.GetInt32(message, &field);
    case google::protobuf::FieldDescriptor::CPPTYPE_INT64:
      return static_cast<double>(reflection.GetInt64(message, &field));
    default:
      return reflection.GetDouble(message, &field);
  }
}

void SetNumber(google::protobuf::Message* message, const google::protobuf::FieldDescriptor& field,
               double number) {
  const google::protobuf::Reflection& reflection = *message->GetReflection();
  switch (field.cpp_type()) {
    case google::protobuf::FieldDescriptor::CPPTYPE_INT32:
      reflection.SetInt32(message, &field, static_cast<int32_t>(number));
      break;
    case google::protobuf::FieldDescriptor::CPPTYPE_INT64:
      reflection.SetInt64(message, &field, static_cast<int64_t>(number));
      break;
    default:
      reflection.SetDouble(message, &field, number);
  }
}

}  // namespace

absl::Span<const LivnName> OpsinNames() { return kOpsin; }
absl::Span<const LivnName> PlasticityRuleNames() { return kPlasticityRule; }
absl::Span<const LivnName> RcsdModelNames() { return kRcsdModel; }
absl::Span<const LivnName> GlifModelNames() { return kGlifModel; }

std::map<std::string, double> NumbersOf(const google::protobuf::Message& message,
                                        absl::Span<const LivnName> names) {
  std::map<std::string, double> out;
  for (const LivnName& known : names) {
    const google::protobuf::FieldDescriptor* field =
        message.GetDescriptor()->FindFieldByName(known.field);
    if (message.GetReflection()->HasField(message, field)) {
      out[known.name] = NumberOf(message, *field);
    }
  }
  return out;
}

void SetNumbers(const std::map<std::string, double>& numbers, absl::Span<const LivnName> names,
                google::protobuf::Message* message) {
  for (const LivnName& known : names) {
    const auto number = numbers.find(known.name);
    if (number == numbers.end()) continue;
    SetNumber(message, *message->GetDescriptor()->FindFieldByName(known.field), number->second);
  }
}

std::string FieldOfName(absl::string_view name, absl::Span<const LivnName> names) {
  const auto known = std::find_if(names.begin(), names.end(),
                                  [&](const LivnName& entry) { return name == entry.name; });
  return known == names.end() ? std::string(name) : known->field;
}

}  // namespace livnd::server
