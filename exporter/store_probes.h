// Runs the store collectors: every store on a thread of its own, with a deadline, so that a store on a file system that
// doesn't answer costs its own numbers and nobody else's.
//
// A thread that is stuck in a system call can't be ended, only left alone. So one thing is kept from scrape to scrape:
// which stores have such a thread. While one has, no further thread is started for it.
#pragma once

#include <chrono>
#include <map>
#include <memory>
#include <span>
#include <string>
#include <string_view>
#include <vector>

#include "common/result.h"
#include "exporter/collectors/collectors.h"
#include "exporter/collectors/samples.h"

namespace outgrown::exporter {

struct CollectorRun {
  std::chrono::nanoseconds duration{0};
  Result<void> done;
};

// What is known of a store at the deadline.
struct StoreReport {
  std::string name;
  Samples samples;
  std::string database;  // the path in use; empty if nobody has said one
  std::map<std::string_view, CollectorRun>
      runs;  // of every collector; with an Error if it has not ended in time
};

class StoreProbes {
 public:
  // `collectors` run in their order; they outlive the process.
  StoreProbes(std::span<const StoreCollector> collectors, std::chrono::milliseconds timeout);

  // One report for each target, in their order, after `timeout` at the latest. Safe to call from several threads.
  std::vector<StoreReport> Run(const std::shared_ptr<const Settings>& settings,
                               const std::vector<StoreTarget>& targets);

 private:
  struct Probe;
  class StuckStores;

  std::shared_ptr<Probe> Start(const std::shared_ptr<const Settings>& settings, const StoreTarget& target);
  StoreReport Finish(Probe* probe, const StoreTarget& target, std::chrono::steady_clock::time_point deadline);

  std::span<const StoreCollector> collectors_;
  std::chrono::milliseconds timeout_;
  std::shared_ptr<StuckStores> stuck_;  // shared with threads that may outlive this
};

}  // namespace outgrown::exporter
