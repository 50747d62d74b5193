#include "exporter/store_probes.h"

#include <sys/syscall.h>
#include <unistd.h>

#include <algorithm>
#include <condition_variable>
#include <mutex>
#include <optional>
#include <set>
#include <sstream>
#include <system_error>
#include <thread>

#include <fmt/format.h>

#include "common/file.h"

namespace outgrown::exporter {
namespace {

using Clock = std::chrono::steady_clock;
using std::chrono::nanoseconds;

// How often the threads are checked; one that has been reading the same store for this long may be blocked.
constexpr std::chrono::milliseconds kLook(20);

// What the scheduler says of a thread. Source: proc(5), /proc/PID/stat and
// Documentation/scheduler/sched-stats.rst.
struct Scheduling {
  bool is_runnable = false;    // on a processor, or waiting for one
  nanoseconds not_blocked{0};  // on a processor, and waiting for one, since its start
};

Scheduling SchedulingOf(pid_t thread) {
  Scheduling scheduling;
  const std::string task = fmt::format("/proc/self/task/{}/", thread);
  // The name may hold anything, also parentheses; the state follows the last one. A thread that has ended
  // meanwhile has no such file, and reads as waiting.
  if (const Result<std::string> stat = ReadFile(task + "stat")) {
    const std::size_t name_end = stat->rfind(')');
    scheduling.is_runnable = name_end != std::string::npos && stat->substr(name_end, 3) == ") R";
  }
  if (const Result<std::string> text = ReadFile(task + "schedstat")) {
    std::istringstream fields(*text);
    std::int64_t ran_ns = 0;
    std::int64_t waited_ns = 0;
    if (fields >> ran_ns >> waited_ns) scheduling.not_blocked = nanoseconds(ran_ns + waited_ns);
  }
  return scheduling;
}

}  // namespace

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
    // One entry: another thread of a later scrape may be stuck in the same store.
    names_.erase(names_.find(store));
  }

 private:
  std::mutex mutex_;
  std::multiset<std::string> names_;
};

// The threads of one scrape. They share it, because a stuck one outlives the scrape.
class StoreProbes::Crew {
 public:
  Crew(std::span<const StoreCollector> collectors, nanoseconds timeout, std::shared_ptr<StuckStores> stuck,
       std::shared_ptr<const Settings> settings, std::vector<StoreTarget> targets,
       const std::function<void(const StoreReport&)>& visit)
      : collectors_(collectors),
        timeout_(timeout),
        stuck_(std::move(stuck)),
        settings_(std::move(settings)),
        targets_(std::move(targets)),
        visit_(visit),
        stores_(targets_.size()) {}

  static void Run(const std::shared_ptr<Crew>& crew);

 private:
  // A store during the scrape.
  struct Store {
    enum class State { kWaiting, kRunning, kEnded, kGivenUp };
    State state = State::kWaiting;
    pid_t thread = 0;
    Clock::time_point since;                        // that it is running; once it was looked at, since then
    std::optional<nanoseconds> not_blocked_before;  // at the first look
    StoreReport report;                             // of the collectors that have ended
  };

  static void AddThread(const std::shared_ptr<Crew>& crew);
  void Work();
  std::optional<std::size_t> TakeStore();
  bool ReadStore(std::size_t index, Samples& samples, sqlite::DatabaseFolder& folder);
  std::size_t GiveUpOnTheStuck();
  StoreReport Finish(std::size_t index);
  void VisitReady();

  const std::span<const StoreCollector> collectors_;
  const nanoseconds timeout_;
  const std::shared_ptr<StuckStores> stuck_;
  const std::shared_ptr<const Settings> settings_;
  const std::vector<StoreTarget> targets_;
  // The caller's: not to be used once all stores were visited.
  const std::function<void(const StoreReport&)>& visit_;

  std::mutex mutex_;
  std::condition_variable all_visited_;
  std::vector<Store> stores_;  // as targets_
  std::size_t next_ = 0;
  std::size_t threads_ = 0;
  std::size_t visited_ = 0;
  bool is_visiting_ = false;
  Samples spare_;  // a visited report's, for the room that they took
};

void StoreProbes::Crew::AddThread(const std::shared_ptr<Crew>& crew) {
  {
    const std::lock_guard<std::mutex> lock(crew->mutex_);
    ++crew->threads_;
  }
  const auto work = [crew] { crew->Work(); };
  try {
    // Detached: a thread in an uninterruptible system call can't be joined, not even at the exporter's end.
    // It shares the crew, the settings and the collectors, which outlive the process.
    std::thread(work).detach();
    return;
  } catch (const std::system_error&) {
    const std::lock_guard<std::mutex> lock(crew->mutex_);
    // The threads there are will take its stores.
    if (--crew->threads_ > 0) return;
    ++crew->threads_;
  }
  work();  // no thread available: reading without a deadline is better than not reading
}

void StoreProbes::Crew::Work() {
  Samples samples;  // one for all stores, since making room anew for each would take as long as reading it
  sqlite::DatabaseFolder folder;
  while (const std::optional<std::size_t> index = TakeStore()) {
    if (!ReadStore(*index, samples, folder)) return;  // another thread has taken its place
    VisitReady();  // at once: the reports of a thousand stores would take more room than their page
  }
  VisitReady();  // those that are not asked
}

std::optional<std::size_t> StoreProbes::Crew::TakeStore() {
  const std::lock_guard<std::mutex> lock(mutex_);
  while (next_ < stores_.size()) {
    const std::size_t index = next_++;
    Store& store = stores_[index];
    // A thread more would be stuck as well; after a day of scrapes there would be thousands.
    if (stuck_->Contains(targets_[index].name)) {
      store.state = Store::State::kGivenUp;
      continue;
    }
    store.state = Store::State::kRunning;
    (store.report.samples = std::move(spare_)).Clear();
    store.thread = static_cast<pid_t>(::syscall(SYS_gettid));
    store.since = Clock::now();
    return index;
  }
  --threads_;
  return std::nullopt;
}

// False if the scrape has given the store up.
bool StoreProbes::Crew::ReadStore(std::size_t index, Samples& samples, sqlite::DatabaseFolder& folder) {
  const StoreTarget& target = targets_[index];
  StoreScrape scrape{*settings_, target, target.database, &folder};
  for (const StoreCollector& collector : collectors_) {
    // Of each collector alone, so that what one has added before it got stuck is not shown half.
    samples.Clear();
    const auto start = Clock::now();
    Result<void> done = collector.collect(scrape, samples);
    const auto duration = Clock::now() - start;
    const std::lock_guard<std::mutex> lock(mutex_);
    Store& store = stores_[index];
    if (store.state == Store::State::kGivenUp) continue;  // the scrape has reported it as stuck already
    store.report.samples.Merge(samples);
    store.report.database = scrape.database;
    store.report.oldest_reader = scrape.oldest_reader;
    store.report.lock_holder = scrape.lock_holder;
    store.report.runs.emplace_back(collector.name, CollectorRun{duration, std::move(done)});
  }
  const std::lock_guard<std::mutex> lock(mutex_);
  Store& store = stores_[index];
  // It came back after all: the next scrape may ask the store again.
  if (store.state == Store::State::kGivenUp) {
    stuck_->Remove(target.name);
    return false;
  }
  store.state = Store::State::kEnded;
  return true;
}

// Returns the number of threads that wait for something other than the processor.
std::size_t StoreProbes::Crew::GiveUpOnTheStuck() {
  std::size_t waiting = 0;
  const auto now = Clock::now();
  for (std::size_t i = 0; i < next_; ++i) {
    Store& store = stores_[i];
    if (store.state != Store::State::kRunning || (!store.not_blocked_before && now - store.since < kLook))
      continue;
    const Scheduling scheduling = SchedulingOf(store.thread);
    if (!store
             .not_blocked_before) {  // this thread may have been delayed itself, so the time before is not counted
      store.not_blocked_before = scheduling.not_blocked;
      store.since = now;
    }
    if (scheduling.is_runnable) continue;
    // CPU starvation is not the file system's fault, nor is a long computation that has just ended: without this a busy
    // machine would call healthy stores stuck.
    const nanoseconds not_blocked = scheduling.not_blocked - *store.not_blocked_before;
    if (now - store.since - not_blocked >= timeout_) {
      store.state = Store::State::kGivenUp;
      stuck_->Add(targets_[i].name);
      --threads_;
    } else {
      ++waiting;
    }
  }
  return waiting;
}

// The report of a store that has ended or was given up.
StoreReport StoreProbes::Crew::Finish(std::size_t index) {
  StoreReport report = std::move(stores_[index].report);
  const StoreTarget& target = targets_[index];
  report.name = target.name;
  report.stores = targets_.size();
  if (report.database.empty()) report.database = target.database;
  for (const StoreCollector& collector : collectors_.subspan(report.runs.size())) {
    report.runs.emplace_back(collector.name,
                             CollectorRun{timeout_, Error{"not ended in time", report.database}});
    if (collector.stuck != nullptr) collector.stuck(target.name, report.samples);
  }
  return report;
}

// Passes on the reports that are ready, in the order of the targets. One thread does it at a time, also with what the others
// have read meanwhile.
void StoreProbes::Crew::VisitReady() {
  std::unique_lock<std::mutex> lock(mutex_);
  if (std::exchange(is_visiting_, true)) return;
  for (; visited_ < stores_.size(); ++visited_) {
    const Store::State state = stores_[visited_].state;
    if (state != Store::State::kEnded && state != Store::State::kGivenUp) break;
    StoreReport report = Finish(visited_);
    lock.unlock();
    visit_(report);
    lock.lock();
    spare_ = std::move(report.samples);
  }
  is_visiting_ = false;
  if (visited_ == stores_.size()) all_visited_.notify_all();
}

void StoreProbes::Crew::Run(const std::shared_ptr<Crew>& crew) {
  Crew& self = *crew;
  const std::size_t count = self.targets_.size();
  if (count > 0) AddThread(crew);
  while (true) {
    std::size_t missing = 0;
    {
      std::unique_lock<std::mutex> lock(self.mutex_);
      if (self.all_visited_.wait_for(lock, kLook, [&] { return self.visited_ == count; })) return;
      const std::size_t waiting = self.GiveUpOnTheStuck();
      // As many as wait: if 100 stores hang, their deadlines run side by side, and the scrape ends in time.
      if (self.next_ < count && self.threads_ <= waiting)
        missing = std::min(count - self.next_, std::max<std::size_t>(waiting, 1));
    }
    // Outside of the lock, which a new thread takes first.
    for (std::size_t i = 0; i < missing; ++i) AddThread(crew);
    self.VisitReady();  // those that were given up, and those behind them
  }
}

StoreProbes::StoreProbes(std::span<const StoreCollector> collectors, std::chrono::milliseconds timeout)
    : collectors_(collectors), timeout_(timeout), stuck_(std::make_shared<StuckStores>()) {}

void StoreProbes::Run(const std::shared_ptr<const Settings>& settings, std::vector<StoreTarget> targets,
                      const std::function<void(const StoreReport&)>& visit) {
  Crew::Run(std::make_shared<Crew>(collectors_, timeout_, stuck_, settings, std::move(targets), visit));
}

}  // namespace outgrown::exporter
