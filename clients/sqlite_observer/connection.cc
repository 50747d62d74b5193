#include "clients/sqlite_observer/connection.h"

#include <stdlib.h>

#include <algorithm>
#include <memory>
#include <optional>
#include <string_view>
#include <unordered_map>

#include "clients/sqlite_observer/file_shim.h"
#include "clients/sqlite_observer/result_probe.h"
#include "clients/sqlite_observer/stores.h"

namespace outgrown::observer {
namespace {

using Connections = std::unordered_map<sqlite3*, Connection*>;

Connections& AllConnections() {
  static auto* connections = new Connections;  // connections may outlive static destructors
  return *connections;
}

// The file of a database that has one: databases without a name have none or a temporary one, "memdb" only
// looks as if it had.
sqlite3_file* FileOf(sqlite3* db, const char* schema) {
  sqlite3_vfs* vfs = nullptr;
  if (sqlite3_file_control(db, schema, SQLITE_FCNTL_VFS_POINTER, &vfs) != SQLITE_OK || vfs == nullptr ||
      std::string_view(vfs->zName) == "memdb") {
    return nullptr;
  }
  sqlite3_file* file = nullptr;
  sqlite3_file_control(db, schema, SQLITE_FCNTL_FILE_POINTER, &file);
  return file == nullptr || MethodsOf(file) == nullptr ? nullptr : file;
}

// Which file the connection has open there: by stat, since to open and close a database file would drop the
// locks that SQLite holds on it in this process; and whether that is the file, by SQLite, which remembers the
// inode.
block::FileId OpenFileOf(sqlite3* db, const char* schema, const char* path) {
  constexpr block::FileId kElsewhere = {UINT64_MAX, 0};
  const block::FileId at_path = block::FileAt(path).value_or(kElsewhere);
  int has_moved = 0;
  const bool is_known = sqlite3_file_control(db, schema, SQLITE_FCNTL_HAS_MOVED, &has_moved) == SQLITE_OK;
  if (is_known && has_moved != 0) return kElsewhere;
  return is_known || at_path.inode != 0 ? at_path : block::FileId{};
}

std::optional<Choice> ChosenFor(const char* path) {
  const char* const uri_value = sqlite3_uri_parameter(path, "outgrown");
  const char* const rules = ::secure_getenv("OUTGROWN_STORE");
  return ChooseStore(path, uri_value == nullptr ? "" : uri_value, rules == nullptr ? "" : rules);
}

}  // namespace

Connection* Connection::Find(sqlite3* db) noexcept {
  const std::lock_guard lock(LibraryLock());
  const auto found = AllConnections().find(db);
  return found == AllConnections().end() ? nullptr : found->second;
}

void Connection::Attach(sqlite3* db, bool observes, bool is_new) noexcept {
  try {
    if (Connection* const known = Find(db)) {
      if (observes && known->waits_) known->Observe({});  // loaded for the whole process by now
      return;
    }
    // Two observers would count each write twice.
    if (ObservedFile::IsObservedElsewhere(db, "main")) return;
    std::unique_ptr<Connection> made(new Connection(db));
    {
      const std::lock_guard lock(LibraryLock());
      // Before the functions are registered: if that fails, Detach is called at once and takes the entry out.
      AllConnections()[db] = made.get();
    }
    Connection* const connection = made.release();  // Detach's
    connection->waits_ = !observes;
    if (!RegisterFunctions(db, connection, &Connection::Detach)) return;
    connection->is_new_ = is_new;
    if (observes) connection->ObserveDatabases({});
    connection->is_new_ = false;
  } catch (...) {  // no memory: this connection goes without
  }
}

void Connection::Detach(void* connection) noexcept {
  auto* self = static_cast<Connection*>(connection);
  // Another copy of this extension registers its functions in the place of ours.
  self->GiveTraceBack();
  {
    const std::lock_guard lock(LibraryLock());
    // First, under the lock: from here on no other thread of a shared cache finds this connection through the
    // file. SQLite frees it only after this callback, which comes from closing the connection, so db_ is
    // still good.
    AllConnections().erase(self->db_);
    for (const std::shared_ptr<Share>& share : self->shares_) {
      if (share->file != nullptr) share->file->RemoveUser(*self);
    }
  }
  for (const std::shared_ptr<Share>& share : self->shares_) {
    if (share->file != nullptr)
      share->tracker.Closed();  // a shared cache's; others were closed with their file
  }
  // The lost traces are those of the process, so a closed connection takes its own back.
  self->ReportRegained();
  for (const Refused& refused : self->refused_) refused.sink->RefusalEnded(block::Refusal::kNameTaken);
  delete self;
}

void Connection::Ignore() noexcept {
  ignored_ = true;
  // What is open now is not counted either: whoever counts from here on has seen it begin.
  for (const std::shared_ptr<Share>& share : shares_) share->Ignore();
  ReportRegained();
  ReportNotRefused();
}

void Connection::Ignore(const std::string& schema) {
  if (!IsIgnored(schema)) ignored_schemas_.push_back(schema);
  for (const std::shared_ptr<Share>& share : shares_) {
    if (IsIgnored(share->schema)) share->Ignore();
  }
  ReportLeft();
  ReportNotRefused();
}

// Names of databases are case-insensitive.
bool Connection::IsIgnored(const std::string& schema) const {
  return ignored_ || std::ranges::any_of(ignored_schemas_, [&](const std::string& ignored) {
           return sqlite3_stricmp(ignored.c_str(), schema.c_str()) == 0;
         });
}

std::string Connection::Observe(const std::string& store, const BlockPlace& place) {
  waits_ = false;
  if (!place.directory.empty() || !place.application.empty()) place_ = place;
  ignored_ = false;
  ignored_schemas_.clear();
  for (const std::shared_ptr<Share>& share : shares_) share->ignored = false;
  ReportRegained();
  ObserveDatabases(store);
  return problem_;
}

std::string Connection::Status() const {
  if (ignored_) return "not counting: ignored";
  std::string status;
  for (const std::shared_ptr<Share>& share : shares_) {
    if (share->file != nullptr && !share->ignored)
      status += (status.empty() ? "" : ", ") + share->schema + " as " + share->file->store();
  }
  std::string ignored;
  for (const std::string& schema : ignored_schemas_)
    ignored += (ignored.empty() ? "ignored: " : ", ") + schema;
  if (status.empty()) {
    const std::string why =
        ignored.empty() || problem_.empty() ? ignored + problem_ : ignored + "; " + problem_;
    return why.empty() ? "not counting" : "not counting: " + why;
  }
  status = "counting " + status;
  if (!ignored.empty()) status += "; " + ignored;
  if (!problem_.empty()) status += "; not all: " + problem_;
  if (!traces_) status += "; the trace is lost, only commits are counted";
  if (!TheResultProbe().is_available()) status += "; kinds of failures are unknown with this SQLite";
  return status;
}

void Connection::ObserveDatabases(const std::string& store_of_main) {
  if (waits_) return;
  problem_.clear();
  // Shares of files that were closed meanwhile, by DETACH say.
  std::erase_if(shares_, [](const auto& share) { return share->file == nullptr; });
  ReportLeft();
  ObserveDatabase("main", store_of_main);
  // sqlite3_db_name came with 3.39; before that, attached databases are not observed.
  if (sqlite3_libversion_number() >= 3039000) {
    // 0 is main and 1 is temp, which is no store.
    for (int i = 2; const char* const schema = sqlite3_db_name(db_, i); ++i) ObserveDatabase(schema, {});
  }
  ReportNotRefused();
}

void Connection::ObserveDatabase(const char* schema, const std::string& store) {
  const char* const path = sqlite3_db_filename(db_, schema);
  if (path == nullptr || *path == '\0') {
    // A database without a file name is no store, but a store may be attached to it later.
    TakeTrace();
    return;
  }
  sqlite3_file* const file = FileOf(db_, schema);
  if (file == nullptr) return;
  // What would be forgotten for lack of memory once the file knows of this connection, or the trace is lost.
  shares_.reserve(shares_.size() + 1);
  lost_for_.reserve(shares_.size() + 1);
  const bool ignored = IsIgnored(schema);
  std::shared_ptr<Share> share;
  // Asked through SQLite and not remembered here: ATTACH may use a name again for another file.
  if (ObservedFile::Of(db_, schema) == nullptr) {
    if (ignored) return;
    const std::optional<Choice> choice = store.empty() ? ChosenFor(path) : Choice{StoreNameFrom(store), true};
    if (!choice) return;
    OpenedStore opened = OpenStore(*choice, path, place_);
    if (opened.sink == nullptr) {
      problem_ = opened.problem;
      if (opened.refused_by != nullptr) ReportRefused(schema, std::move(opened.refused_by));
      return;
    }
    share = ObservedFile::Observe(*this, schema, file, std::move(opened.sink), choice->store,
                                  OpenFileOf(db_, schema, path));
  }
  if (share == nullptr) {  // observed already, be it by a connection that came first to a shared cache
    ObservedFile* const observed = ObservedFile::Of(db_, schema);
    if (observed == nullptr) return;
    // A file has one sink. Changing it would split an open write between two stores.
    if (!store.empty() && observed->store() != StoreNameFrom(store)) {
      problem_ = "already counted as " + observed->store();
      return;
    }
    const std::lock_guard lock(LibraryLock());
    share = observed->AddUser(*this, schema);
  }
  if (share == nullptr) return;
  // Without the library's lock, which a thread that has the lock of a shared cache may wait for.
  if (Share* const reader = share->file->FirstReader()) reader->first_read.Begin();
  reads_schema_ = true;
  if (!ignored) TakeTrace();
  share->ignored = ignored;  // known to the file all the same: in a shared cache its writes would be nobody's
  if (std::ranges::find(shares_, share) == shares_.end()) shares_.push_back(share);
  if (!ignored && (!traces_ || !TheResultProbe().is_available())) ReportLost(share->sink);
}

void Connection::ReportLost(const std::shared_ptr<Sink>& sink) noexcept {
  // Two databases of a connection may count into one store; the loss is one connection's.
  if (std::ranges::find(lost_for_, sink) != lost_for_.end()) return;
  lost_for_.push_back(sink);  // into the room that ObserveDatabase has made
  sink->TraceLost();
}

// For databases that are ignored, detached, or counted under another name by now.
void Connection::ReportNotRefused() noexcept {
  std::erase_if(refused_, [&](const Refused& refused) {
    const char* const schema = refused.schema.c_str();
    if (!IsIgnored(refused.schema) && sqlite3_db_filename(db_, schema) != nullptr &&
        ObservedFile::Of(db_, schema) == nullptr) {
      return false;
    }
    refused.sink->RefusalEnded(block::Refusal::kNameTaken);
    return true;
  });
}

// For stores that this connection doesn't count into any more.
void Connection::ReportLeft() noexcept {
  std::erase_if(lost_for_, [&](const std::shared_ptr<Sink>& sink) {
    const bool counts = std::ranges::any_of(shares_, [&](const std::shared_ptr<Share>& share) {
      return share->file != nullptr && !share->ignored && share->sink == sink;
    });
    // Not regained in fact, but no longer this store's: an unobserved connection's trace is no lack.
    if (!counts) sink->TraceRegained();
    return !counts;
  });
}

void Connection::ReportRefused(const char* schema, std::shared_ptr<Sink> sink) {
  const auto is_known = [&](const Refused& refused) {
    return refused.schema == schema && refused.sink == sink;
  };
  if (std::ranges::any_of(refused_, is_known)) return;
  refused_.push_back(Refused{schema, std::move(sink)});
  refused_.back().sink->Refused(block::Refusal::kNameTaken);
}

void Connection::ReportRegained() noexcept {
  for (const std::shared_ptr<Sink>& sink : lost_for_) sink->TraceRegained();
  lost_for_.clear();
}

void Connection::LoseTrace() noexcept {
  traces_ = false;
  current_ = committed_ = nullptr;
  announced_count_ = 0;
  for (const std::shared_ptr<Share>& share : shares_) {
    share->tracker.TraceLost();
    if (share->file != nullptr && !share->ignored) ReportLost(share->sink);
  }
}

void Connection::GiveTraceBack() noexcept {
  if (is_closing_) return;
  if (TheTraceSlot().is_available() ? HoldsTrace() : traces_) others_.Take(db_);
}

bool Connection::IsWriting(const Share& share) const {
  // From SQLite 3.34 on (kVersionMin). Before it only autocommit was known, for all databases together.
  return sqlite3_txn_state(db_, share.schema.c_str()) == SQLITE_TXN_WRITE;
}

}  // namespace outgrown::observer
