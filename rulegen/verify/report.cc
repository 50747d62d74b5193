#include "rulegen/verify/report.h"

#include <algorithm>

#include "common/exit_status.h"
#include "common/json.h"

namespace outgrown::verify {
namespace {

std::string_view Word(State state) {
  switch (state) {
    case State::kInStep:
      return "ok";
    case State::kBehind:
      return "behind";
    case State::kUnknown:
      return "unknown";
    case State::kNote:
      return "note";
  }
  return "";
}

bool Any(const std::vector<SpecReport>& reports, State state) {
  return std::ranges::any_of(reports, [state](const SpecReport& report) {
    return std::ranges::any_of(report.findings,
                               [state](const Finding& finding) { return finding.state == state; });
  });
}

}  // namespace

int ExitStatusOf(const std::vector<SpecReport>& reports) {
  // A copy that could not be looked at outranks drift: with drift's status a script would take all others for
  // compared.
  if (Any(reports, State::kUnknown)) return kExitNoAnswer;
  return Any(reports, State::kBehind) ? kExitDrift : kExitOk;
}

std::string TextReport(const std::vector<SpecReport>& reports) {
  std::string text;
  for (const SpecReport& report : reports) {
    for (const Finding& finding : report.findings) {
      text += report.file + ": " + std::string(Word(finding.state)) + ": " + finding.copy + ": " +
              finding.what + "\n";
    }
  }
  return text;
}

std::string JsonReport(const std::vector<SpecReport>& reports) {
  JsonWriter json;
  json.StartObject();
  json.Key("schema").Integer(1);
  json.Key("exit_status").Integer(ExitStatusOf(reports));
  json.Key("specs").StartArray();
  for (const SpecReport& report : reports) {
    json.StartObject();
    json.Key("spec").String(report.file);
    json.Key("store").String(report.store);
    json.Key("digest").String(report.digest);
    json.Key("findings").StartArray();
    for (const Finding& finding : report.findings) {
      json.StartObject();
      json.Key("state").String(Word(finding.state));
      json.Key("copy").String(finding.copy);
      json.Key("what").String(finding.what);
      if (!finding.digest.empty()) json.Key("digest").String(finding.digest);
      json.EndObject();
    }
    json.EndArray().EndObject();
  }
  json.EndArray().EndObject();
  return json.text() + "\n";
}

}  // namespace outgrown::verify
