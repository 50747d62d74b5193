// Outgrown's C++ API: RAII over the C API (outgrown.h, which has the contract). Header only, C++17.
//
//   outgrown::Store store("checkpoints", options);  // never throws; off if it can't count
//   {
//     outgrown::Write write(store);  // shows as in flight
//     …BEGIN IMMEDIATE…
//     write.LockTaken();  // optional: for the store's own ceiling
//     …COMMIT…
//     write.Finish(outgrown_outcome_of_sqlite(sqlite3_extended_errcode(db)), payload_bytes);
//   }  // a write that was not finished, as after an exception, is recorded as OUTGROWN_OTHER
#pragma once

#include <cstdint>
#include <utility>

#include <outgrown/outgrown.h>

namespace outgrown {

// As outgrown_options, without its size.
struct StoreOptions {
  const char* directory = nullptr;
  const char* application = nullptr;
  const char* database = nullptr;
  std::uint32_t slots = 0;
  outgrown_log log = nullptr;
  void* log_context = nullptr;
};

class Store {
 public:
  explicit Store(const char* name, const StoreOptions& options = {}) noexcept {
    outgrown_options c_options = {};
    c_options.size = sizeof c_options;
    c_options.directory = options.directory;
    c_options.application = options.application;
    c_options.database = options.database;
    c_options.slots = options.slots;
    c_options.log = options.log;
    c_options.log_context = options.log_context;
    store_ = outgrown_open(name, &c_options);
  }
  Store(Store&& other) noexcept : store_(std::exchange(other.store_, nullptr)) {}
  Store& operator=(Store&& other) noexcept {
    std::swap(store_, other.store_);
    return *this;
  }
  Store(const Store&) = delete;
  Store& operator=(const Store&) = delete;
  ~Store() { outgrown_close(store_); }

  // Null if it counts, else why it doesn't.
  const char* error() const noexcept { return outgrown_error(store_); }

  void Record(outgrown_outcome outcome, std::uint64_t bytes, std::uint64_t duration_ns) noexcept {
    outgrown_record(store_, outcome, bytes, duration_ns);
  }
  void RecordAt(outgrown_outcome outcome, std::uint64_t bytes, std::uint64_t duration_ns,
                std::uint64_t end_ns) noexcept {
    outgrown_record_at(store_, outcome, bytes, duration_ns, end_ns);
  }
  // The application has opened the database anew (outgrown_database_opened).
  void DatabaseOpened() noexcept { outgrown_database_opened(store_); }
  outgrown_store* get() const noexcept { return store_; }

 private:
  outgrown_store* store_ = nullptr;
};

// One write, from its making to Finish. The Store must outlive it.
class Write {
 public:
  explicit Write(Store& store) noexcept : store_(store.get()), start_(outgrown_begin(store_)) {}
  Write(const Write&) = delete;
  Write& operator=(const Write&) = delete;
  ~Write() { Finish(OUTGROWN_OTHER, 0); }

  // The write has the lock now, after it waited for it since its making. It gives it back when it is finished.
  void LockTaken() noexcept {
    if (!std::exchange(holds_, true))
      hold_ = outgrown_lock_taken(store_, outgrown_now_ns() - start_.start_ns);
  }
  // Records the write; the second call and later ones do nothing.
  void Finish(outgrown_outcome outcome, std::uint64_t bytes) noexcept {
    if (std::exchange(finished_, true)) return;
    Release(outcome == OUTGROWN_OK);
    outgrown_end(store_, start_, outcome, bytes);
  }
  // Records nothing: the transaction wrote nothing after all.
  void Abandon() noexcept {
    if (std::exchange(finished_, true)) return;
    Release(false);
    outgrown_abandon(store_, start_);
  }

 private:
  void Release(bool wrote) noexcept {
    if (std::exchange(holds_, false)) outgrown_lock_released(store_, hold_, wrote ? 1 : 0);
  }

  outgrown_store* store_;
  outgrown_start start_;
  outgrown_start hold_ = {};
  bool holds_ = false;
  bool finished_ = false;
};

}  // namespace outgrown
