// How a mode reaches Prometheus: the URL from the command line, every secret from a file.
#pragma once

#include <cstdint>
#include <string>
#include <vector>

#include "common/result.h"
#include "prometheus/http_client.h"
#include "prometheus/prometheus_client.h"
#include "prometheus/rule_timing.h"
#include "rulegen/options.h"
#include "thresholds/table.h"

namespace outgrown::rulegen {

// How a second server is reached. The login for Prometheus goes to no other host or port.
ConnectionOptions ConnectionTo(const std::string& url, const ConnectionOptions& prometheus);

// How the server with the rules is reached: Prometheus, or what --rules-url names.
ConnectionOptions RuleConnection(const Options& options);

// Both read the files and connect to nothing yet. All queries of a client together may take `patience` times the
// timeout of one.
Result<prometheus_api::HttpClient> OpenHttp(const ConnectionOptions& options);
Result<prometheus_api::PrometheusClient> Connect(const ConnectionOptions& options, int patience);

// How the samples of the tables' rules lie in time.
struct Timing {
  std::int64_t behind_ms = 0;    // of the most delayed rules, since all tables are judged at one instant
  std::vector<bool> alerts_lag;  // by index of the tables
  std::vector<std::vector<prometheus_api::RulesDiffer>> rules_differ;  // likewise
};
// Asks the server with the rules and the one with the series, for some seconds at most, with connections of its own.
Result<Timing> FindTiming(const Options& options, const std::vector<const Table*>& tables);

// Waits until the server answers queries, at most `wait_ms`. It waits while the connection is refused or the
// status is 503, as Prometheus gives while it replays its WAL; any other answer ends the wait and is judged
// by the query that gets it.
Result<void> WaitForServer(const ConnectionOptions& options, std::int64_t wait_ms);

}  // namespace outgrown::rulegen
