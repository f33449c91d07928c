#include "server/commands/serve.h"

#include <malloc.h>
#include <signal.h>
#include <sys/stat.h>
#include <unistd.h>

#include <algorithm>
#include <cerrno>
#include <cstdint>
#include <cstdio>
#include <memory>
#include <utility>
#include <vector>

#include "absl/status/status.h"
#include "absl/strings/numbers.h"
#include "absl/strings/str_cat.h"
#include "absl/synchronization/mutex.h"
#include "absl/time/clock.h"
#include "absl/time/time.h"
#include "base/status_macros.h"
#include "env/catalog.h"
#include "nlohmann/json.hpp"
#include "server/commands/config_file.h"
#include "server/commands/flags.h"
#include "server/commands/json_line.h"
#include "server/machine/cpus.h"
#include "server/machine/descriptor_limit.h"
#include "server/machine/library_logs.h"
#include "server/machine/listen_address.h"
#include "server/machine/log.h"
#include "server/machine/memory_budget.h"
#include "server/machine/service_manager.h"
#include "server/machine/shutdown_trigger.h"
#include "server/machine/state_dir.h"
#include "server/machine/steady_time.h"
#include "server/service/server.h"
#include "server/session/offer.h"
#include "server/session/pace.h"
#include "server/session/systems_watcher.h"
#include "server/trust/trust.h"
#include "server/version.h"

namespace livnd::server {
namespace {

// As --durability lists them.
enum { kDurabilityNone, kDurabilityProcess, kDurabilityPower };

// A message of the largest size, what is made of it, and an environment beside that.
constexpr int64_t kMinMemoryBytes = int64_t{256} << 20;

constexpr int64_t kMinRecordingBytes = 1 << 20;

struct Settings {
  std::string config;
  std::string listen;
  std::string metrics_listen;
  std::string state_dir;
  std::string systems = "systems";
  absl::Duration systems_period = absl::Seconds(2);
  int threads = NumUsableCpus();
  int log_format = static_cast<int>(LogFormat::kText);
  int log_level = static_cast<int>(Severity::kInfo);
  absl::Duration lease = absl::Minutes(1);
  absl::Duration session_retention = absl::Hours(24 * 7);
  int durability = kDurabilityProcess;
  absl::Duration drain_timeout = absl::Seconds(25);  // Kubernetes kills after 30
  std::string pace = "free";
  int max_sessions = 64;
  int max_envs = 1024;
  int max_waiting_calls = 4096;
  std::string quotas;
  RecordingFolder::Options recordings;
  int64_t memory_bytes = DefaultMemoryBudget();
  TrustOptions trust;
  bool exit_with_stdin = false;
  bool allow_insecure_remote = false;
  bool bench_environments = false;
};

FlagSet MakeFlags(Settings& settings) {
  FlagSet flags(
      "livnd serve [--systems DIR] [--listen ADDRESS] [FLAG...]",
      "Serves the environments and cultures of a folder of systems over gRPC. Prints one line of\n"
      "JSON when it can be called; logs to standard error; ends on SIGTERM or SIGINT.");
  flags.String(kConfigFlag, "FILE",
               "YAML with any of the settings below, max-sessions: 64; flags given here win",
               &settings.config);
  flags.String("systems", "DIR", "folder whose subfolders are systems (default: systems)",
               &settings.systems);
  flags.Timeout("systems-period", "TIME",
                "how often to look there for systems that have come, changed or gone; 0 or never "
                "for only at\n      the start (default: 2s)",
                &settings.systems_period);
  flags.String("listen", "ADDRESS",
               "unix:PATH or HOST:PORT, port 0 for a free one (default: the sockets that systemd\n"
               "      passes, or else STATE_DIR/livnd.sock)",
               &settings.listen);
  flags.String(
      "state-dir", "DIR",
      "the server's own folder: its sessions, recordings, lock and endpoint.json (default: "
      "$XDG_STATE_HOME/livnd or ~/.local/state/livnd)",
      &settings.state_dir);
  flags.String(
      "metrics-listen", "ADDRESS",
      "IPV4:PORT where Prometheus reads /metrics, port 0 for a free one (default: nowhere)",
      &settings.metrics_listen);
  flags.String(
      "tls-cert", "FILE",
      "the server's certificate and those that lead to its CA, in PEM; with --tls-key, calls "
      "are\n      encrypted (default: none)",
      &settings.trust.tls.cert);
  flags.String(
      "tls-key", "FILE",
      "private key of --tls-cert in PEM, for its owner to read alone (or for a group, if it "
      "is root's)",
      &settings.trust.tls.key);
  flags.String("tls-client-ca", "FILE",
               "CAs in PEM: clients must show a certificate that one of them has signed",
               &settings.trust.tls.ca);
  flags.String("tokens", "FILE",
               "lines 'TOKEN TENANT', for its owner to read as --tls-key: every call must carry a "
               "token, and a\n      tenant sees its own sessions only (default: callers are one, "
               "without a token)",
               &settings.trust.tokens);
  flags.String(
      "admin-tokens", "FILE",
      "as --tokens, of those who look after the server and no tenant: calls of AdminService "
      "must carry\n      one (default: callers over a Unix socket may, where there are no "
      "tokens)",
      &settings.trust.admin_tokens);
  flags.Int("threads", "N",
            "threads that simulate (default: one for each core that it may use, and has quota for)",
            1, 1024, &settings.threads);
  flags.Timeout(
      "lease", "TIME",
      "move a session that nobody calls for so long to the disk, from where its next call "
      "brings\n      it back: 90, 90s, 1h; 0 or never for no limit (default: 1m)",
      &settings.lease);
  flags.Timeout("session-retention", "TIME",
                "delete a session that nobody calls for so long (default: 168h)",
                &settings.session_retention);
  flags.Choice("durability",
               "what an acknowledged operation survives: nothing (sessions live in memory only), "
               "the end of\n      the process in any way, or of the machine too (default: process)",
               {"none", "process", "power"}, &settings.durability);
  flags.Duration(
      "drain-timeout", "TIME",
      "how long operations may run on after SIGTERM or SIGINT; what runs then is given "
      "up and\n      answers SHUTTING_DOWN, as what has not begun does at once (default: "
      "25s)",
      &settings.drain_timeout);
  flags.String(
      "pace", "SPEED",
      "how culture time goes by in sessions that do not say it themselves: 'free', as fast "
      "as it\n      goes, 'real' time, or so many times real time, 0.001 .. 1000 (default: "
      "free)",
      &settings.pace);
  flags.Int("max-sessions", "N", "sessions at once (default: 64)", 1, 1'000'000,
            &settings.max_sessions);
  flags.Int("max-envs", "N", "copies of an environment in one session (default: 1024)", 1,
            1'000'000, &settings.max_envs);
  flags.String(
      "quotas", "FILE",
      "YAML, read again when it changes: how many sessions and copies, how much memory and "
      "culture\n      time each tenant may have, alice: {max_sessions: 8}, and `default` the "
      "others",
      &settings.quotas);
  flags.Int("max-waiting-calls", "N",
            "calls of sessions that wait or are done at once, of all sessions; one more is told to "
            "come back\n      (default: 4096)",
            1, 1'000'000, &settings.max_waiting_calls);
  flags.Int("max-recordings", "N", "recordings of a tenant (default: 1024)", 1, 1'000'000,
            &settings.recordings.max_recordings);
  flags.Bytes("max-recording-bytes",
              "of one recording, which ends before it is larger (default: 16G)", kMinRecordingBytes,
              &settings.recordings.max_recording_bytes);
  flags.Bytes(
      "max-tenant-recording-bytes",
      "of all recordings of a tenant; those that grow end when it is reached (default: 64G)",
      kMinRecordingBytes, &settings.recordings.max_tenant_bytes);
  flags.Bytes(
      "memory",
      "memory that sessions, builds, requests and answers may take, all together; what would "
      "take\n      more is refused (default: what the process may use, less a fifth)",
      kMinMemoryBytes, &settings.memory_bytes);
  flags.Choice("log-format",
               "lines for people, or an object of JSON a line for programs (default: text)",
               {"text", "json"}, &settings.log_format);
  flags.Choice("log-level",
               "what the log leaves out is below this; debug tells of every call of a session\n"
               "      (default: info)",
               {"debug", "info", "warning", "error"}, &settings.log_level);
  flags.Switch("exit-with-stdin",
               "end when standard input ends, as a child of a client does, and at once: nobody is "
               "left to\n      answer to",
               &settings.exit_with_stdin);
  flags.Switch(
      "allow-insecure-remote",
      "listen beyond this machine, although neither a certificate nor a token is asked for "
      "(of the\n      metrics, never)",
      &settings.allow_insecure_remote);
  flags.Switch("bench-environments",
               "offer Null-v0 too, in which nothing happens: it measures what serving costs",
               &settings.bench_environments);
  return flags;
}

absl::StatusOr<double> SpeedOf(absl::string_view pace) {
  double speed = 0.0;
  if (pace == "free") return speed;
  if (pace == "real") return 1.0;
  if (absl::SimpleAtod(pace, &speed) && IsSpeed(speed)) return speed;
  return absl::InvalidArgumentError(
      absl::StrCat("pace is '", pace, "'; accepted: free, real, ", kMinSpeed, " .. ", kMaxSpeed));
}

absl::StatusOr<ServerOptions> MakeOptions(const Settings& settings, const ServiceManager& manager) {
  ServerOptions options;
  options.sockets = manager.sockets();
  if (!options.sockets.empty() && !settings.listen.empty()) {
    return absl::FailedPreconditionError(
        absl::StrCat("there are sockets to listen on already (LISTEN_FDS), and listen is ",
                     settings.listen, "; give the one or the other"));
  }
  if (options.sockets.empty()) {
    const std::string listen = settings.listen.empty()
                                   ? absl::StrCat("unix:", settings.state_dir, "/livnd.sock")
                                   : settings.listen;
    LIVND_ASSIGN_OR_RETURN(options.listen, ListenAddress::Parse(listen));
  }
  if (!settings.metrics_listen.empty()) {
    LIVND_ASSIGN_OR_RETURN(options.metrics_listen, ListenAddress::Parse(settings.metrics_listen));
  }
  options.trust = settings.trust;
  options.allow_insecure_remote = settings.allow_insecure_remote;
  options.num_workers = settings.threads;
  options.memory_bytes = settings.memory_bytes;
  options.sessions.max_sessions = settings.max_sessions;
  options.sessions.max_envs_per_session = settings.max_envs;
  LIVND_ASSIGN_OR_RETURN(options.sessions.speed, SpeedOf(settings.pace));
  options.sessions.max_calls = settings.max_waiting_calls;
  options.quotas = settings.quotas;
  options.sessions.lease = settings.lease;
  options.sessions.retention = settings.session_retention;
  if (settings.durability != kDurabilityNone) {
    options.journals = absl::StrCat(settings.state_dir, "/sessions");
  }
  options.recordings = absl::StrCat(settings.state_dir, "/recordings");
  options.recording_limits = settings.recordings;
  options.durability =
      settings.durability == kDurabilityPower ? Durability::kPower : Durability::kProcess;
  return options;
}

std::string ReadyLine(const Server& server) {
  nlohmann::ordered_json ready;
  ready["event"] = "ready";
  ready["address"] = server.address();
  if (!server.metrics_url().empty()) ready["metrics"] = server.metrics_url();
  ready["pid"] = getpid();
  ready["version"] = kVersion;
  ready["environments"] = server.environment_ids();
  return JsonLine(ready);
}

// gRPC, the locks and the listener take about ten, work some more for moments, and the listener
// holds some back for it; the rest is for clients.
constexpr int kMinFreeDescriptors = 32;

// Who started the server waits for the line, and learns nothing without it.
absl::Status PrintReadyLine(const std::string& ready) {
  if (std::printf("%s\n", ready.c_str()) >= 0 && std::fflush(stdout) == 0) return absl::OkStatus();
  return absl::ErrnoToStatus(errno, "cannot write the ready line to standard output");
}

// How long operations that were told to give up may take to do so. They look often.
constexpr absl::Duration kGivingUp = absl::Seconds(2);
// How long answers may take to leave.
constexpr absl::Duration kHangingUp = absl::Seconds(2);

// True once no operation runs; false if some still do after `patience`.
bool AwaitDrained(const Server& server, absl::Duration patience) {
  const absl::Time deadline = SteadyNow() + patience;
  while (!server.drained()) {
    if (SteadyNow() >= deadline) return false;
    absl::SleepFor(absl::Milliseconds(10));
  }
  return true;
}

// Lets running operations end, for so long, then has them give up, then closes the connections.
// False if something runs on that cannot be interrupted.
bool EndServing(Server& server, absl::Duration drain_timeout) {
  server.Drain();
  bool drained = AwaitDrained(server, drain_timeout);
  if (!drained) {
    LogLine(Severity::kWarning, "operations still run and are given up",
            {{"drain_timeout_ms", drain_timeout}});
    server.Stop();
    drained = AwaitDrained(server, kGivingUp);
  }
  server.Shutdown(kHangingUp);
  return drained && !server.building();
}

// What the service manager shall know of the end, the time that it may take among it.
std::string StoppingNote(absl::Duration drain_timeout) {
  std::string note = absl::StrCat("STOPPING=1\nSTATUS=Draining; operations may run on for ",
                                  absl::FormatDuration(drain_timeout));
  if (drain_timeout < absl::Hours(24 * 365)) {
    absl::StrAppend(
        &note, "\nEXTEND_TIMEOUT_USEC=",
        absl::ToInt64Microseconds(drain_timeout + kGivingUp + kHangingUp + absl::Seconds(5)));
  }
  return note;
}

// What is let go of shall leave the process: large blocks are mapped one by one, however many such there
// were before (the allocator would learn to keep them).
void ConfigureAllocator() {
  mallopt(M_MMAP_THRESHOLD, 4 << 20);
  mallopt(M_TRIM_THRESHOLD, 8 << 20);
}

absl::Status Serve(Settings settings) {
  umask(0077);  // sockets, locks and state are the owner's alone
  ConfigureAllocator();
  LIVND_ASSIGN_OR_RETURN(const ServiceManager manager, ServiceManager::FromEnvironment());
  RaiseDescriptorLimit();
  LIVND_RETURN_IF_ERROR(RequireFreeDescriptors(kMinFreeDescriptors));
  TakeLibraryLogs();
  // Of gRPC's locks, none of ours: Debian builds Abseil so that it looks for cycles at each of them.
  absl::SetMutexDeadlockDetectionMode(absl::OnDeadlockCycle::kIgnore);
  signal(SIGPIPE, SIG_IGN);  // who started the server may stop reading its log
  signal(SIGXFSZ, SIG_IGN);  // a journal that may grow no more is an error, as a full disk is
  LIVND_ASSIGN_OR_RETURN(std::unique_ptr<ShutdownTrigger> trigger,
                         ShutdownTrigger::Create(settings.exit_with_stdin));
  if (settings.state_dir.empty()) {
    LIVND_ASSIGN_OR_RETURN(settings.state_dir, StateDir::DefaultPath());
  }
  LIVND_ASSIGN_OR_RETURN(ServerOptions options, MakeOptions(settings, manager));
  options.asked_to_end = ShutdownTrigger::Ask;
  LIVND_ASSIGN_OR_RETURN(std::unique_ptr<StateDir> state, StateDir::Open(settings.state_dir));
  auto watcher = std::make_unique<SystemsWatcher>(settings.systems, options.max_message_bytes,
                                                  settings.bench_environments
                                                      ? env::BenchEnvironments::kOffered
                                                      : env::BenchEnvironments::kLeftOut);
  LIVND_ASSIGN_OR_RETURN(Offer offer, watcher->First());
  LIVND_ASSIGN_OR_RETURN(std::unique_ptr<Server> server,
                         Server::Start(std::move(options), std::move(offer)));
  const std::string ready = ReadyLine(*server);
  LIVND_RETURN_IF_ERROR(state->PublishEndpoint(ready));
  LIVND_RETURN_IF_ERROR(PrintReadyLine(ready));
  LogLine(Severity::kInfo, "serving",
          {{"address", server->address()},
           {"environments", server->environment_ids().size()},
           {"version", kVersion}});

  manager.Notify(absl::StrCat("READY=1\nSTATUS=Serving ", server->environment_ids().size(),
                              " environments on ", server->address()));

  watcher->Start(settings.systems_period,
                 [&server = *server](Offer changed) { server.Exchange(std::move(changed)); });

  std::string why;
  while (why.empty()) {
    why = trigger->Wait(std::min(absl::Hours(1), manager.watchdog_period()));
    if (why.empty() && server->IsAlive()) manager.Notify("WATCHDOG=1");
  }
  LogLine(Severity::kInfo, absl::StrCat("ending on ", why),
          {{"drain_timeout_ms", settings.drain_timeout}});
  ShutdownTrigger::EndAtOnceFromNowOn(kExitFailure);
  if (why == ShutdownTrigger::kStdinEnded) settings.drain_timeout = absl::ZeroDuration();
  manager.Notify(StoppingNote(settings.drain_timeout));
  if (!EndServing(*server, settings.drain_timeout) || watcher->reading()) {
    // An environment is being built for a client that has been told otherwise, say. It cannot be
    // interrupted, and nothing of it would last.
    state.reset();
    LogInfo("ended, leaving a build or an operation unfinished");
    _exit(kExitOk);
  }
  watcher.reset();
  if (why != ShutdownTrigger::kStdinEnded) server->Settle();
  server.reset();
  LogInfo("ended");
  return absl::OkStatus();
}

}  // namespace

int ServeCommand(absl::Span<const std::string> args) {
  Settings settings;
  const FlagSet flags = MakeFlags(settings);
  const absl::StatusOr<FlagSet::Parsed> parsed = flags.Parse(args);
  absl::Status usage = parsed.status();
  if (usage.ok() && parsed->help) {
    std::printf("%s", flags.Help().c_str());
    return kExitOk;
  }
  if (usage.ok() && !parsed->positional.empty()) {
    usage = absl::InvalidArgumentError(
        absl::StrCat("unexpected argument '", parsed->positional.front(), "'; try --help"));
  }
  // The file first, and what the command line says over it.
  if (usage.ok() && parsed->given.count(kConfigFlag) > 0) {
    usage = ApplyConfigFile(settings.config, flags);
    if (usage.ok()) usage = flags.Parse(args).status();
  }
  if (!usage.ok()) {
    std::fprintf(stderr, "livnd serve: %s\n", std::string(usage.message()).c_str());
    return kExitUsage;
  }
  ConfigureLog(static_cast<LogFormat>(settings.log_format),
               static_cast<Severity>(settings.log_level));
  const absl::Status status = Serve(std::move(settings));
  if (!status.ok()) {
    LogError("cannot serve: ", status.ToString(absl::StatusToStringMode::kWithNoExtraData));
    return kExitFailure;
  }
  return kExitOk;
}

}  // namespace livnd::server
