#include "rulegen/artefacts/dashboard/dashboard.h"

#include <string>

#include <doctest/doctest.h>
#include <nlohmann/json.hpp>

#include "rulegen/artefacts/dashboard/dashboard_json.h"
#include "test/rulegen/support/tiny_spec.h"

using namespace outgrown;

namespace {

constexpr const char* kJoiner = "\xE2\x81\xA0";  // U+2060, which has no width and no meaning

}  // namespace

TEST_CASE("what Grafana would take for a variable in the spec's texts is none, and looks the same") {
  spec::Spec spec = test::TinySpec();
  spec.signals[0].title = "$job ${path} [[instance]] 5 $ $";
  spec.signals[0].description = "Of $job.";
  spec.thresholds[0].because = "$job [[job]]";
  const auto dashboard =
      nlohmann::json::parse(artefacts::DashboardJson(spec, artefacts::PlanDashboard(spec)));
  std::string titles;
  std::string texts;
  for (const auto& panel : dashboard["panels"]) {
    titles += panel["title"].get<std::string>() + "\n";
    texts += panel.value("description", "") + panel.value("/options/content"_json_pointer, "") + "\n";
  }
  const std::string k = kJoiner;
  CHECK(titles.find("$" + k + "job $" + k + "{path} [" + k + "[instance]] 5 $ $") != std::string::npos);
  CHECK(texts.find("Of $" + k + "job.") != std::string::npos);
  CHECK(texts.find("\\$" + k + "job") != std::string::npos);
  for (const std::string& text : {titles, texts}) {
    CHECK(text.find("$job") == std::string::npos);
    CHECK(text.find("${") == std::string::npos);
    CHECK(text.find("[[") == std::string::npos);
  }
  // Where variables are meant they are still there.
  CHECK(dashboard.dump().find("job=~\\\"$job\\\"") != std::string::npos);
}
