#include "rulegen/verify/rule_server.h"

#include <algorithm>
#include <array>

#include <fmt/format.h>

#include "common/json_tree.h"
#include "common/number.h"
#include "prometheus/prometheus_answer.h"

namespace outgrown::verify {
namespace {

constexpr std::array<std::string_view, 2> kReloadMetrics = {"prometheus_config_last_reload_successful",
                                                            "vmalert_config_last_reload_successful"};
constexpr long kHttpOk = 200;

}  // namespace

std::optional<bool> LastReloadSucceeded(std::string_view metrics_page) {
  while (!metrics_page.empty()) {
    const std::string_view line = metrics_page.substr(0, metrics_page.find('\n'));
    metrics_page.remove_prefix(std::min(line.size() + 1, metrics_page.size()));
    const std::string_view name = line.substr(0, line.find_first_of("{ "));
    if (std::ranges::find(kReloadMetrics, name) == kReloadMetrics.end()) continue;
    const std::optional<double> value = ParseNumber(line.substr(line.rfind(' ') + 1));
    if (value) return *value == 1;
  }
  return std::nullopt;
}

Result<LoadedRules> RuleServer::Rules() {
  // Newer servers leave out the firing alerts then, of which a fleet may have many; older ones ignore it.
  const Result<prometheus_api::HttpAnswer> http = http_.Get("/api/v1/rules?exclude_alerts=true", timeout_ms_);
  if (!http) return http.error();
  if (http->status != kHttpOk) {
    const std::string said = prometheus_api::ReadErrorAnswer(http->body);
    return Error{fmt::format("/api/v1/rules answered {}{}{}", http->status, said.empty() ? "" : ": ", said),
                 url()};
  }
  return ReadLoadedRules(http->body);
}

std::optional<bool> RuleServer::LastReloadSucceeded() {
  const Result<prometheus_api::HttpAnswer> http = http_.Get("/metrics", timeout_ms_);
  if (!http || http->status != kHttpOk) return std::nullopt;
  return verify::LastReloadSucceeded(http->body);
}

std::optional<std::string> RuleServer::Format(const std::string& expr) {
  if (!formats_) return std::nullopt;
  const Result<prometheus_api::HttpAnswer> http =
      http_.Post("/api/v1/format_query", {{"query", expr}}, timeout_ms_);
  if (!http || http->status != kHttpOk) {
    // An expression that the server can't parse says nothing about the next one.
    formats_ = http.ok() && !prometheus_api::ReadErrorAnswer(http->body).empty();
    return std::nullopt;
  }
  const Result<Json> document = ParseJson(http->body);
  const Json* data = document ? document->Find("data") : nullptr;
  if (data == nullptr || data->string() == nullptr) return std::nullopt;
  return *data->string();
}

}  // namespace outgrown::verify
