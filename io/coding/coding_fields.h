// The numbers of an encoding or a decoding by name: read from plain data, checked, and listed.
#ifndef LIVND_IO_CODING_CODING_FIELDS_H_
#define LIVND_IO_CODING_CODING_FIELDS_H_

#include <cstdint>
#include <initializer_list>
#include <optional>
#include <string>
#include <utility>
#include <vector>

#include "absl/status/status.h"
#include "absl/strings/string_view.h"
#include "io/json/json_view.h"

namespace livnd::io {

// A configuration visits its fields with their bounds in
//
//   void Describe(CodingFields& fields);
//
// and so is read, checked and documented by one list. Three ways to use it:
//
//   CodingFields(view)  takes what the object says in place of the defaults, then checks
//   CodingFields()      checks what the configuration holds
//   either              lists the fields in `described`
//
// After the first error no field is touched any more.
class CodingFields {
 public:
  struct Field {
    std::string name;
    std::string accepted;
    std::string value;  // what the configuration held: of a default one, the default
  };

  CodingFields() = default;
  explicit CodingFields(const JsonView& object) : object_(object) {}

  void Number(absl::string_view name, double* value, double low, double high);
  void Whole(absl::string_view name, int64_t* value, int64_t low, int64_t high);
  void Flag(absl::string_view name, bool* value);
  // One of some words; *value is its index.
  void Word(absl::string_view name, int* value, std::initializer_list<absl::string_view> words);
  // At most max_size numbers within the bounds.
  void Numbers(absl::string_view name, std::vector<double>* values, size_t max_size, double low,
               double high);
  // At most max_size lists of numbers, each of at most max_size.
  void Lists(absl::string_view name, std::vector<std::vector<double>>* values, size_t max_size,
             double low, double high);
  // Something that a bound does not say; after the fields that it is about.
  void Require(bool holds, absl::string_view name, absl::string_view value,
               absl::string_view accepted);

  // The first error: a field out of its bounds, or, of a view, a member of its object that is no
  // field ("name" is always one).
  absl::Status Finish();

  const std::vector<Field>& described() const { return described_; }

 private:
  // The member of that name, if the rest is still to be looked at.
  std::optional<JsonView> Visit(absl::string_view name, std::string accepted, std::string value);
  void Take(const absl::Status& status);
  void Refuse(absl::string_view name, absl::string_view value, absl::string_view accepted);
  void CheckNumbers(absl::string_view name, const std::vector<double>& values, size_t max_size,
                    double low, double high);

  std::optional<JsonView> object_;
  absl::Status status_;
  std::vector<Field> described_;
};

// Checks a configuration: a field error.
template <typename Config>
absl::Status CheckFields(Config config) {
  CodingFields fields;
  config.Describe(fields);
  return fields.Finish();
}

// Reads one; defaults stay where the object does not name a field.
template <typename Config>
absl::Status ReadFields(const JsonView& object, Config* config) {
  CodingFields fields(object);
  config->Describe(fields);
  return fields.Finish();
}

// For configurations without fields.
struct NoFields {
  void Describe(CodingFields&) {}
};

}  // namespace livnd::io

#endif  // LIVND_IO_CODING_CODING_FIELDS_H_
