// The page at "/" for people: each store's state. It needs nothing else from anywhere (no script, no image, no font).
#pragma once

#include <string>
#include <string_view>

#include "exporter/scrape.h"

namespace outgrown::exporter {

// A store's part of the page. Reasons are in the words of the table.
std::string StoreCard(const StoreReport& store, const Table& table);

// The whole page, with so many stores' cards.
std::string LandingPage(const Settings& settings, std::string_view telemetry_path, int stores,
                        std::string cards);

}  // namespace outgrown::exporter
