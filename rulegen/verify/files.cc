#include "rulegen/verify/files.h"

#include <algorithm>
#include <cstddef>
#include <string>
#include <utility>

#include <fmt/format.h>

#include "common/digest.h"
#include "rulegen/artefacts/artefacts.h"

namespace outgrown::verify {
namespace {

constexpr std::size_t kDigestDigits = 64;
// The mark stands in the first line, or in a dashboard's first key.
constexpr std::size_t kMarkBytesMax = 1000;

bool IsDashboard(const std::filesystem::path& path) { return path.extension() == ".json"; }

std::string Counted(std::size_t count, const char* one) {
  return fmt::format("{} {}{}", count, one, count == 1 ? "" : "s");
}

}  // namespace

std::string_view MarkedDigest(std::string_view bytes) {
  constexpr std::string_view kBefore = "(spec digest ";
  const std::string_view head = bytes.substr(0, kMarkBytesMax);
  const std::size_t at = head.find(kBefore);
  if (at == std::string_view::npos) return {};
  const std::string_view digest = head.substr(at + kBefore.size(), kDigestDigits);
  const bool whole = digest.size() == kDigestDigits &&
                     digest.find_first_not_of("0123456789abcdef") == std::string_view::npos;
  return whole ? digest : std::string_view();
}

Finding FileFinding(const spec::Spec& spec, const generate::FileDifference& difference) {
  const std::string copy = (IsDashboard(difference.path) ? "dashboard " : "file ") + difference.path.string();
  if (!difference.there) return {State::kBehind, copy, "it is missing", ""};
  if (!difference.kept_because.empty()) {
    return {State::kBehind, copy,
            "it is left over, the spec generates it no more, and --generate does not remove it: " +
                difference.kept_because,
            ""};
  }
  if (!difference.generated)
    return {State::kBehind, copy, "it is left over, the spec generates it no more", ""};
  const std::string_view digest = MarkedDigest(*difference.there);
  if (digest.empty()) return {State::kBehind, copy, "it differs, and is not rulegen's", ""};
  if (digest != spec.digest) {
    return {State::kBehind, copy,
            fmt::format("it was generated from digest {}, the spec's is {}", ShortDigest(digest),
                        ShortDigest(spec.digest)),
            std::string(digest)};
  }
  std::string what = "it differs, with the spec's own digest: edited by hand, or of another rulegen";
  const bool holds_others = spec.alertmanager && !spec.alertmanager->also.empty() &&
                            difference.path.filename() == spec.store.name + ".alertmanager.yml";
  if (holds_others) what += ", or a spec of alertmanager.also has changed";
  return {State::kBehind, copy, std::move(what), spec.digest};
}

Result<std::vector<Finding>> CompareFiles(const spec::Spec& spec,
                                          const std::optional<std::filesystem::path>& out) {
  const Result<std::vector<generate::Artefact>> artefacts = generate::MakeArtefacts(spec);
  if (!artefacts) return artefacts.error();
  const auto differences = generate::CompareTree(spec, *artefacts, generate::Layout(spec, out));
  if (!differences) return differences.error();
  std::vector<Finding> findings;
  for (const generate::FileDifference& difference : *differences) {
    findings.push_back(FileFinding(spec, difference));
  }
  const auto all = [&](bool dashboards, const char* copy, const char* one) {
    const bool differ = std::ranges::any_of(*differences, [&](const generate::FileDifference& difference) {
      return IsDashboard(difference.path) == dashboards;
    });
    const auto count =
        static_cast<std::size_t>(std::ranges::count_if(*artefacts, [&](const generate::Artefact& artefact) {
          return IsDashboard(artefact.path) == dashboards;
        }));
    if (differ || count == 0) return;
    findings.push_back({State::kInStep, copy, Counted(count, one) + " as the spec generates", spec.digest});
  };
  all(false, "files", "file");
  all(true, "dashboards", "dashboard");
  return findings;
}

}  // namespace outgrown::verify
