// The stores that generated tests are about: one value a label, "database-a" for the label database.
#pragma once

#include <string>
#include <string_view>
#include <vector>

#include "rulegen/artefacts/rules.h"
#include "thresholds/model.h"

namespace outgrown::plan {

// The identity labels of the store that most tests are about.
std::vector<Pair> ExampleStore(const spec::Spec& spec);

// Another store that differs from `store` in that one label: "database-b" where it has "database-a".
std::vector<Pair> OtherStore(std::vector<Pair> store, std::string_view label);

// The example store's last identity label told apart by what happens to it: database="above".
std::vector<Pair> StoreNamed(const spec::Spec& spec, std::string_view what);

// The labels of a target's own series, such as `up`: the example store's job, and its instance told apart by what
// happens to it.
std::vector<Pair> TargetNamed(std::string_view what);

// A series for a test's input: `selector` (a name, perhaps with matchers) and these labels, which it does not have yet.
std::string Selector(std::string_view selector, const std::vector<Pair>& labels);

}  // namespace outgrown::plan
