// model.json, params/*.json and selection/*.json: the documents that livn keeps beside a graph.
// Only their form is checked here; what they mean for a culture is io/culture's.

#ifndef LIVND_IO_SYSTEM_SYSTEM_DOCUMENTS_H_
#define LIVND_IO_SYSTEM_SYSTEM_DOCUMENTS_H_

#include "absl/status/statusor.h"
#include "io/json/json_view.h"
#include "io/system/system.h"

namespace livnd::io {

// {"cls": "package.module.Class", "kwargs": {name: value}}; a value is null, true or false, a
// number, a string or an object of numbers. "kwargs" may be absent or null: none.
absl::StatusOr<ModelDocument> ParseModelDocument(const JsonView& document);

// {model class: {group: {"params": {key: number or [numbers]}, "meta": ignored}}}. A group without
// "params" is itself the object of keys.
absl::StatusOr<ParamsDocument> ParseParamsDocument(const JsonView& document);
// {key: number or [numbers]}.
absl::StatusOr<ParamList> ParseParamList(const JsonView& view);

// {"gids": {population: [gid]}, "meta": {"graph": uuid, others ignored}}.
absl::StatusOr<SelectionDocument> ParseSelectionDocument(const JsonView& document);

// What the functions above read as the same.
Json ModelDocumentToJson(const ModelDocument& document);
Json ParamsDocumentToJson(const ParamsDocument& document);
Json SelectionDocumentToJson(const SelectionDocument& document);

}  // namespace livnd::io

#endif  // LIVND_IO_SYSTEM_SYSTEM_DOCUMENTS_H_
