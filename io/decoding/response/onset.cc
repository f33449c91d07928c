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
  return MakeFieldError(field, Exact(onset_ms),
                        absl::StrCat(Exact(pre_ms), " .. ", Exact(window.duration_ms() - post_ms),
                                     ": pre_ms and post_ms are within the window"));
}

}  // namespace livnd::io
