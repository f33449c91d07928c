// livnd from C++: simulated cultures of neurons as reinforcement-learning environments.
//
//   using livnd::client::Client;
//   std::unique_ptr<Client> client = Client::Connect("127.0.0.1:5005");
//   auto session = client->CreateSession({"TargetRate-EI-mini-v0", /*num_envs=*/16});
//   if (!session.ok()) return Fail(session.error().ToString());
//   auto reset = (*session)->Reset();
//   auto step = (*session)->Step(std::vector<float>(16 * (*session)->action_size()));
//
// Depends on gRPC, the OpenSSL that gRPC uses, and livnd's protocol alone. Which errors a call has is
// told beside it in the files of livnd/v1, and what they mean in error_reason.proto.
#ifndef LIVND_CLIENTS_CPP_CLIENT_H_
#define LIVND_CLIENTS_CPP_CLIENT_H_

#include <cstdint>
#include <functional>
#include <memory>
#include <optional>
#include <string>
#include <utility>
#include <vector>

#include "clients/cpp/client_options.h"
#include "clients/cpp/connection.h"
#include "clients/cpp/culture_session.h"
#include "clients/cpp/recording.h"
#include "clients/cpp/result.h"
#include "clients/cpp/session.h"
#include "clients/cpp/step_stream.h"
#include "livnd/v1/environment_service.pb.h"
#include "livnd/v1/recording_service.pb.h"
#include "livnd/v1/session_service.pb.h"

namespace livnd::client {

struct SessionOptions {
  SessionOptions() = default;
  SessionOptions(std::string id, int n = 1) : environment_id(std::move(id)), num_envs(n) {}

  std::string environment_id;
  int num_envs = 1;
  v1::AutoresetMode autoreset_mode = v1::AUTORESET_MODE_NEXT_STEP;
  // Truncates episodes after so many steps; 0 leaves it to the environment, whose own limit counts in
  // any case. Session::spec() tells what counts.
  int64_t max_episode_steps = 0;
  // Of Session::Snapshot, which the copies begin with; empty: new copies.
  std::string snapshot;
  // [num_envs], which of the snapshot's copies they are; empty: all, in order.
  std::vector<int> copy_of;
  // Seconds of culture time a second: 1 is real time, 0 as fast as it goes; 0.001 .. 1000. A step is
  // answered no sooner than it is due (see v1::Pace). Not set: as the server was told.
  std::optional<double> pace;
};

// Thread-safe. Do not use it across fork().
class Client {
 public:
  // address: "unix:PATH" or "HOST:PORT"; of another form, every call fails with INVALID_FIELD, as with
  // options that cannot be used.
  // Connects with the first call, and again when the line breaks.
  static std::unique_ptr<Client> Connect(const std::string& address, ClientOptions options = {});

  // Versions and limits, asked once a client.
  Result<v1::GetServerInfoResponse> GetServerInfo();
  Result<std::vector<std::string>> ListSystems();
  Result<v1::System> GetSystem(const std::string& system);
  // The encodings and decodings that cultures take by name.
  Result<v1::ListCodingsResponse> ListCodings();
  Result<std::vector<v1::EnvironmentSpec>> ListEnvironments();
  // Those that a system of the server's cannot carry, and why.
  Result<std::vector<v1::EnvironmentNotOffered>> ListNotOffered();
  Result<v1::EnvironmentSpec> DescribeEnvironment(const std::string& environment_id);
  // A session on an environment with a task, one action tensor and one observation tensor; others
  // are UNSUPPORTED. The first session on an environment settles its culture, which takes seconds.
  Result<std::unique_ptr<Session>> CreateSession(const SessionOptions& options);
  // The same for the culture of a system, without a task.
  Result<std::unique_ptr<CultureSession>> CreateCulture(const std::string& system,
                                                        int num_envs = 1);
  // Takes a session over, by its name: where its last holder was killed, has gone or has detached from
  // it. It goes on where it is; whoever held it before gets SUPERSEDED from now on. UNKNOWN_SESSION;
  // UNSUPPORTED: it is of the other kind, and is left to the server.
  Result<std::unique_ptr<Session>> AttachSession(const std::string& name);
  Result<std::unique_ptr<CultureSession>> AttachCulture(const std::string& name);
  // What a session is and where it stands, of whichever holder, who goes on undisturbed.
  Result<v1::GetSessionResponse> GetSession(const std::string& name);
  // What was recorded, and is being recorded, the latest first: of a session, by its name, or of all.
  Result<std::vector<v1::Recording>> ListRecordings(const std::string& session = "");
  // Rows of a stream in pieces, which `each` looks at (RecordedRows helps). Where the line breaks it goes
  // on after the last one. An error of `each` ends it, and is returned.
  Result<void> ReadRecording(
      const v1::ReadRecordingRequest& request,
      const std::function<Result<void>(const v1::ReadRecordingResponse&)>& each);
  // All rows that are wanted, whole.
  Result<RecordedRows> ReadRows(const v1::ReadRecordingRequest& request);
  // Copies the file of a recording that does not grow; nothing may be at `path`. RECORDING_UNDER_WAY;
  // FILE: it cannot be written.
  Result<void> DownloadRecording(const std::string& recording, const std::string& path);
  Result<void> DeleteRecording(const std::string& recording, bool allow_missing = false);
  // Sends steps of this client's sessions, and receives their answers as they are done.
  std::unique_ptr<StepStream> OpenStepStream();

 private:
  Result<v1::CreateSessionResponse> Attach(const std::string& name);
  Result<v1::CreateSessionResponse> Create(const SessionOptions& options);

  explicit Client(std::shared_ptr<internal::Connection> connection);
  const std::shared_ptr<internal::Connection> connection_;
};

}  // namespace livnd::client

#endif  // LIVND_CLIENTS_CPP_CLIENT_H_
