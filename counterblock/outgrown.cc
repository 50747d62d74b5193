// The C API over Writer: an off store instead of an error, and no exception across the border.
#include "counterblock/outgrown.h"

#include <string.h>

#include <algorithm>
#include <exception>
#include <memory>
#include <new>
#include <string>
#include <utility>

#include "counterblock/writer.h"

namespace block = outgrown::block;
using block::Outcome;

// The casts below rely on it. An unknown number passes them and is counted as "other" (Writer::CellOf).
static_assert(OUTGROWN_OK == static_cast<int>(Outcome::kOk));
static_assert(OUTGROWN_BUSY == static_cast<int>(Outcome::kBusy));
static_assert(OUTGROWN_BUSY_SNAPSHOT == static_cast<int>(Outcome::kBusySnapshot));
static_assert(OUTGROWN_FULL == static_cast<int>(Outcome::kFull));
static_assert(OUTGROWN_IO == static_cast<int>(Outcome::kIo));
static_assert(OUTGROWN_CONSTRAINT == static_cast<int>(Outcome::kConstraint));
static_assert(OUTGROWN_CORRUPT == static_cast<int>(Outcome::kCorrupt));
static_assert(OUTGROWN_OTHER == static_cast<int>(Outcome::kOther));

struct outgrown_store {
  block::Writer writer;
  std::string error;       // why it is off; empty if it is on
  std::string database;    // the block's
  bool says_file = false;  // the caller has said where its database is
};

namespace {

block::Start ToStart(outgrown_start start) { return block::Start{start.start_ns, start.mark}; }
outgrown_start FromStart(block::Start start) { return outgrown_start{start.start_ns, start.mark}; }

std::string Text(const char* text) { return text == nullptr ? std::string() : std::string(text); }

// The caller may have been compiled with an older, shorter struct.
outgrown_options Complete(const outgrown_options* options) {
  outgrown_options complete = {};
  // `size` is the first member, so it is there in every version. A caller that is newer than this library has
  // members that are unknown here and are left out.
  if (options != nullptr) memcpy(&complete, options, std::min(options->size, sizeof complete));
  return complete;
}

void Open(outgrown_store& store, const char* name, const outgrown_options& options) {
  block::WriterOptions writer_options;
  writer_options.directory = Text(options.directory);
  writer_options.application = Text(options.application);
  writer_options.database = Text(options.database);
  if (options.slots != 0) writer_options.slots = options.slots;
  outgrown::Result<block::Writer> writer = block::Writer::Open(Text(name), writer_options);
  if (writer.ok()) {
    store.writer = std::move(*writer);
    store.database = store.writer.database();
    // Only such a store counts as an open file, and only its close ends that.
    store.says_file = !writer_options.database.empty();
    if (store.says_file) store.writer.FileOpenedAt(writer_options.database);
  } else {
    store.error = writer.error().Text();
  }
}

void LogOff(const std::string& error, const outgrown_options& options) {
  const std::string line = block::OffLine(error);
  // Both: the callback is the application's, the environment variable the operator's.
  if (options.log != nullptr) options.log(options.log_context, line.c_str());
  block::LogOff(line);
}

}  // namespace

outgrown_store* outgrown_open(const char* name, const outgrown_options* options) {
  try {
    auto store = std::make_unique<outgrown_store>();
    const outgrown_options complete = Complete(options);
    Open(*store, name, complete);
    if (!store->error.empty()) LogOff(store->error, complete);
    return store.release();
    // No exception may cross into C. What throws here is a lack of memory.
  } catch (const std::exception&) {
    return nullptr;
  }
}

const char* outgrown_error(const outgrown_store* store) {
  if (store == nullptr) return "no memory";
  return store->error.empty() ? nullptr : store->error.c_str();
}

const char* outgrown_database(const outgrown_store* store) {
  return store == nullptr ? "" : store->database.c_str();
}

void outgrown_database_opened(outgrown_store* store) {
  if (store != nullptr) store->writer.FileReopened();
}

void outgrown_close(outgrown_store* store) {
  if (store != nullptr && store->says_file) store->writer.FileClosed();
  delete store;
}

void outgrown_record(outgrown_store* store, outgrown_outcome outcome, uint64_t bytes, uint64_t duration_ns) {
  if (store != nullptr) store->writer.Record(static_cast<Outcome>(outcome), bytes, duration_ns);
}

void outgrown_record_at(outgrown_store* store, outgrown_outcome outcome, uint64_t bytes, uint64_t duration_ns,
                        uint64_t end_ns) {
  if (store != nullptr) store->writer.RecordAt(static_cast<Outcome>(outcome), bytes, duration_ns, end_ns);
}

outgrown_start outgrown_begin(outgrown_store* store) { return outgrown_begin_at(store, block::NowNs()); }

outgrown_start outgrown_begin_at(outgrown_store* store, uint64_t start_ns) {
  if (store == nullptr) return outgrown_start{start_ns, 0};
  return FromStart(store->writer.BeginAt(start_ns));
}

void outgrown_end(outgrown_store* store, outgrown_start start, outgrown_outcome outcome, uint64_t bytes) {
  if (store != nullptr) store->writer.End(ToStart(start), static_cast<Outcome>(outcome), bytes);
}

void outgrown_end_at(outgrown_store* store, outgrown_start start, outgrown_outcome outcome, uint64_t bytes,
                     uint64_t end_ns) {
  if (store != nullptr) store->writer.EndAt(ToStart(start), static_cast<Outcome>(outcome), bytes, end_ns);
}

void outgrown_abandon(outgrown_store* store, outgrown_start start) {
  if (store != nullptr) store->writer.Abandon(ToStart(start));
}

outgrown_start outgrown_lock_taken(outgrown_store* store, uint64_t wait_ns) {
  const uint64_t now_ns = block::NowNs();
  if (store == nullptr) return outgrown_start{now_ns, 0};
  return FromStart(store->writer.LockHeldAt(now_ns, wait_ns));
}

void outgrown_lock_released(outgrown_store* store, outgrown_start hold, int wrote) {
  if (store != nullptr) store->writer.LockReleasedAt(ToStart(hold), wrote != 0, block::NowNs());
}

void outgrown_lock_waited(outgrown_store* store, uint64_t wait_ns) {
  if (store != nullptr) store->writer.LockWaited(wait_ns);
}

void outgrown_trace_lost(outgrown_store* store) {
  if (store != nullptr) store->writer.TraceLost();
}

void outgrown_trace_regained(outgrown_store* store) {
  if (store != nullptr) store->writer.TraceRegained();
}

uint64_t outgrown_now_ns(void) { return block::NowNs(); }

outgrown_outcome outgrown_outcome_of_sqlite(int result_code) {
  return static_cast<outgrown_outcome>(block::OutcomeOfSqlite(result_code));
}

const char* outgrown_version(void) { return OUTGROWN_VERSION; }
