// The list of collectors, in the order in which they run. A new one is a file, a declaration and a line here.
#pragma once

#include <array>

#include "exporter/collectors/collector.h"

namespace outgrown::exporter {

Result<void> CollectCounterBlock(StoreScrape& store, Samples& samples);  // counter_block.cc
Result<void> CollectSqliteFile(StoreScrape& store, Samples& samples);    // sqlite_file.cc
Result<void> CollectStoreCommits(StoreScrape& store, Samples& samples);  // store_commits.cc
Result<void> CollectDeployment(StoreScrape& store, Samples& samples);    // deployment.cc

Result<void> CollectBuildInfo(const Settings& settings, Samples& samples);  // build_info.cc
Result<void> CollectProcess(const Settings& settings, Samples& samples);    // process.cc

inline constexpr std::array kStoreCollectors = {
    StoreCollector{"counter_block", &CollectCounterBlock},  // first: it reads where the database is
    StoreCollector{"sqlite_file", &CollectSqliteFile},
    StoreCollector{"store_commits", &CollectStoreCommits},
    StoreCollector{"deployment", &CollectDeployment},
};

inline constexpr std::array kExporterCollectors = {
    ExporterCollector{"build_info", &CollectBuildInfo},
    ExporterCollector{"process", &CollectProcess},
};

}  // namespace outgrown::exporter
