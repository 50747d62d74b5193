#include "exporter/sqlite/problem.h"

namespace outgrown::exporter::sqlite {
namespace {

struct Wording {
  std::string_view id;
  std::string_view text;
};

Wording WordingOf(Problem problem) {
  // Without default, so that the compiler names a forgotten problem. The ids are labels' values that alerts
  // and users may select: they are never changed.
  switch (problem) {
    case Problem::kNoPath:
      return {"no_path", "neither the counter block nor --store says where the database is"};
    case Problem::kMissing:
      return {"missing", "there is no such file"};
    case Problem::kNoPermission:
      return {"no_permission",
              "the exporter may not read it: its user needs to read and search the folder, and to read the "
              "files"};
    case Problem::kNotRegular:
      return {"not_a_regular_file", "it is not a regular file"};
    case Problem::kUnreadable:
      return {"unreadable", "the system can't read it"};
    case Problem::kStuck:
      return {"stuck", "its file system does not answer"};
    case Problem::kTruncated:
      return {"truncated", "it is shorter than its header says"};
    case Problem::kNotSqlite:
      return {"not_sqlite", "it has no SQLite header"};
    case Problem::kEncrypted:
      return {"encrypted", "it is encrypted, so that its commits can be read in WAL mode only"};
    case Problem::kUnknownFormat:
      return {"unknown_format", "its file format version is not known"};
    case Problem::kOldWriter:
      return {"old_writer", "a SQLite older than 3.7.0 wrote it last"};
    case Problem::kExclusive:
      return {"exclusive_lock", "another process keeps it locked exclusively"};
    case Problem::kHotJournal:
      return {"hot_journal", "a crashed transaction waits to be rolled back"};
    case Problem::kUnexpectedWal:
      return {"unexpected_wal", "it is in rollback mode, yet there is a write-ahead log"};
    case Problem::kNoWalIndex:
      return {"no_wal_index", "there is a write-ahead log without a wal-index"};
    case Problem::kHeldWithoutLog:
      return {"held_without_log", "a connection is open, and its write-ahead log is not here"};
    case Problem::kWalIndexDamaged:
      return {"wal_index_damaged", "the wal-index's header is not consistent"};
    case Problem::kWalIndexVersion:
      return {"wal_index_version", "the wal-index has a version that is not known"};
    case Problem::kWalIndexUnrelated:
      return {"wal_index_unrelated", "the wal-index belongs to another log or database"};
    case Problem::kChanging:
      return {"changing", "it changed during every attempt to read it"};
  }
  return {"unknown", "unknown"};
}

}  // namespace

std::string_view ProblemId(Problem problem) { return WordingOf(problem).id; }
std::string_view ProblemText(Problem problem) { return WordingOf(problem).text; }

std::string_view ProblemTextOfId(std::string_view id) {
  // Linear in a list of twenty; the landing page alone asks.
  for (int problem = 0; problem <= static_cast<int>(Problem::kChanging); ++problem) {
    const Wording wording = WordingOf(static_cast<Problem>(problem));
    if (wording.id == id) return wording.text;
  }
  return id;
}

}  // namespace outgrown::exporter::sqlite
