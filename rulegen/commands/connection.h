// How a mode reaches Prometheus: the URL from the command line, every secret from a file.
#pragma once

#include "common/result.h"
#include "rulegen/commands/evaluate_options.h"
#include "rulegen/evaluate/http_client.h"
#include "rulegen/evaluate/prometheus_client.h"

namespace outgrown::commands {

// Both read the files and connect to nothing yet. All queries of a client together may take `patience` times the
// timeout of one.
Result<evaluate::HttpClient> OpenHttp(const ConnectionOptions& options);
Result<evaluate::PrometheusClient> Connect(const ConnectionOptions& options, int patience);

}  // namespace outgrown::commands
