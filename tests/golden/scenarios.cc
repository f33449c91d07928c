#include "tests/golden/scenarios.h"

#include <cstdint>
#include <cstdio>
#include <optional>
#include <string>
#include <vector>

#include "absl/strings/escaping.h"
#include "absl/strings/str_cat.h"
#include "absl/strings/string_view.h"
#include "openssl/sha.h"
#include "sim/culture/culture.h"
#include "sim/gang/gang.h"
#include "sim/testing/busy_culture.h"
#include "sim/testing/busy_points.h"

namespace livnd::sim {
namespace {

std::string Sha256(absl::string_view bytes) {
  unsigned char digest[SHA256_DIGEST_LENGTH];
  SHA256(reinterpret_cast<const unsigned char*>(bytes.data()), bytes.size(), digest);
  return absl::BytesToHexString(
      absl::string_view(reinterpret_cast<const char*>(digest), sizeof digest));
}

std::string Sha256(const std::vector<double>& values) {
  return Sha256(absl::string_view(reinterpret_cast<const char*>(values.data()),
                                  values.size() * sizeof(double)));
}

// Stimuli only where a timing is given.
io::Json Run(const CultureConfig& config, std::optional<SampleTiming> timing, int64_t num_steps) {
  const std::shared_ptr<const Culture> culture = MustCreate(config);
  Gang gang(culture, 1);
  if (timing.has_value() && config.model.point.has_value()) {
    PrepareBusyPoints(gang);
    InstallPointCurrents(gang, 0, 1.0, *timing);
  } else if (timing.has_value()) {
    PrepareBusyGang(gang);
    InstallBusyStimuli(gang, 0, 1.0, *timing);
  }
  gang.SetSeed(0, 123);
  std::vector<Spike> spikes;
  gang.Advance(num_steps, &spikes);
  std::string lines;
  const auto mine = SpikesOf(spikes, 0);
  for (const auto& [tick, gid] : mine) absl::StrAppend(&lines, tick, ",", gid, "\n");
  io::Json out;
  out["initial_state_sha256"] = Sha256(culture->initial_state());
  out["state_sha256"] = Sha256(Save(gang, 0));
  out["spikes_sha256"] = Sha256(lines);
  out["num_spikes"] = mine.size();
  for (int64_t gid : culture->gids()) {
    if (out["soma_mv"].size() == 4) break;
    const double v = gang.VoltageMv(0, gid, 0);
    char text[64];
    std::snprintf(text, sizeof text, "%.17g %a", v, v);
    out["soma_mv"].push_back(text);
  }
  return out;
}

}  // namespace

io::Json RunScenarios() {
  io::Json out;
  CultureConfig rest;
  rest.populations = {{"EXC", 0, 1}, {"INH", 1, 1}};
  out["rest_200ms"] = Run(rest, std::nullopt, 8000);
  out["busy_1s"] = Run(BusyConfig(), SampleTiming::kLivn, 40000);
  out["busy_exact_200ms"] = Run(BusyConfig(), SampleTiming::kExactTicks, 8000);
  CultureConfig fine = BusyConfig();
  fine.dt_ms = 0.0125;
  out["busy_25ms_at_12us"] = Run(fine, SampleTiming::kLivn, 2000);
  for (const auto& [name, model] : PointModels()) {
    out[name + "_1s"] = Run(BusyPoints(model), SampleTiming::kLivn, 40000);
    out[name + "_exact_200ms"] = Run(BusyPoints(model), SampleTiming::kExactTicks, 8000);
  }
  return out;
}

}  // namespace livnd::sim
