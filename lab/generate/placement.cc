#include "lab/generate/placement.h"

#include <cmath>
#include <cstddef>

#include "lab/generate/connect/float_math.h"
#include "lab/generate/random/named_random.h"

namespace livnd::lab {
namespace {

constexpr double kTwoPi = 6.283185307179586;

// Numbers for all cells at a time, in livn's order: of one coordinate, then of the next.
class Draws {
 public:
  virtual ~Draws() = default;
  // In [0, 1).
  virtual std::vector<double> Random(size_t size) = 0;
  // Single precision.
  virtual std::vector<float> Uniform(double low, double high, size_t size) = 0;
};

class OwnDraws final : public Draws {
 public:
  OwnDraws(uint64_t seed, const std::string& population)
      : random_(seed, {"livnd", "coordinates", population}) {}

  std::vector<double> Random(size_t size) override {
    std::vector<double> numbers(size);
    for (size_t i = 0; i < size; ++i) numbers[i] = OpenUnit(random_.At({{i, draw_, 0, 0}})[0]);
    ++draw_;
    return numbers;
  }
  std::vector<float> Uniform(double low, double high, size_t size) override {
    std::vector<float> out;
    out.reserve(size);
    for (const double u : Random(size)) out.push_back(static_cast<float>(low + (high - low) * u));
    return out;
  }

 private:
  const NamedRandom random_;
  uint64_t draw_ = 0;
};

class NumpyDraws final : public Draws {
 public:
  explicit NumpyDraws(io::NumpyRandom& stream) : stream_(stream) {}

  std::vector<double> Random(size_t size) override {
    std::vector<double> numbers(size);
    for (double& x : numbers) x = stream_.Double();
    return numbers;
  }
  std::vector<float> Uniform(double low, double high, size_t size) override {
    std::vector<float> out;
    out.reserve(size);
    for (const double u : Random(size)) out.push_back(static_cast<float>(low + (high - low) * u));
    return out;
  }

 private:
  io::NumpyRandom& stream_;
};

// livn's, which computes in single precision throughout.
void PlaceOnLivnsDisk(const AreaConfig& area, LivnSequence& sequence, Places& places,
                      std::vector<float>& radii, size_t size) {
  const double inner = area.inner_radius_um * area.inner_radius_um;
  const auto scale = static_cast<float>(area.radius_um * area.radius_um - inner);
  radii = sequence.Random(size);
  for (float& r : radii) r = std::sqrt(r * scale + static_cast<float>(inner));
  const std::vector<float> angle = sequence.Uniform(0.0, kTwoPi, size);
  std::vector<float> sine(size), cosine(size);
  SinCosOf(angle.data(), sine.data(), cosine.data(), size);
  for (size_t i = 0; i < size; ++i) {
    places.x.push_back(static_cast<float>(area.center_um[0]) + radii[i] * cosine[i]);
    places.y.push_back(static_cast<float>(area.center_um[1]) + radii[i] * sine[i]);
  }
}

void PlaceOnDisk(const CultureConfig& config, Draws& draws, Places& places,
                 std::vector<float>& radii, size_t size) {
  const AreaConfig& area = config.area;
  const double inner = area.inner_radius_um * area.inner_radius_um;
  const double scale = area.radius_um * area.radius_um - inner;
  const std::vector<double> u = draws.Random(size), turn = draws.Random(size);
  std::vector<float> angle(size), sine(size), cosine(size);
  for (size_t i = 0; i < size; ++i) angle[i] = static_cast<float>(kTwoPi * turn[i]);
  SinCosOf(angle.data(), sine.data(), cosine.data(), size);
  // NumPy's in double precision differ from the C library's by less than what the places are rounded to.
  const bool exact = config.rng == Rng::kNumpy;
  for (size_t i = 0; i < size; ++i) {
    const double r = std::sqrt(u[i] * scale + inner), theta = kTwoPi * turn[i];
    radii.push_back(static_cast<float>(r));
    places.x.push_back(
        static_cast<float>(area.center_um[0] + r * (exact ? std::cos(theta) : cosine[i])));
    places.y.push_back(
        static_cast<float>(area.center_um[1] + r * (exact ? std::sin(theta) : sine[i])));
  }
}

// As livn compares: numbers in single precision.
std::vector<uint8_t> Interior(const CultureConfig& config, const Places& places,
                              const std::vector<float>& radii) {
  std::vector<uint8_t> interior;
  if (config.margin_um <= 0.0) return interior;
  const AreaConfig& area = config.area;
  const auto within = [](float x, double from, double to) {
    return x >= static_cast<float>(from) && x <= static_cast<float>(to);
  };
  const double margin = config.margin_um;
  const double innermost = area.inner_radius_um > 0.0 ? area.inner_radius_um + margin : 0.0;
  for (size_t i = 0; i < places.size(); ++i) {
    const bool inside =
        area.shape == AreaConfig::Shape::kDisk
            ? within(radii[i], innermost, area.radius_um - margin)
            : within(places.x[i], area.x_range_um[0] + margin, area.x_range_um[1] - margin) &&
                  within(places.y[i], area.y_range_um[0] + margin, area.y_range_um[1] - margin);
    interior.push_back(inside ? 1 : 0);
  }
  return interior;
}

}  // namespace

PlacedCells PlaceCells(const CultureConfig& config, const std::string& population,
                       int64_t num_cells, io::NumpyRandom& stream) {
  const auto size = static_cast<size_t>(num_cells);
  const AreaConfig& area = config.area;
  const bool is_disk = area.shape == AreaConfig::Shape::kDisk;
  const auto [low, high] = config.z_range_um;
  PlacedCells cells;
  Places& places = cells.places;
  std::vector<float> radii;
  places.z.assign(size, static_cast<float>(low));
  if (config.rng == Rng::kLivn) {
    LivnSequence sequence(NamedRandom(config.random_seed, {"coordinates", population}));
    if (is_disk) {
      PlaceOnLivnsDisk(area, sequence, places, radii, size);
    } else {
      places.x = sequence.Uniform(area.x_range_um[0], area.x_range_um[1], size);
      places.y = sequence.Uniform(area.y_range_um[0], area.y_range_um[1], size);
    }
    if (high > low) places.z = sequence.Uniform(low, high, size);
  } else {
    OwnDraws own(config.random_seed, population);
    NumpyDraws numpy(stream);
    Draws& draws = config.rng == Rng::kNumpy ? static_cast<Draws&>(numpy) : own;
    if (is_disk) {
      PlaceOnDisk(config, draws, places, radii, size);
    } else {
      places.x = draws.Uniform(area.x_range_um[0], area.x_range_um[1], size);
      places.y = draws.Uniform(area.y_range_um[0], area.y_range_um[1], size);
    }
    if (high > low) places.z = draws.Uniform(low, high, size);
  }
  cells.interior = Interior(config, places, radii);
  return cells;
}

}  // namespace livnd::lab
