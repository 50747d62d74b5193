// The threshold tables that a decision is about.
#pragma once

#include <vector>

#include "rulegen/options.h"
#include "thresholds/table.h"
#include "thresholds/spec_table.h"

namespace outgrown::commands {

struct Tables {
  int status = 0;  // kExitOk, or why there are none; then what is wrong was printed to stderr
  std::vector<plan::OwnedTable> owned;  // empty: the compiled table

  // Valid as long as this.
  std::vector<const Table*> Pointers() const;
};

// Those of the specs that --spec names, else of every rules/*.toml under the working directory, else the compiled one.
Tables LoadTables(const Options& options);

}  // namespace outgrown::commands
