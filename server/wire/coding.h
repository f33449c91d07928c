// Encodings and decodings by name, and what they give.
#ifndef LIVND_SERVER_WIRE_CODING_H_
#define LIVND_SERVER_WIRE_CODING_H_

#include <optional>
#include <string>
#include <vector>

#include "absl/status/statusor.h"
#include "env/culture/culture_types.h"
#include "google/protobuf/repeated_field.h"
#include "io/encoding/encoding.h"
#include "livnd/v1/coding.pb.h"
#include "livnd/v1/server_service.pb.h"

namespace livnd::server {

// `field` is the path of the message in the request. Sees to types, shapes and enum values; names and numbers are the
// codings'.
absl::StatusOr<env::DecodingSelection> ParseDecoding(const std::string& field,
                                                     const v1::DecodingSelection& message);
void EncodeDecoding(const env::DecodingSelection& selection, v1::DecodingSelection* message);

// nullopt of one without a name.
absl::StatusOr<std::optional<env::EncodingSelection>> ParseEncoding(
    const std::string& field, const v1::EncodingSelection& message);
void EncodeEncoding(const env::EncodingSelection& selection, v1::EncodingSelection* message);

// FLOAT32 [num_envs, steps, inputs]; how many inputs there are is the encoding's.
absl::StatusOr<env::CultureFeatures> ParseFeatures(const std::string& field,
                                                   const v1::Tensor& tensor, int num_envs);

void EncodeInputs(const std::vector<io::EncodingInput>& inputs,
                  google::protobuf::RepeatedPtrField<v1::EncodingInput>* messages);
void EncodeDecoded(const env::Decoded& decoded, int num_envs, v1::DecodedValues* message);

// All that there are.
void EncodeCodings(v1::ListCodingsResponse* response);

}  // namespace livnd::server

#endif  // LIVND_SERVER_WIRE_CODING_H_
