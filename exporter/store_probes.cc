#include "exporter/store_probes.h"

#include <condition_variable>
#include <mutex>
#include <set>
#include <system_error>
#include <thread>
#include <utility>

namespace outgrown::exporter {

// The names of stores with a thread that has missed its deadline, once for each such thread.
class StoreProbes::StuckStores {
 public:
  bool Contains(const std::string& store) {
    const std::lock_guard<std::mutex> lock(mutex_);
    return names_.contains(store);
  }
  void Add(const std::string& store) {
    const std::lock_guard<std::mutex> lock(mutex_);
    names_.insert(store);
  }
  void Remove(const std::string& store) {
    const std::lock_guard<std::mutex> lock(mutex_);
    names_.erase(names_.find(store));
  }

 private:
  std::mutex mutex_;
  std::multiset<std::string> names_;
};

// One store's run, shared between its thread and the scrape that waits for it.
struct StoreProbes::Probe {
  Probe(std::shared_ptr<const Settings> settings_in, StoreTarget target_in)
      : settings(std::move(settings_in)), target(std::move(target_in)) {}

  void Work(std::span<const StoreCollector> collectors, StuckStores& stuck) {
    StoreScrape store{*settings, target, target.database};
    for (const StoreCollector& collector : collectors) {
      Samples samples;
      const auto start = std::chrono::steady_clock::now();
      Result<void> done = collector.collect(store, samples);
      const auto duration = std::chrono::steady_clock::now() - start;
      const std::lock_guard<std::mutex> lock(mutex);
      report.samples.Merge(samples);
      report.database = store.database;
      report.runs.insert_or_assign(collector.name, CollectorRun{duration, std::move(done)});
    }
    const std::lock_guard<std::mutex> lock(mutex);
    has_ended = true;
    ended.notify_all();
    if (is_stuck) stuck.Remove(target.name);
  }

  const std::shared_ptr<const Settings> settings;
  const StoreTarget target;
  std::mutex mutex;
  std::condition_variable ended;
  StoreReport report;  // of the collectors that have ended
  bool has_ended = false;
  bool is_stuck = false;  // its scrape has gone on without it
};

StoreProbes::StoreProbes(std::span<const StoreCollector> collectors, std::chrono::milliseconds timeout)
    : collectors_(collectors), timeout_(timeout), stuck_(std::make_shared<StuckStores>()) {}

// Null if the store has a stuck thread already.
std::shared_ptr<StoreProbes::Probe> StoreProbes::Start(const std::shared_ptr<const Settings>& settings,
                                                       const StoreTarget& target) {
  if (stuck_->Contains(target.name)) return nullptr;
  auto probe = std::make_shared<Probe>(settings, target);
  const auto work = [probe, stuck = stuck_, collectors = collectors_] { probe->Work(collectors, *stuck); };
  try {
    std::thread(work).detach();
  } catch (const std::system_error&) {
    work();  // no thread to be had: without a deadline is better than not at all
  }
  return probe;
}

StoreReport StoreProbes::Finish(Probe* probe, const StoreTarget& target,
                                std::chrono::steady_clock::time_point deadline) {
  StoreReport report;
  if (probe != nullptr) {
    std::unique_lock<std::mutex> lock(probe->mutex);
    if (!probe->ended.wait_until(lock, deadline, [&] { return probe->has_ended; })) {
      probe->is_stuck = true;
      stuck_->Add(target.name);
    }
    report = std::move(probe->report);
  }
  report.name = target.name;
  if (report.database.empty()) report.database = target.database;
  for (const StoreCollector& collector : collectors_) {
    if (report.runs.contains(collector.name)) continue;
    report.runs[collector.name] = {timeout_, Error{"not ended in time", report.database}};
    if (collector.stuck != nullptr) collector.stuck(target.name, report.samples);
  }
  return report;
}

std::vector<StoreReport> StoreProbes::Run(const std::shared_ptr<const Settings>& settings,
                                          const std::vector<StoreTarget>& targets) {
  const auto deadline = std::chrono::steady_clock::now() + timeout_;
  std::vector<std::shared_ptr<Probe>> probes;
  probes.reserve(targets.size());
  for (const StoreTarget& target : targets) probes.push_back(Start(settings, target));
  std::vector<StoreReport> reports;
  for (std::size_t i = 0; i < targets.size(); ++i) {
    reports.push_back(Finish(probes[i].get(), targets[i], deadline));
  }
  return reports;
}

}  // namespace outgrown::exporter
