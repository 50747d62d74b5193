// The exporter's pages: which paths there are and what each answers. The metrics, for Prometheus; "/", which shows people
// what this exporter reads and each store's state, and needs nothing else from anywhere (no script, no image, no font).
#pragma once

#include <optional>
#include <string>
#include <string_view>
#include <utility>

#include "exporter/http_server.h"
#include "exporter/scrape.h"

namespace outgrown::exporter {

// A store's part of the page at "/".
std::string StoreCard(const StoreReport& store);

class Pages {
 public:
  // `scraper` must outlive this.
  Pages(Scraper& scraper, std::string telemetry_path)
      : scraper_(scraper), telemetry_path_(std::move(telemetry_path)) {}

  // The landing page, the metrics, /-/healthy and /-/ready; nothing for any other path. Thread-safe.
  std::optional<HttpResponse> Answer(std::string_view path) const;

 private:
  HttpResponse Metrics() const;
  HttpResponse Landing() const;

  Scraper& scraper_;
  const std::string telemetry_path_;
};

}  // namespace outgrown::exporter
