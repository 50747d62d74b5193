// The series of a [[signal.test]], taken apart: a metric's name and labels, each by `=`.
#pragma once

#include <optional>
#include <string_view>
#include <vector>

#include "thresholds/model.h"

namespace outgrown::spec {

struct TestLabel {
  std::string_view name;
  std::string_view literal;  // the value as it is written, with its quotes
};

// Views into the text.
struct TestSeries {
  std::string_view metric;
  std::vector<TestLabel> labels;
};

// Nothing if it is something else.
std::optional<TestSeries> ReadTestSeries(std::string_view text);

// The value of a literal that holds no escape; nothing if it holds one.
std::optional<std::string_view> PlainValue(std::string_view literal);

// Whether the case's series have more than one value of a label of the identity; where none is named, they have the
// example store's.
bool NamesSeveralStores(const Store& store, const SignalTest& test);

}  // namespace outgrown::spec
