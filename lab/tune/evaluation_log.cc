#include "lab/tune/evaluation_log.h"

#include <fcntl.h>
#include <unistd.h>

#include <cerrno>
#include <cmath>
#include <fstream>
#include <limits>
#include <sstream>
#include <utility>

#include "absl/strings/str_cat.h"
#include "absl/strings/str_split.h"
#include "base/field_error.h"
#include "base/status_macros.h"
#include "io/json/json_file.h"
#include "io/json/json_view.h"

namespace livnd::lab {
namespace {

using io::Json;
using io::JsonView;

Json OrNull(double value) { return std::isnan(value) ? Json(nullptr) : Json(value); }

std::string LineOf(const Target& target, const Evaluation& evaluation) {
  Json objectives = Json::object(), constraints = Json::object(), features = Json::object();
  for (size_t i = 0; i < target.objectives.size(); ++i) {
    objectives[target.objectives[i].name] = evaluation.scores.objectives[i];
  }
  for (size_t i = 0; i < target.constraints.size(); ++i) {
    constraints[target.constraints[i].name] = evaluation.scores.constraints[i];
  }
  for (size_t i = 0; i < target.num_features(); ++i) {
    features[kFeatures[i].name] = OrNull(evaluation.scores.features[i]);
  }
  return io::JsonText(Json{{"x", evaluation.coordinates},
                           {"objectives", std::move(objectives)},
                           {"constraints", std::move(constraints)},
                           {"features", std::move(features)}}) +
         "\n";
}

absl::StatusOr<Evaluation> ParseLine(const JsonView& line, const Target& target,
                                     size_t num_coordinates) {
  Evaluation out;
  LIVND_ASSIGN_OR_RETURN(const JsonView x, line.Member("x"));
  LIVND_ASSIGN_OR_RETURN(out.coordinates, x.Numbers(num_coordinates));
  LIVND_ASSIGN_OR_RETURN(const JsonView objectives, line.Member("objectives"));
  for (const Objective& objective : target.objectives) {
    LIVND_ASSIGN_OR_RETURN(const JsonView value, objectives.Member(objective.name));
    LIVND_ASSIGN_OR_RETURN(out.scores.objectives.emplace_back(), value.Number());
  }
  LIVND_ASSIGN_OR_RETURN(const JsonView constraints, line.Member("constraints"));
  for (const Constraint& constraint : target.constraints) {
    LIVND_ASSIGN_OR_RETURN(const JsonView value, constraints.Member(constraint.name));
    LIVND_ASSIGN_OR_RETURN(out.scores.constraints.emplace_back(), value.Number());
  }
  LIVND_ASSIGN_OR_RETURN(const JsonView features, line.Member("features"));
  for (size_t i = 0; i < kFeatures.size(); ++i) {
    LIVND_ASSIGN_OR_RETURN(const auto value, features.Find(kFeatures[i].name));
    out.scores.features[i] = std::numeric_limits<double>::quiet_NaN();
    if (!value.has_value()) continue;
    LIVND_ASSIGN_OR_RETURN(out.scores.features[i], value->Number());
  }
  return out;
}

struct Found {
  std::vector<Evaluation> evaluations;
  size_t num_bytes = 0;  // of whole lines
};

absl::StatusOr<Found> ReadLines(const std::string& path, const Target& target,
                                size_t num_coordinates) {
  Found out;
  std::ifstream file(path, std::ios::binary);
  if (!file) return out;  // none yet
  std::ostringstream content;
  content << file.rdbuf();
  const std::string text = content.str();
  const size_t end = text.rfind('\n');
  if (end == std::string::npos) return out;
  out.num_bytes = end + 1;
  for (const absl::string_view line :
       absl::StrSplit(absl::string_view(text).substr(0, end), '\n')) {
    const std::string name = absl::StrCat(path, ":", out.evaluations.size() + 1);
    LIVND_ASSIGN_OR_RETURN(const Json json, io::ParseJson(name, line));
    LIVND_ASSIGN_OR_RETURN(out.evaluations.emplace_back(),
                           ParseLine(JsonView(json, name), target, num_coordinates));
  }
  return out;
}

}  // namespace

absl::StatusOr<std::vector<Evaluation>> EvaluationLog::Read(const std::string& path,
                                                            const Target& target,
                                                            size_t num_coordinates) {
  LIVND_ASSIGN_OR_RETURN(Found found, ReadLines(path, target, num_coordinates));
  return std::move(found.evaluations);
}

absl::StatusOr<std::unique_ptr<EvaluationLog>> EvaluationLog::Open(const std::string& path,
                                                                   const Target& target,
                                                                   size_t num_coordinates) {
  LIVND_ASSIGN_OR_RETURN(Found found, ReadLines(path, target, num_coordinates));
  const int fd = open(path.c_str(), O_WRONLY | O_CREAT | O_APPEND | O_CLOEXEC, 0666);
  if (fd < 0) return absl::ErrnoToStatus(errno, path);
  auto log = std::unique_ptr<EvaluationLog>(new EvaluationLog(path, target, fd));
  if (ftruncate(fd, static_cast<off_t>(found.num_bytes)) != 0) {
    return absl::ErrnoToStatus(errno, path);
  }
  log->evaluations_ = std::move(found.evaluations);
  return log;
}

EvaluationLog::~EvaluationLog() { close(fd_); }

absl::Status EvaluationLog::Append(Evaluation evaluation) {
  const std::string line = LineOf(target_, evaluation);
  for (size_t written = 0; written < line.size();) {
    const ssize_t n = write(fd_, line.data() + written, line.size() - written);
    if (n < 0 && errno == EINTR) continue;
    if (n < 0) return absl::ErrnoToStatus(errno, path_);
    written += static_cast<size_t>(n);
  }
  evaluations_.push_back(std::move(evaluation));
  return absl::OkStatus();
}

}  // namespace livnd::lab
