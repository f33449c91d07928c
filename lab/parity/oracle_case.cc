#include "lab/parity/oracle_case.h"

#include <cmath>
#include <limits>
#include <utility>

#include "absl/strings/numbers.h"
#include "absl/strings/str_cat.h"
#include "absl/strings/str_split.h"
#include "base/field_error.h"
#include "base/status_macros.h"
#include "io/system/system_documents.h"
#include "sim/network/populations.h"

namespace livnd::lab {
namespace {

using io::JsonView;
constexpr int64_t kMaxId = std::numeric_limits<int32_t>::max();
constexpr double kMaxDurationMs = 1e6;

absl::StatusOr<double> NumberOr(const JsonView& object, absl::string_view name, double fallback) {
  LIVND_ASSIGN_OR_RETURN(const std::optional<JsonView> value, object.Find(name));
  if (!value.has_value()) return fallback;
  return value->Number();
}

// A number from min to max.
absl::StatusOr<double> NumberWithin(const JsonView& object, absl::string_view name, double fallback,
                                    double min, double max) {
  LIVND_ASSIGN_OR_RETURN(const std::optional<JsonView> value, object.Find(name));
  if (!value.has_value()) return fallback;
  LIVND_ASSIGN_OR_RETURN(const double number, value->Number());
  if (number < min || number > max) {
    return value->Refused(absl::StrCat("a number from ", min, " to ", max));
  }
  return number;
}

absl::StatusOr<bool> BoolOr(const JsonView& object, absl::string_view name, bool fallback) {
  LIVND_ASSIGN_OR_RETURN(const std::optional<JsonView> value, object.Find(name));
  if (!value.has_value()) return fallback;
  return value->Bool();
}

// The members that are not null.
absl::StatusOr<std::map<std::string, double>> NumberMap(const JsonView& object) {
  std::map<std::string, double> out;
  LIVND_RETURN_IF_ERROR(
      object.ForEachMember([&](const std::string& name, const JsonView& value) -> absl::Status {
        if (value.is_null()) return absl::OkStatus();
        LIVND_ASSIGN_OR_RETURN(out[name], value.Number());
        return absl::OkStatus();
      }));
  return out;
}

absl::StatusOr<int64_t> ParseGid(const JsonView& where, const std::string& text) {
  int64_t gid;
  if (!absl::SimpleAtoi(text, &gid) || gid < 0 || gid > kMaxId) {
    return where.Within(MakeFieldError(text, kUnknownName, "gids"));
  }
  return gid;
}

// {"GROUP": {"NAME": number}}
absl::StatusOr<std::map<std::string, std::map<std::string, double>>> NumberMaps(
    const JsonView& object) {
  std::map<std::string, std::map<std::string, double>> out;
  LIVND_RETURN_IF_ERROR(
      object.ForEachMember([&](const std::string& name, const JsonView& value) -> absl::Status {
        LIVND_ASSIGN_OR_RETURN(out[name], NumberMap(value));
        return absl::OkStatus();
      }));
  return out;
}

// true, false, or the rules with which it is on; true alone brings livn's own rules back.
absl::Status ParsePlasticity(const JsonView& json, std::optional<bool>& on,
                             std::optional<sim::PlasticityConfig>& rules) {
  if (json.is_object()) {
    on = true;
    LIVND_ASSIGN_OR_RETURN(rules, NumberMaps(json));
    return absl::OkStatus();
  }
  LIVND_ASSIGN_OR_RETURN(on, json.Bool());
  if (*on) {
    rules = {{sim::kExcitatoryCells, sim::DefaultPlasticity(sim::PlasticityGroup::kExcitatory)},
             {sim::kInhibitoryCells, sim::DefaultPlasticity(sim::PlasticityGroup::kInhibitory)}};
  }
  return absl::OkStatus();
}

absl::StatusOr<OracleStimulus> ParseStimulus(const JsonView& json) {
  OracleStimulus out;
  LIVND_ASSIGN_OR_RETURN(const JsonView mode, json.Member("mode"));
  LIVND_ASSIGN_OR_RETURN(out.mode, mode.String());
  LIVND_ASSIGN_OR_RETURN(out.dt_ms, NumberOr(json, "dt", 1.0));
  LIVND_ASSIGN_OR_RETURN(const JsonView rows, json.Member("rows"));
  LIVND_ASSIGN_OR_RETURN(out.num_rows, rows.Integer(0, 10'000'000));
  LIVND_ASSIGN_OR_RETURN(const std::optional<JsonView> columns, json.Find("columns"));
  if (columns.has_value()) {
    LIVND_ASSIGN_OR_RETURN(const std::vector<JsonView> items, columns->Elements());
    for (const JsonView& item : items) {
      env::Site column;
      LIVND_ASSIGN_OR_RETURN(const JsonView gid, item.Member("gid"));
      LIVND_ASSIGN_OR_RETURN(const JsonView section, item.Member("section"));
      LIVND_ASSIGN_OR_RETURN(column.gid, gid.Integer(0, kMaxId));
      LIVND_ASSIGN_OR_RETURN(column.section, section.Integer(0, 1000));
      out.columns.push_back(column);
    }
  }
  LIVND_ASSIGN_OR_RETURN(const JsonView pulses, json.Member("pulses"));
  LIVND_ASSIGN_OR_RETURN(const std::vector<JsonView> items, pulses.Elements());
  for (const JsonView& item : items) {
    OracleStimulus::Pulse p;
    LIVND_ASSIGN_OR_RETURN(const JsonView column, item.Member("column"));
    LIVND_ASSIGN_OR_RETURN(const JsonView start, item.Member("start_row"));
    LIVND_ASSIGN_OR_RETURN(const JsonView stop, item.Member("stop_row"));
    LIVND_ASSIGN_OR_RETURN(const JsonView value, item.Member("value"));
    LIVND_ASSIGN_OR_RETURN(p.column, column.Integer(0, kMaxId));
    LIVND_ASSIGN_OR_RETURN(p.start_row, start.Integer(0, out.num_rows));
    LIVND_ASSIGN_OR_RETURN(p.stop_row, stop.Integer(p.start_row, out.num_rows));
    LIVND_ASSIGN_OR_RETURN(p.value, value.Number());
    out.pulses.push_back(p);
  }
  LIVND_ASSIGN_OR_RETURN(const std::optional<JsonView> units, json.Find("units"));
  if (units.has_value()) {
    LIVND_ASSIGN_OR_RETURN(out.units, units->String());
  }
  LIVND_ASSIGN_OR_RETURN(const std::optional<JsonView> extra, json.Find("extra"));
  if (extra.has_value()) {
    LIVND_ASSIGN_OR_RETURN(out.wavelength_nm, NumberOr(*extra, "wavelength_nm", 473.0));
  }
  return out;
}

absl::Status ParseRuns(const JsonView& document, OracleCase& out) {
  LIVND_ASSIGN_OR_RETURN(const JsonView runs, document.Member("runs"));
  LIVND_ASSIGN_OR_RETURN(const std::vector<JsonView> items, runs.Elements());
  LIVND_ASSIGN_OR_RETURN(const std::optional<JsonView> marks, document.Find("marks"));
  std::vector<JsonView> mark_items;
  if (marks.has_value()) {
    LIVND_ASSIGN_OR_RETURN(mark_items, marks->Elements(items.size()));
  }
  for (size_t i = 0; i < items.size(); ++i) {
    const JsonView& json = items[i];
    OracleRun run;
    LIVND_RETURN_IF_ERROR(json.Member("duration").status());
    LIVND_ASSIGN_OR_RETURN(run.duration_ms,
                           NumberWithin(json, "duration", 0.0, 0.0, kMaxDurationMs));
    LIVND_ASSIGN_OR_RETURN(run.clear, BoolOr(json, "clear", false));
    LIVND_ASSIGN_OR_RETURN(run.reseed, BoolOr(json, "reseed", true));
    LIVND_ASSIGN_OR_RETURN(const std::optional<JsonView> stream, json.Find("reseed_noise"));
    if (stream.has_value()) {
      LIVND_ASSIGN_OR_RETURN(const int64_t number, stream->Integer(0, kMaxId));
      run.reseed_noise = static_cast<uint32_t>(number);
    }
    LIVND_ASSIGN_OR_RETURN(const std::optional<JsonView> plasticity, json.Find("plasticity_on"));
    if (plasticity.has_value()) {
      LIVND_RETURN_IF_ERROR(ParsePlasticity(*plasticity, run.plasticity_on, run.plasticity_rules));
      out.learns = true;
    }
    LIVND_ASSIGN_OR_RETURN(const std::optional<JsonView> normalize, json.Find("normalize_weights"));
    if (normalize.has_value()) {
      LIVND_ASSIGN_OR_RETURN(run.normalize_weights, normalize->Number());
    }
    LIVND_ASSIGN_OR_RETURN(const std::optional<JsonView> stimulus, json.Find("stimulus"));
    if (stimulus.has_value()) {
      LIVND_ASSIGN_OR_RETURN(run.stimulus, ParseStimulus(*stimulus));
    }
    if (marks.has_value()) {
      LIVND_ASSIGN_OR_RETURN(const std::optional<JsonView> dv, mark_items[i].Find("dv_mv"));
      if (dv.has_value()) {
        LIVND_ASSIGN_OR_RETURN(run.mark.dv_mv, dv->Number());
      }
      LIVND_ASSIGN_OR_RETURN(const JsonView spikes, mark_items[i].Member("spikes"));
      LIVND_ASSIGN_OR_RETURN(run.mark.spikes, spikes.String());
    }
    out.runs.push_back(std::move(run));
  }
  return absl::OkStatus();
}

absl::Status ParseCells(const JsonView& document, OracleCase& out) {
  LIVND_ASSIGN_OR_RETURN(const JsonView cells, document.Member("cells"));
  LIVND_ASSIGN_OR_RETURN(const std::vector<JsonView> items, cells.Elements());
  for (const JsonView& item : items) {
    LIVND_ASSIGN_OR_RETURN(const JsonView gid_view, item.Member("gid"));
    LIVND_ASSIGN_OR_RETURN(const int64_t gid, gid_view.Integer(0, kMaxId));
    LIVND_ASSIGN_OR_RETURN(const JsonView population_view, item.Member("population"));
    LIVND_ASSIGN_OR_RETURN(const std::string population, population_view.String());
    LIVND_ASSIGN_OR_RETURN(const JsonView xyz_view, item.Member("xyz"));
    LIVND_ASSIGN_OR_RETURN(const std::vector<double> xyz, xyz_view.Numbers(3));
    auto& populations = out.setup.culture.populations;
    if (populations.empty() || populations.back().name != population) {
      populations.push_back({population, gid, 0});
    }
    if (gid != static_cast<int64_t>(out.system.position_um.size())) {
      return gid_view.Refused("gids 0, 1, ... in the order of the populations");
    }
    ++populations.back().num_cells;
    out.system.position_um.push_back({xyz[0], xyz[1], xyz[2]});
  }
  LIVND_ASSIGN_OR_RETURN(const std::optional<JsonView> params, document.Find("cell_params"));
  if (params.has_value()) {
    LIVND_RETURN_IF_ERROR(
        params->ForEachMember([&](const std::string& name, const JsonView& value) {
          LIVND_ASSIGN_OR_RETURN(const int64_t gid, ParseGid(*params, name));
          LIVND_ASSIGN_OR_RETURN(out.setup.culture.cell_params[gid], NumberMap(value));
          return absl::OkStatus();
        }));
  }
  return absl::OkStatus();
}

absl::Status ParseModel(const JsonView& document, OracleCase& out) {
  LIVND_ASSIGN_OR_RETURN(const std::optional<JsonView> model, document.Find("model"));
  if (!model.has_value()) return absl::OkStatus();
  sim::ModelConfig& config = out.setup.culture.model;
  io::DendriteOrientation& dendrites = out.setup.orientation;
  return model->ForEachMember([&](const std::string& name, const JsonView& value) -> absl::Status {
    if (name == "refractory_period") {
      LIVND_ASSIGN_OR_RETURN(config.refractory_period_ms, value.Number());
    } else if (name == "short_term_depression") {
      LIVND_ASSIGN_OR_RETURN(config.short_term_depression, value.Bool());
    } else if (name == "size_cv") {
      if (value.is_object()) {
        LIVND_ASSIGN_OR_RETURN(config.size_cv, NumberMap(value));
      } else {
        LIVND_ASSIGN_OR_RETURN(const double cv, value.Number());
        config.size_cv = {{sim::kExcitatoryCells, cv}, {sim::kInhibitoryCells, cv}};
      }
    } else if (name == "size_seed") {
      LIVND_ASSIGN_OR_RETURN(config.size_seed, value.Integer(0, kMaxId));
    } else if (name == "parameter_sets") {
      return value.ForEachMember(
          [&](const std::string& population, const JsonView& set) -> absl::Status {
            LIVND_ASSIGN_OR_RETURN(config.parameter_sets[population], set.String());
            return absl::OkStatus();
          });
    } else if (name == "population_params") {
      LIVND_ASSIGN_OR_RETURN(out.setup.culture.population_params, NumberMaps(value));
    } else if (name == "dendrite_orientation") {
      LIVND_ASSIGN_OR_RETURN(const std::string orientation, value.String());
      if (orientation != "aligned" && orientation != "random") {
        return value.Refused("\"aligned\", \"random\"");
      }
      dendrites.aligned = orientation == "aligned";
    } else if (name == "dendrite_orientation_seed") {
      LIVND_ASSIGN_OR_RETURN(dendrites.seed, value.Integer(0, kMaxId));
    } else if (name == "dendrite_offset") {
      LIVND_ASSIGN_OR_RETURN(dendrites.dendrite_offset_um, value.Number());
    } else {
      return value.Within(MakeFieldError(
          "", kUnknownName,
          "refractory_period, short_term_depression, size_cv, size_seed, parameter_sets, "
          "population_params, dendrite_orientation, dendrite_orientation_seed, dendrite_offset"));
    }
    return absl::OkStatus();
  });
}

absl::StatusOr<std::vector<sim::ReceptorConfig>> ParseReceptors(const JsonView& list) {
  std::vector<sim::ReceptorConfig> out;
  LIVND_RETURN_IF_ERROR(
      list.ForEachMember([&](const std::string& receptor, const JsonView& params) -> absl::Status {
        sim::ReceptorConfig config;
        config.receptor = receptor;
        LIVND_ASSIGN_OR_RETURN(config.params, NumberMap(params));
        // livn builds no process without it, though its processes have a default.
        if (config.params.count("tau_decay") != 0) out.push_back(std::move(config));
        return absl::OkStatus();
      }));
  return out;
}

// What sites of an SWC type carry instead; livn passes over a type none of whose receptors has a
// process.
absl::Status ParseSwcReceptors(const JsonView& document, OracleCase& out) {
  LIVND_ASSIGN_OR_RETURN(const std::optional<JsonView> pairs, document.Find("swc_receptors"));
  if (!pairs.has_value()) return absl::OkStatus();
  return pairs->ForEachMember([&](const std::string& pair, const JsonView& types) -> absl::Status {
    for (sim::ProjectionConfig& projection : out.setup.culture.projections) {
      if (absl::StrCat(projection.post, "<-", projection.pre) != pair) continue;
      return types.ForEachMember(
          [&](const std::string& type, const JsonView& list) -> absl::Status {
            int swc_type;
            if (!absl::SimpleAtoi(type, &swc_type) || swc_type < 0 || swc_type > 255) {
              return list.Within(MakeFieldError("", kUnknownName, "SWC types"));
            }
            LIVND_ASSIGN_OR_RETURN(std::vector<sim::ReceptorConfig> block, ParseReceptors(list));
            if (!block.empty()) projection.receptors[swc_type] = std::move(block);
            return absl::OkStatus();
          });
    }
    return types.Within(MakeFieldError("", kUnknownName, "pairs that receptors has"));
  });
}

absl::Status ParseNetwork(const JsonView& document, OracleCase& out) {
  LIVND_ASSIGN_OR_RETURN(const std::optional<JsonView> receptors, document.Find("receptors"));
  if (!receptors.has_value()) return absl::OkStatus();
  LIVND_RETURN_IF_ERROR(
      receptors->ForEachMember([&](const std::string& pair, const JsonView& list) -> absl::Status {
        const std::vector<std::string> ends = absl::StrSplit(pair, "<-");
        if (ends.size() != 2) return list.Within(MakeFieldError("", kUnknownName, "POST<-PRE"));
        sim::ProjectionConfig projection;
        projection.post = ends[0];
        projection.pre = ends[1];
        LIVND_ASSIGN_OR_RETURN(projection.receptors[sim::ProjectionConfig::kDefaultReceptors],
                               ParseReceptors(list));
        out.setup.culture.projections.push_back(std::move(projection));
        return absl::OkStatus();
      }));
  LIVND_RETURN_IF_ERROR(ParseSwcReceptors(document, out));
  auto population_of = [&](int64_t gid) -> std::string {
    for (const sim::PopulationConfig& p : out.setup.culture.populations) {
      if (gid >= p.first_gid && gid < p.first_gid + p.num_cells) return p.name;
    }
    return "";
  };
  LIVND_ASSIGN_OR_RETURN(const std::optional<JsonView> edges, document.Find("edges"));
  if (!edges.has_value()) return absl::OkStatus();
  LIVND_ASSIGN_OR_RETURN(const std::vector<JsonView> items, edges->Elements());
  for (const JsonView& item : items) {
    sim::Edge edge;
    LIVND_ASSIGN_OR_RETURN(const JsonView pre, item.Member("pre"));
    LIVND_ASSIGN_OR_RETURN(const JsonView post, item.Member("post"));
    LIVND_ASSIGN_OR_RETURN(const JsonView swc, item.Member("swc_type"));
    LIVND_ASSIGN_OR_RETURN(edge.source_gid, pre.Integer(0, kMaxId));
    LIVND_ASSIGN_OR_RETURN(edge.target_gid, post.Integer(0, kMaxId));
    LIVND_ASSIGN_OR_RETURN(edge.swc_type, swc.Integer(0, 255));
    LIVND_ASSIGN_OR_RETURN(const std::optional<JsonView> syn_id, item.Find("syn_id"));
    if (syn_id.has_value()) {
      LIVND_ASSIGN_OR_RETURN(edge.syn_id, syn_id->Integer(0, kMaxId));
    }
    LIVND_ASSIGN_OR_RETURN(edge.location, NumberOr(item, "loc", 0.5));
    LIVND_ASSIGN_OR_RETURN(edge.distance_um, NumberOr(item, "distance_um", 0.0));
    const std::string post_name = population_of(edge.target_gid);
    const std::string pre_name = population_of(edge.source_gid);
    if (post_name.empty()) return post.Refused("gids of cells");
    if (pre_name.empty()) return pre.Refused("gids of cells");
    for (sim::ProjectionConfig& p : out.setup.culture.projections) {
      if (p.post == post_name && p.pre == pre_name) p.edges.push_back(edge);
    }
  }
  return absl::OkStatus();
}

// Parameters by livn's keys: weights, what receptors are, and the conductance noise.
absl::Status ParseParams(const JsonView& document, OracleCase& out) {
  LIVND_ASSIGN_OR_RETURN(const std::optional<JsonView> weights, document.Find("weights"));
  if (weights.has_value()) {
    LIVND_ASSIGN_OR_RETURN(out.start.params, io::ParseParamList(*weights));
  }
  LIVND_ASSIGN_OR_RETURN(const std::optional<JsonView> noise, document.Find("noise"));
  if (!noise.has_value()) return absl::OkStatus();
  out.setup.culture.noise.emplace();  // also if none of its parameters is given
  LIVND_ASSIGN_OR_RETURN(const auto numbers, NumberMap(*noise));
  for (const auto& [name, value] : numbers) {
    out.start.params.push_back({absl::StrCat("noise-", name), {value}});
  }
  return absl::OkStatus();
}

absl::Status ParseElectrodes(const JsonView& document, OracleCase& out) {
  LIVND_ASSIGN_OR_RETURN(const std::optional<JsonView> electrodes, document.Find("electrodes"));
  if (!electrodes.has_value()) return absl::OkStatus();
  LIVND_ASSIGN_OR_RETURN(const std::vector<JsonView> rows, electrodes->Elements());
  if (rows.empty()) return absl::OkStatus();
  io::ElectrodeArrayConfig& array = out.setup.electrode_array.emplace();
  for (const JsonView& row : rows) {
    LIVND_ASSIGN_OR_RETURN(const std::vector<double> idxyz, row.Numbers(4));
    // livn's columns are electrodes in declared order, whatever they are called.
    array.electrodes.push_back(
        {static_cast<int32_t>(array.electrodes.size()), {idxyz[1], idxyz[2], idxyz[3]}});
  }
  return absl::OkStatus();
}

absl::Status ParseStart(const JsonView& document, OracleCase& out) {
  LIVND_ASSIGN_OR_RETURN(out.dt_ms, NumberWithin(document, "dt", 0.025, 1e-4, 1.0));
  out.start.dt_ms = out.dt_ms;
  LIVND_ASSIGN_OR_RETURN(out.start.v_init_mv, NumberOr(document, "v_init", -75.0));
  LIVND_RETURN_IF_ERROR(ParseParams(document, out));
  LIVND_ASSIGN_OR_RETURN(const std::optional<JsonView> inputs, document.Find("input_spikes"));
  if (inputs.has_value()) {
    LIVND_RETURN_IF_ERROR(inputs->ForEachMember([&](const std::string& key, const JsonView& times) {
      LIVND_ASSIGN_OR_RETURN(const int64_t gid, ParseGid(*inputs, key));
      LIVND_ASSIGN_OR_RETURN(out.start.input_spikes_ms[gid], times.Numbers());
      return absl::OkStatus();
    }));
  }
  LIVND_ASSIGN_OR_RETURN(const std::optional<JsonView> plasticity, document.Find("plasticity"));
  if (plasticity.has_value()) {
    out.learns = true;
    LIVND_RETURN_IF_ERROR(
        ParsePlasticity(*plasticity, out.start.plasticity_on, out.start.plasticity));
  }
  LIVND_ASSIGN_OR_RETURN(const std::optional<JsonView> opsin, document.Find("opsin"));
  if (opsin.has_value()) {
    LIVND_ASSIGN_OR_RETURN(out.start.opsin, NumberMap(*opsin));
  }
  return absl::OkStatus();
}

}  // namespace

absl::StatusOr<OracleCase> ParseOracleCase(const JsonView& document) {
  OracleCase out;
  LIVND_ASSIGN_OR_RETURN(const JsonView name, document.Member("name"));
  LIVND_ASSIGN_OR_RETURN(out.name, name.String());
  out.system.name = out.name;
  out.setup.system = out.name;
  out.setup.built_populations = {sim::kExcitatoryCells, sim::kInhibitoryCells};
  LIVND_ASSIGN_OR_RETURN(const std::optional<JsonView> seed, document.Find("seed"));
  if (seed.has_value()) {
    LIVND_ASSIGN_OR_RETURN(out.seed, seed->Integer(0, kMaxId));
  }
  LIVND_RETURN_IF_ERROR(ParseCells(document, out));
  LIVND_RETURN_IF_ERROR(ParseModel(document, out));
  LIVND_RETURN_IF_ERROR(ParseNetwork(document, out));
  LIVND_RETURN_IF_ERROR(ParseElectrodes(document, out));
  LIVND_RETURN_IF_ERROR(ParseStart(document, out));
  LIVND_ASSIGN_OR_RETURN(const JsonView record, document.Member("record"));
  LIVND_ASSIGN_OR_RETURN(const double sample_dt,
                         NumberWithin(record, "sample_dt", 0.025, 0.0, kMaxDurationMs));
  LIVND_ASSIGN_OR_RETURN(const double every, NumberWithin(record, "every", 1, 1, 1000));
  out.sample_steps = static_cast<int>(std::llround(sample_dt * every / out.dt_ms));
  if (out.sample_steps < 1) {
    return record.Within(
        MakeFieldError("sample_dt", absl::StrCat(sample_dt), "at least one step, with every"));
  }
  LIVND_ASSIGN_OR_RETURN(const std::optional<JsonView> current, record.Find("current"));
  if (current.has_value()) {
    LIVND_ASSIGN_OR_RETURN(const double current_dt,
                           NumberWithin(record, "current", 0.0, 0.0, kMaxDurationMs));
    out.current_steps = static_cast<int>(std::llround(current_dt / out.dt_ms));
    if (out.current_steps < 1) return current->Refused("at least one step");
  }
  LIVND_RETURN_IF_ERROR(ParseRuns(document, out));
  return out;
}

}  // namespace livnd::lab
