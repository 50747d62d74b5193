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

// What the server with the rules says of each table's. It and the server with the series are asked for some seconds at most,
// with connections of its own.
Result<std::vector<prometheus_api::RuleFindings>> FindRules(const Options& options,
                                                            const std::vector<const Table*>& tables);
// Of the most delayed rules, since all tables are judged at one instant.
std::int64_t BehindMs(const std::vector<prometheus_api::RuleFindings>& findings);

// Waits until the server answers queries, at most `wait_ms`. It waits while the connection is refused or the
// status is 503, as Prometheus gives while it replays its WAL; any other answer ends the wait and is judged
// by the query that gets it.
Result<void> WaitForServer(const ConnectionOptions& options, std::int64_t wait_ms);

}  // namespace outgrown::rulegen
