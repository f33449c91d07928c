#include "server/commands/remote/remote_server.h"

#include <chrono>
#include <map>
#include <utility>
#include <vector>

#include "absl/strings/str_cat.h"
#include "base/status_macros.h"
#include "clients/cpp/client_options.h"
#include "clients/cpp/tensor.h"
#include "sim/culture/culture.h"

namespace livnd::server {
namespace {

// A server that is away is away: another one, or this one later.
constexpr std::chrono::milliseconds kRetryTime{2000};

client::ClientOptions Options() {
  client::ClientOptions options;
  options.connect_timeout = kRetryTime;
  options.retry_time = kRetryTime;
  return options;
}

}  // namespace

RemoteServer::~RemoteServer() {
  if (!address_.empty()) Leave();
}

void RemoteServer::Leave() {
  session_.reset();
  client_.reset();
  servers_.Return(std::exchange(address_, ""));
}

void RemoteServer::Lose(const absl::Status& why) {
  if (session_ != nullptr) session_->Detach();  // there is nobody to end it
  session_.reset();
  client_.reset();
  servers_.Lost(std::exchange(address_, ""), why);
}

absl::Status RemoteServer::StatusOf(const client::Error& error) const {
  const std::string text = absl::StrCat(address_, ": ", error.ToString());
  // Others have what it holds; of memory less work at once takes less.
  const bool is_full = error.reason == "TOO_MANY_SESSIONS" || error.reason == "TOO_MANY_CALLS" ||
                       error.reason == "TOO_BUSY";
  const bool away = error.code == grpc::StatusCode::UNAVAILABLE ||
                    error.code == grpc::StatusCode::DEADLINE_EXCEEDED ||
                    error.code == grpc::StatusCode::CANCELLED ||
                    error.code == grpc::StatusCode::ABORTED || error.session_gone() ||
                    error.in_doubt || is_full || error.reason == "UNKNOWN_OUTCOME";
  if (away) return absl::UnavailableError(text);
  if (error.code == grpc::StatusCode::RESOURCE_EXHAUSTED) return absl::ResourceExhaustedError(text);
  return absl::FailedPreconditionError(text);
}

absl::Status RemoteServer::Try(const std::string& address, bool is_known, Begin begin) {
  address_ = address;
  client_ = client::Client::Connect(address, Options());
  const auto info = client_->GetServerInfo();
  if (!info.ok()) return StatusOf(info.error());
  if (info->physics_version() != sim::kPhysicsVersion) {
    return absl::FailedPreconditionError(absl::StrCat(address, " has the physics ",
                                                      info->physics_version(), ", and here it is ",
                                                      sim::kPhysicsVersion));
  }
  LIVND_ASSIGN_OR_RETURN(const int num_at_once, begin(*info, is_known));
  servers_.Works(address, num_at_once);
  return absl::OkStatus();
}

absl::StatusOr<bool> RemoteServer::Ready(Begin begin) {
  if (terms_.stop && terms_.stop()) return absl::CancelledError("interrupted");
  if (!address_.empty()) return true;
  if (const auto taken = servers_.Take(); taken.has_value()) {
    const absl::Status tried = Try(taken->address, taken->is_known, begin);
    if (tried.ok()) return true;
    Lose(tried);
    if (!absl::IsUnavailable(tried)) return tried;
  }
  LIVND_RETURN_IF_ERROR(servers_.StatusAfter(terms_.patience));
  return false;
}

absl::StatusOr<client::CultureSession*> RemoteServer::Session(
    int64_t num_copies, absl::FunctionRef<v1::ConfigureRequest()> first) {
  if (session_ != nullptr && session_->num_envs() == num_copies) return session_.get();
  session_.reset();
  auto created = client_->CreateCulture(terms_.system, static_cast<int>(num_copies));
  if (!created.ok()) return StatusOf(created.error());
  session_ = std::move(created).value();
  if (const auto done = session_->Configure(first()); !done.ok()) {
    session_.reset();
    return StatusOf(done.error());
  }
  return session_.get();
}

void RemoteServer::Note(const absl::Status& status) {
  if (absl::IsUnavailable(status)) Lose(status);
}

void EncodeCells(const io::CultureSetup& setup, v1::ConfigureRequest* request) {
  std::map<std::string, std::vector<int64_t>> gids;
  const std::vector<int64_t> built = setup.BuiltGids();
  for (const sim::PopulationConfig& p : setup.culture.populations) {
    for (const int64_t gid : built) {
      if (gid >= p.first_gid && gid < p.first_gid + p.num_cells) gids[p.name].push_back(gid);
    }
  }
  for (const auto& [population, of_population] : gids) {
    v1::PopulationShare* share = request->mutable_selection()->mutable_populations()->add_shares();
    share->set_population(population);
    client::Pack(of_population, {static_cast<int64_t>(of_population.size())},
                 share->mutable_gids());
  }
}

}  // namespace livnd::server
