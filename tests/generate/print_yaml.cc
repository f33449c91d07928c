// Prints what files of YAML come to, with all that they include: a line of JSON each.
#include <cstdio>
#include <string>

#include "absl/status/statusor.h"
#include "io/json/json_file.h"
#include "io/json/yaml.h"

int main(int argc, char** argv) {
  for (int i = 1; i < argc; ++i) {
    const absl::StatusOr<livnd::io::Json> json = livnd::io::ReadYamlFile(argv[i]);
    if (!json.ok()) {
      std::fprintf(stderr, "%s\n", std::string(json.status().message()).c_str());
      return 1;
    }
    std::printf("%s\n", json->dump().c_str());
  }
  return 0;
}
