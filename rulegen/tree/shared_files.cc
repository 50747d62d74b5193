#include "rulegen/tree/shared_files.h"

#include <cstddef>
#include <map>
#include <string>
#include <string_view>
#include <system_error>
#include <utility>

#include <fmt/format.h>

namespace outgrown::tree {
namespace {

namespace fs = std::filesystem;

// One end of a file: who writes or reads it, and the key that says so; no key for the spec's file itself.
struct End {
  const spec::Spec* spec = nullptr;
  std::string key;
  spec::Position position;
  std::string value;
};

End EndAt(const spec::Spec& spec, std::string key, const spec::Positions& positions, std::string_view place,
          std::string value) {
  return {&spec, std::move(key), spec::PositionOf(positions, place), std::move(value)};
}

std::string Where(const End& end) {
  return fmt::format("{}:{}:{}", end.spec->file.string(), end.position.line, end.position.column);
}

// The key of [output] that an artefact comes from.
End Writer(const spec::Spec& spec, const fs::path& artefact) {
  const spec::Output& output = spec.output;
  if (artefact.extension() == ".json" && output.dashboards)
    return EndAt(spec, "output.dashboards", output.positions, "dashboards", *output.dashboards);
  if (artefact.extension() == ".md" && output.docs)
    return EndAt(spec, "output.docs", output.positions, "docs", *output.docs);
  return EndAt(spec, "output.rules", output.positions, "rules", output.rules.value_or(""));
}

// Keyed by the canonical path, so that "../rules/x.yml", a link and the file itself are one.
class Files {
 public:
  explicit Files(const std::optional<fs::path>& out) : out_(out) {}

  void AddInputs(const spec::Spec& spec) {
    inputs_.emplace(Canonical(spec.file), End{&spec, "", {}, ""});
    if (!spec.alertmanager || spec.alertmanager->base.empty()) return;
    const std::string& base = spec.alertmanager->base;
    inputs_.emplace(Canonical(spec.file.parent_path() / base),
                    EndAt(spec, "alertmanager.base", spec.alertmanager->positions, "base", base));
  }

  void AddOutputs(const Made& made) {
    const spec::Spec& spec = *made.spec;
    const Layout layout(spec, out_);
    for (const artefacts::Artefact& artefact : made.artefacts)
      AddOutput(layout.On(artefact.path), Writer(spec, artefact.path));
  }

  std::vector<spec::Diagnostic> Take() { return std::move(diagnostics_); }

 private:
  void AddOutput(const fs::path& path, const End& writer) {
    const fs::path canonical = Canonical(path);
    if (const auto input = inputs_.find(canonical); input != inputs_.end())
      WrittenOver(input->second, writer, path);
  }

  void WrittenOver(const End& input, const End& writer, const fs::path& path) {
    if (input.key.empty()) {
      Wrong(writer,
            fmt::format("{}, where {} would be written over the spec {}", spec::Quoted(writer.value),
                        path.string(), input.spec->file.string()),
            "another folder");
    } else {
      Wrong(input, fmt::format("{}, which {} generates", spec::Quoted(input.value), Where(writer)),
            "a file of your own (alertmanager.also merges other specs)");
    }
  }

  void Wrong(const End& at, std::string found, std::string expected) {
    diagnostics_.push_back({at.spec->file, at.position, at.key, std::move(found), std::move(expected)});
  }

  const std::optional<fs::path>& out_;
  std::map<fs::path, End> inputs_;
  std::vector<spec::Diagnostic> diagnostics_;
};

}  // namespace

std::vector<spec::Diagnostic> SharedFiles(const std::vector<Made>& made, const std::optional<fs::path>& out) {
  Files files(out);
  // All inputs first, since a spec may write over the input of any other, also of a later one.
  for (const Made& one : made) files.AddInputs(*one.spec);
  for (const Made& one : made) files.AddOutputs(one);
  return files.Take();
}

}  // namespace outgrown::tree
