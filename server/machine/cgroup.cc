#include "server/machine/cgroup.h"

#include <algorithm>
#include <cstdint>
#include <fstream>
#include <limits>
#include <optional>
#include <sstream>
#include <string>
#include <utility>
#include <vector>

#include "absl/strings/match.h"
#include "absl/strings/numbers.h"
#include "absl/strings/str_cat.h"
#include "absl/strings/str_split.h"
#include "absl/strings/string_view.h"
#include "absl/strings/strip.h"

namespace livnd::server {
namespace {

constexpr double kUnlimited = std::numeric_limits<double>::infinity();

// A mounted hierarchy of control groups.
struct Hierarchy {
  bool is_v2;
  std::string root;   // the group that is mounted
  std::string mount;  // where
};

std::string Read(const std::string& path) {
  std::ifstream file(path);
  std::ostringstream text;
  text << file.rdbuf();
  return text.str();
}

bool Lists(absl::string_view comma_separated, absl::string_view word) {
  for (const absl::string_view one : absl::StrSplit(comma_separated, ',')) {
    if (one == word) return true;
  }
  return false;
}

// Of a path in mountinfo, where spaces and their like are written as octal numbers.
std::string Unescape(absl::string_view text) {
  std::string out;
  const auto is_octal = [](char c) { return c >= '0' && c <= '7'; };
  for (size_t i = 0; i < text.size(); ++i) {
    if (text[i] == '\\' && i + 3 < text.size() && is_octal(text[i + 1]) && is_octal(text[i + 2]) &&
        is_octal(text[i + 3])) {
      out.push_back(static_cast<char>((text[i + 1] - '0') * 64 + (text[i + 2] - '0') * 8 +
                                      (text[i + 3] - '0')));
      i += 3;
    } else {
      out.push_back(text[i]);
    }
  }
  return out;
}

// proc(5): ID PARENT MAJOR:MINOR ROOT MOUNT OPTIONS [FIELD...] - TYPE SOURCE OPTIONS
// Those of version 2, and of version 1 those with the controller.
std::vector<Hierarchy> FindHierarchies(absl::string_view mountinfo, absl::string_view controller) {
  std::vector<Hierarchy> found;
  for (const absl::string_view line : absl::StrSplit(mountinfo, '\n')) {
    const std::vector<absl::string_view> fields = absl::StrSplit(line, ' ');
    const auto dash = std::find(fields.begin(), fields.end(), "-");
    if (dash - fields.begin() < 6 || fields.end() - dash < 4) continue;
    const bool is_v2 = dash[1] == "cgroup2";
    if (!is_v2 && !(dash[1] == "cgroup" && Lists(dash[3], controller))) continue;
    found.push_back({is_v2, Unescape(fields[3]), Unescape(fields[4])});
  }
  return found;
}

// The process's group in a hierarchy. cgroups(7): ID:CONTROLLERS:PATH, version 2 with ID 0 and none.
std::optional<std::string> FindGroup(absl::string_view cgroup, bool is_v2,
                                     absl::string_view controller) {
  for (const absl::string_view line : absl::StrSplit(cgroup, '\n')) {
    const std::vector<absl::string_view> fields = absl::StrSplit(line, absl::MaxSplits(':', 2));
    if (fields.size() != 3) continue;
    const bool matches =
        is_v2 ? fields[0] == "0" && fields[1].empty() : Lists(fields[1], controller);
    if (matches) return std::string(fields[2]);
  }
  return std::nullopt;
}

// Where a group lies below the one that is mounted: "" or "/...". What lies elsewhere cannot be seen,
// and then the mounted one is the nearest.
std::string Below(absl::string_view group, absl::string_view mounted) {
  if (mounted == "/") mounted = "";
  if (!absl::ConsumePrefix(&group, mounted) || (!group.empty() && group[0] != '/') ||
      absl::StrContains(group, "/..")) {
    return "";
  }
  return std::string(absl::StripSuffix(group, "/"));
}

double Quotient(absl::string_view quota, absl::string_view period) {
  int64_t quota_us = 0, period_us = 0;
  if (!absl::SimpleAtoi(quota, &quota_us) || !absl::SimpleAtoi(period, &period_us)) {
    return kUnlimited;  // "max", for one
  }
  if (quota_us <= 0 || period_us <= 0) return kUnlimited;  // -1, for one
  return static_cast<double>(quota_us) / static_cast<double>(period_us);
}

double CpusOf(const std::string& folder, bool is_v2) {
  if (!is_v2) {
    return Quotient(Read(folder + "/cpu.cfs_quota_us"), Read(folder + "/cpu.cfs_period_us"));
  }
  const std::string text = Read(folder + "/cpu.max");
  const std::pair<absl::string_view, absl::string_view> words =
      absl::StrSplit(text, absl::MaxSplits(' ', 1));
  return Quotient(words.first, words.second);
}

double MemoryOf(const std::string& folder, bool is_v2) {
  const std::string text = Read(folder + (is_v2 ? "/memory.max" : "/memory.limit_in_bytes"));
  int64_t bytes = 0;
  // Of version 1 no limit is a number of pages near 2^63 bytes.
  if (!absl::SimpleAtoi(text, &bytes) || bytes <= 0 || bytes >= int64_t{1} << 62) {
    return kUnlimited;
  }
  return static_cast<double>(bytes);
}

// The smallest that limit(folder, is_v2) is of the process's groups and all above them.
template <typename Limit>
double SmallestLimit(const std::string& root, absl::string_view controller, Limit limit) {
  const std::string cgroup = Read(root + "/proc/self/cgroup");
  double smallest = kUnlimited;
  for (const Hierarchy& hierarchy :
       FindHierarchies(Read(root + "/proc/self/mountinfo"), controller)) {
    const std::optional<std::string> group = FindGroup(cgroup, hierarchy.is_v2, controller);
    if (!group.has_value()) continue;
    std::string below = Below(*group, hierarchy.root);
    while (true) {
      smallest =
          std::min(smallest, limit(absl::StrCat(root, hierarchy.mount, below), hierarchy.is_v2));
      if (below.empty()) break;
      below.resize(below.rfind('/'));
    }
  }
  return smallest;
}

}  // namespace

double CgroupCpus(const std::string& root) { return SmallestLimit(root, "cpu", CpusOf); }

int64_t CgroupMemory(const std::string& root) {
  const double bytes = SmallestLimit(root, "memory", MemoryOf);
  return bytes == kUnlimited ? std::numeric_limits<int64_t>::max() : static_cast<int64_t>(bytes);
}

}  // namespace livnd::server
