// Where in a window a stimulus may be.
#ifndef LIVND_IO_DECODING_RESPONSE_ONSET_H_
#define LIVND_IO_DECODING_RESPONSE_ONSET_H_

#include "absl/status/status.h"
#include "absl/strings/string_view.h"
#include "io/decoding/decoding.h"

namespace livnd::io {

// A field error unless pre_ms before the onset and post_ms after it are within the window.
absl::Status CheckOnset(absl::string_view field, double onset_ms, double pre_ms, double post_ms,
                        const DecodingWindow& window);

}  // namespace livnd::io

#endif  // LIVND_IO_DECODING_RESPONSE_ONSET_H_
