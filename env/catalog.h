// The environments that a set of systems offers, by id.
#ifndef LIVND_ENV_CATALOG_H_
#define LIVND_ENV_CATALOG_H_

#include <cstdint>
#include <memory>
#include <string>
#include <vector>

#include "absl/status/status.h"
#include "absl/status/statusor.h"
#include "absl/strings/string_view.h"
#include "env/spec.h"
#include "env/task/task.h"
#include "io/system/system.h"

namespace livnd::env {

class CultureModel;
struct TaskEntry;  // a line of the table of tasks in catalog.cc

// Environments that are of use to nobody but those who measure livnd.
enum class BenchEnvironments { kLeftOut, kOffered };

// Immutable after Create; thread-safe.
class Catalog {
 public:
  // One "Culture-<system>-v0" for every system, and for every task one "<task>-<system>-v0" on each
  // system that it suits, or "<task>-v0" where it needs none.
  // Of the other ones not_offered() says why. A system of which no culture can be made offers none:
  // left_out() has it, too. InvalidArgument: two systems have one name.
  static absl::StatusOr<Catalog> Create(std::vector<std::shared_ptr<const io::System>> systems,
                                        BenchEnvironments bench = BenchEnvironments::kLeftOut);

  // Ordered by id.
  const std::vector<EnvironmentSpec>& specs() const { return specs_; }
  // An error for each system that offers nothing: its file, the place in it, and what is wrong.
  const std::vector<absl::Status>& left_out() const { return left_out_; }
  // What a system cannot carry: tasks, and its culture where none can be made. Ordered by id.
  struct NotOffered {
    std::string id;
    std::string system;  // "": a task that needs none
    absl::Status why;    // names the file that lacks something, and what
  };
  const std::vector<NotOffered>& not_offered() const { return not_offered_; }
  // Null if there is none. The pointer lives as long as the catalog.
  const EnvironmentSpec* Find(absl::string_view id) const;

  // Builds what all sessions on an environment share, so keep the result. A task's culture is also
  // settled: milliseconds to minutes. NotFound: no environment of this kind has the id; it says why
  // where not_offered() does.
  absl::StatusOr<std::shared_ptr<const Task>> BuildTask(absl::string_view id) const;
  absl::StatusOr<std::shared_ptr<const CultureModel>> BuildCulture(absl::string_view id) const;
  // Memory that building it takes at its height, about; 0 where there is no culture in it, or no such
  // environment.
  int64_t BytesToBuild(absl::string_view id) const;

 private:
  // How the environment of the spec at the same place is built.
  struct Plan {
    std::shared_ptr<const io::System> system;  // null: a task that needs none
    const TaskEntry* task = nullptr;           // null: the culture without a task
  };

  void Add(EnvironmentSpec spec, Plan plan);
  // The plan of an environment of a kind; NotFound lists those that there are.
  absl::StatusOr<Plan> PlanOf(absl::string_view id, EnvironmentKind kind) const;

  std::vector<EnvironmentSpec> specs_;
  std::vector<Plan> plans_;
  std::vector<absl::Status> left_out_;
  std::vector<NotOffered> not_offered_;
};

}  // namespace livnd::env

#endif  // LIVND_ENV_CATALOG_H_
