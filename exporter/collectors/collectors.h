// The list of collectors, in the order in which they run. A new one is a file, a declaration and a line here.
#pragma once

#include <array>

#include "exporter/collectors/collector.h"

namespace outgrown::exporter {

Result<void> CollectCounterBlock(StoreScrape& store, Samples& samples);  // counter_block.cc
Result<void> CollectSqliteFile(StoreScrape& store, Samples& samples);    // sqlite_file.cc
Result<void> CollectStoreCommits(StoreScrape& store, Samples& samples);  // store_commits.cc
Result<void> CollectDeployment(StoreScrape& store, Samples& samples);    // deployment.cc

void ShowCounterBlockStuck(const std::string& store, Samples& samples);
void ShowSqliteFileStuck(const std::string& store, Samples& samples);
void ShowStoreCommitsStuck(const std::string& store, Samples& samples);

Result<void> CollectBuildInfo(const Settings& settings, Samples& samples);       // build_info.cc
Result<void> CollectDecisionLog(const Settings& settings, Samples& samples);     // decision_log.cc
Result<void> CollectProcess(const Settings& settings, Samples& samples);         // process.cc
Result<void> CollectThresholdTable(const Settings& settings, Samples& samples);  // threshold_table.cc

// The counter block first, because it says where the database is; what can't get stuck before what can.
inline constexpr std::array kStoreCollectors = {
    StoreCollector{"counter_block", &CollectCounterBlock, &ShowCounterBlockStuck},
    StoreCollector{"deployment", &CollectDeployment, nullptr},
    StoreCollector{"sqlite_file", &CollectSqliteFile, &ShowSqliteFileStuck},
    StoreCollector{"store_commits", &CollectStoreCommits, &ShowStoreCommitsStuck},
};

inline constexpr std::array kExporterCollectors = {
    ExporterCollector{"threshold_table", &CollectThresholdTable},
    ExporterCollector{"decision_log", &CollectDecisionLog},
    ExporterCollector{"build_info", &CollectBuildInfo},
    ExporterCollector{"process", &CollectProcess},
};

}  // namespace outgrown::exporter
