"""Rules for .proto files: C++ code and descriptor sets, made by Debian's protoc.

    load("//tools:proto.bzl", "cc_proto_library", "proto_descriptor_set", "proto_files")

    proto_files(
        name = "livnd_proto",
        srcs = ["environment.proto"],
        root = "proto",                       # what an import path is relative to
        deps = ["//third_party/googleapis:rpc_proto"],
    )
    cc_proto_library(
        name = "livnd_cc",                    # #include "livnd/v1/environment.pb.h"
        srcs = ["environment.proto"],
        root = "proto",
        proto = ":livnd_proto",
        grpc = True,                          # and "livnd/v1/environment.grpc.pb.h"
        deps = ["//third_party/googleapis:rpc_cc"],
    )
    proto_descriptor_set(
        name = "livnd_descriptor_set",        # livnd_descriptor_set.binpb
        srcs = ["environment.proto"],
        root = "proto",
        proto = ":livnd_proto",
    )

Files under google/protobuf/ come with protoc and need no dependency.
"""

# Every folder an import path may start from; protoc warns about folders that do not exist, so the
# command keeps those that do.
_IMPORT_ROOTS = [
    "proto",
    "third_party/googleapis",
    "third_party/grpc_proto",
]

def _protoc(root):
    roots = [root] + [r for r in _IMPORT_ROOTS if r != root]
    flags = " ".join(["$$(test -d {r} && echo -I{r})".format(r = r) for r in roots])
    return "$(location @debian//:bin/protoc) " + flags + " -I/usr/include"

_TOOLS = [
    "@debian//:bin/protoc",
    "@debian//:bin/grpc_cpp_plugin",
]

def proto_files(name, srcs, root, deps = [], visibility = None):
    """The .proto files themselves together with all they import.

    Args:
      name: of the file group.
      srcs: the .proto files of this package.
      root: the folder, from the project's root, that import paths are relative to.
      deps: proto_files of what the sources import.
      visibility: as everywhere.
    """
    if not (native.package_name() + "/").startswith(root + "/"):
        fail("%s is not under root %s" % (native.package_name(), root))
    native.filegroup(
        name = name,
        srcs = srcs + deps,
        visibility = visibility,
    )

def cc_proto_library(name, srcs, root, proto, grpc = False, deps = [], visibility = None):
    """A cc_library of the C++ code that protoc, and with grpc = True its gRPC plugin, makes.

    Args:
      name: of the library.
      srcs: the .proto files of this package.
      root: the folder, from the project's root, that import paths are relative to.
      proto: the proto_files target that holds srcs.
      grpc: also make service stubs; <file>_mock.grpc.pb.h holds their mocks.
      deps: cc_proto_library targets of what the sources import.
      visibility: as everywhere.
    """
    stems = [s[:-len(".proto")] for s in srcs]
    hdrs = [s + ".pb.h" for s in stems]
    code = [s + ".pb.cc" for s in stems]
    out = "$(GENDIR)/" + root
    cmd = _protoc(root) + " --cpp_out=" + out
    if grpc:
        hdrs += [s + ".grpc.pb.h" for s in stems] + [s + "_mock.grpc.pb.h" for s in stems]
        code += [s + ".grpc.pb.cc" for s in stems]
        cmd += " --plugin=protoc-gen-grpc=$(location @debian//:bin/grpc_cpp_plugin)"
        cmd += " --grpc_out=generate_mock_code=true:" + out
    cmd += "".join([" $(location %s)" % s for s in srcs])
    native.genrule(
        name = name + "_gen",
        srcs = srcs + [proto],
        outs = hdrs + code,
        cmd = cmd,
        message = "Generating C++ from .proto files in",
        tools = _TOOLS,
        visibility = ["//visibility:private"],
    )

    native.cc_library(
        name = name,
        srcs = code,
        hdrs = hdrs,
        copts = ["-w"],  # generated code is not ours to lint
        features = ["-layering_check"],
        strip_include_prefix = "/" + root,
        visibility = visibility,
        deps = deps + ["@debian//:protobuf"] + (["@debian//:grpc++"] if grpc else []),
    )

def proto_descriptor_set(name, srcs, root, proto, visibility = None):
    """One file, <name>.binpb: a FileDescriptorSet of srcs and all their imports, comments included.

    A client that builds its messages from this file needs no generated code.

    Args:
      name: of the target and, with .binpb, of the file.
      srcs: the .proto files of this package.
      root: the folder, from the project's root, that import paths are relative to.
      proto: the proto_files target that holds srcs.
      visibility: as everywhere.
    """
    native.genrule(
        name = name,
        srcs = srcs + [proto],
        outs = [name + ".binpb"],
        cmd = _protoc(root) + " --include_imports --include_source_info --descriptor_set_out=$@" +
              "".join([" $(location %s)" % s for s in srcs]),
        message = "Generating a descriptor set from .proto files in",
        tools = _TOOLS,
        visibility = visibility,
    )
