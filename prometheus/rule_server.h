// A server that holds rules or keeps series, asked about itself: what it has loaded, whether its last reload
// succeeded, how long it keeps samples, and how it spells an expression.
#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <string_view>
#include <utility>

#include "common/result.h"
#include "common/time_text.h"
#include "prometheus/http_client.h"

namespace outgrown::prometheus_api {

// The value of `..._config_last_reload_successful` in a page of Prometheus', vmalert's or Thanos' ruler's own metrics;
// nothing if the page has none.
std::optional<bool> LastReloadSucceeded(std::string_view metrics_page);

// How long Prometheus keeps samples, from the body of /api/v1/status/runtimeinfo, which is what holds, wherever it was set;
// nothing if it doesn't say so, or only a size bounds it.
std::optional<Milliseconds> RuntimeRetentionOf(std::string_view runtimeinfo_body);

// The same from the body of /api/v1/status/flags.
std::optional<Milliseconds> RetentionOf(std::string_view flags_body);

class RuleServer {
 public:
  // Each request may take `timeout_ms`.
  RuleServer(HttpClient http, std::int64_t timeout_ms) : http_(std::move(http)), timeout_ms_(timeout_ms) {}

  // Its list of rules, as JSON. An error if it doesn't answer.
  Result<std::string> Rules();

  // The recording rules alone, where the server can leave out the others.
  Result<std::string> RecordingRules();

  // Whether its last reload of the configuration succeeded; nothing if it doesn't say.
  std::optional<bool> LastReloadSucceeded();

  // How long it keeps samples; nothing if it doesn't say so.
  std::optional<Milliseconds> Retention();

  // The canonical form of an expression; nothing if it has no such service (vmalert, VictoriaMetrics, Thanos).
  std::optional<std::string> Format(const std::string& expr);

  const std::string& url() const { return http_.url(); }

 private:
  Result<std::string> ListOf(const char* path);

  HttpClient http_;
  std::int64_t timeout_ms_;
  bool formats_ = true;  // until it was asked in vain
};

}  // namespace outgrown::prometheus_api
