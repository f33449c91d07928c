#include "io/decoding/response/onset.h"

#include "absl/strings/str_cat.h"
#include "base/field_error.h"

namespace livnd::io {

absl::Status CheckOnset(absl::string_view field, double onset_ms, double pre_ms, double post_ms,
                        const DecodingWindow& window) {
  if (window.FirstTickAt(onset_ms - pre_ms) >= 0 &&
      window.FirstTickAt(onset_ms + post_ms) <= window.num_ticks) {
    return absl::OkStatus();
  }
  const double window_ms = window.duration_ms();
  if (window_ms < pre_ms + post_ms) {
    return MakeFieldError(
        field, Exact(onset_ms),
        absl::StrCat("a window of at least pre_ms + post_ms = ", Exact(pre_ms + post_ms),
                     ": this one has ", Exact(window_ms)));
  }
  return MakeFieldError(field, Exact(onset_ms),
                        absl::StrCat(Exact(pre_ms), " .. ", Exact(window_ms - post_ms),
                                     ": pre_ms and post_ms are within the window"));
}

}  // namespace livnd::io
