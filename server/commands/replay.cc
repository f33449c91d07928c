#include "server/commands/replay.h"

#include <algorithm>
#include <cstdio>
#include <memory>
#include <optional>
#include <utility>

#include "absl/status/status.h"
#include "absl/status/statusor.h"
#include "absl/strings/str_cat.h"
#include "absl/time/time.h"
#include "base/status_macros.h"
#include "env/catalog.h"
#include "nlohmann/json.hpp"
#include "server/commands/flags.h"
#include "server/commands/json_line.h"
#include "server/journal/journal_file.h"
#include "server/machine/cpus.h"
#include "server/machine/steady_time.h"
#include "server/machine/systems_folder.h"
#include "server/machine/worker_pool.h"
#include "server/session/offer.h"
#include "server/session/redo.h"

namespace livnd::server {
namespace {

struct Settings {
  std::string systems = "systems";
  int threads = NumUsableCpus();
  bool json = false;
};

FlagSet MakeFlags(Settings& settings) {
  FlagSet flags("livnd replay JOURNAL [--systems DIR] [FLAG...]",
                "Does again what the journal of a session says (STATE_DIR/sessions/*.journal), and "
                "compares\nevery answer with what was answered then. Exit status: 0 if all are the "
                "same, 1 if not.");
  flags.String("systems", "DIR", "folder whose subfolders are systems (default: systems)",
               &settings.systems);
  flags.Int("threads", "N", "threads that simulate (default: one for each core)", 1, 1024,
            &settings.threads);
  flags.Switch("json", "print one JSON object", &settings.json);
  return flags;
}

constexpr int64_t kMaxAnswerBytes = int64_t{1} << 30;

// A line on standard error now and then.
class Progress {
 public:
  explicit Progress(int64_t num_operations) : num_operations_(num_operations) {}

  void Did() {
    ++num_done_;
    const absl::Time now = SteadyNow();
    if (now - told_ < absl::Seconds(2)) return;
    told_ = now;
    std::fprintf(stderr, "livnd replay: %lld of %lld operations\n",
                 static_cast<long long>(num_done_), static_cast<long long>(num_operations_));
  }
  int64_t num_done() const { return num_done_; }

 private:
  const int64_t num_operations_;
  int64_t num_done_ = 0;
  absl::Time told_ = SteadyNow();
};

absl::StatusOr<std::unique_ptr<HostedEnvironment>> MakeCopies(const v1::JournalHead& head,
                                                              const Settings& settings,
                                                              WorkerPool& pool) {
  SystemsFolder systems(settings.systems);
  LIVND_RETURN_IF_ERROR(systems.ReadAll());
  LIVND_ASSIGN_OR_RETURN(const Offer offer, MakeOffer(systems.systems(), kMaxAnswerBytes,
                                                      env::BenchEnvironments::kOffered));
  const std::string& id = head.start().environment_id();
  if (std::none_of(offer.environments.begin(), offer.environments.end(),
                   [&](const env::EnvironmentSpec& spec) { return spec.id == id; })) {
    std::string why;
    for (const v1::EnvironmentNotOffered& one : offer.not_offered) {
      if (one.environment_id() == id) why = absl::StrCat(": ", one.why());
    }
    return absl::NotFoundError(absl::StrCat("the journal is of ", id, ", which ", settings.systems,
                                            " does not offer", why,
                                            "; accepted: --systems with its system"));
  }
  LIVND_ASSIGN_OR_RETURN(const EnvironmentStore::Maker maker, offer.builder(id, pool));
  LIVND_ASSIGN_OR_RETURN(const WantedCopies wanted, WantedBy(head));
  return maker(wanted);
}

int Replay(const std::string& path, const Settings& settings) {
  nlohmann::ordered_json told;
  told["journal"] = path;
  const absl::StatusOr<Journal> journal = ReadJournal(path);
  absl::Status status = journal.status();
  if (journal.ok()) {
    const v1::JournalHead& head = journal->head;
    const auto num_operations =
        std::count_if(journal->records.begin(), journal->records.end(),
                      [](const v1::JournalRecord& record) { return record.has_operation(); });
    int64_t record_bytes = 0;
    for (const v1::JournalRecord& record : journal->records) {
      record_bytes += static_cast<int64_t>(record.ByteSizeLong()) + 8;
    }
    told["environment_id"] = head.start().environment_id();
    told["num_envs"] = head.num_envs();
    told["physics_version"] = head.start().physics_version();
    told["first_op_index"] = head.next_op_index();
    told["operations"] = num_operations;
    told["bytes"] = journal->num_bytes;
    if (num_operations > 0) told["bytes_per_operation"] = record_bytes / num_operations;
    told["torn"] = journal->torn;

    WorkerPool pool(settings.threads, 1);
    auto copies = MakeCopies(head, settings, pool);
    status = copies.status();
    if (status.ok()) {
      Progress progress(num_operations);
      const absl::Time start = SteadyNow();
      status = RedoJournal(head, journal->records, **copies, [&] { progress.Did(); }).status();
      told["same"] = progress.num_done();
      told["seconds"] = absl::ToDoubleSeconds(SteadyNow() - start);
    }
  }
  if (!status.ok()) told["error"] = std::string(status.message());
  if (settings.json) {
    std::printf("%s\n", JsonLine(told).c_str());
  } else {
    for (const auto& [name, value] : told.items()) {
      const std::string text = value.is_string() ? value.get<std::string>() : value.dump();
      std::printf("%-20s %s\n", name.c_str(), text.c_str());
    }
  }
  return status.ok() ? kExitOk : kExitFailure;
}

}  // namespace

int ReplayCommand(absl::Span<const std::string> args) {
  Settings settings;
  const FlagSet flags = MakeFlags(settings);
  int exit_status = kExitOk;
  const std::optional<std::string> journal =
      OnlyArgument(flags, args, "replay", "expected one journal", &exit_status);
  return journal.has_value() ? Replay(*journal, settings) : exit_status;
}

}  // namespace livnd::server
