#include "tools/bench/network_file.h"

#include <cstdint>
#include <fstream>
#include <map>
#include <utility>

#include "tools/bench/worker.h"

namespace livnd::bench {
namespace {

using Numbers = std::map<std::string, double>;

sim::PointModelConfig PointModel(const Json& point) {
  sim::PointModelConfig model;
  if (point.at("kind") == "lif") {
    model = sim::LeakyIntegrateAndFire();
  } else {
    model.kind = sim::PointModelConfig::Kind::kIzhikevich;
  }
  if (point.contains("seed")) model.seed = point.at("seed").get<uint32_t>();
  for (const auto& [name, value] : point.at("params").get<Numbers>()) model.params[name] = value;
  return model;
}

std::vector<sim::ReceptorConfig> Receptors(const Json& receptors) {
  std::vector<sim::ReceptorConfig> configs;
  for (const auto& [name, params] : receptors.items()) {
    configs.push_back({name, params.get<Numbers>()});
  }
  return configs;
}

sim::Edge EdgeOf(const Json& row) {
  sim::Edge edge;
  edge.source_gid = row.at(0).get<int64_t>();
  edge.target_gid = row.at(1).get<int64_t>();
  edge.swc_type = row.at(2).get<int>();
  edge.location = row.at(3).get<double>();
  edge.distance_um = row.at(4).get<double>();
  return edge;
}

Network NetworkOf(const Json& file) {
  Network network;
  sim::CultureConfig& config = network.config;
  network.params = file.at("params").get<std::string>();
  std::vector<std::string> population_of;  // [gid]
  for (const auto& [name, number] : file.at("populations").items()) {
    const auto first = static_cast<int64_t>(population_of.size());
    config.populations.push_back({name, first, number.get<int64_t>()});
    population_of.insert(population_of.end(), number.get<size_t>(), name);
  }
  for (const Json& place : file.at("positions"))
    network.position_um.push_back(place.get<io::Point>());
  if (network.position_um.size() != population_of.size()) Die("a network has one position a cell");

  std::map<std::string, size_t> projections;
  for (const auto& [name, receptors] : file.at("receptors").items()) {
    const size_t arrow = name.find("<-");
    if (arrow == name.npos) Die("receptors are those of POST<-PRE, not of " + name);
    projections[name] = config.projections.size();
    sim::ProjectionConfig& projection = config.projections.emplace_back();
    projection.post = name.substr(0, arrow);
    projection.pre = name.substr(arrow + 2);
    projection.receptors[sim::ProjectionConfig::kDefaultReceptors] = Receptors(receptors);
  }
  std::map<int64_t, int64_t> num_sites;  // of a target
  for (const Json& row : file.at("edges")) {
    sim::Edge edge = EdgeOf(row);
    edge.syn_id = num_sites[edge.target_gid]++;
    const auto projection = projections.find(population_of.at(edge.target_gid) + "<-" +
                                             population_of.at(edge.source_gid));
    if (projection == projections.end()) Die("an edge has no receptors");
    config.projections[projection->second].edges.push_back(edge);
  }

  if (file.contains("noise")) config.noise = file.at("noise").get<Numbers>();
  if (file.value("plasticity", false)) config.plasticity.emplace();
  for (const Json& row : file.value("electrodes", Json::array())) {
    network.electrodes.electrodes.push_back(
        {row.at(0).get<int32_t>(), {row.at(1), row.at(2), row.at(3)}});
  }
  if (file.contains("point")) {
    const Json& point = file.at("point");
    config.model.point = PointModel(point);
    config.dt_ms = point.at("dt_ms").get<double>();
    network.start_mv = point.at("start_mv").get<std::vector<double>>();
    config.population_params =
        point.value("population_params", Json::object()).get<std::map<std::string, Numbers>>();
  }
  return network;
}

}  // namespace

Network ReadNetwork(const std::string& path) {
  std::ifstream stream(path);
  if (!stream) Die("cannot read " + path);
  try {
    return NetworkOf(Json::parse(stream));
  } catch (const std::exception& error) {
    Die(path + ": " + error.what());
  }
}

}  // namespace livnd::bench
