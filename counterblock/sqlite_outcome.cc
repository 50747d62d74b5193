#include "counterblock/sqlite_outcome.h"

namespace outgrown::block {
namespace {

enum SqliteCode : int {
  kSqliteOk = 0,
  kSqliteBusy = 5,
  kSqliteLocked = 6,
  kSqliteIoErr = 10,
  kSqliteCorrupt = 11,
  kSqliteFull = 13,
  kSqliteCantOpen = 14,
  kSqliteConstraint = 19,
  kSqliteNotADb = 26,
  kSqliteRow = 100,
  kSqliteDone = 101,
  kSqliteBusySnapshot = 517,  // 5 | 2 << 8
};

}  // namespace

Outcome OutcomeOfSqlite(int result_code) {
  if (result_code == kSqliteBusySnapshot) return Outcome::kBusySnapshot;
  switch (result_code & 0xff) {  // the primary code
    case kSqliteOk:
    case kSqliteRow:
    case kSqliteDone:
      return Outcome::kOk;
    case kSqliteBusy:
    case kSqliteLocked:
      return Outcome::kBusy;
    case kSqliteFull:
      return Outcome::kFull;
    case kSqliteIoErr:
    case kSqliteCantOpen:
      return Outcome::kIo;
    case kSqliteConstraint:
      return Outcome::kConstraint;
    case kSqliteCorrupt:
    case kSqliteNotADb:
      return Outcome::kCorrupt;
    default:
      return Outcome::kOther;
  }
}

}  // namespace outgrown::block
