#include "server/service/server.h"

#include <malloc.h>

#include <algorithm>
#include <atomic>
#include <functional>
#include <thread>
#include <utility>

#include "absl/strings/str_cat.h"
#include "absl/time/clock.h"
#include "base/status_macros.h"
#include "google/protobuf/descriptor.h"
#include "google/rpc/error_details.pb.h"
#include "google/rpc/status.pb.h"
#include "grpc/health/v1/health.pb.h"
#include "grpcpp/health_check_service_interface.h"
#include "grpcpp/resource_quota.h"
#include "grpcpp/security/server_credentials.h"
#include "grpcpp/server.h"
#include "grpcpp/server_builder.h"
#include "livnd/v1/error_reason.pb.h"
#include "server/journal/journal_folder.h"
#include "server/machine/listener.h"
#include "server/machine/log.h"
#include "server/machine/memory_budget.h"
#include "server/machine/mutex.h"
#include "server/machine/steady_time.h"
#include "server/machine/unix_socket.h"
#include "server/machine/worker_pool.h"
#include "server/metrics/endpoint.h"
#include "server/metrics/metrics.h"
#include "server/service/admin_service.h"
#include "server/service/culture_service.h"
#include "server/service/environment_service.h"
#include "server/service/reception.h"
#include "server/service/recording_service.h"
#include "server/service/reflection_service.h"
#include "server/service/server_service.h"
#include "server/service/session_service.h"
#include "server/service/unknown_method.h"
#include "server/session/session.h"
#include "server/session/tenant.h"
#include "server/trust/quotas.h"
#include "server/trust/reread.h"
#include "server/trust/trust.h"
#include "server/version.h"
#include "server/wire/reflection.h"

namespace livnd::server {
namespace {

// Moves sessions to the disk, deletes old ones, and looks whether the disk can be written to; a few
// times in a lease. One thread, from Start on.
class Reaper {
 public:
  explicit Reaper(SessionRegistry& registry) : registry_(registry) {}
  ~Reaper() { Stop(); }
  void Stop() {
    {
      MutexLock lock(mu_);
      stopping_ = true;
      stop_.Signal();
    }
    if (thread_.joinable()) thread_.join();
  }

  // `look` is called each time.
  void Start(std::function<void()> look) {
    look_ = std::move(look);
    const absl::Duration shortest =
        std::min(registry_.options().lease, registry_.options().retention);
    thread_ = std::thread([this, shortest] {
      Run(std::clamp(shortest / 4, absl::Milliseconds(20), absl::Seconds(1)));
    });
  }

 private:
  void Run(absl::Duration period) {
    MutexLock lock(mu_);
    while (!stopping_) {
      stop_.WaitFor(mu_, period);
      if (stopping_) return;
      look_();
      registry_.ParkIdle();
      if (const int removed = registry_.RemoveOld(); removed > 0) {
        LogLine(Severity::kInfo, "old sessions deleted", {{"num_sessions", removed}});
      }
      GiveMemoryBack();
    }
  }

  // What sessions of all sizes, and large requests, leave between what stays is the allocator's to keep,
  // and grows for hours; now and then the system has it back.
  void GiveMemoryBack() {
    constexpr absl::Duration kPause = absl::Seconds(10);
    constexpr size_t kMuch = 8 << 20;
    if (SteadyNow() - given_back_ < kPause) return;
    given_back_ = SteadyNow();
    const int64_t departed = registry_.num_departed();
    if (departed == departed_ && mallinfo2().fordblks < free_bytes_ + kMuch) return;
    malloc_trim(0);
    departed_ = departed;
    free_bytes_ = mallinfo2().fordblks;
  }

  SessionRegistry& registry_;
  std::function<void()> look_;
  // When memory was last given back.
  int64_t departed_ = 0;
  size_t free_bytes_ = 0;
  absl::Time given_back_ = SteadyNow();
  Mutex mu_;
  CondVar stop_;
  bool stopping_ ABSL_GUARDED_BY(mu_) = false;
  std::thread thread_;
};

// Threads for what cannot be cut into turns: one for making copies and changing cultures, the others
// for building environments. These are few, for a build takes much memory and what processors the
// workers leave it.
int NumAside(int num_workers) { return 1 + std::clamp(num_workers / 4, 1, 4); }

v1::GetServerInfoResponse MakeInfo(const ServerOptions& options, const Offer& offer) {
  v1::GetServerInfoResponse info;
  info.set_server_version(kVersion);
  info.set_physics_version(offer.physics_version);
  info.set_max_receive_message_bytes(options.max_message_bytes);
  info.set_max_send_message_bytes(options.max_message_bytes);
  info.set_max_sessions(options.sessions.max_sessions);
  info.set_max_envs_per_session(options.sessions.max_envs_per_session);
  if (options.sessions.lease < absl::InfiniteDuration() && !options.journals.empty()) {
    info.set_session_lease_s(absl::ToDoubleSeconds(options.sessions.lease));
  }
  if (options.sessions.retention < absl::InfiniteDuration()) {
    info.set_session_retention_s(absl::ToDoubleSeconds(options.sessions.retention));
  }
  info.set_num_workers(options.num_workers);
  if (options.memory_bytes < MemoryBudget::kNoLimit) {
    info.set_memory_budget_bytes(options.memory_bytes);
  }
  return info;
}

// Where every service of the server is declared; and, for who reads an error's details, what they
// are made of.
std::vector<const google::protobuf::FileDescriptor*> DescribedFiles() {
  return {
      v1::GetServerInfoRequest::descriptor()->file(),
      v1::StepRequest::descriptor()->file(),
      v1::RunRequest::descriptor()->file(),
      v1::StartRecordingRequest::descriptor()->file(),
      v1::CreateSessionRequest::descriptor()->file(),
      v1::ListSessionsRequest::descriptor()->file(),
      grpc::health::v1::HealthCheckRequest::descriptor()->file(),
      grpc::reflection::v1::ServerReflectionRequest::descriptor()->file(),
      grpc::reflection::v1alpha::ServerReflectionRequest::descriptor()->file(),
      v1::ErrorReason_descriptor()->file(),
      google::rpc::Status::descriptor()->file(),
      google::rpc::ErrorInfo::descriptor()->file(),
  };
}

// Where nobody is asked who they are, and other machines can reach it, only who says so listens.
absl::Status CheckReach(const ListenAddress& listen, const ServerOptions& options) {
  if (listen.is_local() || options.allow_insecure_remote || options.trust.asks_who_calls()) {
    return absl::OkStatus();
  }
  return absl::FailedPreconditionError(absl::StrCat(
      listen.ToString(), " can be reached from other machines, and nobody is asked who they are",
      options.trust.encrypts() ? ", although TLS encrypts" : "",
      "; listen on 127.0.0.1, ::1 or unix:PATH, ask for client certificates with --tls-client-ca "
      "or for tokens with --tokens, or allow it explicitly with --allow-insecure-remote"));
}

absl::Status CheckReachOfMetrics(const ServerOptions& options) {
  if (!options.metrics_listen.has_value() || options.metrics_listen->is_local() ||
      options.allow_insecure_remote) {
    return absl::OkStatus();
  }
  return absl::FailedPreconditionError(
      absl::StrCat("the metrics at ", options.metrics_listen->ToString(),
                   " could be read from other machines, in clear and by everybody; listen on "
                   "127.0.0.1, or allow it explicitly with --allow-insecure-remote"));
}

// What an operator should know of the choice that was made.
void LogTrust(const std::vector<ListenAddress>& addresses, const TrustOptions& options,
              const Trust& trust) {
  if (options.encrypts() || options.asks_who_calls()) {
    LogInfo("callers meet ", trust.Describe());
  }
  if (options.encrypts()) return;
  for (const ListenAddress& address : addresses) {
    if (address.is_local()) continue;
    LogWarning(address.ToString(), " can be reached from other machines, in clear",
               options.asks_who_calls()
                   ? ": who reads the traffic can take tokens from it and use them; --tls-cert and "
                     "--tls-key encrypt it, unless something in front of the server does"
                   : ", and nobody is asked who they are");
  }
}

// The part of the memory that gRPC may hold of requests that arrive. Above it gRPC slows down and then
// breaks off calls, anybody's, so that it is ample; one largest message always fits.
int64_t TransportBytes(const ServerOptions& options) {
  if (options.memory_bytes >= MemoryBudget::kNoLimit) return 0;
  return std::max<int64_t>(options.memory_bytes / 4, int64_t{3} * options.max_message_bytes / 2);
}

// The part that is for small calls alone.
int64_t Headroom(const ServerOptions& options) {
  return options.memory_bytes >= MemoryBudget::kNoLimit ? 0 : options.memory_bytes / 8;
}

void ConfigureTransport(const ServerOptions& options, grpc::ServerBuilder& builder) {
  if (const int64_t bytes = TransportBytes(options); bytes > 0) {
    grpc::ResourceQuota quota("livnd");
    quota.Resize(static_cast<size_t>(bytes));
    builder.SetResourceQuota(quota);
  }
  // Each may hold a request. More wait at the client.
  builder.AddChannelArgument(GRPC_ARG_MAX_CONCURRENT_STREAMS, 512);
  // A message of some megabytes becomes gigabytes before anybody can look at its size. gRPC refuses a
  // call that says it is compressed (UNIMPLEMENTED), and inflates nothing whatever a message says.
  for (const auto algorithm : {GRPC_COMPRESS_DEFLATE, GRPC_COMPRESS_GZIP}) {
    builder.SetCompressionAlgorithmSupportStatus(algorithm, false);
  }
  builder.AddChannelArgument(GRPC_ARG_ENABLE_PER_MESSAGE_DECOMPRESSION, 0);
  builder.SetMaxReceiveMessageSize(options.max_message_bytes);
  builder.SetMaxSendMessageSize(options.max_message_bytes);
  // Who connects and says nothing is hung up on; by default that takes two minutes.
  builder.AddChannelArgument(GRPC_ARG_SERVER_HANDSHAKE_TIMEOUT_MS, 20'000);
  // Clients may ping once in ten seconds, also while they only think; the default is five minutes,
  // after which the connection is closed on them.
  builder.AddChannelArgument(GRPC_ARG_HTTP2_MIN_RECV_PING_INTERVAL_WITHOUT_DATA_MS, 10'000);
  builder.AddChannelArgument(GRPC_ARG_KEEPALIVE_PERMIT_WITHOUT_CALLS, 1);
}

}  // namespace

// Threads that read recordings for who asks for them; they wait for the disk most of the time.
constexpr int kNumReaders = 2;

struct Server::Parts {
  Parts(ServerOptions options_in, std::unique_ptr<JournalFolder> journals_in,
        std::unique_ptr<RecordingFolder> recordings_in, Offer offer,
        std::unique_ptr<Trust> trust_in, std::unique_ptr<Reread<Quotas>> quotas_in)
      : options(std::move(options_in)),
        journals(std::move(journals_in)),
        recordings(std::move(recordings_in)),
        trust(std::move(trust_in)),
        quotas(std::move(quotas_in)),
        memory(options.memory_bytes, Headroom(options)),
        transport(memory.Reserve(MemoryUse::kTransport, TransportBytes(options))),
        metrics(kVersion, offer.physics_version),
        pool(std::make_unique<WorkerPool>(options.num_workers, NumAside(options.num_workers))),
        store({}, {}, *pool, &memory),
        registry(RegistryOptions(), store, *pool, metrics),
        server_service(MakeInfo(options, offer), std::move(offer.systems), QuotaOf(), reception),
        environment_service(store, registry, reception, options.max_message_bytes),
        culture_service(registry, reception),
        recording_service(registry, recordings.get(), readers, options.max_message_bytes,
                          reception),
        session_service(options.max_message_bytes, options.max_message_bytes, store, registry,
                        reception),
        admin_service(registry, reception, options.asked_to_end),
        reflection(DescribedFiles()),
        reflection_v1(reflection, *trust),
        reflection_v1alpha(reflection, *trust),
        unknown_method(reception),
        reaper(registry) {
    store.Exchange(std::move(offer.environments), std::move(offer.builder),
                   std::move(offer.versions), std::move(offer.build_bytes),
                   std::move(offer.not_offered));
    metrics.ReadLevelsFrom([this] {
      Levels levels;
      levels.environments = registry.num_envs();
      levels.queued_tasks = pool->num_waiting();
      levels.workers = pool->concurrency();
      registry.FillIn(levels);
      levels.memory_limit = memory.limit();
      for (int use = 0; use < kNumMemoryUses; ++use) {
        levels.memory_used.emplace_back(MemoryUseName(static_cast<MemoryUse>(use)),
                                        memory.used(static_cast<MemoryUse>(use)));
      }
      if (recordings != nullptr) {
        const RecordingFolder::Totals totals = recordings->totals();
        levels.recordings = totals.num_growing;
        levels.recording_bytes = totals.num_bytes;
        levels.recorded_rows = totals.num_rows;
        levels.dropped_rows = totals.num_dropped;
        levels.recording_waits = totals.num_waits;
        levels.recording_waited_s = totals.waited_s;
      }
      return levels;
    });
  }

  SessionRegistry::Options RegistryOptions() {
    SessionRegistry::Options out = options.sessions;
    out.journals = journals.get();
    out.recordings = recordings.get();
    out.memory = &memory;
    out.quota_of = QuotaOf();
    return out;
  }

  Tenant::QuotaOf QuotaOf() const {
    if (quotas == nullptr) return nullptr;
    return [this](const std::string& tenant) { return quotas->current()->Of(tenant); };
  }

  ~Parts() {
    metrics.ReadLevelsFrom(nullptr);
    reaper.Stop();
    listener.reset();
    grpc.reset();
    pool.reset();  // runs what is left, which uses the registry and the store
    if (journals != nullptr) journals->Finish();
  }

  // What health says while the server serves: not so where the disk takes nothing.
  void TellHealth() ABSL_LOCKS_EXCLUDED(mu) {
    const bool can_serve = journals == nullptr || journals->CheckWritable();
    MutexLock lock(mu);
    if (draining || can_serve == serving) return;
    serving = can_serve;
    grpc->GetHealthCheckService()->SetServingStatus(serving);
    if (serving) {
      LogLine(Severity::kInfo, "the state folder can be written to again");
    } else {
      LogLine(Severity::kError, "the state folder cannot be written to: operations are refused");
    }
  }

  ServerOptions options;
  std::unique_ptr<JournalFolder> journals;
  const std::unique_ptr<RecordingFolder> recordings;  // null: none are kept
  std::unique_ptr<UnixSocketClaim> claim;
  const std::unique_ptr<Trust> trust;
  const std::unique_ptr<Reread<Quotas>> quotas;  // null: none
  MemoryBudget memory;
  const MemoryBudget::Reservation transport;
  Metrics metrics;
  const Reception reception = {*trust, metrics, memory};
  std::unique_ptr<MetricsEndpoint> metrics_endpoint;
  std::unique_ptr<WorkerPool> pool;
  EnvironmentStore store;
  SessionRegistry registry;
  ServerService server_service;
  EnvironmentService environment_service;
  CultureService culture_service;
  WorkerPool readers{kNumReaders};  // of recordings
  RecordingService recording_service;
  SessionService session_service;
  AdminService admin_service;
  Reflection reflection;
  ReflectionV1 reflection_v1;
  ReflectionV1Alpha reflection_v1alpha;
  UnknownMethod unknown_method;
  Reaper reaper;
  std::unique_ptr<grpc::experimental::ExternalConnectionAcceptor> acceptor;
  std::unique_ptr<grpc::Server> grpc;
  std::unique_ptr<Listener> listener;
  bool shut_down = false;
  Mutex mu;
  bool serving ABSL_GUARDED_BY(mu) = true;
  bool draining ABSL_GUARDED_BY(mu) = false;
  // The pool's tasks say so; they may outlive this.
  const std::shared_ptr<std::atomic<bool>> has_moved = std::make_shared<std::atomic<bool>>(true);
};

absl::StatusOr<std::unique_ptr<Server>> Server::Start(ServerOptions options, Offer offer) {
  std::vector<ListenAddress> addresses;
  for (const int fd : options.sockets) {
    LIVND_ASSIGN_OR_RETURN(ListenAddress address, ListenAddress::OfSocket(fd));
    addresses.push_back(std::move(address));
  }
  if (addresses.empty()) addresses.push_back(options.listen);
  for (const ListenAddress& address : addresses) {
    LIVND_RETURN_IF_ERROR(CheckReach(address, options));
  }
  LIVND_RETURN_IF_ERROR(CheckReachOfMetrics(options));
  const bool sockets_alone =
      std::all_of(addresses.begin(), addresses.end(),
                  [](const ListenAddress& address) { return address.is_unix(); });
  LIVND_ASSIGN_OR_RETURN(std::unique_ptr<Trust> trust, Trust::Open(options.trust, sockets_alone));
  std::unique_ptr<UnixSocketClaim> claim;
  std::unique_ptr<Listener> listener;
  if (!options.sockets.empty()) {
    options.listen = addresses.front();
    LIVND_ASSIGN_OR_RETURN(listener, Listener::Adopt(options.sockets));
  } else {
    if (options.listen.is_unix()) {
      LIVND_ASSIGN_OR_RETURN(claim, UnixSocketClaim::Acquire(options.listen.unix_path));
    }
    LIVND_ASSIGN_OR_RETURN(listener, Listener::Create(options.listen));
    if (!options.listen.is_unix()) options.listen.port = listener->port();
    addresses = {options.listen};
  }
  std::unique_ptr<JournalFolder> journals;
  if (!options.journals.empty()) {
    LIVND_ASSIGN_OR_RETURN(journals, JournalFolder::Open(options.journals, options.durability));
  }
  std::unique_ptr<RecordingFolder> recordings;
  if (!options.recordings.empty()) {
    options.recording_limits.durable = options.durability == Durability::kPower;
    LIVND_ASSIGN_OR_RETURN(recordings,
                           RecordingFolder::Open(options.recordings, options.recording_limits));
  }
  std::unique_ptr<Reread<Quotas>> quotas;
  if (!options.quotas.empty()) {
    LIVND_ASSIGN_OR_RETURN(quotas, Reread<Quotas>::Create("the quotas", [path = options.quotas] {
                             return Quotas::Read(path);
                           }));
  }
  auto parts =
      std::make_unique<Parts>(std::move(options), std::move(journals), std::move(recordings),
                              std::move(offer), std::move(trust), std::move(quotas));
  parts->claim = std::move(claim);
  LIVND_RETURN_IF_ERROR(parts->registry.Recover());
  if (parts->options.metrics_listen.has_value()) {
    LIVND_ASSIGN_OR_RETURN(
        parts->metrics_endpoint,
        MetricsEndpoint::Start(*parts->options.metrics_listen, parts->metrics.collectable()));
  }

  grpc::EnableDefaultHealthCheckService(true);
  grpc::ServerBuilder builder;
  ConfigureTransport(parts->options, builder);
  parts->acceptor = builder.experimental().AddExternalConnectionAcceptor(
      grpc::ServerBuilder::experimental_type::ExternalConnectionType::FROM_FD,
      parts->trust->Credentials());
  grpc::Service* const services[] = {&parts->server_service,    &parts->environment_service,
                                     &parts->culture_service,   &parts->session_service,
                                     &parts->recording_service, &parts->admin_service,
                                     &parts->reflection_v1,     &parts->reflection_v1alpha};
  for (grpc::Service* service : services) builder.RegisterService(service);
  builder.RegisterCallbackGenericService(&parts->unknown_method);
  parts->grpc = builder.BuildAndStart();
  if (parts->grpc == nullptr) {
    return absl::InternalError("gRPC could not be started (its log above says why)");
  }
  for (const char* name :
       {v1::ServerService::service_full_name(), v1::EnvironmentService::service_full_name(),
        v1::CultureService::service_full_name(), v1::SessionService::service_full_name(),
        v1::RecordingService::service_full_name(), v1::AdminService::service_full_name()}) {
    parts->grpc->GetHealthCheckService()->SetServingStatus(name, true);
  }
  LogTrust(addresses, parts->options.trust, *parts->trust);
  parts->reaper.Start([parts = parts.get()] {
    parts->TellHealth();
    if (parts->quotas != nullptr) parts->quotas->Look();
  });
  parts->listener = std::move(listener);
  parts->listener->Start([acceptor = parts->acceptor.get()](int fd) {
    grpc::experimental::ExternalConnectionAcceptor::NewConnectionParameters connection;
    connection.fd = fd;
    acceptor->HandleNewConnection(&connection);
  });
  return std::unique_ptr<Server>(new Server(std::move(parts)));
}

Server::Server(std::unique_ptr<Parts> parts) : parts_(std::move(parts)) {}

Server::~Server() {
  Drain();
  if (!parts_->shut_down) Shutdown(absl::ZeroDuration());
}

std::string Server::address() const { return parts_->options.listen.ToString(); }

std::string Server::metrics_url() const {
  return parts_->metrics_endpoint == nullptr ? "" : parts_->metrics_endpoint->url();
}

std::vector<std::string> Server::environment_ids() const {
  std::vector<std::string> ids;
  const auto offered = parts_->store.offered();
  for (const env::EnvironmentSpec& spec : offered->specs) ids.push_back(spec.id);
  return ids;
}

void Server::Exchange(Offer offer) {
  // Whoever hears of a system finds its environments.
  parts_->store.Exchange(std::move(offer.environments), std::move(offer.builder),
                         std::move(offer.versions), std::move(offer.build_bytes),
                         std::move(offer.not_offered));
  parts_->server_service.Exchange(std::move(offer.systems));
}

void Server::Drain() {
  {
    MutexLock lock(parts_->mu);
    parts_->draining = true;
    if (!parts_->shut_down) parts_->grpc->GetHealthCheckService()->SetServingStatus(false);
  }
  parts_->registry.Drain();
  parts_->environment_service.Drain();
}

bool Server::drained() const { return parts_->registry.num_calls() == 0; }

void Server::Settle() { parts_->registry.Settle(); }

void Server::Stop() { parts_->pool->RequestStop(); }

void Server::Shutdown(absl::Duration grace) {
  parts_->listener.reset();
  parts_->grpc->Shutdown(absl::ToChronoTime(absl::Now() + grace));
  parts_->shut_down = true;
  parts_->claim.reset();
}

bool Server::IsAlive() {
  if (!parts_->has_moved->exchange(false)) return false;
  parts_->pool->Submit([moved = parts_->has_moved] { *moved = true; });
  return true;
}

bool Server::building() const { return parts_->store.building(); }

}  // namespace livnd::server
