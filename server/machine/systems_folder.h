// The systems that a server was given.
#ifndef LIVND_SERVER_MACHINE_SYSTEMS_FOLDER_H_
#define LIVND_SERVER_MACHINE_SYSTEMS_FOLDER_H_

#include <map>
#include <memory>
#include <string>
#include <vector>

#include "absl/status/status.h"
#include "io/system/system.h"

namespace livnd::server {

// A system, and the hash of the files that it was read from.
struct FoundSystem {
  std::shared_ptr<const io::System> system;
  std::string sha256;
};

// The systems below a folder, each a subfolder with a graph.json, as files come and go. A system that
// cannot be read is reported in the log, once as long as it stays as it is, and left out, so that one
// damaged file does not take the others away; one that could be read before stays as it was.
//
// Thread-compatible.
class SystemsFolder {
 public:
  explicit SystemsFolder(std::string folder) : folder_(std::move(folder)) {}

  // Reads everything there is. NotFound if the folder is missing or holds no readable system.
  absl::Status ReadAll();

  // Reads what has come or changed since, once it has stayed the same from one look to the next, and so
  // is no copy half made. True if the systems have changed. A folder that cannot be looked into changes
  // nothing: it may be a disk that is away.
  bool Look();

  // In order of names.
  std::vector<FoundSystem> systems() const;

 private:
  struct Candidate {
    std::string looks;     // names, sizes and times of its files at the last look
    std::string was_read;  // how it looked when it was last read
    FoundSystem found;     // null: never could be read
  };
  // Reads a candidate as it looks now. True if it could be read.
  static bool Read(const std::string& path, Candidate& candidate);

  const std::string folder_;
  std::map<std::string, Candidate> candidates_;  // by path
  bool is_away_ = false;
};

}  // namespace livnd::server

#endif  // LIVND_SERVER_MACHINE_SYSTEMS_FOLDER_H_
