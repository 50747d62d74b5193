// The page at "/": what this exporter reads, each store with its state, and where the metrics are.
#pragma once

#include <string>
#include <string_view>

#include "exporter/scrape.h"

namespace outgrown::exporter {

// A whole HTML page that needs nothing else from anywhere: no script, no image, no font.
std::string LandingPage(const ScrapeResult& scrape, const Settings& settings,
                        std::string_view telemetry_path);

}  // namespace outgrown::exporter
