// How a mode reaches Prometheus: the URL from the command line, every secret from a file.
#pragma once

#include "common/result.h"
#include "rulegen/commands/evaluate_options.h"
#include "rulegen/evaluate/http_client.h"
#include "rulegen/evaluate/prometheus_client.h"

namespace outgrown::commands {

// Both read the files and connect to nothing yet.
Result<evaluate::HttpClient> OpenHttp(const ConnectionOptions& options);
Result<evaluate::PrometheusClient> Connect(const ConnectionOptions& options);

}  // namespace outgrown::commands
