#include "server/wire/reflection.h"

#include <set>
#include <vector>

#include "absl/strings/str_cat.h"
#include "google/protobuf/descriptor.pb.h"
#include "grpcpp/support/status.h"

namespace livnd::server {
namespace {

using google::protobuf::Descriptor;
using google::protobuf::FieldDescriptor;
using google::protobuf::FileDescriptor;

void TellError(grpc::StatusCode code, std::string message, Reflection::Response& response) {
  response.mutable_error_response()->set_error_code(code);
  response.mutable_error_response()->set_error_message(std::move(message));
}

void TellNotFound(absl::string_view field, absl::string_view asked,
                  Reflection::Response& response) {
  TellError(grpc::StatusCode::NOT_FOUND,
            absl::StrCat(field, " is '", asked,
                         "'; accepted: what the services that list_services names are made of"),
            response);
}

}  // namespace

Reflection::Reflection(absl::Span<const FileDescriptor* const> files) {
  for (const FileDescriptor* file : files) {
    Add(*file);
    for (int i = 0; i < file->service_count(); ++i) {
      services_.add_service()->set_name(file->service(i)->full_name());
    }
  }
}

void Reflection::Add(const FileDescriptor& file) {
  if (pool_.FindFileByName(file.name()) != nullptr) return;
  for (int i = 0; i < file.dependency_count(); ++i) Add(*file.dependency(i));
  google::protobuf::FileDescriptorProto proto;
  file.CopyTo(&proto);
  serialized_[pool_.BuildFile(proto)] = proto.SerializeAsString();
}

void Reflection::TellFile(const FileDescriptor* file, absl::string_view field,
                          absl::string_view asked, Response& response) const {
  if (file == nullptr) return TellNotFound(field, asked, response);
  std::vector<const FileDescriptor*> files = {file};
  std::set<const FileDescriptor*> seen = {file};
  for (size_t i = 0; i < files.size(); ++i) {
    response.mutable_file_descriptor_response()->add_file_descriptor_proto(
        serialized_.at(files[i]));
    for (int d = 0; d < files[i]->dependency_count(); ++d) {
      const FileDescriptor* dependency = files[i]->dependency(d);
      if (seen.insert(dependency).second) files.push_back(dependency);
    }
  }
}

Reflection::Response Reflection::Answer(const Request& request) const {
  Response response;
  response.set_valid_host(request.host());
  *response.mutable_original_request() = request;
  switch (request.message_request_case()) {
    case Request::kListServices:
      *response.mutable_list_services_response() = services_;
      break;
    case Request::kFileByFilename: {
      const std::string& name = request.file_by_filename();
      TellFile(pool_.FindFileByName(name), "file_by_filename", name, response);
      break;
    }
    case Request::kFileContainingSymbol: {
      const std::string& symbol = request.file_containing_symbol();
      TellFile(pool_.FindFileContainingSymbol(symbol), "file_containing_symbol", symbol, response);
      break;
    }
    case Request::kFileContainingExtension: {
      const auto& asked = request.file_containing_extension();
      const Descriptor* type = pool_.FindMessageTypeByName(asked.containing_type());
      const FieldDescriptor* extension =
          type == nullptr ? nullptr : pool_.FindExtensionByNumber(type, asked.extension_number());
      TellFile(extension == nullptr ? nullptr : extension->file(), "file_containing_extension",
               absl::StrCat(asked.extension_number(), " of ", asked.containing_type()), response);
      break;
    }
    case Request::kAllExtensionNumbersOfType: {
      const std::string& name = request.all_extension_numbers_of_type();
      const Descriptor* type = pool_.FindMessageTypeByName(name);
      if (type == nullptr) {
        TellNotFound("all_extension_numbers_of_type", name, response);
        break;
      }
      auto& numbers = *response.mutable_all_extension_numbers_response();
      numbers.set_base_type_name(name);
      std::vector<const FieldDescriptor*> extensions;
      pool_.FindAllExtensions(type, &extensions);
      for (const FieldDescriptor* extension : extensions) {
        numbers.add_extension_number(extension->number());
      }
      break;
    }
    case Request::MESSAGE_REQUEST_NOT_SET:
      TellError(grpc::StatusCode::INVALID_ARGUMENT,
                "message_request is not set; accepted: one of its fields", response);
      break;
  }
  return response;
}

}  // namespace livnd::server
