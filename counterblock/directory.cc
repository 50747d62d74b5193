#include "counterblock/directory.h"

#include <sys/stat.h>

#include <algorithm>
#include <cerrno>
#include <charconv>
#include <cstdlib>
#include <filesystem>
#include <system_error>
#include <tuple>

namespace outgrown::block {
namespace {

constexpr std::string_view kSuffix = ".counters";
constexpr std::size_t kStoreNameSizeMax = 64;

bool IsDirectory(const std::string& path) {
  struct stat status = {};
  return ::stat(path.c_str(), &status) == 0 && S_ISDIR(status.st_mode);
}

std::string Environment(const char* name) {
  const char* value = ::secure_getenv(name);
  return value == nullptr ? std::string() : std::string(value);
}

bool IsNameCharacter(char c) {
  return (c >= 'A' && c <= 'Z') || (c >= 'a' && c <= 'z') || (c >= '0' && c <= '9') || c == '_' || c == '-' ||
         c == '.';
}

}  // namespace

Result<std::string> ResolveDirectory(std::string_view given, std::string_view application) {
  if (!given.empty()) return std::string(given);
  if (std::string named = Environment("OUTGROWN_DIR"); !named.empty()) return named;
  if (!application.empty() && IsStoreName(application)) {
    std::string system = "/run/outgrown/" + std::string(application);
    if (IsDirectory(system)) return system;
  }
  if (const std::string runtime = Environment("XDG_RUNTIME_DIR"); !runtime.empty()) {
    std::string personal = runtime + "/outgrown";
    if (IsDirectory(personal) || ::mkdir(personal.c_str(), 0700) == 0 || errno == EEXIST) return personal;
  }
  const std::string system = application.empty() ? "/run/outgrown/APPLICATION (no application was named)"
                                                 : "/run/outgrown/" + std::string(application);
  return Error{"no directory for counter blocks: OUTGROWN_DIR is not set, " + system +
                   " does not exist, and XDG_RUNTIME_DIR is not set or has no room for us",
               ""};
}

bool IsStoreName(std::string_view name) {
  return !name.empty() && name.size() <= kStoreNameSizeMax && name.front() != '.' &&
         std::ranges::all_of(name, IsNameCharacter);
}

std::string FileNameOf(const BlockName& name) {
  return name.store + ".v" + std::to_string(name.major) + std::string(kSuffix);
}

std::optional<BlockName> ParseFileName(std::string_view file_name) {
  if (!file_name.ends_with(kSuffix)) return std::nullopt;
  file_name.remove_suffix(kSuffix.size());
  const std::size_t dot = file_name.rfind(".v");
  if (dot == std::string_view::npos) return std::nullopt;
  const std::string_view digits = file_name.substr(dot + 2);
  BlockName name{std::string(file_name.substr(0, dot)), 0};
  const auto [end, error] = std::from_chars(digits.data(), digits.data() + digits.size(), name.major);
  if (error != std::errc() || end != digits.data() + digits.size() || digits.front() == '0')
    return std::nullopt;
  if (!IsStoreName(name.store)) return std::nullopt;
  return name;
}

Result<std::vector<BlockName>> ListBlocks(const std::string& directory) {
  std::vector<BlockName> names;
  std::error_code failed;
  std::filesystem::directory_iterator entry(directory, failed);
  for (; !failed && entry != std::filesystem::directory_iterator(); entry.increment(failed)) {
    if (std::optional<BlockName> name = ParseFileName(entry->path().filename().string())) {
      names.push_back(*std::move(name));
    }
  }
  if (failed) return Error{"cannot list the directory: " + failed.message(), directory};
  std::ranges::sort(names, {}, [](const BlockName& name) { return std::tie(name.store, name.major); });
  return names;
}

}  // namespace outgrown::block
