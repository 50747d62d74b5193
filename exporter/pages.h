// The exporter's pages: which paths there are and what each answers.
#pragma once

#include <optional>
#include <string>
#include <string_view>

#include "exporter/http_server.h"
#include "exporter/scrape.h"

namespace outgrown::exporter {

struct Pages {
  Settings settings;
  StoreSources sources;
  std::string telemetry_path;
  const Log& log;

  // The landing page, the metrics, /-/healthy and /-/ready; nothing for any other path. Thread-safe.
  std::optional<HttpResponse> Answer(std::string_view path) const;
};

}  // namespace outgrown::exporter
