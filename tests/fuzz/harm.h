// What a fuzz target finds besides crashes, hangs and what sanitizers see.
#ifndef LIVND_TESTS_FUZZ_HARM_H_
#define LIVND_TESTS_FUZZ_HARM_H_

#include <cstdio>
#include <cstdlib>
#include <string>

#include "absl/status/status.h"
#include "absl/strings/string_view.h"

namespace livnd::fuzz {

// Ends the process where a promise is not kept: libFuzzer keeps the input.
inline void Require(bool kept, absl::string_view promise) {
  if (kept) return;
  std::fprintf(stderr, "broken promise: %s\n", std::string(promise).c_str());
  std::abort();
}

// A caller's bytes are the caller's mistake, never ours.
inline void RequireCallersError(const absl::Status& status) {
  const absl::StatusCode code = status.code();
  Require(code != absl::StatusCode::kInternal && code != absl::StatusCode::kUnknown,
          status.ToString());
}

}  // namespace livnd::fuzz

#endif  // LIVND_TESTS_FUZZ_HARM_H_
