// What is told of memory before it is taken, beside what is taken.
#include <malloc.h>

#include <cstdint>
#include <fstream>
#include <memory>
#include <string>

#include "env/copies.h"
#include "env/culture/culture_model.h"
#include "gtest/gtest.h"
#include "io/neuroh5/read_system.h"
#include "sim/testing/executors.h"

// What the sanitizers take for themselves is told by nobody, and mallinfo does not see the rest.
#if !defined(__SANITIZE_ADDRESS__) && !defined(__SANITIZE_THREAD__)

namespace livnd::env {
namespace {

int64_t InUse() {
  const auto info = mallinfo2();
  return static_cast<int64_t>(info.uordblks + info.hblkhd);
}

// Bytes that /proc tells of this process: VmRSS, or VmHWM, the most since the last ForgetPeak.
int64_t Status(const std::string& field) {
  std::ifstream status("/proc/self/status");
  for (std::string line; std::getline(status, line);) {
    if (line.rfind(field + ":", 0) == 0) return std::stoll(line.substr(field.size() + 1)) << 10;
  }
  return -1;
}
void ForgetPeak() { std::ofstream("/proc/self/clear_refs") << "5"; }

std::shared_ptr<const io::System> Read(const std::string& name) {
  auto system = io::ReadSystem("systems/" + name);
  EXPECT_TRUE(system.ok()) << system.status();
  return std::make_shared<const io::System>(*std::move(system));
}

TEST(MemoryEstimateTest, OfCopies) {
  sim::ThreadsExecutor executor(2);
  for (const auto& [name, num_copies] : {std::pair("EI-mini", 256), std::pair("EI-100", 48)}) {
    const auto prepared = PrepareCulture(*Read(name), {});
    ASSERT_TRUE(prepared.ok()) << prepared.status();
    const int64_t told = BytesOfCopies(*prepared->culture, num_copies);
    const int64_t before = InUse();
    Copies copies(prepared->culture, num_copies, executor);
    for (int c = 0; c < num_copies; ++c) copies.Seed(c, static_cast<uint64_t>(c));
    copies.ParallelFor([](Copies::Group& group) { group.Advance(800, nullptr); });
    const int64_t used = InUse() - before;
    RecordProperty(name, std::to_string(static_cast<double>(told) / static_cast<double>(used)));
    EXPECT_GE(told, used) << name << ": told " << told;
    EXPECT_LE(told, 3 * used) << name << ": used " << used;
  }
}

TEST(MemoryEstimateTest, OfABuildAtItsHeight) {
  for (const char* name : {"EI-mini", "EI-100"}) {
    const std::shared_ptr<const io::System> system = Read(name);
    const int64_t told = BytesToBuild(*system);
    malloc_trim(0);
    ForgetPeak();
    const int64_t before = Status("VmRSS");
    const auto model = CultureModel::Create(system);
    ASSERT_TRUE(model.ok()) << model.status();
    const int64_t used = Status("VmHWM") - before;
    RecordProperty(name, std::to_string(static_cast<double>(told) / static_cast<double>(used)));
    EXPECT_GE(told, used) << name << ": told " << told;
  }
}

}  // namespace
}  // namespace livnd::env

#endif
