"""Builds a test again without optimization, and runs it."""

def _transition_impl(settings, attr):
    return {"//command_line_option:compilation_mode": "dbg"}

_unoptimized = transition(
    implementation = _transition_impl,
    inputs = [],
    outputs = ["//command_line_option:compilation_mode"],
)

def _unoptimized_test_impl(ctx):
    actual = ctx.attr.actual[0][DefaultInfo]
    executable = ctx.actions.declare_file(ctx.label.name)
    ctx.actions.symlink(
        output = executable,
        target_file = actual.files_to_run.executable,
        is_executable = True,
    )
    return [DefaultInfo(executable = executable, runfiles = actual.default_runfiles)]

unoptimized_test = rule(
    implementation = _unoptimized_test_impl,
    doc = "The test `actual`, compiled as with --compilation_mode=dbg.",
    test = True,
    attrs = {
        "actual": attr.label(mandatory = True, cfg = _unoptimized),
        "_allowlist_function_transition": attr.label(
            default = "@bazel_tools//tools/allowlists/function_transition_allowlist",
        ),
    },
)
