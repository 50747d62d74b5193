// The generated files on disk, against what the spec generates: rules, tests, Alertmanager's configuration, documents,
// dashboards. By the same engine as --check.
#pragma once

#include <filesystem>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "common/result.h"
#include "rulegen/tree/tree.h"
#include "rulegen/verify/report.h"
#include "thresholds/model.h"

namespace outgrown::verify {

// The digest that the mark of a generated file names; "" if it has none.
std::string_view MarkedDigest(std::string_view bytes);

// What is said about one file that differs. Pure.
Finding FileFinding(const spec::Spec& spec, const generate::FileDifference& difference);

// One finding for each file that differs, or one for all files and one for all dashboards that agree. An error where
// the artefacts can't be made or a file can't be read. `out` as of --out.
Result<std::vector<Finding>> CompareFiles(const spec::Spec& spec,
                                          const std::optional<std::filesystem::path>& out);

}  // namespace outgrown::verify
