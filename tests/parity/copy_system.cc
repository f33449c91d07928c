// Reads a system and writes it again: copy_system SYSTEM NEW_FOLDER.
#include <cstdio>

#include "absl/status/status.h"
#include "io/neuroh5/read_system.h"
#include "io/neuroh5/write_system.h"

int main(int argc, char** argv) {
  if (argc != 3) return 2;
  const auto system = livnd::io::ReadSystem(argv[1]);
  const absl::Status copied =
      system.ok() ? livnd::io::WriteSystem(*system, argv[2]) : system.status();
  if (copied.ok()) return 0;
  std::fprintf(stderr, "%s\n", copied.ToString().c_str());
  return 1;
}
