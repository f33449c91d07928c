#include "server/wire/recording.h"

#include <algorithm>
#include <iterator>
#include <string>
#include <utility>
#include <vector>

#include "absl/strings/str_cat.h"
#include "base/status_macros.h"
#include "server/wire/coding.h"
#include "server/wire/enum_words.h"
#include "server/wire/errors.h"
#include "server/wire/sites.h"
#include "server/wire/tensor.h"

namespace livnd::server {
namespace {

constexpr std::pair<v1::RecordedQuantity, env::RecordedQuantity> kRecorded[] = {
    {v1::RECORDED_QUANTITY_VOLTAGE_MV, env::RecordedQuantity::kVoltageMv},
    {v1::RECORDED_QUANTITY_MEMBRANE_CURRENT_UA, env::RecordedQuantity::kMembraneCurrentUa},
    {v1::RECORDED_QUANTITY_STATE, env::RecordedQuantity::kState},
    {v1::RECORDED_QUANTITY_ELECTRODE_POTENTIAL_UV, env::RecordedQuantity::kElectrodePotentialUv},
    {v1::RECORDED_QUANTITY_LEARNED_WEIGHT, env::RecordedQuantity::kLearnedWeight},
};

absl::StatusOr<env::RecordedSeries> ParseRecordedSeries(const std::string& field,
                                                        const v1::Tensor& tensor,
                                                        int64_t num_envs) {
  if (tensor.shape_size() != 3) {
    return InvalidField(absl::StrCat(field, ".shape"), absl::StrCat(tensor.shape_size(), " axes"),
                        "3 axes");
  }
  env::RecordedSeries out;
  out.num_rows = tensor.shape(1);
  out.num_samples = tensor.shape(2);
  const bool is_single = tensor.dtype() == v1::DATA_TYPE_FLOAT32;
  LIVND_RETURN_IF_ERROR(CheckTensor(field, tensor,
                                    is_single ? v1::DATA_TYPE_FLOAT32 : v1::DATA_TYPE_FLOAT64,
                                    {num_envs, out.num_rows, out.num_samples}));
  if (is_single) {
    const std::vector<float> values = Values<float>(tensor);
    out.values.assign(values.begin(), values.end());
  } else {
    out.values = Values<double>(tensor);
  }
  return out;
}

}  // namespace

absl::StatusOr<std::vector<env::SeriesSelection>> ParseSeries(
    const std::string& field,
    const google::protobuf::RepeatedPtrField<v1::SeriesSelection>& messages) {
  std::vector<env::SeriesSelection> out;
  for (int i = 0; i < messages.size(); ++i) {
    const v1::SeriesSelection& series = messages[i];
    const std::string place = absl::StrCat(field, "[", i, "]");
    env::SeriesSelection& added = out.emplace_back();
    const auto* known = std::find_if(std::begin(kRecorded), std::end(kRecorded),
                                     [&](const auto& q) { return q.first == series.quantity(); });
    if (known == std::end(kRecorded)) {
      return InvalidField(absl::StrCat(place, ".quantity"), WordOf(series.quantity()),
                          WordsOf<v1::RecordedQuantity>());
    }
    added.quantity = known->second;
    added.state = series.state();
    added.sample_dt_ms = series.sample_dt_ms();
    if (series.dtype() != v1::DATA_TYPE_FLOAT64 && series.dtype() != v1::DATA_TYPE_FLOAT32) {
      return InvalidField(absl::StrCat(place, ".dtype"), WordOf(series.dtype()),
                          "float64, float32");
    }
    added.single_precision = series.dtype() == v1::DATA_TYPE_FLOAT32;
    if (!series.has_sites()) continue;
    LIVND_ASSIGN_OR_RETURN(added.sites, ParseSites(absl::StrCat(place, ".sites"), series.sites()));
  }
  return out;
}

absl::StatusOr<env::RecordingSelection> ParseSelection(const v1::RecordingSelection& selection) {
  env::RecordingSelection out;
  out.spikes = selection.spikes();
  out.spike_populations.assign(selection.spike_populations().begin(),
                               selection.spike_populations().end());
  LIVND_ASSIGN_OR_RETURN(out.series, ParseSeries("recording.series", selection.series()));
  for (int i = 0; i < selection.decodings_size(); ++i) {
    LIVND_ASSIGN_OR_RETURN(
        env::DecodingSelection decoding,
        ParseDecoding(absl::StrCat("recording.decodings[", i, "]"), selection.decodings(i)));
    out.decodings.push_back(std::move(decoding));
  }
  return out;
}

void EncodeSelection(const env::RecordingSelection& selection, v1::RecordingSelection* message) {
  message->set_spikes(selection.spikes);
  for (const env::DecodingSelection& decoding : selection.decodings) {
    EncodeDecoding(decoding, message->add_decodings());
  }
  for (const std::string& population : selection.spike_populations) {
    message->add_spike_populations(population);
  }
  for (const env::SeriesSelection& series : selection.series) {
    v1::SeriesSelection* added = message->add_series();
    for (const auto& [wire, quantity] : kRecorded) {
      if (quantity == series.quantity) added->set_quantity(wire);
    }
    added->set_state(series.state);
    added->set_sample_dt_ms(series.sample_dt_ms);
    added->set_dtype(series.single_precision ? v1::DATA_TYPE_FLOAT32 : v1::DATA_TYPE_FLOAT64);
    if (!series.sites.empty()) EncodeSites(series.sites, added->mutable_sites());
  }
}

void EncodeRecording(env::CultureRecording recording, const env::RecordingSelection& selection,
                     int num_envs, int64_t tick_ns, v1::CultureRecording* message) {
  message->set_start_tick(recording.start_tick);
  message->set_num_ticks(recording.num_ticks);
  message->set_tick_ns(tick_ns);
  EncodeVector(recording.spike_offsets, message->mutable_spike_offsets());
  EncodeVector(recording.spike_gids, message->mutable_spike_gids());
  EncodeVector(recording.spike_ticks, message->mutable_spike_ticks());
  EncodeVector(recording.spike_times_ms, message->mutable_spike_times_ms());
  for (size_t i = 0; i < recording.series.size(); ++i) {
    const env::RecordedSeries& series = recording.series[i];
    const std::vector<int64_t> shape = {num_envs, series.num_rows, series.num_samples};
    v1::Tensor* tensor = message->add_series();
    if (selection.series[i].single_precision) {
      const std::vector<float> rounded(series.values.begin(), series.values.end());
      EncodeTensor<float>(v1::DATA_TYPE_FLOAT32, shape, rounded, tensor);
    } else {
      EncodeTensor<double>(v1::DATA_TYPE_FLOAT64, shape, series.values, tensor);
    }
  }
  EncodeVector(recording.failed_at_ms, message->mutable_failed_at_ms());
  for (const env::Decoded& decoded : recording.decoded) {
    EncodeDecoded(decoded, num_envs, message->add_decoded());
  }
}

absl::StatusOr<env::CultureRecording> ParseRecording(const v1::CultureRecording& message,
                                                     int64_t num_envs) {
  env::CultureRecording out;
  out.start_tick = message.start_tick();
  out.num_ticks = message.num_ticks();
  LIVND_ASSIGN_OR_RETURN(out.spike_offsets,
                         ParseVector<int64_t>("recording.spike_offsets", message.spike_offsets(),
                                              v1::DATA_TYPE_INT64));
  LIVND_ASSIGN_OR_RETURN(
      out.spike_gids,
      ParseVector<int64_t>("recording.spike_gids", message.spike_gids(), v1::DATA_TYPE_INT64));
  const auto num_spikes = static_cast<int64_t>(out.spike_gids.size());
  LIVND_RETURN_IF_ERROR(CheckTensor("recording.spike_ticks", message.spike_ticks(),
                                    v1::DATA_TYPE_INT64, {num_spikes}));
  out.spike_ticks = Values<int64_t>(message.spike_ticks());
  LIVND_RETURN_IF_ERROR(CheckTensor("recording.spike_times_ms", message.spike_times_ms(),
                                    v1::DATA_TYPE_FLOAT64, {num_spikes}));
  out.spike_times_ms = Values<double>(message.spike_times_ms());
  const std::vector<int64_t>& offsets = out.spike_offsets;
  if (static_cast<int64_t>(offsets.size()) != num_envs + 1 || offsets.front() != 0 ||
      offsets.back() != num_spikes || !std::is_sorted(offsets.begin(), offsets.end())) {
    return InvalidField("recording.spike_offsets", absl::StrCat(offsets.size(), " numbers"),
                        absl::StrCat(num_envs + 1, " that ascend from 0 to ", num_spikes));
  }
  LIVND_RETURN_IF_ERROR(CheckTensor("recording.failed_at_ms", message.failed_at_ms(),
                                    v1::DATA_TYPE_FLOAT64, {num_envs}));
  out.failed_at_ms = Values<double>(message.failed_at_ms());
  for (int i = 0; i < message.series_size(); ++i) {
    LIVND_ASSIGN_OR_RETURN(out.series.emplace_back(),
                           ParseRecordedSeries(absl::StrCat("recording.series[", i, "]"),
                                               message.series(i), num_envs));
  }
  return out;
}

}  // namespace livnd::server
