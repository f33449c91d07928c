#include "lab/generate/layers/morphology.h"

#include <array>
#include <cmath>
#include <cstddef>
#include <unordered_map>

#include "absl/strings/ascii.h"
#include "absl/strings/numbers.h"
#include "absl/strings/str_cat.h"
#include "absl/strings/str_split.h"
#include "base/field_error.h"
#include "base/status_macros.h"

namespace livnd::lab {
namespace {

constexpr size_t kMaxPoints = 1'000'000;
constexpr double kMaxPlaceUm = 1e6;

struct Point {
  uint8_t swc_type = 0;
  int32_t layer = 0;
  std::array<double, 3> place_um = {0, 0, 0};
  int64_t parent_id = -1;
  int line = 0;
  int parent = -1;  // index
  int num_children = 0;
  int32_t section = -1;
  double soma_um = 0.0;  // along the cell
};

absl::StatusOr<std::vector<Point>> ParsePoints(absl::string_view name, absl::string_view text) {
  std::vector<Point> points;
  std::unordered_map<int64_t, int> index_of_id;
  int line_number = 0;
  for (absl::string_view line : absl::StrSplit(text, '\n')) {
    ++line_number;
    line = absl::StripAsciiWhitespace(line.substr(0, line.find('#')));
    if (line.empty()) continue;
    const auto refused = [&](absl::string_view accepted) {
      return InFile(absl::StrCat(name, ":", line_number),
                    MakeFieldError("", line.substr(0, 80), accepted));
    };
    const std::vector<absl::string_view> words =
        absl::StrSplit(line, absl::ByAnyChar(" \t"), absl::SkipEmpty());
    int64_t id = 0, parent = 0;
    int type = 0, layer = 0;
    Point point;
    bool good = words.size() == 8 && absl::SimpleAtoi(words[0], &id) &&
                absl::SimpleAtoi(words[1], &type) && type >= 0 && type <= 8 &&
                absl::SimpleAtoi(words[6], &parent) && absl::SimpleAtoi(words[7], &layer);
    for (size_t axis = 0; good && axis < 3; ++axis) {
      good = absl::SimpleAtod(words[2 + axis], &point.place_um[axis]) &&
             std::abs(point.place_um[axis]) <= kMaxPlaceUm;
    }
    if (!good) return refused("a point: id type(0 .. 8) x y z radius parent layer");
    point.swc_type = static_cast<uint8_t>(type);
    point.layer = layer;
    if (points.size() == kMaxPoints)
      return refused(absl::StrCat("at most ", kMaxPoints, " points"));
    if (!index_of_id.emplace(id, static_cast<int>(points.size())).second) {
      return refused("each id once");
    }
    point.parent_id = parent;
    point.line = line_number;
    points.push_back(point);
  }
  if (points.size() < 2) {
    return InFile(name, MakeFieldError("", absl::StrCat(points.size(), " points"), "2 or more"));
  }
  for (Point& point : points) {
    if (point.parent_id < 0) continue;
    const auto found = index_of_id.find(point.parent_id);
    if (found == index_of_id.end()) {
      return InFile(absl::StrCat(name, ":", point.line),
                    MakeFieldError("", absl::StrCat("a child of ", point.parent_id),
                                   "the id of a point as the parent, or -1"));
    }
    point.parent = found->second;
  }
  return points;
}

// From the first point on, each after its parent and before its next sibling in the file.
absl::StatusOr<std::vector<size_t>> InOrder(absl::string_view name, std::vector<Point>& points) {
  std::vector<std::vector<size_t>> children(points.size());
  std::vector<size_t> roots, order, open;
  for (size_t i = 0; i < points.size(); ++i) {
    if (points[i].parent < 0) {
      roots.push_back(i);
    } else {
      children[static_cast<size_t>(points[i].parent)].push_back(i);
    }
  }
  if (roots.size() == 1) open = roots;
  while (!open.empty()) {
    const size_t i = open.back();
    open.pop_back();
    order.push_back(i);
    points[i].num_children = static_cast<int>(children[i].size());
    open.insert(open.end(), children[i].rbegin(), children[i].rend());
  }
  if (order.size() == points.size()) return order;
  return InFile(name, MakeFieldError("", absl::StrCat(roots.size(), " points without a parent"),
                                     "one, from which all others come"));
}

double Distance(const Point& a, const Point& b) {
  double sum = 0.0;
  for (size_t axis = 0; axis < 3; ++axis) {
    const double d = a.place_um[axis] - b.place_um[axis];
    sum += d * d;
  }
  return std::sqrt(sum);
}

}  // namespace

absl::StatusOr<Morphology> ParseMorphology(absl::string_view name, absl::string_view text) {
  LIVND_ASSIGN_OR_RETURN(std::vector<Point> points, ParsePoints(name, text));
  // A section goes on where its last point has one child of its type.
  std::vector<double> length_um;  // of each section
  Morphology stretches;
  std::vector<int> last_stretch;  // of each section, -1: none yet
  LIVND_ASSIGN_OR_RETURN(const std::vector<size_t> order, InOrder(name, points));
  for (const size_t i : order) {
    Point& point = points[i];
    if (point.parent < 0) {
      point.section = static_cast<int32_t>(length_um.size());
      length_um.push_back(0.0);
      last_stretch.push_back(-1);
      continue;
    }
    const Point& parent = points[static_cast<size_t>(point.parent)];
    if (parent.num_children == 1 && parent.swc_type == point.swc_type) {
      point.section = parent.section;
    } else {
      point.section = static_cast<int32_t>(length_um.size());
      length_um.push_back(0.0);
      last_stretch.push_back(-1);
    }
    const auto section = static_cast<size_t>(point.section);
    const double piece_um = Distance(point, parent);
    point.soma_um = parent.soma_um + piece_um;
    if (piece_um > 0.0) {
      int& last = last_stretch[section];
      if (last < 0 || stretches[static_cast<size_t>(last)].layer != point.layer) {
        last = static_cast<int>(stretches.size());
        stretches.push_back({point.section, point.swc_type, point.layer, 0.0, parent.soma_um,
                             length_um[section], length_um[section]});
      }
      length_um[section] += piece_um;
      stretches[static_cast<size_t>(last)].length_um += piece_um;
      stretches[static_cast<size_t>(last)].end = length_um[section];
    }
  }
  for (Stretch& stretch : stretches) {
    stretch.begin /= length_um[static_cast<size_t>(stretch.section)];
    stretch.end /= length_um[static_cast<size_t>(stretch.section)];
  }
  return stretches;
}

}  // namespace livnd::lab
