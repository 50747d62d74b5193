// The server that holds the rules: Prometheus, Mimir or Thanos, or vmalert where another server keeps the series.
#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <string_view>

#include "common/result.h"
#include "prometheus/http_client.h"
#include "rulegen/verify/loaded_rules.h"

namespace outgrown::verify {

// The value of `..._config_last_reload_successful` in a page of Prometheus' or vmalert's own metrics; nothing if the
// page has none.
std::optional<bool> LastReloadSucceeded(std::string_view metrics_page);

class RuleServer {
 public:
  // Each request may take `timeout_ms`.
  RuleServer(prometheus_api::HttpClient http, std::int64_t timeout_ms)
      : http_(std::move(http)), timeout_ms_(timeout_ms) {}

  // What it has loaded. An error if it doesn't answer or its answer can't be read.
  Result<LoadedRules> Rules();

  // Whether its last reload of the configuration succeeded; nothing if it doesn't say.
  std::optional<bool> LastReloadSucceeded();

  // The canonical form of an expression; nothing if it has no such service (vmalert, VictoriaMetrics, Thanos).
  std::optional<std::string> Format(const std::string& expr);

  const std::string& url() const { return http_.url(); }

 private:
  prometheus_api::HttpClient http_;
  std::int64_t timeout_ms_;
  bool formats_ = true;  // until it was asked in vain
};

}  // namespace outgrown::verify
