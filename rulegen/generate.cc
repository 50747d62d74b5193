// --generate: every artefact of the specs written, and one line for each file that changes or stays.
#include <string>
#include <string_view>

#include <fmt/format.h>

#include "common/exit_status.h"
#include "rulegen/commands.h"
#include "rulegen/output.h"
#include "rulegen/spec_files.h"
#include "rulegen/tree/layout.h"
#include "rulegen/tree/tree.h"

namespace outgrown::commands {
namespace {

std::string_view Word(generate::Change change) {
  switch (change) {
    case generate::Change::kWritten:
      return "wrote";
    case generate::Change::kRemoved:
      return "removed";
    case generate::Change::kKept:
      return "kept";
  }
  return "";
}

}  // namespace

int RunGenerate(const Options& options) {
  const Specs specs = LoadSpecs(options);
  if (specs.status != kExitOk) return specs.status;
  const MadeArtefacts all = MakeAllArtefacts(specs.specs, options);
  if (all.status != kExitOk) return all.status;
  std::string told;
  for (const auto& [spec, artefacts] : all.made) {
    const auto changes = generate::WriteTree(*spec, artefacts, generate::Layout(*spec, options.out));
    if (!changes.ok()) {
      Answer(told, kExitOk);  // what was written before
      return Fail(changes.error());
    }
    for (const generate::FileChange& change : *changes) {
      told += fmt::format("{} {}{}\n", Word(change.change), change.path.string(),
                          change.note.empty() ? "" : ", no longer generated: " + change.note);
    }
    if (changes->empty())
      told += fmt::format("{}: {} artefacts, unchanged\n", spec->file.string(), artefacts.size());
  }
  return Answer(told, kExitOk);
}

}  // namespace outgrown::commands
