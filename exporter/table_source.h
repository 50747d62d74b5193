// Which threshold table the exporter shows: the compiled one, or that of --spec.
#pragma once

#include <optional>
#include <string>

#include "thresholds/table.h"
#include "thresholds/table_plan.h"

namespace outgrown::exporter {

// The table of a spec, or why there is none.
struct TableSource {
  std::optional<plan::OwnedTable> owned;  // nothing: the compiled table
  int status = 0;                         // kExitOk, or what to exit with
  std::string problem;                    // one line for each error of the spec; empty if status is kExitOk

  const Table& table() const;
};

// Reads the spec, or takes the compiled table if `spec_file` is empty.
TableSource LoadTable(const std::string& spec_file);

}  // namespace outgrown::exporter
