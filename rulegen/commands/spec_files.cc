#include "rulegen/commands/spec_files.h"

#include <algorithm>
#include <cstdio>
#include <filesystem>
#include <map>
#include <string>
#include <system_error>
#include <utility>
#include <vector>

#include <fmt/format.h>

#include "common/exit_status.h"
#include "rulegen/spec/diagnostic.h"
#include "rulegen/spec/parse.h"

namespace outgrown::commands {
namespace {

namespace fs = std::filesystem;

// Two specs of one store would write the same files.
bool StoresAreUnique(const std::vector<spec::Spec>& specs) {
  std::map<std::string, std::string> file_of;
  bool unique = true;
  for (const spec::Spec& spec : specs) {
    const auto [other, is_new] = file_of.emplace(spec.store.name, spec.file.string());
    if (is_new) continue;
    fmt::print(stderr, "rulegen: {} and {} both describe the store {}\n", other->second, spec.file.string(),
               spec.store.name);
    unique = false;
  }
  return unique;
}

}  // namespace

std::vector<fs::path> SpecFiles(const Options& options) {
  if (!options.specs.empty()) return options.specs;
  std::vector<fs::path> files;
  std::error_code none;
  for (const fs::directory_entry& entry : fs::directory_iterator("rules", none)) {
    if (entry.path().extension() == ".toml") files.push_back(entry.path());
  }
  std::ranges::sort(files);
  return files;
}

Specs LoadSpecs(const Options& options) {
  Specs loaded;
  const std::vector<fs::path> files = SpecFiles(options);
  if (files.empty()) {
    fmt::print(stderr, "rulegen: there is no rules/*.toml here; name a spec with --spec\n");
    return {kExitUsage, {}};
  }
  for (const fs::path& file : files) {
    spec::LoadedSpec one = spec::LoadSpec(file);
    for (const spec::Diagnostic& diagnostic : one.diagnostics) {
      fmt::print(stderr, "{}\n", spec::FormatDiagnosticWithSource(diagnostic, one.source));
    }
    if (one.spec) {
      loaded.specs.push_back(std::move(*one.spec));
    } else {
      loaded.status = std::max<int>(loaded.status, one.unreadable ? kExitFailure : kExitInvalidSpec);
    }
  }
  if (loaded.status == kExitOk && !StoresAreUnique(loaded.specs)) loaded.status = kExitInvalidSpec;
  return loaded;
}

}  // namespace outgrown::commands
