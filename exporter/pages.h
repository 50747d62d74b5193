// The exporter's pages: which paths there are and what each answers.
#pragma once

#include <optional>
#include <string>
#include <string_view>

#include "exporter/http_server.h"
#include "exporter/scrape.h"

namespace outgrown::exporter {

class Pages {
 public:
  // `scraper` must outlive this.
  Pages(Scraper& scraper, std::string telemetry_path)
      : scraper_(scraper), telemetry_path_(std::move(telemetry_path)) {}

  // The landing page, the metrics, /-/healthy and /-/ready; nothing for any other path. Thread-safe.
  std::optional<HttpResponse> Answer(std::string_view path) const;

 private:
  Scraper& scraper_;
  const std::string telemetry_path_;
};

}  // namespace outgrown::exporter
