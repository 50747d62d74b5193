// How a mode reaches Prometheus: the URL from the command line, every secret from a file.
#pragma once

#include "common/result.h"
#include "rulegen/commands/evaluate_options.h"
#include "rulegen/evaluate/prometheus_client.h"

namespace outgrown::commands {

// Reads the files; connects to nothing yet.
Result<evaluate::PrometheusClient> Connect(const ConnectionOptions& options);

}  // namespace outgrown::commands
