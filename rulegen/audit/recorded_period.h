// The period of a log record that was made with --since, read back.
#pragma once

#include "common/result.h"
#include "rulegen/evaluate/period.h"
#include "rulegen/json/json_tree.h"
#include "rulegen/table/table.h"

namespace outgrown::audit {

// Reads the record's "period", without what stood. An error also if what it says of a threshold contradicts itself: a
// value beyond the limit for at least `for`, and no breach.
Result<evaluate::Period> ReadPeriod(const Json& record, const Table& table);

}  // namespace outgrown::audit
