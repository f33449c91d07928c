#include "server/machine/cgroup.h"

#include <cstdint>
#include <cstdlib>
#include <filesystem>
#include <fstream>
#include <limits>
#include <map>
#include <string>
#include <vector>

#include "gtest/gtest.h"

namespace livnd::server {
namespace {

constexpr double kUnlimited = std::numeric_limits<double>::infinity();

const char kV2Mount[] =
    "24 31 0:22 / /sys/fs/cgroup rw,nosuid - cgroup2 cgroup2 rw,nsdelegate,memory_recursiveprot\n";
const char kV1Mounts[] =
    "25 24 0:21 / /sys/fs/cgroup/systemd rw - cgroup cgroup rw,xattr,name=systemd\n"
    "30 24 0:27 / /sys/fs/cgroup/cpuset rw - cgroup cgroup rw,cpuset\n"
    "33 24 0:30 / /sys/fs/cgroup/cpu,cpuacct rw,nosuid shared:13 - cgroup cgroup rw,cpu,cpuacct\n";

class CgroupTest : public ::testing::Test {
 protected:
  ~CgroupTest() override {
    for (const std::string& root : roots_) std::filesystem::remove_all(root);
  }

  // Of a tree with these files, by path.
  double CpusOf(const std::map<std::string, std::string>& files) { return CgroupCpus(Tree(files)); }
  int64_t MemoryOf(const std::map<std::string, std::string>& files) {
    return CgroupMemory(Tree(files));
  }
  std::string Tree(const std::map<std::string, std::string>& files) {
    std::string root = ::testing::TempDir() + "/cgroup-XXXXXX";
    EXPECT_NE(mkdtemp(root.data()), nullptr);
    roots_.push_back(root);
    for (const auto& [path, text] : files) {
      const std::filesystem::path file = root + path;
      std::filesystem::create_directories(file.parent_path());
      std::ofstream(file) << text;
    }
    return root;
  }
  double CpusOfV2(const std::string& group, std::map<std::string, std::string> files) {
    files["/proc/self/cgroup"] = "0::" + group + "\n";
    files["/proc/self/mountinfo"] = kV2Mount;
    return CpusOf(files);
  }
  double CpusOfV1(const std::string& group, std::map<std::string, std::string> files) {
    files["/proc/self/cgroup"] = "9:cpuset:/\n4:cpu,cpuacct:" + group + "\n1:name=systemd:/x\n";
    files["/proc/self/mountinfo"] = kV1Mounts;
    return CpusOf(files);
  }

 private:
  std::vector<std::string> roots_;
};

TEST_F(CgroupTest, Version2) {
  const std::string at = "/sys/fs/cgroup/system.slice/livnd.service/cpu.max";
  const auto cpus = [&](const std::string& text) {
    return CpusOfV2("/system.slice/livnd.service", {{at, text}});
  };
  EXPECT_EQ(cpus("250000 100000\n"), 2.5);
  EXPECT_EQ(cpus("50000 100000\n"), 0.5);
  EXPECT_EQ(cpus("30000 10000\n"), 3.0);
  EXPECT_EQ(cpus("max 100000\n"), kUnlimited);
}

TEST_F(CgroupTest, Version2InAContainerSeesItsGroupAsTheRoot) {
  EXPECT_EQ(CpusOfV2("/", {{"/sys/fs/cgroup/cpu.max", "150000 100000\n"}}), 1.5);
  // Outside of what its namespace shows.
  EXPECT_EQ(CpusOfV2("/../other", {{"/sys/fs/cgroup/cpu.max", "150000 100000\n"}}), 1.5);
}

TEST_F(CgroupTest, TheSmallestOnTheWayUpCounts) {
  const auto cpus = [&](const std::string& pod, const std::string& container) {
    return CpusOfV2("/kubepods/pod1/c1",
                    {{"/sys/fs/cgroup/kubepods/cpu.max", "max 100000\n"},
                     {"/sys/fs/cgroup/kubepods/pod1/cpu.max", pod},
                     {"/sys/fs/cgroup/kubepods/pod1/c1/cpu.max", container},
                     {"/sys/fs/cgroup/kubepods/pod2/cpu.max", "1000 100000\n"}});
  };
  EXPECT_EQ(cpus("200000 100000\n", "400000 100000\n"), 2.0);
  EXPECT_EQ(cpus("400000 100000\n", "300000 100000\n"), 3.0);
  EXPECT_EQ(cpus("max 100000\n", "max 100000\n"), kUnlimited);
}

TEST_F(CgroupTest, Version1) {
  const std::string at = "/sys/fs/cgroup/cpu,cpuacct/user";
  const auto cpus = [&](const std::string& quota, const std::string& period) {
    return CpusOfV1("/user", {{at + "/cpu.cfs_quota_us", quota},
                              {at + "/cpu.cfs_period_us", period},
                              {"/sys/fs/cgroup/cpu,cpuacct/cpu.cfs_quota_us", "-1\n"},
                              {"/sys/fs/cgroup/cpu,cpuacct/cpu.cfs_period_us", "100000\n"}});
  };
  EXPECT_EQ(cpus("350000\n", "100000\n"), 3.5);
  EXPECT_EQ(cpus("-1\n", "100000\n"), kUnlimited);
}

TEST_F(CgroupTest, Version1InAContainerIsMountedBelowTheRoot) {
  // As docker does it: the process is told the host's path, and sees its own group mounted.
  EXPECT_EQ(CpusOf({{"/proc/self/cgroup", "4:cpu,cpuacct:/docker/c1\n"},
                    {"/proc/self/mountinfo",
                     "33 24 0:30 /docker/c1 /sys/fs/cgroup/cpu\\040and ro - cgroup c rw,cpu\n"},
                    {"/sys/fs/cgroup/cpu and/cpu.cfs_quota_us", "120000\n"},
                    {"/sys/fs/cgroup/cpu and/cpu.cfs_period_us", "100000\n"}}),
            1.2);
}

TEST_F(CgroupTest, BothVersionsAtOnce) {
  EXPECT_EQ(
      CpusOf({{"/proc/self/cgroup", "4:cpu,cpuacct:/a\n0::/b\n"},
              {"/proc/self/mountinfo",
               std::string(kV1Mounts) + "40 24 0:40 / /sys/fs/cgroup/unified rw - cgroup2 c rw\n"},
              {"/sys/fs/cgroup/cpu,cpuacct/a/cpu.cfs_quota_us", "200000\n"},
              {"/sys/fs/cgroup/cpu,cpuacct/a/cpu.cfs_period_us", "100000\n"}}),
      2.0);
}

TEST_F(CgroupTest, WhatCannotBeReadLimitsNothing) {
  EXPECT_EQ(CpusOf({}), kUnlimited);
  EXPECT_EQ(CpusOfV2("/gone", {}), kUnlimited);
  for (const char* text :
       {"", "\n", "100000", "100000 0\n", "-5 100000\n", "1e5 100000\n", "x y\n"}) {
    EXPECT_EQ(CpusOfV2("/", {{"/sys/fs/cgroup/cpu.max", text}}), kUnlimited) << text;
  }
  EXPECT_EQ(CpusOf({{"/proc/self/cgroup", "0\n::\n0:"},
                    {"/proc/self/mountinfo", "1 2 - cgroup2\n- - - - - - - - -\n\n"}}),
            kUnlimited);
}

TEST_F(CgroupTest, Memory) {
  constexpr int64_t kAny = std::numeric_limits<int64_t>::max();
  const auto v2 = [&](const std::string& pod, const std::string& container) {
    return MemoryOf({{"/proc/self/cgroup", "0::/pod/c\n"},
                     {"/proc/self/mountinfo", kV2Mount},
                     {"/sys/fs/cgroup/pod/memory.max", pod},
                     {"/sys/fs/cgroup/pod/c/memory.max", container}});
  };
  EXPECT_EQ(v2("max\n", "4294967296\n"), int64_t{4} << 30);
  EXPECT_EQ(v2("1073741824\n", "4294967296\n"), int64_t{1} << 30);
  EXPECT_EQ(v2("max\n", "max\n"), kAny);
  EXPECT_EQ(v2("", "garbage\n"), kAny);
  const auto v1 = [&](const std::string& bytes) {
    return MemoryOf({{"/proc/self/cgroup", "4:cpu,cpuacct:/a\n5:memory:/b\n"},
                     {"/proc/self/mountinfo",
                      std::string(kV1Mounts) +
                          "35 24 0:31 / /sys/fs/cgroup/memory rw - cgroup cgroup rw,memory\n"},
                     {"/sys/fs/cgroup/memory/a/memory.limit_in_bytes", "1\n"},
                     {"/sys/fs/cgroup/memory/b/memory.limit_in_bytes", bytes}});
  };
  EXPECT_EQ(v1("2147483648\n"), int64_t{2} << 30);
  EXPECT_EQ(v1("9223372036854771712\n"), kAny);  // what it says where nothing limits
  EXPECT_EQ(MemoryOf({}), kAny);
}

}  // namespace
}  // namespace livnd::server
