#include "server/trust/reread.h"

#include <string>

#include "absl/status/status.h"
#include "gtest/gtest.h"

namespace livnd::server {
namespace {

using Text = Reread<std::string>;

TEST(RereadTest, ANewValueHoldsOnceItHasBeenFoundTwice) {
  absl::StatusOr<std::string> file = "a";
  auto text = *Text::Create("the text", [&file] { return file; });
  EXPECT_EQ(*text->current(), "a");
  text->Look();
  file = "b";
  text->Look();
  EXPECT_EQ(*text->current(), "a");
  file = "bc";  // it was being written
  text->Look();
  EXPECT_EQ(*text->current(), "a");
  text->Look();
  EXPECT_EQ(*text->current(), "bc");
}

TEST(RereadTest, WhatCannotBeReadChangesNothing) {
  absl::StatusOr<std::string> file = "a";
  auto text = *Text::Create("the text", [&file] { return file; });
  file = absl::InvalidArgumentError("garbage");
  for (int i = 0; i < 3; ++i) text->Look();
  EXPECT_EQ(*text->current(), "a");
  file = "b";
  text->Look();
  file = absl::InvalidArgumentError("garbage");
  text->Look();
  file = "b";
  text->Look();
  EXPECT_EQ(*text->current(), "a");
  text->Look();
  EXPECT_EQ(*text->current(), "b");
}

TEST(RereadTest, WhatIsHeldStaysAsItIs) {
  absl::StatusOr<std::string> file = "a";
  auto text = *Text::Create("the text", [&file] { return file; });
  const auto held = text->current();
  file = "b";
  text->Look();
  text->Look();
  EXPECT_EQ(*held, "a");
  EXPECT_EQ(*text->current(), "b");
}

TEST(RereadTest, TheFirstReadingMustSucceed) {
  const auto text = Text::Create(
      "the text", [] { return absl::StatusOr<std::string>(absl::NotFoundError("x")); });
  EXPECT_EQ(text.status().code(), absl::StatusCode::kNotFound);
}

}  // namespace
}  // namespace livnd::server
