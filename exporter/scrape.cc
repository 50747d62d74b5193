#include "exporter/scrape.h"

#include <sys/stat.h>

#include <algorithm>
#include <chrono>
#include <cstdlib>
#include <filesystem>
#include <map>
#include <set>
#include <string_view>
#include <system_error>
#include <utility>

#include "counterblock/block_file.h"

namespace outgrown::exporter {
namespace {

namespace fs = std::filesystem;

std::string Environment(const char* name) {
  const char* value = ::secure_getenv(name);
  return value == nullptr ? std::string() : std::string(value);
}

// A scrape should take less than a second, the shortest scrape_timeout in use.
// The rest of that second is for the exporter's own collectors and for writing the page.
constexpr std::chrono::milliseconds kStoreTimeout(800);

// The runs of one collector for all stores add up to one.
struct CollectorSummary {
  std::chrono::nanoseconds duration{0};
  bool success = true;
};

// By collector.
class Summaries {
 public:
  void Add(std::string_view collector, const std::string& store, const CollectorRun& run) {
    CollectorSummary& summary = by_collector_[collector];
    summary.duration += run.duration;
    if (run.done) return;
    summary.success = false;
    const Error& error = run.done.error();
    // One failure for each source, so that the log says when each begins and ends.
    failures_[{std::string(collector), store, error.where}] = error.what;
  }

  void Expose(Samples& samples) const {
    for (const auto& [collector, summary] : by_collector_) {
      samples.Set("checkpoint_collector_duration_seconds", {collector},
                  static_cast<double>(summary.duration.count()) / 1e9);
      samples.Set("checkpoint_collector_success", {collector}, summary.success ? 1 : 0);
    }
  }

  Failures TakeFailures() { return std::move(failures_); }

 private:
  std::map<std::string_view, CollectorSummary> by_collector_;
  Failures failures_;
};

// The search for stores is timed and reported like a collector, but continues when a directory can't be
// listed.
std::vector<StoreTarget> FindAllStores(const StoreSources& sources, Summaries& summaries) {
  const auto start = std::chrono::steady_clock::now();
  FoundStores found = FindStores(sources);
  summaries.Add("stores", "", {std::chrono::steady_clock::now() - start, {}});
  for (const Error& problem : found.problems) summaries.Add("stores", "", {{}, problem});
  return std::move(found.stores);
}

}  // namespace

std::vector<std::string> DefaultBlockDirectories(const std::string& system_directory) {
  if (std::string named = Environment("OUTGROWN_DIR"); !named.empty()) return {std::move(named)};
  std::vector<std::string> directories;
  std::error_code failed;
  for (fs::directory_iterator entry(system_directory, failed); !failed && entry != fs::directory_iterator();
       entry.increment(failed)) {
    std::error_code ignored;
    // Not followed: whoever may write to /run/outgrown could make the exporter list any folder.
    if (entry->symlink_status(ignored).type() == fs::file_type::directory) {
      directories.push_back(entry->path().string());
    }
  }
  // The file system's order is arbitrary; a fixed one keeps the page's lines where they were.
  std::ranges::sort(directories);
  if (const std::string runtime = Environment("XDG_RUNTIME_DIR"); !runtime.empty()) {
    const std::string personal = runtime + "/outgrown";
    std::error_code ignored;
    if (fs::is_directory(personal, ignored)) directories.push_back(personal);
  }
  return directories;
}

FoundStores FindStores(const StoreSources& sources) {
  FoundStores found;
  std::map<std::string, StoreTarget> by_name;
  const std::vector<std::string> directories =
      sources.block_directories.empty() ? DefaultBlockDirectories() : sources.block_directories;
  std::set<std::pair<dev_t, ino_t>> seen;
  for (const std::string& directory : directories) {
    // One folder by several names (`D` and `D/`, a symbolic link, a bind mount) would have its blocks added up.
    struct stat status = {};
    if (::stat(directory.c_str(), &status) == 0 && !seen.emplace(status.st_dev, status.st_ino).second)
      continue;
    const Result<std::vector<block::BlockName>> names = block::ListBlocks(directory);
    if (!names) {
      // The other directories' stores are shown all the same.
      found.problems.push_back(names.error());
      continue;
    }
    if (names->empty()) continue;
    Result<block::Folder> opened = block::Folder::Open(directory);
    if (!opened) {
      found.problems.push_back(opened.error());
      continue;
    }
    const auto folder = std::make_shared<const block::Folder>(std::move(opened).value());
    for (const block::BlockName& name : *names) by_name[name.store].blocks.push_back({folder, name});
  }
  // --store adds a store without a block, or overrides the path that a block gives.
  for (const NamedStore& named : sources.named) by_name[named.name].database = named.database;
  found.stores.reserve(by_name.size());
  for (auto& [name, target] : by_name) {
    target.name = name;
    found.stores.push_back(std::move(target));
  }
  return found;
}

Scraper::Scraper(Settings settings, StoreSources sources, const Log& log)
    : settings_(std::make_shared<const Settings>(std::move(settings))),
      sources_(std::move(sources)),
      log_(log),
      probes_(kStoreCollectors, kStoreTimeout) {}

Samples Scraper::Scrape(const std::function<void(const StoreReport&)>& visit) {
  Summaries summaries;
  // So that every collector has its series also when there is no store.
  for (const StoreCollector& collector : kStoreCollectors) summaries.Add(collector.name, "", {});
  probes_.Run(settings_, FindAllStores(sources_, summaries), [&](const StoreReport& report) {
    visit(report);
    for (const auto& [collector, run] : report.runs) summaries.Add(collector, report.name, run);
  });
  Samples own;
  for (const ExporterCollector& collector : kExporterCollectors) {
    const auto start = std::chrono::steady_clock::now();
    Result<void> done = collector.collect(*settings_, own);
    summaries.Add(collector.name, "", {std::chrono::steady_clock::now() - start, std::move(done)});
  }
  summaries.Expose(own);
  LogChanges(summaries.TakeFailures());
  return own;
}

void Scraper::LogChanges(Failures now) {
  const std::lock_guard<std::mutex> lock(failures_mutex_);
  for (const auto& [source, what] : now) {
    // By source and not by text: a reason that changes with each scrape would fill the log.
    if (failures_.contains(source)) continue;
    log_.Warn(
        "Collector failed",
        {{"collector", source.collector}, {"store", source.store}, {"where", source.where}, {"err", what}});
  }
  for (const auto& [source, what] : failures_) {
    if (now.contains(source)) continue;
    log_.Info("Collector fails no longer",
              {{"collector", source.collector}, {"store", source.store}, {"where", source.where}});
  }
  failures_ = std::move(now);
}

}  // namespace outgrown::exporter
