#include "prometheus/rule_server.h"

#include <algorithm>
#include <array>

#include "common/json.h"
#include "common/text.h"
#include "prometheus/prometheus_answer.h"

namespace outgrown::prometheus_api {
namespace {

constexpr std::array<std::string_view, 3> kReloadMetrics = {"prometheus_config_last_reload_successful",
                                                            "vmalert_config_last_reload_successful",
                                                            "thanos_rule_config_last_reload_successful"};
constexpr long kHttpOk = 200;
constexpr Milliseconds kRetentionDefault{15LL * 24 * 3'600'000};  // Prometheus'

}  // namespace

// From the server's own /metrics, which Prometheus, vmalert and Thanos have. A failed reload leaves the old
// rules running, so that the list of rules may look right until the next restart.
std::optional<bool> LastReloadSucceeded(std::string_view metrics_page) {
  while (!metrics_page.empty()) {
    const std::string_view line = metrics_page.substr(0, metrics_page.find('\n'));
    metrics_page.remove_prefix(std::min(line.size() + 1, metrics_page.size()));
    const std::string_view name = line.substr(0, line.find_first_of("{ "));
    if (std::ranges::find(kReloadMetrics, name) == kReloadMetrics.end()) continue;
    // Without a timestamp, which neither server adds to its own metrics: the last word is the value.
    const std::optional<double> value = ParseNumber(line.substr(line.rfind(' ') + 1));
    if (value) return *value == 1;
  }
  return std::nullopt;
}

// Newer servers leave out the firing alerts then, of which a fleet may have many; older ones ignore it.
Result<std::string> RuleServer::Rules() { return ListOf("/api/v1/rules?exclude_alerts=true"); }

Result<std::string> RuleServer::RecordingRules() { return ListOf("/api/v1/rules?type=record"); }

Result<std::string> RuleServer::ListOf(const char* path) {
  Result<HttpAnswer> http = http_.Get(path, timeout_ms_);
  if (!http) return http.error();
  if (http->status != kHttpOk) {
    return Error{"/api/v1/rules " + ErrorAnswerText(http->status, http->body), url()};
  }
  return std::move(http->body);
}

std::optional<bool> RuleServer::LastReloadSucceeded() {
  const Result<HttpAnswer> http = http_.Get("/metrics", timeout_ms_);
  if (!http || http->status != kHttpOk) return std::nullopt;
  return prometheus_api::LastReloadSucceeded(http->body);
}

// Nothing where only a size bounds the storage: how long that is depends on the load.
std::optional<Milliseconds> RetentionOf(std::string_view flags_body) {
  const Result<Json> document = ParseJson(flags_body);
  const Json* data = document ? document->Find("data") : nullptr;
  if (data == nullptr) return std::nullopt;
  const auto flag = [&](std::string_view name) -> std::optional<std::string> {
    const Json* value = data->Find(name);
    if (value == nullptr || value->string() == nullptr) return std::nullopt;
    return *value->string();
  };
  bool is_known = false;
  // The second is the older flag, removed in Prometheus 3. "0s" means "not set".
  for (const char* name : {"storage.tsdb.retention.time", "storage.tsdb.retention"}) {
    const std::optional<std::string> text = flag(name);
    if (!text) continue;
    const std::optional<Milliseconds> time = ParseDuration(*text);
    if (time && *time > Milliseconds(0)) return time;
    is_known = true;
  }
  const bool by_size = !flag("storage.tsdb.retention.size").value_or("0B").starts_with('0');
  if (!is_known || by_size) return std::nullopt;
  return kRetentionDefault;
}

// "7d", "1GiB", "7d or 1GiB". Source: prometheus/cmd/prometheus/main.go.
std::optional<Milliseconds> RuntimeRetentionOf(std::string_view runtimeinfo_body) {
  const Result<Json> document = ParseJson(runtimeinfo_body);
  const Json* data = document ? document->Find("data") : nullptr;
  const Json* value = data != nullptr ? data->Find("storageRetention") : nullptr;
  if (value == nullptr || value->string() == nullptr) return std::nullopt;
  const std::string_view text = *value->string();
  const std::optional<Milliseconds> time = ParseDuration(text.substr(0, text.find(" or ")));
  return time && *time > Milliseconds(0) ? time : std::nullopt;
}

std::optional<Milliseconds> RuleServer::Retention() {
  // Newer servers take it from their configuration file, too, of which the flags know nothing.
  const Result<HttpAnswer> runtime = http_.Get("/api/v1/status/runtimeinfo", timeout_ms_);
  if (runtime && runtime->status == kHttpOk) {
    if (const std::optional<Milliseconds> time = RuntimeRetentionOf(runtime->body)) return time;
  }
  const Result<HttpAnswer> http = http_.Get("/api/v1/status/flags", timeout_ms_);
  if (!http || http->status != kHttpOk) return std::nullopt;
  return RetentionOf(http->body);
}

std::optional<std::string> RuleServer::Format(const std::string& expr) {
  if (!formats_) return std::nullopt;
  const Result<HttpAnswer> http = http_.Post("/api/v1/format_query", {{"query", expr}}, timeout_ms_);
  if (!http || http->status != kHttpOk) {
    // An error in the API's own format is about this expression. Anything else: the server has no such page,
    // don't ask again.
    formats_ = http.ok() && !ReadErrorAnswer(http->body).empty();
    return std::nullopt;
  }
  const Result<Json> document = ParseJson(http->body);
  const Json* data = document ? document->Find("data") : nullptr;
  if (data == nullptr || data->string() == nullptr) return std::nullopt;
  return *data->string();
}

}  // namespace outgrown::prometheus_api
