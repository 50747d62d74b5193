// Runs the store collectors beside the scrape, so that a store on a file system that doesn't answer costs its
// own numbers only.
//
// Each store has a deadline, by its own time: what its thread waits for the processor doesn't count, or on a
// busy machine healthy stores would be called stuck. One thread reads all of them: two would wait for each other's
// locks, the allocator's first of all, for a quarter of the processor time. A thread that waits for a file system is
// replaced while it waits, at first by one, then by ever more, so that many stores that hang at once reach their
// deadlines together.
//
// A thread that is stuck in a system call can't be ended, only left alone. So one thing is kept from scrape to scrape:
// which stores have such a thread. While one has, it isn't asked again.
#pragma once

#include <chrono>
#include <functional>
#include <memory>
#include <span>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "common/result.h"
#include "exporter/collectors/collectors.h"
#include "exporter/collectors/samples.h"

namespace outgrown::exporter {

struct CollectorRun {
  std::chrono::nanoseconds duration{0};
  Result<void> done;
};

// What is known of a store: of every collector, with an Error if it has not ended in time.
struct StoreReport {
  std::string name;
  std::size_t stores = 0;     // that the scrape reports
  std::string database;       // the path in use; empty if none is known
  std::string oldest_reader;  // who holds the write-ahead log back, for people; "" if nobody does
  std::string lock_holder;    // who has held the write lock for long; likewise
  Samples samples;
  std::vector<std::pair<std::string_view, CollectorRun>> runs;
};

class StoreProbes {
 public:
  // `collectors` run in their order; they outlive the process.
  StoreProbes(std::span<const StoreCollector> collectors, std::chrono::milliseconds timeout);

  // Calls `visit` with one report for each target, in their order, from this thread or another, one at a time. Safe to
  // call from several threads.
  void Run(const std::shared_ptr<const Settings>& settings, std::vector<StoreTarget> targets,
           const std::function<void(const StoreReport&)>& visit);

 private:
  class StuckStores;
  class Crew;

  std::span<const StoreCollector> collectors_;
  std::chrono::milliseconds timeout_;
  std::shared_ptr<StuckStores> stuck_;  // shared with threads that may outlive this
};

}  // namespace outgrown::exporter
