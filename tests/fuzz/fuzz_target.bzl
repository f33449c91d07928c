"""A function that takes any bytes, run over a corpus by every test run and by libFuzzer on demand."""

def fuzz_target(name, srcs, deps, data = []):
    """NAME.cc defines LLVMFuzzerTestOneInput.

    NAME_corpus_test runs it over corpus/NAME, built as everything else is. NAME is the fuzzer, which
    only --config=fuzz builds.
    """
    native.cc_library(
        name = name + "_target",
        testonly = True,
        srcs = srcs,
        alwayslink = True,
        deps = deps + [":harm"],
    )
    native.cc_test(
        name = name + "_corpus_test",
        size = "small",
        srcs = ["corpus_test.cc"],
        args = ["tests/fuzz/corpus/" + name],
        data = data + native.glob(["corpus/" + name + "/*"]),
        deps = [
            ":%s_target" % name,
            "@debian//:gtest",
        ],
    )
    native.cc_binary(
        name = name,
        testonly = True,
        data = data,
        linkopts = ["-fsanitize=fuzzer"],
        tags = ["manual"],
        deps = [":%s_target" % name],
    )
