// Which exporter this is.
#include "exporter/collectors/collectors.h"

namespace outgrown::exporter {
namespace {

#if defined(__clang__)
constexpr std::string_view kCompiler = "clang " __clang_version__;
#else
constexpr std::string_view kCompiler = "gcc " __VERSION__;
#endif

}  // namespace

Result<void> CollectBuildInfo(const Settings& settings, Samples& samples) {
  samples.Set("checkpoint_exporter_build_info", {settings.version, kCompiler}, 1);
  return {};
}

}  // namespace outgrown::exporter
