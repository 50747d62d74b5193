#include "rulegen/artefacts/also.h"

#include <cstddef>
#include <filesystem>
#include <string>
#include <utility>

#include <fmt/format.h>

#include "common/file.h"
#include "rulegen/artefacts/shared_names.h"
#include "thresholds/parse.h"

namespace outgrown::generate {
namespace {

class Loader {
 public:
  explicit Loader(const spec::Spec& spec) : spec_(spec), report_(spec.file) {
    names_.Add(spec);
    specs_.reserve(spec.alertmanager->also.size());  // names_ points into it
  }

  AlsoSpecs Load() {
    for (std::size_t i = 0; i < spec_.alertmanager->also.size(); ++i) One(i);
    AlsoSpecs loaded{{}, report_.TakeInFileOrder(), unreadable_};
    if (loaded.diagnostics.empty()) loaded.specs = std::move(specs_);
    return loaded;
  }

 private:
  void One(std::size_t index) {
    const std::string& name = spec_.alertmanager->also[index];
    const std::filesystem::path file = (spec_.file.parent_path() / name).lexically_normal();
    if (IsSameFile(file, spec_.file)) return Wrong(index, ", this spec itself", "another spec's file");
    for (const spec::Spec& other : specs_) {
      if (IsSameFile(file, other.file))
        return Wrong(index, ", a spec that stands before it", "each spec once");
    }
    spec::LoadedSpec loaded = spec::LoadSpec(file);
    if (!loaded.spec) {
      unreadable_ = unreadable_ || loaded.unreadable;
      return Wrong(index,
                   loaded.unreadable ? ", " + loaded.diagnostics.front().found
                                     : fmt::format(", a spec with errors, {} in all, the first: {}",
                                                   loaded.diagnostics.size(),
                                                   spec::FormatDiagnostic(loaded.diagnostics.front())),
                   "a spec without errors");
    }
    specs_.push_back(std::move(*loaded.spec));
    for (const SharedName& shared : names_.Add(specs_.back())) {
      Wrong(index,
            fmt::format(", whose {} ({}) is also that of {}", Described(shared.here).substr(4),
                        Where(shared.here), Where(shared.there)),
            "a spec with names of its own");
    }
  }

  void Wrong(std::size_t index, const std::string& what, std::string expected) {
    report_.Add(spec::PositionOf(spec_.alertmanager->positions, fmt::format("also[{}]", index)),
                "alertmanager.also", spec::Quoted(spec_.alertmanager->also[index]) + what,
                std::move(expected));
  }

  const spec::Spec& spec_;
  NamesInUse names_;
  std::vector<spec::Spec> specs_;
  spec::Report report_;
  bool unreadable_ = false;
};

}  // namespace

AlsoSpecs LoadAlso(const spec::Spec& spec) {
  if (!spec.alertmanager || spec.alertmanager->also.empty()) return {};
  return Loader(spec).Load();
}

}  // namespace outgrown::generate
