#include "rulegen/tables.h"

#include "common/exit_status.h"
#include "rulegen/spec_files.h"
#include "thresholds/table.h"

namespace outgrown::commands {

std::vector<const Table*> Tables::Pointers() const {
  if (owned.empty()) return {&CompiledTable()};
  std::vector<const Table*> pointers;
  for (const plan::OwnedTable& table : owned) pointers.push_back(&table.table());
  return pointers;
}

Tables LoadTables(const Options& options) {
  Tables tables;
  if (SpecFiles(options).empty()) return tables;
  const Specs specs = LoadSpecs(options);
  tables.status = specs.status;
  if (tables.status != kExitOk) return tables;
  for (const spec::Spec& spec : specs.specs) tables.owned.push_back(plan::MakeTable(spec));
  return tables;
}

}  // namespace outgrown::commands
