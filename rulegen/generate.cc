// --generate: every artefact of the specs written, and one line for each file that changes, goes or is left over.
#include <filesystem>
#include <string>
#include <system_error>

#include <fmt/format.h>

#include "common/exit_status.h"
#include "rulegen/commands.h"
#include "rulegen/output.h"
#include "rulegen/spec_files.h"
#include "rulegen/tree/tree.h"

namespace outgrown::commands {
namespace {

// Removes what is left over if `prune`, else names it. A manifest that has done its work goes in either case.
Result<void> SettleLeftOvers(const std::vector<generate::LeftOver>& left_overs, bool prune,
                             std::string& told) {
  for (const generate::LeftOver& file : left_overs) {
    if (!prune && !file.is_settled) {
      told += fmt::format("left over {}: {}; --prune removes it\n", file.path.string(), file.why);
      continue;
    }
    std::error_code failed;
    std::filesystem::remove(file.path, failed);
    if (failed) return Error{"cannot remove: " + failed.message(), file.path.string()};
    told += fmt::format("removed {}\n", file.path.string());
  }
  return {};
}

}  // namespace

int RunGenerate(const Options& options) {
  const Specs specs = LoadSpecs(options);
  if (specs.status != kExitOk) return specs.status;
  const MadeArtefacts all = MakeAllArtefacts(specs.specs, options);
  if (all.status != kExitOk) return all.status;
  std::string told;
  for (const generate::Made& made : all.made) {
    const auto written = generate::WriteTree(made, generate::Layout(*made.spec, options.out));
    if (!written.ok()) {
      Answer(told, kExitOk);  // what was written before
      return Fail(written.error());
    }
    for (const std::filesystem::path& path : *written) told += fmt::format("wrote {}\n", path.string());
    if (written->empty())
      told += fmt::format("{}: {} artefacts, unchanged\n", made.spec->file.string(), made.artefacts.size());
  }
  const auto left_overs = generate::LeftOvers(all.made, options.out, options.specs.empty());
  const Result<void> settled =
      left_overs.ok() ? SettleLeftOvers(*left_overs, options.prune, told) : Result<void>(left_overs.error());
  if (!settled) {
    Answer(told, kExitOk);
    return Fail(settled.error());
  }
  return Answer(told, kExitOk);
}

}  // namespace outgrown::commands
