// The period of a log record that was made with --since, read back.
#pragma once

#include "common/json_tree.h"
#include "common/result.h"
#include "decision/period.h"
#include "thresholds/table.h"

namespace outgrown::audit {

// Reads the record's "period", without what stood. An error also if it contradicts itself: a breach, an extreme or a stretch
// that is not within it, or a breach without a value beyond the limit for at least `for`, or that without a breach.
Result<evaluate::Period> ReadPeriod(const Json& record, const Table& table);

}  // namespace outgrown::audit
