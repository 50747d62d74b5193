// Every artefact of a spec, in memory: where it goes and its bytes.
#pragma once

#include <filesystem>
#include <optional>
#include <string>
#include <vector>

#include "common/result.h"
#include "thresholds/model.h"

namespace outgrown::artefacts {

struct Artefact {
  std::filesystem::path
      path;  // from the spec's folder, as [output] names it: "../docs/gen/checkpoint.runbook.md"
  std::string bytes;
  // Of a file that is not there yet: the mode of the user-supplied Alertmanager configuration, which may hold secrets.
  unsigned mode_if_new = 0644;
};

// The user-supplied Alertmanager configuration that alertmanager.base names.
struct Base {
  std::string text;
  std::string name;              // for errors
  std::filesystem::path folder;  // where it lies, from the folder of the file that is merged from it
  unsigned mode = 0644;          // it may hold receivers' secrets, which the merged file then holds too
};

// What the artefacts are made from beside the spec.
struct Inputs {
  std::optional<Base> base;
  std::vector<spec::Spec> also;  // the specs of alertmanager.also, in that order
};

// Where the merged Alertmanager configuration goes, from the spec's folder; nothing if none is generated.
std::optional<std::filesystem::path> AlertmanagerFile(const spec::Spec& spec);

// All artefacts, in a fixed order. Pure. What is wrong with the base is the error. Preconditions: a validated
// spec; a base if it names one and AlertmanagerFile says where to.
Result<std::vector<Artefact>> MakeArtefacts(const spec::Spec& spec, const Inputs& inputs);

}  // namespace outgrown::artefacts
