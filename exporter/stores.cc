#include "exporter/stores.h"

#include <algorithm>
#include <cstdlib>
#include <filesystem>
#include <map>
#include <system_error>
#include <utility>

#include "counterblock/directory.h"

namespace outgrown::exporter {
namespace {

namespace fs = std::filesystem;

std::string Environment(const char* name) {
  const char* value = ::secure_getenv(name);
  return value == nullptr ? std::string() : std::string(value);
}

}  // namespace

std::vector<std::string> DefaultBlockDirectories(const std::string& system_directory) {
  if (std::string named = Environment("OUTGROWN_DIR"); !named.empty()) return {std::move(named)};
  std::vector<std::string> directories;
  std::error_code failed;
  for (fs::directory_iterator entry(system_directory, failed); !failed && entry != fs::directory_iterator();
       entry.increment(failed)) {
    std::error_code ignored;
    if (entry->symlink_status(ignored).type() == fs::file_type::directory) {
      directories.push_back(entry->path().string());
    }
  }
  std::ranges::sort(directories);
  if (const std::string runtime = Environment("XDG_RUNTIME_DIR"); !runtime.empty()) {
    const std::string personal = runtime + "/outgrown";
    std::error_code ignored;
    if (fs::is_directory(personal, ignored)) directories.push_back(personal);
  }
  return directories;
}

FoundStores FindStores(const StoreSources& sources) {
  FoundStores found;
  std::map<std::string, StoreTarget> by_name;
  const std::vector<std::string> directories =
      sources.block_directories.empty() ? DefaultBlockDirectories() : sources.block_directories;
  for (const std::string& directory : directories) {
    const Result<std::vector<block::BlockName>> names = block::ListBlocks(directory);
    if (!names) {
      found.problems.push_back(names.error());
      continue;
    }
    for (const block::BlockName& name : *names) by_name[name.store].blocks.push_back({directory, name});
  }
  for (const NamedStore& named : sources.named) by_name[named.name].database = named.database;
  for (auto& [name, target] : by_name) {
    target.name = name;
    found.stores.push_back(std::move(target));
  }
  return found;
}

}  // namespace outgrown::exporter
