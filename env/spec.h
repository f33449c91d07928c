// What an environment takes and gives: the only source of names, shapes, units and bounds.
#ifndef LIVND_ENV_SPEC_H_
#define LIVND_ENV_SPEC_H_

#include <cstdint>
#include <map>
#include <string>
#include <vector>

namespace livnd::env {

enum class DType { kFloat32, kFloat64, kInt64 };

inline int64_t BytesOf(DType dtype) { return dtype == DType::kFloat32 ? 4 : 8; }

// One copy's tensor of a kind.
struct TensorSpec {
  std::string name;
  DType dtype = DType::kFloat32;
  std::vector<int64_t> shape;  // without the copy axis
  std::string unit;            // "1" for pure numbers, "mixed" where element names carry units
  std::string description;
  // Inclusive bounds of each element in C order.
  std::vector<double> low;
  std::vector<double> high;
  std::vector<std::string> element_names;  // in C order, or empty

  int64_t num_elements() const {
    int64_t n = 1;
    for (int64_t s : shape) n *= s;
    return n;
  }
};

// A number that Reset takes by name.
struct OptionSpec {
  std::string name;
  std::string description;
  double min = 0.0;
  double max = 0.0;
};

// How an environment is driven.
enum class EnvironmentKind {
  kTask,     // episodes of equal steps with actions, observations and rewards
  kCulture,  // no task: runs of any length with any stimulus; no actions and no observations
};

struct EnvironmentSpec {
  std::string id;  // "TargetRate-EI-mini-v0"
  EnvironmentKind kind = EnvironmentKind::kTask;
  std::string task;
  std::string system;
  std::string description;
  std::vector<TensorSpec> actions;
  std::vector<TensorSpec> observations;
  std::vector<TensorSpec> infos;
  std::vector<OptionSpec> reset_options;
  double step_duration_ms = 0.0;
  int64_t tick_ns = 0;
  int64_t max_episode_steps = 0;
  std::string physics_version;
  std::map<std::string, double> settings;
};

}  // namespace livnd::env

#endif  // LIVND_ENV_SPEC_H_
