// Drives the C++ client for the conformance suite. Every line of standard input is a command, a JSON
// object; every line of standard output is what came of it: {"answer": ...} as the client gave it, or
// {"error": ...} with the client's Error. A command that the driver does not understand is a defect
// of the suite, and ends it. Ends with its standard input.
//
// A client, session or culture is named by the number that the answer to its making tells.
#include <cstdio>
#include <exception>
#include <functional>
#include <iostream>
#include <map>
#include <memory>
#include <string>
#include <utility>
#include <vector>

#include "clients/cpp/client.h"
#include "nlohmann/json.hpp"
#include "tests/conformance/json_forms.h"

namespace livnd::client {
namespace {

using nlohmann::json;

json ErrorOf(const Error& error) { return {{"error", ToJson(error)}}; }
json AnswerOf(json answer) { return {{"answer", std::move(answer)}}; }

// The answer that `form` makes of a result's value, or the error.
template <typename T, typename Form>
json Told(const Result<T>& result, Form form) {
  if (!result.ok()) return ErrorOf(result.error());
  return AnswerOf(form(*result));
}
template <typename T>
json Told(const Result<T>& result) {
  return Told(result, [](const T& value) { return ToJson(value); });
}
json Told(const Result<void>& result) {
  return result.ok() ? AnswerOf(nullptr) : ErrorOf(result.error());
}

class Driver {
 public:
  // What came of a command. Throws where it is none.
  json Do(const json& command) { return commands_.at(command.at("do"))(command); }

 private:
  Client& ClientOf(const json& command) { return *clients_.at(command.at("client")); }
  Session& SessionOf(const json& command) { return *sessions_.at(command.at("session")); }
  StepStream& StreamOf(const json& command) { return *streams_.at(command.at("stream")); }
  CultureSession& CultureOf(const json& command) { return *cultures_.at(command.at("culture")); }

  // Keeps a new session of either kind.
  template <typename S>
  json Keep(Result<std::unique_ptr<S>> created, std::map<int, std::unique_ptr<S>>* kept) {
    if (!created.ok()) return ErrorOf(created.error());
    return AnswerOf(KeepMade(*std::move(created), kept));
  }
  template <typename S>
  json KeepMade(std::unique_ptr<S> made, std::map<int, std::unique_ptr<S>>* kept) {
    const S& session = *made;
    json told = {{"id", ++last_id_},
                 {"name", session.name()},
                 {"num_envs", session.num_envs()},
                 {"next_op_index", session.next_op_index()},
                 {"spec", ToJson(session.spec())}};
    kept->emplace(last_id_, std::move(made));
    return told;
  }
  template <typename S>
  json Fork(S& session, const json& command, std::map<int, std::unique_ptr<S>>* kept) {
    auto made = session.Fork(command.at("num_sessions"), command.at("copy_of"));
    if (!made.ok()) return ErrorOf(made.error());
    json list = json::array();
    for (auto& each : *made) list.push_back(KeepMade(std::move(each), kept));
    return AnswerOf(std::move(list));
  }
  // An operation's outcome, and the number of the next one.
  template <typename S>
  static json Numbered(json outcome, const S& session) {
    outcome["next_op_index"] = session.next_op_index();
    return outcome;
  }

  // What a session of either kind says, and the number of its next operation.
  template <typename Verb>
  json WithEither(const json& command, Verb verb) {
    if (command.contains("session")) {
      return Numbered(verb(SessionOf(command)), SessionOf(command));
    }
    return Numbered(verb(CultureOf(command)), CultureOf(command));
  }

  json Connect(const json& command) {
    clients_[++last_id_] = Client::Connect(command.at("address"), ClientOptionsOf(command));
    return AnswerOf(last_id_);
  }
  json CreateSession(const json& command) {
    SessionOptions options;
    options.environment_id = command.at("environment_id");
    options.num_envs = command.at("num_envs");
    options.autoreset_mode = static_cast<v1::AutoresetMode>(command.at("autoreset_mode"));
    options.max_episode_steps = command.at("max_episode_steps");
    options.snapshot = FromHex(command.at("snapshot"));
    options.copy_of = command.at("copy_of").get<std::vector<int>>();
    if (!command.at("pace").is_null()) options.pace = command["pace"];
    return Keep(ClientOf(command).CreateSession(options), &sessions_);
  }
  json OpenStream(const json& command) {
    streams_[++last_id_] = ClientOf(command).OpenStepStream();
    return AnswerOf(last_id_);
  }
  // Whose step it was beside what came of it, where there was one.
  json Recv(const json& command) {
    const StepAnswer answer = StreamOf(command).Recv();
    json outcome = Told(answer.result);
    for (const auto& [id, session] : sessions_) {
      if (session.get() != answer.session) continue;
      outcome["session"] = id;
      return Numbered(std::move(outcome), *session);
    }
    return outcome;
  }
  json Environments(const json& command) {
    return Told(ClientOf(command).ListEnvironments(), [](const auto& specs) {
      json list = json::array();
      for (const v1::EnvironmentSpec& spec : specs) list.push_back(ToJson(spec));
      return list;
    });
  }

  json NotOffered(const json& command) {
    return Told(ClientOf(command).ListNotOffered(), [](const auto& all) {
      json list = json::array();
      for (const v1::EnvironmentNotOffered& one : all) list.push_back(ToJson(one));
      return list;
    });
  }

  // The verbs that the client has, and "forget", which leaves the end to a destructor.
  const std::map<std::string, std::function<json(const json&)>> commands_ = {
      {"connect", [this](const json& c) { return Connect(c); }},
      {"info", [this](const json& c) { return Told(ClientOf(c).GetServerInfo()); }},
      {"systems",
       [this](const json& c) {
         return Told(ClientOf(c).ListSystems(), [](const auto& names) { return json(names); });
       }},
      {"system", [this](const json& c) { return Told(ClientOf(c).GetSystem(c.at("name"))); }},
      {"codings", [this](const json& c) { return Told(ClientOf(c).ListCodings()); }},
      {"environments", [this](const json& c) { return Environments(c); }},
      {"not_offered", [this](const json& c) { return NotOffered(c); }},
      {"environment",
       [this](const json& c) { return Told(ClientOf(c).DescribeEnvironment(c.at("name"))); }},
      {"create_session", [this](const json& c) { return CreateSession(c); }},
      {"attach_session",
       [this](const json& c) { return Keep(ClientOf(c).AttachSession(c.at("name")), &sessions_); }},
      {"session_info",
       [this](const json& c) { return Told(ClientOf(c).GetSession(c.at("name"))); }},
      {"create_culture",
       [this](const json& c) {
         return Keep(ClientOf(c).CreateCulture(c.at("system"), c.at("num_envs")), &cultures_);
       }},

      {"reset",
       [this](const json& c) {
         return Numbered(Told(SessionOf(c).Reset(ResetOptionsOf(c))), SessionOf(c));
       }},
      {"step",
       [this](const json& c) {
         return Numbered(Told(SessionOf(c).Step(ArrayOf<float>(c.at("actions")))), SessionOf(c));
       }},
      {"observe",
       [this](const json& c) { return Numbered(Told(SessionOf(c).Observe()), SessionOf(c)); }},
      {"render",
       [this](const json& c) {
         return Numbered(Told(SessionOf(c).Render(c.at("copies").get<std::vector<int>>())),
                         SessionOf(c));
       }},
      {"pace_report",
       [this](const json& c) {
         return Numbered(Told(SessionOf(c).GetPaceReport()), SessionOf(c));
       }},

      {"open_stream", [this](const json& c) { return OpenStream(c); }},
      {"send",
       [this](const json& c) {
         return Told(StreamOf(c).Send(SessionOf(c), ArrayOf<float>(c.at("actions"))));
       }},
      {"recv", [this](const json& c) { return Recv(c); }},

      {"clear",
       [this](const json& c) {
         return Numbered(Told(CultureOf(c).Clear(ClearOptionsOf(c))), CultureOf(c));
       }},
      {"run",
       [this](const json& c) {
         return Numbered(Told(CultureOf(c).Run(MessageOf<v1::RunRequest>(c.at("request")))),
                         CultureOf(c));
       }},
      {"configure",
       [this](const json& c) {
         return Numbered(
             Told(CultureOf(c).Configure(MessageOf<v1::ConfigureRequest>(c.at("request")))),
             CultureOf(c));
       }},
      {"get_culture",
       [this](const json& c) {
         return Numbered(Told(CultureOf(c).GetCulture(c.at("learned_weights"))), CultureOf(c));
       }},

      {"start_recording",
       [this](const json& c) {
         RecordingOptions options;
         options.label = c.at("label");
         for (const int kind : c.at("kinds")) {
           options.kinds.push_back(static_cast<v1::RecordedKind>(kind));
         }
         for (const json& series : c.at("series")) {
           options.series.push_back(MessageOf<v1::SeriesSelection>(series));
         }
         return WithEither(c, [&](auto& session) {
           return Told(session.StartRecording(options),
                       [](const std::string& name) { return json(name); });
         });
       }},
      {"stop_recording",
       [this](const json& c) {
         return WithEither(c, [&](auto& session) {
           return Told(session.StopRecording(), [](const std::string& name) { return json(name); });
         });
       }},
      {"recordings",
       [this](const json& c) {
         return Told(ClientOf(c).ListRecordings(c.at("name")), [](const auto& recordings) {
           json list = json::array();
           for (const v1::Recording& recording : recordings) list.push_back(ToJson(recording));
           return list;
         });
       }},
      {"read_rows",
       [this](const json& c) {
         return Told(ClientOf(c).ReadRows(MessageOf<v1::ReadRecordingRequest>(c.at("request"))),
                     [](const RecordedRows& read) {
                       return json{{"header", ToJson(read.header)},
                                   {"rows", ToHex(read.rows.data(), read.rows.size())},
                                   {"next_row", read.next_row}};
                     });
       }},
      {"download_recording",
       [this](const json& c) {
         return Told(ClientOf(c).DownloadRecording(c.at("name"), c.at("path")));
       }},
      {"delete_recording",
       [this](const json& c) {
         return Told(ClientOf(c).DeleteRecording(c.at("name"), c.at("allow_missing")));
       }},

      {"snapshot",
       [this](const json& c) {
         return WithEither(c, [&](auto& session) {
           return Told(session.Snapshot(c.at("copies").get<std::vector<int>>()),
                       [](const std::string& bytes) { return ToHex(bytes.data(), bytes.size()); });
         });
       }},
      {"restore",
       [this](const json& c) {
         return WithEither(c, [&](auto& session) {
           return Told(
               session.Restore(FromHex(c.at("snapshot")), c.at("copy_of").get<std::vector<int>>()));
         });
       }},
      {"fork",
       [this](const json& c) {
         if (c.contains("session")) return Fork(SessionOf(c), c, &sessions_);
         return Fork(CultureOf(c), c, &cultures_);
       }},
      {"detach",
       [this](const json& c) {
         return AnswerOf(c.contains("session") ? SessionOf(c).Detach() : CultureOf(c).Detach());
       }},
      {"close",
       [this](const json& c) {
         return Told(c.contains("session") ? SessionOf(c).Close() : CultureOf(c).Close());
       }},
      {"forget",
       [this](const json& c) {
         if (c.contains("client")) clients_.erase(c.at("client").get<int>());
         if (c.contains("stream")) streams_.erase(c.at("stream").get<int>());
         if (c.contains("session")) sessions_.erase(c.at("session").get<int>());
         if (c.contains("culture")) cultures_.erase(c.at("culture").get<int>());
         return AnswerOf(nullptr);
       }},
  };
  int last_id_ = 0;
  std::map<int, std::unique_ptr<Client>> clients_;
  std::map<int, std::unique_ptr<Session>> sessions_;
  std::map<int, std::unique_ptr<CultureSession>> cultures_;
  std::map<int, std::unique_ptr<StepStream>> streams_;  // sessions outlive their steps
};

}  // namespace
}  // namespace livnd::client

int main() {
  livnd::client::Driver driver;
  std::string line;
  while (std::getline(std::cin, line)) {
    try {
      std::cout << driver.Do(nlohmann::json::parse(line)).dump() << std::endl;
    } catch (const std::exception& defect) {
      std::fprintf(stderr, "driver: %s: %.200s\n", defect.what(), line.c_str());
      return 2;
    }
  }
  return 0;
}
