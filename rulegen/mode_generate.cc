// --generate: every artefact of the specs written, and one line for each file that changes, goes or is left over.
#include <algorithm>
#include <filesystem>
#include <string>
#include <system_error>
#include <vector>

#include <fmt/format.h>

#include "common/exit_status.h"
#include "rulegen/modes.h"
#include "rulegen/output.h"
#include "rulegen/spec_files.h"
#include "rulegen/tree/tree.h"
#include "thresholds/model.h"

namespace outgrown::rulegen {
namespace {

// Removes the left-over files if `prune`, else names them. A manifest with nothing left to say is removed in
// either case.
Result<void> SettleLeftOvers(const std::vector<tree::LeftOver>& left_overs, bool prune, std::string& report) {
  for (const tree::LeftOver& file : left_overs) {
    if (!prune && !file.is_settled) {
      report += fmt::format("left over {}: {}; --prune removes it\n", file.path.string(), file.why);
      continue;
    }
    std::error_code failed;
    std::filesystem::remove(file.path, failed);
    if (failed) return Error{"cannot remove: " + failed.message(), file.path.string()};
    report += fmt::format("removed {}\n", file.path.string());
  }
  return {};
}

// Versions that kept manifests had the alerts about the measurement built in; a spec of that time has none.
void SayWhatAlertsAreGone(const std::vector<tree::Made>& all, const std::vector<tree::LeftOver>& left_overs) {
  for (const tree::Made& made : all) {
    const spec::Spec& spec = *made.spec;
    const std::string manifest = spec.file.stem().string() + ".manifest";
    const bool is_upgrade = std::ranges::any_of(
        left_overs, [&](const tree::LeftOver& file) { return file.path.filename() == manifest; });
    if (is_upgrade && spec.watches.empty() && !spec.thresholds.empty())
      Say("{}: the alerts about the measurement (exporter down, coverage and so on) are in the spec now, and "
          "it has "
          "no [[watch]], so there are none: copy them from the shipped spec (docs/spec.md, \"[[watch]]\")\n",
          spec.file.string());
  }
}

}  // namespace

int RunGenerate(const Options& options) {
  const Specs specs = LoadSpecs(options, Purpose::kArtefacts);
  if (specs.status != kExitOk) return specs.status;
  const MadeArtefacts all = MakeAllFiles(specs, options.out);
  if (all.status != kExitOk) return all.status;
  std::string report;
  for (const tree::Made& made : all.made) {
    const auto written = tree::WriteTree(made, tree::Layout(*made.spec, options.out));
    if (!written.ok()) {
      Answer(report, kExitOk);  // the files that were written before the error
      const Error& error = written.error();
      return Fail(!options.out ? Error{error.what + "; --out DIR writes elsewhere", error.where} : error);
    }
    for (const std::filesystem::path& path : *written) report += fmt::format("wrote {}\n", path.string());
    if (written->empty())
      report += fmt::format("{}: {} artefacts, unchanged\n", made.spec->file.string(), made.artefacts.size());
  }
  // Only after everything was written, so that a file that moved exists at its new place before it goes from
  // the old one.
  const auto left_overs = tree::LeftOvers(all.made, options.out, options.specs.empty());
  if (left_overs.ok()) SayWhatAlertsAreGone(all.made, *left_overs);
  const Result<void> settled = left_overs.ok() ? SettleLeftOvers(*left_overs, options.prune, report)
                                               : Result<void>(left_overs.error());
  if (!settled) {
    Answer(report, kExitOk);
    return Fail(settled.error());
  }
  return Answer(report, kExitOk);
}

}  // namespace outgrown::rulegen
