#include "exporter/table_source.h"

#include "common/exit_status.h"
#include "thresholds/compiled.h"
#include "thresholds/parse.h"

namespace outgrown::exporter {

const Table& TableSource::table() const { return owned ? owned->table() : CompiledTable(); }

TableSource LoadTable(const std::string& spec_file) {
  TableSource source;
  if (spec_file.empty()) return source;
  const spec::LoadedSpec loaded = spec::LoadSpec(spec_file);
  for (const spec::Diagnostic& diagnostic : loaded.diagnostics) {
    source.problem += spec::FormatDiagnosticWithSource(diagnostic, loaded.source) + "\n";
  }
  if (!loaded.spec) {
    source.status = loaded.unreadable ? kExitFailure : kExitInvalidSpec;
    return source;
  }
  source.owned = plan::MakeTable(*loaded.spec);
  return source;
}

}  // namespace outgrown::exporter
