// The evaluations of a search on disk, so that a search that was killed goes on.
#ifndef LIVND_LAB_TUNE_EVALUATION_LOG_H_
#define LIVND_LAB_TUNE_EVALUATION_LOG_H_

#include <memory>
#include <string>
#include <vector>

#include "absl/status/status.h"
#include "absl/status/statusor.h"
#include "lab/tune/score.h"
#include "lab/tune/target.h"

namespace livnd::lab {

struct Evaluation {
  std::vector<double> coordinates;
  Scores scores;
};

// A file with a line of JSON an evaluation, in the order of the search; numbers are read back as the same bits.
// Lines are only ever added, each in one write, so that a process that is killed loses the line that it was
// writing and no other. Thread-compatible; one process at a time.
class EvaluationLog {
 public:
  // Reads what is there, and cuts off a last line that is not whole. Field errors of the file: a line that is
  // no evaluation of this target with so many coordinates; otherwise the system's error.
  static absl::StatusOr<std::unique_ptr<EvaluationLog>> Open(const std::string& path,
                                                             const Target& target,
                                                             size_t num_coordinates);
  // The same for readers: the file stays as it is.
  static absl::StatusOr<std::vector<Evaluation>> Read(const std::string& path, const Target& target,
                                                      size_t num_coordinates);
  ~EvaluationLog();
  EvaluationLog(const EvaluationLog&) = delete;
  EvaluationLog& operator=(const EvaluationLog&) = delete;

  const std::vector<Evaluation>& evaluations() const { return evaluations_; }
  absl::Status Append(Evaluation evaluation);

 private:
  EvaluationLog(std::string path, const Target& target, int fd)
      : path_(std::move(path)), target_(target), fd_(fd) {}

  const std::string path_;
  const Target target_;
  const int fd_;
  std::vector<Evaluation> evaluations_;
};

}  // namespace livnd::lab

#endif  // LIVND_LAB_TUNE_EVALUATION_LOG_H_
