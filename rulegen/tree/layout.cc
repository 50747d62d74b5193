#include "rulegen/tree/layout.h"

#include <algorithm>
#include <cstddef>
#include <filesystem>
#include <optional>
#include <string>

namespace outgrown::generate {
namespace {

namespace fs = std::filesystem;

std::size_t LeadingUps(const fs::path& path) {
  std::size_t ups = 0;
  for (const fs::path& part : path.lexically_normal()) {
    if (part != "..") break;
    ++ups;
  }
  return ups;
}

}  // namespace

Layout::Layout(const spec::Spec& spec, const std::optional<fs::path>& out) {
  if (!out) {
    folder_ = spec.file.parent_path();
    return;
  }
  std::size_t ups = 1;
  for (const std::optional<std::string>& folder :
       {spec.output.rules, spec.output.dashboards, spec.output.docs}) {
    if (folder) ups = std::max(ups, LeadingUps(*folder));
  }
  // The spec's folder from the folder that holds everything: its last `ups` names.
  fs::path from = fs::absolute(spec.file).lexically_normal().parent_path();
  fs::path names;
  for (std::size_t i = 0; i < ups && from.has_relative_path(); ++i) {
    names = from.filename() / names;
    from = from.parent_path();
  }
  folder_ = *out / names;
}

fs::path Layout::On(const fs::path& path) const {
  return (folder_ / path.relative_path()).lexically_normal();
}

}  // namespace outgrown::generate
