// Lets a culture run without a task, stimulates one of its cells, and prints what it records.
//
//   livnd serve --systems systems --listen 127.0.0.1:5005 &
//   bazel run //clients/cpp/examples:run_culture -- --address 127.0.0.1:5005
#include <cinttypes>
#include <cstdint>
#include <cstdio>
#include <cstdlib>
#include <cstring>
#include <memory>
#include <string>
#include <vector>

#include "clients/cpp/client.h"
#include "clients/cpp/tensor.h"
#include "livnd/v1/culture.pb.h"

namespace {

using livnd::client::Client;
using livnd::client::CultureSession;
using livnd::client::Error;
using livnd::client::Pack;
using livnd::client::Unpack;

struct Settings {
  std::string address;
  std::string system = "EI-mini";
  uint64_t seed = 123;
  double duration_ms = 100.0;
};

constexpr char kUsage[] =
    "usage: run_culture --address unix:PATH|HOST:PORT [--system NAME] [--seed N] "
    "[--duration-ms T]\n"
    "Prints the spikes as lines 'spike GID TICK', and the voltage of the first cell's soma once a\n"
    "millisecond as lines 'voltage BITS MV', BITS being the number's 64 bits in hexadecimal.\n";

bool ParseArguments(int argc, char** argv, Settings* settings) {
  for (int i = 1; i + 1 < argc; i += 2) {
    const std::string name = argv[i];
    const std::string value = argv[i + 1];
    if (name == "--address") {
      settings->address = value;
    } else if (name == "--system") {
      settings->system = value;
    } else if (name == "--seed") {
      settings->seed = std::strtoull(value.c_str(), nullptr, 10);
    } else if (name == "--duration-ms") {
      settings->duration_ms = std::strtod(value.c_str(), nullptr);
    } else {
      return false;
    }
  }
  return argc % 2 == 1 && !settings->address.empty();
}

int Fail(const char* what, const Error& error) {
  std::fprintf(stderr, "%s: %s\n", what, error.ToString().c_str());
  return 1;
}

void SetSite(int64_t gid, livnd::v1::Sites* sites) {
  Pack<int64_t>({gid}, {1}, sites->mutable_gids());
  Pack<int64_t>({0}, {1}, sites->mutable_sections());
}

// 0.3 nA into a soma from 20 to 30 ms.
livnd::v1::CultureStimulus Current(int64_t gid) {
  livnd::v1::CultureStimulus stimulus;
  stimulus.set_quantity(livnd::v1::STIMULUS_QUANTITY_CURRENT_NA);
  stimulus.set_sample_dt_ms(10.0);
  SetSite(gid, stimulus.mutable_sites());
  Pack<double>({0.0, 0.0, 0.3, 0.0}, {4, 1}, stimulus.mutable_samples());
  return stimulus;
}

int RunCulture(Client& client, const Settings& settings) {
  auto created = client.CreateCulture(settings.system);
  if (!created.ok()) return Fail("CreateCulture", created.error());
  CultureSession& session = **created;
  const auto culture = session.GetCulture();
  if (!culture.ok()) return Fail("GetCulture", culture.error());
  std::vector<int64_t> gids;
  if (culture->populations().empty() || !Unpack(culture->populations(0).gids(), &gids)) {
    std::fprintf(stderr, "the culture has no cells\n");
    return 1;
  }

  livnd::v1::ConfigureRequest change;
  change.mutable_recording()->set_spikes(true);
  livnd::v1::SeriesSelection* voltage = change.mutable_recording()->add_series();
  voltage->set_quantity(livnd::v1::RECORDED_QUANTITY_VOLTAGE_MV);
  voltage->set_sample_dt_ms(1.0);
  voltage->set_dtype(livnd::v1::DATA_TYPE_FLOAT64);
  SetSite(gids.front(), voltage->mutable_sites());
  if (const auto done = session.Configure(change); !done.ok()) {
    return Fail("Configure", done.error());
  }
  livnd::client::ClearOptions clear;
  clear.seeds = {settings.seed};
  if (const auto cleared = session.Clear(clear); !cleared.ok()) {
    return Fail("Clear", cleared.error());
  }
  livnd::v1::RunRequest run;
  run.set_duration_ms(settings.duration_ms);
  *run.add_stimuli() = Current(gids.front());
  const auto recording = session.Run(run);
  if (!recording.ok()) return Fail("Run", recording.error());

  std::vector<int64_t> spike_gids, spike_ticks;
  std::vector<double> voltages_mv;
  if (!Unpack(recording->spike_gids(), &spike_gids) ||
      !Unpack(recording->spike_ticks(), &spike_ticks) || recording->series_size() != 1 ||
      !Unpack(recording->series(0), &voltages_mv)) {
    std::fprintf(stderr, "the recording does not hold what was asked for\n");
    return 1;
  }
  for (size_t i = 0; i < spike_gids.size(); ++i) {
    std::printf("spike %" PRId64 " %" PRId64 "\n", spike_gids[i], spike_ticks[i]);
  }
  for (const double mv : voltages_mv) {
    uint64_t bits;
    std::memcpy(&bits, &mv, sizeof bits);
    std::printf("voltage %016" PRIx64 " %.4f\n", bits, mv);
  }
  if (const auto closed = session.Close(); !closed.ok()) return Fail("Close", closed.error());
  return 0;
}

}  // namespace

int main(int argc, char** argv) {
  Settings settings;
  if (!ParseArguments(argc, argv, &settings)) {
    std::fprintf(stderr, "%s", kUsage);
    return 2;
  }
  return RunCulture(*Client::Connect(settings.address), settings);
}
