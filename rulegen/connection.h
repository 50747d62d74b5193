// How a mode reaches Prometheus: the URL from the command line, every secret from a file.
#pragma once

#include <cstdint>
#include <string>

#include "common/result.h"
#include "prometheus/http_client.h"
#include "prometheus/prometheus_client.h"
#include "rulegen/options.h"

namespace outgrown::commands {

// How a second server is reached. The login for Prometheus goes to no other host or port.
ConnectionOptions ConnectionTo(const std::string& url, const ConnectionOptions& prometheus);

// Both read the files and connect to nothing yet. All queries of a client together may take `patience` times the
// timeout of one.
Result<prometheus_api::HttpClient> OpenHttp(const ConnectionOptions& options);
Result<prometheus_api::PrometheusClient> Connect(const ConnectionOptions& options, int patience);

// Waits until the server answers queries, at most `wait_ms`. Nobody to connect to and the status 503, as a Prometheus gives
// while it replays its log, are worth waiting for; any other answer is for the query that gets it to judge.
Result<void> WaitForServer(const ConnectionOptions& options, std::int64_t wait_ms);

}  // namespace outgrown::commands
