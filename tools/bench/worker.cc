#include "tools/bench/worker.h"

#include <algorithm>
#include <cstdlib>
#include <ctime>
#include <iostream>
#include <utility>

namespace livnd::bench {

void ServeCommands(const Json& ready, const std::map<std::string, Command>& commands) {
  std::cout << ready.dump() << std::endl;
  std::string line;
  while (std::getline(std::cin, line)) {
    const Json request = Json::parse(line, nullptr, /*allow_exceptions=*/false);
    if (!request.is_object()) Die("not a JSON object: " + line);
    const auto command = commands.find(request.value("command", ""));
    if (command == commands.end()) Die("unknown command in " + line);
    std::cout << command->second(request).dump() << std::endl;
  }
}

double ThreadCpuSeconds() {
  timespec t;
  if (clock_gettime(CLOCK_THREAD_CPUTIME_ID, &t) != 0) Die("no clock of the thread's CPU time");
  return static_cast<double>(t.tv_sec) + 1e-9 * static_cast<double>(t.tv_nsec);
}

double Median(std::vector<double> values) {
  if (values.empty()) Die("nothing was measured");
  std::sort(values.begin(), values.end());
  const size_t n = values.size();
  return 0.5 * (values[(n - 1) / 2] + values[n / 2]);
}

void Die(const std::string& message) {
  std::cerr << "bench: " << message << std::endl;
  std::exit(1);
}

}  // namespace livnd::bench
