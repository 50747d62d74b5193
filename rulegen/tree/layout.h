// Where the artefacts of a spec lie on disk.
#pragma once

#include <filesystem>
#include <optional>

#include "thresholds/model.h"

namespace outgrown::generate {

// Where a spec's output goes: beside the spec, or the same layout under another folder (--out). The layout starts at the
// nearest folder that holds the spec's folder and all that [output] names, so that it does not depend on the working
// directory: rules/checkpoint.toml with docs = "../docs/gen" gives DIR/rules/... and DIR/docs/gen/....
class Layout {
 public:
  // `out`: the folder that everything goes under; nothing: the spec's own place.
  Layout(const spec::Spec& spec, const std::optional<std::filesystem::path>& out);

  // On disk. `path` is from the spec's folder, as [output] names it; an absolute one is taken as if it were.
  std::filesystem::path On(const std::filesystem::path& path) const;

 private:
  std::filesystem::path folder_;  // stands for the spec's folder
};

}  // namespace outgrown::generate
