// What a data set tells of itself.
#ifndef LIVND_LAB_SAMPLE_SAMPLE_CARD_H_
#define LIVND_LAB_SAMPLE_SAMPLE_CARD_H_

#include <string>

#include "io/json/json_file.h"

namespace livnd::lab {

// README.md: how it was made, by the document of its plan (SamplePlan::document). The same for all who ran it.
std::string SampleCard(const io::Json& document);

// conversion_metadata.json: livn's four members, and some more.
io::Json ConversionMetadata(const io::Json& document);

}  // namespace livnd::lab

#endif  // LIVND_LAB_SAMPLE_SAMPLE_CARD_H_
