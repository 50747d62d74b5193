// What a collector is: one data source in one file, as a function that adds samples.
//
// A collector says what it measured and, as an Error, why its source failed. It keeps nothing from one scrape
// to the next (but for the commits, in commit_account.h), logs nothing and times nothing: scrape.cc does that
// for all of them. A value that isn't there (no write yet, no log file) is no error: the collector leaves it out
// and, where the catalog has a metric for that, says why.
#pragma once

#include <array>
#include <memory>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "common/result.h"
#include "counterblock/block_file.h"
#include "counterblock/reader.h"
#include "exporter/collectors/commit_account.h"
#include "exporter/collectors/samples.h"
#include "exporter/sqlite/problem.h"
#include "exporter/sqlite/store_files.h"
#include "thresholds/table.h"

namespace outgrown::exporter {

// What the operator said that collectors need. Made once at the start and never changed.
struct Settings {
  std::string version;                 // of the exporter
  int servers = 1;                     // --deployment.servers
  std::string shared_id;               // --store.shared-id; empty: the stores are not shared
  std::string decision_log;            // --decision.log; empty: none
  const Table* table = nullptr;        // the threshold table; outlives the scrapes, never null during one
  double start_time_unix_seconds = 0;  // of this process
  std::shared_ptr<CommitAccounts> commits = std::make_shared<CommitAccounts>();  // from scrape to scrape
};

// A counter block's file. All blocks of a folder share its one descriptor, for as long as the scrape lasts.
struct BlockPlace {
  std::shared_ptr<const block::Folder> folder;
  block::BlockName name;
};

// A store as it was found for one scrape (scrape.h).
struct StoreTarget {
  std::string name;                // the label `database`
  std::string database;            // --store's path; empty: the counter block says it
  std::vector<BlockPlace> blocks;  // its counter blocks of every major, may be empty
};

// What a store's counter blocks say, for the collectors after theirs; nothing if one of them can't be read.
struct BlocksSay {
  std::vector<BlockCount> counts = {};
  std::uint64_t living_slots = 0;
  std::uint64_t last_write_unix_ns = 0;  // of any outcome; now while one is in flight; 0: none in this boot
  std::vector<block::OpenFile> open_files = {};  // now or within a minute, as living processes say
  std::uint64_t boot = 0;                        // of this kernel; 0: not known
  std::uint64_t lock_held_now_ns =
      0;  // how long the write lock has been held now; 0: it is not, or not timed
};

// One store during one scrape.
struct StoreScrape {
  const Settings& settings;
  const StoreTarget& target;
  std::string database;                          // the database file; empty while it is not known
  sqlite::DatabaseFolder* folder = nullptr;      // of the store before, at first
  std::optional<sqlite::StoreFiles> files = {};  // FilesOf's
  bool are_blocks_read = true;                   // or there are none
  BlocksSay blocks = {};
  std::string oldest_reader = {};  // who holds the log back, for people; "" if nobody does
  std::string lock_holder = {};    // who has held the write lock for long; likewise
};

// Runs once for each store, in the order of the list (below), so that a later one finds the path that
// an earlier one read from the counter block.
struct StoreCollector {
  std::string_view name;
  Result<void> (*collect)(StoreScrape& store, Samples& samples);
  void (*stuck)(const std::string& store,
                Samples& samples);  // what to show if it didn't end in time; may be null
};

// Runs once for each scrape.
struct ExporterCollector {
  std::string_view name;
  Result<void> (*collect)(const Settings& settings, Samples& samples);
};

// The collectors, and below in which order they run. A new one is a file, a declaration and a line.
Result<void> CollectCounterBlock(StoreScrape& store, Samples& samples);  // counter_block.cc
Result<void> CollectSqliteFile(StoreScrape& store, Samples& samples);    // sqlite_file.cc
Result<void> CollectStoreCommits(StoreScrape& store, Samples& samples);  // store_commits.cc
Result<void> CollectDeployment(StoreScrape& store, Samples& samples);    // configured.cc

void ShowCounterBlockStuck(const std::string& store, Samples& samples);
void ShowSqliteFileStuck(const std::string& store, Samples& samples);
void ShowStoreCommitsStuck(const std::string& store, Samples& samples);

Result<void> CollectBuildInfo(const Settings& settings, Samples& samples);       // process.cc
Result<void> CollectDecisionLog(const Settings& settings, Samples& samples);     // decision_log.cc
Result<void> CollectProcess(const Settings& settings, Samples& samples);         // process.cc
Result<void> CollectThresholdTable(const Settings& settings, Samples& samples);  // configured.cc

// The counter block first, because it says where the database is; collectors that can't block before those that can.
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

// The database's files, looked at once for all collectors of a store.
const sqlite::StoreFiles& FilesOf(StoreScrape& store);  // sqlite_file.cc

// For collectors of SQLite's files: a number that can't be had is a series with the reason, and an Error only
// where something is broken rather than absent. Sets `metric`{database, reason} to 1. The error, for problems
// that an operator has to look at, names the file.
Result<void> ReportProblem(const StoreScrape& store, std::string_view metric, sqlite::Problem problem,
                           Samples& samples);

}  // namespace outgrown::exporter
