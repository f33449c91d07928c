// Cultures without a task through the C++ client, against a real server.
#include <cmath>
#include <memory>
#include <string>
#include <vector>

#include "clients/cpp/client.h"
#include "clients/cpp/tensor.h"
#include "clients/cpp/tests/server_process.h"
#include "gtest/gtest.h"
#include "livnd/v1/culture.pb.h"

namespace livnd::client {
namespace {

class CultureTest : public ::testing::Test {
 protected:
  static void SetUpTestSuite() {
    folder_ = new TemporaryFolder();
    server_ = ServerProcess::Start(*folder_, {"--threads", "2"}).release();
    ASSERT_TRUE(server_->ready()) << server_->log();
  }
  static void TearDownTestSuite() {
    delete server_;
    delete folder_;
  }

  std::unique_ptr<CultureSession> Open(int num_envs = 1) {
    auto created = client_->CreateCulture("EI-mini", num_envs);
    EXPECT_TRUE(created.ok()) << created.error().ToString();
    return std::move(created).value();
  }
  static v1::RunRequest For(double duration_ms) {
    v1::RunRequest run;
    run.set_duration_ms(duration_ms);
    return run;
  }

  static TemporaryFolder* folder_;
  static ServerProcess* server_;
  const std::unique_ptr<Client> client_ = Client::Connect(server_->address());
};
TemporaryFolder* CultureTest::folder_ = nullptr;
ServerProcess* CultureTest::server_ = nullptr;

TEST_F(CultureTest, TheSameSeedGivesTheSameBits) {
  std::string bytes[2];
  for (std::string& of_session : bytes) {
    auto session = Open(3);
    v1::ConfigureRequest change;
    change.mutable_recording()->set_spikes(true);
    v1::SeriesSelection* voltage = change.mutable_recording()->add_series();
    voltage->set_quantity(v1::RECORDED_QUANTITY_VOLTAGE_MV);
    voltage->set_sample_dt_ms(0.1);
    voltage->set_dtype(v1::DATA_TYPE_FLOAT64);
    Pack<int64_t>({0, 9}, {2}, voltage->mutable_sites()->mutable_gids());
    Pack<int64_t>({6, 0}, {2}, voltage->mutable_sites()->mutable_sections());
    ASSERT_TRUE(session->Configure(change).ok());
    ASSERT_TRUE(session->Clear({{1, 2, 3}}).ok());
    for (int i = 0; i < 3; ++i) {
      const auto recording = session->Run(For(40));
      ASSERT_TRUE(recording.ok()) << recording.error().ToString();
      EXPECT_EQ(recording->start_tick(), i * 1600);
      of_session += recording->SerializeAsString();
    }
  }
  EXPECT_EQ(bytes[0], bytes[1]);
}

TEST_F(CultureTest, TellsWhatItIs) {
  auto session = Open(2);
  EXPECT_EQ(session->spec().kind(), v1::ENVIRONMENT_KIND_CULTURE);
  auto culture = session->GetCulture(true);
  ASSERT_TRUE(culture.ok()) << culture.error().ToString();
  ASSERT_EQ(culture->populations_size(), 2);
  EXPECT_EQ(culture->populations(0).sections(1), "dend");
  EXPECT_EQ(culture->dt_ms(), 0.025);
  std::vector<double> weights;
  ASSERT_TRUE(Unpack(culture->learned_weights().weights(), &weights));
  EXPECT_EQ(weights.size(), 2u * culture->learned_weights().source_gids().shape(0));
  EXPECT_EQ(weights, std::vector<double>(weights.size(), 1.0));
}

TEST_F(CultureTest, RefusalsCostNothing) {
  auto session = Open();
  const int64_t index = session->next_op_index();
  EXPECT_EQ(session->Run(For(1)).error().reason, "NOT_RESET");
  v1::ConfigureRequest change;
  change.add_params()->set_key("EXC_EXC-dend-AMPA-weihgt");
  EXPECT_EQ(session->Configure(change).error().reason, "INVALID_FIELD");
  EXPECT_EQ(session->next_op_index(), index);
  ASSERT_TRUE(session->Clear({{1}}).ok());
  ASSERT_TRUE(session->Run(For(1)).ok());
  change.Clear();
  change.set_dt_ms(0.05);
  EXPECT_EQ(session->Configure(change).error().reason, "RUN_STARTED");
  EXPECT_EQ(session->Clear({{1, 2}}).error().reason, "INVALID_FIELD");
  EXPECT_EQ(session->Run(For(-1)).error().metadata.at("field"), "duration_ms");
  EXPECT_TRUE(session->Run(For(1)).ok());
}

TEST_F(CultureTest, ASessionThatTheClientCannotDriveIsDeletedAgain) {
  TemporaryFolder folder;
  const auto server = ServerProcess::Start(folder, {"--max-sessions", "1"});
  ASSERT_TRUE(server->ready()) << server->log();
  const auto client = Client::Connect(server->address());
  const auto refused = client->CreateSession({"Culture-EI-mini-v0"});
  ASSERT_FALSE(refused.ok());
  EXPECT_EQ(refused.error().reason, "UNSUPPORTED");
  EXPECT_NE(refused.error().message.find("CreateCulture"), std::string::npos);
  const auto culture = client->CreateCulture("EI-mini");  // there is room for one session
  ASSERT_TRUE(culture.ok()) << culture.error().ToString();
  EXPECT_EQ((*culture)->Clear({{5}}).value(), std::vector<uint64_t>{5});
}

}  // namespace
}  // namespace livnd::client
