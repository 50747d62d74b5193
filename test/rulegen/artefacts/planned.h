// The tests that are planned for the tiny spec.
#pragma once

#include <string>
#include <string_view>
#include <vector>

#include <doctest/doctest.h>

#include "rulegen/artefacts/promtool/rule_tests.h"
#include "test/rulegen/artefacts/untested.h"
#include "test/rulegen/support/tiny_spec.h"

namespace outgrown::test {

// The first test whose name starts so.
inline const artefacts::PromtoolTest& Named(const std::vector<artefacts::PromtoolFile>& files,
                                            std::string_view start) {
  const artefacts::PromtoolTest* found = nullptr;
  for (const artefacts::PromtoolFile& file : files) {
    for (const artefacts::PromtoolTest& test : file.tests) {
      if (found == nullptr && test.name.starts_with(start)) found = &test;
    }
  }
  REQUIRE(found != nullptr);
  return *found;
}

struct Planned {
  spec::Spec spec = TinySpec();
  artefacts::RuleFile rules = artefacts::PlanRules(spec);
  std::vector<artefacts::PromtoolFile> files = artefacts::PlanTests(spec, rules);
  artefacts::PromtoolFile& tests = files.front();

  Planned() = default;
  Planned(const Planned&) = delete;
  Planned& operator=(const Planned&) = delete;

  std::vector<std::string> Untested() const { return artefacts::Untested(rules, files); }
};

}  // namespace outgrown::test
