// The report of --verify, as text and as JSON.
#pragma once

#include <string>
#include <string_view>
#include <vector>

namespace outgrown::verify {

enum class State {
  kInStep,   // the copy says what the spec says
  kBehind,   // it differs; `copy` names the one that has to follow
  kUnknown,  // it could not be read, so nothing is known about it
  kNote,     // worth knowing, no difference
};

// One line. `copy` is the file, "loaded rules at URL", "exporter at INSTANCE", "compiled table", "spec".
struct Finding {
  State state;
  std::string copy;
  std::string what;
  std::string digest;  // the spec's digest that the copy carries; "" if it carries none
};

// The findings about one spec.
struct SpecReport {
  std::string file;
  std::string store;
  std::string digest;
  std::vector<Finding> findings;
};

// kExitNoAnswer if a server's copy is unknown, else kExitDrift if any copy is behind, else kExitOk.
int ExitStatusOf(const std::vector<SpecReport>& reports);

// "SPEC: ok|behind|unknown|note: COPY: WHAT", one line a finding.
std::string TextReport(const std::vector<SpecReport>& reports);

// One JSON document with a newline (docs/operations.md).
std::string JsonReport(const std::vector<SpecReport>& reports);

}  // namespace outgrown::verify
