#include "server/wire/reflection.h"

#include <string>
#include <vector>

#include "google/protobuf/descriptor.pb.h"
#include "grpcpp/support/status.h"
#include "gtest/gtest.h"

namespace livnd::server {
namespace {

using google::protobuf::FileDescriptorProto;

// base.proto: message M with room for extensions. more.proto: M's extension 100, and two services.
class ReflectionTest : public ::testing::Test {
 protected:
  ReflectionTest() {
    FileDescriptorProto base;
    base.set_name("base.proto");
    base.set_package("p");
    auto* message = base.add_message_type();
    message->set_name("M");
    auto* range = message->add_extension_range();
    range->set_start(100);
    range->set_end(200);
    base_ = pool_.BuildFile(base);
    FileDescriptorProto more;
    more.set_name("more.proto");
    more.set_package("p");
    more.add_dependency("base.proto");
    auto* extension = more.add_extension();
    extension->set_name("e");
    extension->set_extendee(".p.M");
    extension->set_number(100);
    extension->set_label(google::protobuf::FieldDescriptorProto::LABEL_OPTIONAL);
    extension->set_type(google::protobuf::FieldDescriptorProto::TYPE_INT32);
    more.add_service()->set_name("S");
    more.add_service()->set_name("T");
    more_ = pool_.BuildFile(more);
  }

  static std::vector<std::string> Files(const Reflection::Response& response) {
    std::vector<std::string> names;
    for (const std::string& bytes : response.file_descriptor_response().file_descriptor_proto()) {
      FileDescriptorProto file;
      EXPECT_TRUE(file.ParseFromString(bytes));
      names.push_back(file.name());
    }
    return names;
  }

  google::protobuf::DescriptorPool pool_;
  const google::protobuf::FileDescriptor* base_;
  const google::protobuf::FileDescriptor* more_;
  Reflection::Request request_;
};

TEST_F(ReflectionTest, ServicesOfTheFilesAreListed) {
  request_.set_list_services("");
  const Reflection::Response listed = Reflection({more_, base_}).Answer(request_);
  ASSERT_EQ(listed.list_services_response().service_size(), 2);
  EXPECT_EQ(listed.list_services_response().service(0).name(), "p.S");
  EXPECT_EQ(listed.list_services_response().service(1).name(), "p.T");
}

TEST_F(ReflectionTest, ServicesOfImportsAreNotListed) {
  FileDescriptorProto user;
  user.set_name("user.proto");
  user.add_dependency("more.proto");
  request_.set_list_services("");
  const Reflection::Response listed = Reflection({pool_.BuildFile(user)}).Answer(request_);
  EXPECT_TRUE(listed.has_list_services_response());
  EXPECT_EQ(listed.list_services_response().service_size(), 0);
}

TEST_F(ReflectionTest, AFileComesWithItsImportsOnce) {
  const Reflection reflection({more_});
  request_.set_file_containing_symbol("p.S");
  EXPECT_EQ(Files(reflection.Answer(request_)),
            (std::vector<std::string>{"more.proto", "base.proto"}));
  request_.set_file_by_filename("base.proto");
  EXPECT_EQ(Files(reflection.Answer(request_)), std::vector<std::string>{"base.proto"});
}

TEST_F(ReflectionTest, ExtensionsAreFound) {
  const Reflection reflection({more_});
  request_.mutable_file_containing_extension()->set_containing_type("p.M");
  request_.mutable_file_containing_extension()->set_extension_number(100);
  EXPECT_EQ(Files(reflection.Answer(request_)),
            (std::vector<std::string>{"more.proto", "base.proto"}));
  request_.mutable_file_containing_extension()->set_extension_number(101);
  EXPECT_EQ(reflection.Answer(request_).error_response().error_code(), grpc::StatusCode::NOT_FOUND);
  request_.set_all_extension_numbers_of_type("p.M");
  const auto numbers = reflection.Answer(request_).all_extension_numbers_response();
  ASSERT_EQ(numbers.extension_number_size(), 1);
  EXPECT_EQ(numbers.extension_number(0), 100);
}

TEST_F(ReflectionTest, WhatNoFileDeclaresIsNotFound) {
  const Reflection reflection({base_});
  request_.set_host("h");
  request_.set_file_containing_symbol("p.S");  // in the program, but not in what is served
  const Reflection::Response response = reflection.Answer(request_);
  EXPECT_EQ(response.error_response().error_code(), grpc::StatusCode::NOT_FOUND);
  EXPECT_EQ(response.valid_host(), "h");
  EXPECT_EQ(response.original_request().file_containing_symbol(), "p.S");
}

}  // namespace
}  // namespace livnd::server
