// How a mode reaches Prometheus: the URL from the command line, every secret from a file.
#pragma once

#include <string>

#include "common/result.h"
#include "prometheus/http_client.h"
#include "prometheus/prometheus_client.h"
#include "rulegen/evaluate_options.h"

namespace outgrown::commands {

// How a second server is reached. The login for Prometheus goes to no other host or port.
ConnectionOptions ConnectionTo(const std::string& url, const ConnectionOptions& prometheus);

// Both read the files and connect to nothing yet. All queries of a client together may take `patience` times the
// timeout of one.
Result<prometheus_api::HttpClient> OpenHttp(const ConnectionOptions& options);
Result<prometheus_api::PrometheusClient> Connect(const ConnectionOptions& options, int patience);

}  // namespace outgrown::commands
