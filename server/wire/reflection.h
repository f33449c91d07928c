// What the server serves, as messages of grpc.reflection.
#ifndef LIVND_SERVER_WIRE_REFLECTION_H_
#define LIVND_SERVER_WIRE_REFLECTION_H_

#include <map>
#include <string>

#include "absl/strings/string_view.h"
#include "absl/types/span.h"
#include "google/protobuf/descriptor.h"
#include "grpc/reflection/v1/reflection.pb.h"

namespace livnd::server {

// Lists the services of some files and describes all that these files and their imports declare.
// Thread-safe.
class Reflection {
 public:
  using Request = grpc::reflection::v1::ServerReflectionRequest;
  using Response = grpc::reflection::v1::ServerReflectionResponse;

  // Every service in `files` is served, and nothing else is.
  explicit Reflection(absl::Span<const google::protobuf::FileDescriptor* const> files);

  // What it does not know is told in the response: NOT_FOUND, or INVALID_ARGUMENT if nothing is
  // asked for.
  Response Answer(const Request& request) const;

 private:
  void Add(const google::protobuf::FileDescriptor& file);
  // With all that it imports; an error if it is null.
  void TellFile(const google::protobuf::FileDescriptor* file, absl::string_view field,
                absl::string_view asked, Response& response) const;

  // A pool of its own: the program's remembers every unknown name that it is asked for.
  google::protobuf::DescriptorPool pool_;
  std::map<const google::protobuf::FileDescriptor*, std::string> serialized_;
  grpc::reflection::v1::ListServiceResponse services_;
};

}  // namespace livnd::server

#endif  // LIVND_SERVER_WIRE_REFLECTION_H_
