// Every task there is, with short episodes on the system that ships: for tests that all have to pass.
#ifndef LIVND_ENV_TASK_TESTING_SHORT_TASKS_H_
#define LIVND_ENV_TASK_TESTING_SHORT_TASKS_H_

#include <memory>
#include <string>
#include <vector>

#include "env/task/task.h"

namespace livnd::env {

// Names of the tasks of env/catalog.cc.
std::vector<std::string> TaskNames();

// One of them, settled for a short time, with episodes of 4 steps; "Null" has its own. Made once.
std::shared_ptr<const Task> ShortTask(const std::string& name);

}  // namespace livnd::env

#endif  // LIVND_ENV_TASK_TESTING_SHORT_TASKS_H_
