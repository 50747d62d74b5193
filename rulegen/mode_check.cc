// --check: the committed artefacts against what the specs generate; drift is a diff and an exit status.
#include <cstddef>
#include <string>
#include <string_view>
#include <vector>

#include "common/exit_status.h"
#include "rulegen/modes.h"
#include "rulegen/output.h"
#include "rulegen/spec_files.h"
#include "rulegen/tree/tree.h"
#include "thresholds/model.h"

namespace outgrown::rulegen {
namespace {

// RFC 2606 reserves these names for documents: no runbook is there.
bool IsPlaceholder(std::string_view url) {
  const std::size_t begin = url.find("://") + 3;
  const std::string_view host = url.substr(begin, url.find_first_of(":/", begin) - begin);
  const auto is_in = [&](std::string_view domain) {
    return host.ends_with(domain) &&
           (host.size() == domain.size() || host[host.size() - domain.size() - 1] == '.');
  };
  return is_in("example") || is_in("example.org") || is_in("example.com") || is_in("example.net") ||
         is_in("invalid");
}

void WarnOfPlaceholder(const spec::Spec& spec) {
  if (spec.rules.runbook_url.empty() || !IsPlaceholder(spec.rules.runbook_url)) return;
  const spec::Position at = spec::PositionOf(spec.rules.positions, "runbook_url");
  Say("{}:{}:{}: warning: rules.runbook_url: found a placeholder, to which every alert links; expected where "
      "your team reads the generated {}.runbook.md (Debian's packages have it in "
      "/usr/share/outgrown/docs/gen)\n",
      spec.file.string(), at.line, at.column, spec.store.name);
}

}  // namespace

int RunCheck(const Options& options) {
  const Specs specs = LoadSpecs(options, Purpose::kArtefacts);
  if (specs.status != kExitOk) return specs.status;
  const MadeArtefacts all = MakeAllFiles(specs, options.out);
  if (all.status != kExitOk) return all.status;
  for (const tree::Made& made : all.made) WarnOfPlaceholder(*made.spec);
  std::string diffs;
  for (const tree::Made& made : all.made) {
    const auto differences = tree::CompareTree(made, tree::Layout(*made.spec, options.out));
    if (!differences.ok()) return Fail(differences.error());
    if (differences->empty()) continue;
    diffs += tree::DiffOf(*differences);
    Fail({"the artefacts differ from what it generates; run rulegen --generate", made.spec->file.string()});
  }
  // Named without a diff: a file with the mark may be a copy whose content is of no interest here.
  const auto left_overs = tree::LeftOvers(all.made, options.out, options.specs.empty());
  if (!left_overs.ok()) return Fail(left_overs.error());
  for (const tree::LeftOver& file : *left_overs) {
    Fail({"left over: " + file.why + "; run rulegen --generate" + (file.is_settled ? "" : " --prune") +
              ", or remove the mark if you maintain it yourself",
          file.path.string()});
  }
  return Answer(diffs, diffs.empty() && left_overs->empty() ? kExitOk : kExitDrift);
}

}  // namespace outgrown::rulegen
