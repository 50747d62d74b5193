#include "thresholds/catalog.h"

#include <algorithm>
#include <array>

namespace outgrown::metrics {
namespace {

using Labels = std::span<const std::string_view>;

constexpr std::array<std::string_view, 1> kStore = {"database"};
constexpr std::array<std::string_view, 2> kStoreStatus = {"database", "status"};
constexpr std::array<std::string_view, 2> kStoreReason = {"database", "reason"};
constexpr std::array<std::string_view, 2> kStoreMode = {"database", "mode"};
constexpr std::array<std::string_view, 2> kStoreServers = {"database", "shared_id"};
constexpr std::array<std::string_view, 1> kCollector = {"collector"};
constexpr std::array<std::string_view, 4> kThreshold = {"store", "threshold", "signal", "verdict"};
constexpr std::array<std::string_view, 2> kTable = {"store", "digest"};
constexpr std::array<std::string_view, 2> kBuild = {"version", "compiler"};
constexpr std::array<std::string_view, 3> kDecisionVerdict = {"store", "subject", "verdict"};
constexpr std::array<std::string_view, 3> kDecisionDigest = {"store", "subject", "digest"};
constexpr std::array<std::string_view, 2> kDecisionStore = {"store", "subject"};
constexpr std::array<std::string_view, 1> kHash = {"hash"};
constexpr Labels kNone = {};

// clang-format off
// One line a series, however long: a reader compares rows, and the generated reference takes them in this
// order. Names follow Prometheus' conventions: base units, _total for counters, _info for gauges of the value
// 1 whose labels say something.
constexpr std::array kCatalog = {
    // The counter block: what the application counted.
    Metric{"checkpoint_block_up", Type::kGauge, "1 if the store's counter block was read, 0 if it is missing, damaged or refused.", kStore},
    Metric{"checkpoint_block_problem_info", Type::kGauge, "Why the counter block was not read, one series with value 1 a problem.", kStoreReason},
    Metric{"checkpoint_writes_total", Type::kCounter, "Outermost write transactions by status: success, error or rejected (a constraint).", kStoreStatus},
    Metric{"checkpoint_write_errors_total", Type::kCounter, "Write transactions that failed, by reason: busy, busy_snapshot, full, io, corrupt, other; and busy_unchanged, which checkpoint_writes_total leaves out: the lock was refused to a connection whose last write was without a change.", kStoreReason},
    Metric{"checkpoint_writes_unchanged_total", Type::kCounter, "Write transactions that had the lock and ended without a change: nothing to change, or rolled back on purpose.", kStore},
    Metric{"checkpoint_written_bytes_total", Type::kCounter, "Bytes of database pages that committed writes have written, as the SQLite observer sees them; of a caller of the C API, what it says.", kStore},
    Metric{"checkpoint_write_duration_seconds", Type::kHistogram, "Duration of write transactions, lock wait included.", kStore},
    Metric{"checkpoint_last_write_timestamp_seconds", Type::kGauge, "Unix time of the last counted write, 0 if none was counted yet.", kStore},
    Metric{"checkpoint_writes_in_flight", Type::kGauge, "Living writers that are inside a write now.", kStore},
    Metric{"checkpoint_oldest_write_in_flight_seconds", Type::kGauge, "How long the oldest write in flight has lasted, 0 if there is none.", kStore},
    Metric{"checkpoint_write_lock_wait_seconds_total", Type::kCounter, "Time that writes waited for the store's one write lock, also in vain.", kStore},
    Metric{"checkpoint_write_lock_held_seconds_total", Type::kCounter, "Time that the store's one write lock was held, in holds that have ended, checkpoints and rolled back transactions included.", kStore},
    Metric{"checkpoint_write_lock_holds_total", Type::kCounter, "Holds of the write lock that were timed and committed a change. Far below the successful writes: the lock is not timed.", kStore},
    Metric{"checkpoint_write_lock_held_now_seconds", Type::kGauge, "How long the write lock has been held now, 0 if it is free.", kStore},
    Metric{"checkpoint_block_writers", Type::kGauge, "Slots of the counter block that a living writer holds.", kStore},
    Metric{"checkpoint_block_slots", Type::kGauge, "Slots that the counter block has.", kStore},
    Metric{"checkpoint_block_overflow_records_total", Type::kCounter, "Records made in the shared overflow slot because every slot was taken.", kStore},
    Metric{"checkpoint_block_created_timestamp_seconds", Type::kGauge, "Unix time at which the counter block was made: unequal values in one identity are two stores.", kStore},
    Metric{"checkpoint_block_trace_lost", Type::kGauge, "1 if a connection's statements were no longer traced in the last 10 minutes (another trace replaced ours), so that writes went uncounted.", kStore},

    // The SQLite file, read without libsqlite3.
    Metric{"checkpoint_file_size_bytes", Type::kGauge, "Size of the database file.", kStore},
    Metric{"checkpoint_wal_size_bytes", Type::kGauge, "Size of the write-ahead log file, 0 if there is none.", kStore},
    Metric{"checkpoint_file_modified_timestamp_seconds", Type::kGauge, "Unix time, by the host's clock, at which the database file or its write-ahead log was last written, or the application last tried to.", kStore},
    Metric{"checkpoint_journal_mode_info", Type::kGauge, "The store's journal mode with value 1: wal, or rollback for the modes with a rollback journal.", kStoreMode},
    Metric{"checkpoint_page_size_bytes", Type::kGauge, "Size of the database's pages.", kStore},
    Metric{"checkpoint_free_bytes", Type::kGauge, "Size of the database file's pages that hold nothing, which VACUUM would give back; in WAL mode as of the last checkpoint.", kStore},
    Metric{"checkpoint_wal_frames", Type::kGauge, "Frames in the write-ahead log, 0 if there is none.", kStore},
    Metric{"checkpoint_wal_backfilled_frames", Type::kGauge, "Frames of the write-ahead log that a checkpoint has copied into the database.", kStore},
    Metric{"checkpoint_wal_oldest_reader_seconds", Type::kGauge, "For how long this exporter has seen a reader on a snapshot of the write-ahead log that is not the newest, 0 if there is none: no checkpoint copies frames beyond it.", kStore},
    Metric{"checkpoint_store_commits_total", Type::kCounter, "Write transactions that the store itself committed since this exporter's start, over all lives of its wal-index.", kStore},
    Metric{"checkpoint_counted_commits_total", Type::kCounter, "Successful writes that the counter block counted since this exporter's start: what checkpoint_store_commits_total is compared with.", kStore},
    Metric{"checkpoint_store_commits_missed_total", Type::kCounter, "Lives of the store's commit counter (the wal-index) whose end was not read, so that the commits are a lower bound.", kStore},
    Metric{"checkpoint_file_problem_info", Type::kGauge, "Why the database file could not be measured, one series with value 1 a problem.", kStoreReason},
    Metric{"checkpoint_store_commits_problem_info", Type::kGauge, "Why the store's own commit counter is unknown, one series with value 1 a problem.", kStoreReason},

    // The reasons and their sentences are in rules/checkpoint.toml, [coverage.reasons].
    Metric{"checkpoint_measurement_problem_info", Type::kGauge, "Why the application's counts can't be used now, one series with value 1 a problem.", kStoreReason},

    // What the operator configured.
    Metric{"checkpoint_deployment_servers", Type::kGauge, "Servers that write to the store, as configured (--deployment.servers).", kStoreServers},

    // The threshold table and the last decision.
    Metric{"checkpoint_threshold", Type::kGauge, "Limit of each threshold of the exporter's table, in its signal's unit.", kThreshold},
    Metric{"checkpoint_threshold_table_info", Type::kGauge, "Digest of the spec that the exporter's threshold table was made from.", kTable},
    Metric{"checkpoint_decision_timestamp_seconds", Type::kGauge, "Unix time of the newest logged decision about the store that the label subject names (--decision.log).", kDecisionStore},
    Metric{"checkpoint_decision_verdict", Type::kGauge, "1 for the verdict of the newest logged decision.", kDecisionVerdict},
    Metric{"checkpoint_decision_spec_info", Type::kGauge, "Digest of the spec that the newest logged decision was made by.", kDecisionDigest},
    Metric{"checkpoint_decision_log_records_total", Type::kCounter, "Records that the decision log ever had: the sequence number of its last one.", kNone},
    Metric{"checkpoint_decision_log_info", Type::kGauge, "Hash of the decision log's last record.", kHash},

    // The exporter itself.
    Metric{"checkpoint_collector_duration_seconds", Type::kGauge, "Duration of a collector's part of this scrape.", kCollector},
    Metric{"checkpoint_collector_success", Type::kGauge, "1 if the collector's part of this scrape succeeded.", kCollector},
    Metric{"checkpoint_exporter_build_info", Type::kGauge, "Version of the exporter and the compiler it was built with.", kBuild},
    // Names and meanings of the process collector that Prometheus' client libraries share, so that common
    // dashboards work.
    Metric{"process_cpu_seconds_total", Type::kCounter, "User and system CPU time of the exporter.", kNone},
    Metric{"process_resident_memory_bytes", Type::kGauge, "Resident memory of the exporter.", kNone},
    Metric{"process_virtual_memory_bytes", Type::kGauge, "Virtual memory of the exporter.", kNone},
    Metric{"process_open_fds", Type::kGauge, "Open file descriptors of the exporter.", kNone},
    Metric{"process_max_fds", Type::kGauge, "Limit of open file descriptors of the exporter.", kNone},
    Metric{"process_start_time_seconds", Type::kGauge, "Unix time at which the exporter started.", kNone},
    Metric{"process_threads", Type::kGauge, "Threads of the exporter.", kNone},
};
// clang-format on

}  // namespace

std::span<const Metric> Catalog() { return kCatalog; }

// Linear in a catalog of some fifty rows.
const Metric* Find(std::string_view name) {
  const auto* found = std::ranges::find(kCatalog, name, &Metric::name);
  return found == kCatalog.end() ? nullptr : found;
}

std::string_view TypeName(Type type) {
  switch (type) {
    case Type::kCounter:
      return "counter";
    case Type::kGauge:
      return "gauge";
    case Type::kHistogram:
      return "histogram";
  }
  // A value outside of the enumeration; the text format's word for no type.
  return "untyped";
}

}  // namespace outgrown::metrics
