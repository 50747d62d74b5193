#include "rulegen/artefacts/documents.h"

#include <cstddef>
#include <string>

#include <doctest/doctest.h>

#include "rulegen/artefacts/rules.h"
#include "test/rulegen/support/tiny_spec.h"

using namespace outgrown;

namespace {

// The runbook's section about that alert.
std::string Section(const spec::Spec& spec, const std::string& alert) {
  const std::string text = artefacts::RunbookMarkdown(spec, artefacts::PlanRules(spec));
  const std::size_t begin = text.find("\n## " + alert + "\n");
  REQUIRE(begin != std::string::npos);
  return text.substr(begin, text.find("\n## ", begin + 1) - begin);
}

}  // namespace

TEST_CASE(
    "a section of the runbook always says what to look at or to do, the spec's own words where it has some") {
  spec::Spec spec = test::TinySpec();
  CHECK(Section(spec, "QueueRate").find("- **Look at:** how queue:jobs_per_second moved") !=
        std::string::npos);
  CHECK(Section(spec, "QueueRate")
            .find("- **Do:** Find out what changed. If it does not go back, plan the move to a "
                  "broker.\n") != std::string::npos);
  spec.thresholds[0].act = "Buy disks.";
  CHECK(Section(spec, "QueueRate").find("Look at:") == std::string::npos);
  CHECK(Section(spec, "QueueRate").find("- **Do:** Buy disks.\n") != std::string::npos);
  CHECK(Section(spec, "QueueDepth").find("- **Look at:**") != std::string::npos);
}
