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

TEST_CASE("a panel of each kind says its own text where no query has a result, and Grafana's without one") {
  using Kind = spec::DashboardPanel::Kind;
  spec::Spec spec = test::TinySpec();
  for (const Kind kind : {Kind::kChart, Kind::kStates, Kind::kTable}) {
    spec::DashboardPanel panel;
    panel.title = "Errors";
    panel.kind = kind;
    panel.queries = {{"{{reason}}", "x_errors{{shown}}"}};
    if (kind == Kind::kTable) panel.columns = {"reason", "Value"};
    panel.empty = "none of $job";
    spec.panels = {panel, panel};
    spec.panels[1].empty = "";
    const auto dashboard =
        nlohmann::json::parse(artefacts::DashboardJson(spec, artefacts::PlanDashboard(spec)));
    const auto& panels = dashboard["panels"];
    const auto& defaults = panels[panels.size() - 2]["fieldConfig"]["defaults"];
    CHECK(defaults["noValue"] == std::string("none of $") + kJoiner + "job");
    CHECK_FALSE(panels[panels.size() - 1]["fieldConfig"]["defaults"].contains("noValue"));
  }
}

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
