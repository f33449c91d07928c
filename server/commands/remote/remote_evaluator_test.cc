// Evaluations on a server in this process, beside the engine's.
#include "server/commands/remote/remote_evaluator.h"

#include <cstdlib>
#include <filesystem>
#include <memory>
#include <string>
#include <tuple>
#include <utility>

#include "gmock/gmock.h"
#include "gtest/gtest.h"
#include "io/json/yaml.h"
#include "io/neuroh5/read_system.h"
#include "lab/tune/target_json.h"
#include "server/machine/systems_folder.h"
#include "server/service/server.h"
#include "server/session/offer.h"

namespace livnd::server {
namespace {

constexpr char kTarget[] = R"(
warmup_ms: 40
duration_ms: 203
trials: 5
space:
  reference: [5, 10, log10]
  noise: {g_e0: [0.01, 0.02, log10], g_i0: [0.002, 0.004, log10]}
objectives:
  mfr: {target: 5, cost: log_square}
  active_fraction: {target: 0.5}
)";

class RemoteEvaluating : public testing::Test {
 protected:
  RemoteEvaluating() : RemoteEvaluating(kTarget) {}
  explicit RemoteEvaluating(const std::string& target) {
    char path[] = "/tmp/livnd-evaluator-XXXXXX";
    folder_ = mkdtemp(path);
    const io::Json json = io::ParseYaml("t.yml", target).value();
    evaluator_ = lab::Evaluator::Create(
                     std::make_shared<const io::System>(io::ReadSystem("systems/EI-mini").value()),
                     lab::ParseTarget(io::JsonView(json, "t.yml")).value())
                     .value();
    work_.terms.system = "EI-mini";
    work_.terms.patience = absl::ZeroDuration();
    work_.evaluator = evaluator_.get();
    std::tie(work_.probe, work_.probed) = evaluator_->Probe(nullptr).value();
  }
  ~RemoteEvaluating() override {
    server_.reset();
    std::filesystem::remove_all(folder_);
  }

  // A server that says so many spikes in one answer, and has so many copies in a session.
  void Serve(int64_t max_spikes, int max_copies) {
    SystemsFolder systems("systems");
    ASSERT_TRUE(systems.ReadAll().ok());
    const int64_t max_bytes = (64 << 10) + 64 * max_copies + 24 * max_spikes;
    ServerOptions options;
    options.listen.unix_path = folder_ + "/s";
    options.sessions.max_envs_per_session = max_copies;
    server_ = Server::Start(
                  options,
                  MakeOffer(systems.systems(), max_bytes, env::BenchEnvironments::kLeftOut).value())
                  .value();
    servers_ = std::make_unique<ServerList>(std::vector<std::string>{server_->address()}, "");
  }

  std::string folder_;
  std::unique_ptr<lab::Evaluator> evaluator_;
  RemoteEvaluations work_;
  std::unique_ptr<Server> server_;
  std::unique_ptr<ServerList> servers_;
};

TEST_F(RemoteEvaluating, LeavesTheEnginesSpikesHoweverTheyAreCut) {
  const lab::Trials trials = [&] {
    std::vector<double> middle;
    for (const lab::Dimension& d : evaluator_->space().dimensions()) {
      middle.push_back((d.low() + d.high()) / 2);
    }
    return evaluator_->TrialsOf(middle);
  }();
  const lab::FiredTrials here = evaluator_->Run(trials).value();
  ASSERT_TRUE(here.resting.has_value());
  const auto num_spikes = static_cast<int64_t>(here.resting->spike_gids.size());
  ASSERT_GT(num_spikes, 100);
  for (const auto& [max_spikes, max_copies] :
       {std::pair<int64_t, int>{1 << 20, 64}, {num_spikes / 3, 64}, {1 << 20, 2}, {20, 3}}) {
    SCOPED_TRACE(testing::Message() << max_spikes << " spikes, " << max_copies << " copies");
    Serve(max_spikes, max_copies);
    RemoteEvaluator there(work_, *servers_);
    ASSERT_TRUE(*there.Ready());
    // A session's second evaluation is as its first.
    for (int time = 0; time < 2; ++time) {
      const auto fired = there.Run(trials);
      ASSERT_TRUE(fired.ok()) << fired.status();
      ASSERT_TRUE(fired->resting.has_value());
      EXPECT_EQ(fired->resting->start_tick, here.resting->start_tick);
      EXPECT_EQ(fired->resting->num_ticks, here.resting->num_ticks);
      EXPECT_EQ(fired->resting->spike_offsets, here.resting->spike_offsets);
      EXPECT_EQ(fired->resting->spike_gids, here.resting->spike_gids);
      EXPECT_EQ(fired->resting->spike_ticks, here.resting->spike_ticks);
      EXPECT_EQ(evaluator_->Judge(*fired)->objectives, evaluator_->Judge(here)->objectives);
    }
    server_.reset();
  }
}

constexpr char kStimulus[] = R"(
stimulus:
  amplitudes_ua: [1, 50]
  repeats: 2
  trial_ms: 93
  onset_ms: 39.95
  pre_ms: 30
  post_ms: 20
  recovery_ms: 10
  gate: false
)";

class RemoteStimulating : public RemoteEvaluating {
 protected:
  RemoteStimulating() : RemoteEvaluating(std::string(kTarget) + kStimulus) {}

  lab::Trials Middle() const {
    std::vector<double> middle;
    for (const lab::Dimension& d : evaluator_->space().dimensions()) {
      middle.push_back((d.low() + d.high()) / 2);
    }
    return evaluator_->TrialsOf(middle);
  }
};

TEST_F(RemoteStimulating, LeavesTheEnginesAnswersHoweverTheyAreCut) {
  const lab::Trials trials = Middle();
  const lab::FiredTrials here = evaluator_->Run(trials).value();
  ASSERT_EQ(here.evoked.size(), 4u);
  ASSERT_GT(here.evoked[1].spike_gids.size(), 40u);
  for (const auto& [max_spikes, max_copies] :
       {std::pair<int64_t, int>{1 << 20, 64}, {1 << 20, 2}, {20, 3}, {20, 64}}) {
    SCOPED_TRACE(testing::Message() << max_spikes << " spikes, " << max_copies << " copies");
    Serve(max_spikes, max_copies);
    RemoteEvaluator there(work_, *servers_);
    ASSERT_TRUE(*there.Ready());
    for (int time = 0; time < 2; ++time) {
      const auto fired = there.Run(trials);
      ASSERT_TRUE(fired.ok()) << fired.status();
      ASSERT_EQ(fired->evoked.size(), here.evoked.size());
      for (size_t i = 0; i < here.evoked.size(); ++i) {
        EXPECT_EQ(fired->evoked[i].start_tick, here.evoked[i].start_tick);
        EXPECT_EQ(fired->evoked[i].num_ticks, here.evoked[i].num_ticks);
        EXPECT_EQ(fired->evoked[i].spike_offsets, here.evoked[i].spike_offsets);
        EXPECT_EQ(fired->evoked[i].spike_gids, here.evoked[i].spike_gids);
        EXPECT_EQ(fired->evoked[i].spike_ticks, here.evoked[i].spike_ticks);
      }
      EXPECT_EQ(fired->resting->spike_ticks, here.resting->spike_ticks);
    }
    server_.reset();
  }
}

TEST_F(RemoteStimulating, RefusesAServerThatAnswersPulsesOtherwise) {
  Serve(1 << 20, 8);
  ASSERT_FALSE(work_.probed.evoked.at(0).spike_ticks.empty());
  ++work_.probed.evoked[0].spike_ticks[0];
  RemoteEvaluator there(work_, *servers_);
  EXPECT_TRUE(absl::IsFailedPrecondition(there.Ready().status()));
}

TEST_F(RemoteEvaluating, RefusesAServerWhoseSpikesAreOthers) {
  Serve(1 << 20, 8);
  ASSERT_FALSE(work_.probed.resting->spike_ticks.empty());
  ++work_.probed.resting->spike_ticks[0];
  RemoteEvaluator there(work_, *servers_);
  const auto ready = there.Ready();
  EXPECT_TRUE(absl::IsFailedPrecondition(ready.status()));
  EXPECT_THAT(ready.status().message(), testing::HasSubstr("has another system EI-mini"));
}

TEST_F(RemoteEvaluating, TellsOfParametersThatAreRefusedAndOfALostServer) {
  Serve(1 << 20, 8);
  RemoteEvaluator there(work_, *servers_);
  ASSERT_TRUE(*there.Ready());
  lab::Trials trials = work_.probe;
  trials.params.push_back({"noise-nothing", {1.0}});
  const absl::Status refused = there.Run(trials).status();
  EXPECT_TRUE(absl::IsFailedPrecondition(refused)) << refused;
  EXPECT_THAT(refused.message(), testing::HasSubstr("params[noise-nothing]"));
  // Which leaves it as it was.
  EXPECT_TRUE(there.Run(work_.probe).ok());
  server_.reset();
  EXPECT_TRUE(absl::IsUnavailable(there.Run(work_.probe).status()));
  EXPECT_TRUE(absl::IsUnavailable(there.Ready().status()));
}

}  // namespace
}  // namespace livnd::server
