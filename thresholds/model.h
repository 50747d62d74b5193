// The spec as plain structs: what rules/*.toml says, after parsing and validation, and nothing else.
//
// parse.h makes it from TOML, validate.h judges it, digest.h names it; plan/ turns it into artefacts and
// table/ into rows. Nobody changes it after that. Every value is what the author wrote, with the
// defaults filled in; identifiers refer to each other by id, never by position.
#pragma once

#include <chrono>
#include <compare>
#include <cstddef>
#include <filesystem>
#include <functional>
#include <map>
#include <optional>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "common/duration.h"
#include "thresholds/table.h"

namespace outgrown::spec {

// A place in the spec's file, counted from 1; a column is a Unicode code point, not a byte.
struct Position {
  int line = 1;
  int column = 1;

  // NOLINTNEXTLINE(modernize-use-nullptr): clang-tidy 14 sees a 0 in the comparison that it is to make itself
  friend auto operator<=>(const Position&, const Position&) = default;
};

// Where one key of a table stands, and its value.
struct Place {
  Position key;
  Position value;
  // Where the text of a string value begins, if the file holds it character for character (no escape in it), so that
  // a place inside it can be named; otherwise nothing.
  std::optional<Position> text;
  bool usable = true;  // false: the value was reported and the model holds the default in its place
};

// Where each key of one table stands; "" is the table's own header line, "key[0]" an array's first element. A key
// that is absent has no entry. Empty for a spec made by hand.
using Positions = std::map<std::string, Place, std::less<>>;

// Where the key's value stands; the table if it is absent, 1:1 if that has no place either.
inline Position PositionOf(const Positions& positions, std::string_view key) {
  auto found = positions.find(key);
  if (found == positions.end()) found = positions.find("");
  return found == positions.end() ? Position() : found->second.value;
}

// The rule engines that artefacts are made for. kPrometheus: 2.42 and newer, 3.x; Mimir and Thanos rulers too.
enum class Flavor { kPrometheus, kVictoriaMetrics };

struct Store {
  std::string name;        // [a-z][a-z0-9_]*; prefix of every recorded series and file
  std::string title;       // "SQLite checkpoint store"
  std::string sufficient;  // the verdict when nothing is breached: "SQLite sufficient"
  std::string next;        // what to migrate to: "PostgreSQL"
  std::vector<std::string> identity = {"job", "instance"};  // labels that name one store
  std::string present;                                      // the series that says which stores there are
  Positions positions;
};

struct Rules {
  Milliseconds scrape_interval = std::chrono::seconds(15);
  Milliseconds interval =
      std::chrono::seconds(30);  // of every rule group; recorded samples are this far apart
  std::optional<Milliseconds> keep_firing_for;
  std::vector<Flavor> flavors = {Flavor::kPrometheus};
  std::string runbook_url;  // each alert's annotation is this plus "#" and the alert's anchor
  Positions positions;
};

// Where each kind of artefact goes, relative to the spec's folder. A kind that is absent is not made.
struct Output {
  std::optional<std::string> rules;
  std::optional<std::string> dashboards;
  std::optional<std::string> docs;
  Positions positions;
};

struct Alertmanager {
  std::string base;  // the people's own configuration, relative to the spec's folder; "" if none
  // Other specs' files, relative to the spec's folder, whose routes and inhibitions are merged in behind this one's.
  std::vector<std::string> also;
  Positions positions;
};

// From mild to severe, in spec order.
struct Verdict {
  std::string id;        // "migrate_now"
  std::string text;      // "MIGRATE NOW"
  std::string severity;  // the alert's label: "critical"
  int exit_code = 0;     // of --evaluate --exit-code
  Positions positions;
};

// A foreign metric that expressions may read, with the labels it has beside the identity ones.
struct Metric {
  std::string name;
  std::string type;  // counter | gauge | histogram | summary
  std::string help;
  std::vector<std::string> labels;
  Positions positions;
};

// Raw series in, recorded value out: one promtool case.
struct SignalTest {
  std::string name;                                         // "idle records 0"; "" if the author gave none
  std::vector<std::pair<std::string, std::string>> series;  // selector -> promtool's notation, in spec order
  Milliseconds at{0};
  double value = 0;
  Positions positions;
};

// One recording rule: STORE:ID (names.h).
struct Signal {
  std::string id;
  std::string title;
  std::string description;  // one sentence for the metric reference and the dashboard
  Unit unit = Unit::kCount;
  std::string expr;  // PromQL; keeps the identity labels and no other
  std::vector<SignalTest> tests;
  Positions positions;
};

// The rules that a group may have: the limit that Mimir's rulers come with. A signal's recording rule and its alerts stand
// in one group, so that an alert never sees an older recorded value.
inline constexpr std::size_t kRulesPerGroupMax = 20;

// One alert on one signal; of one signal at most kRulesPerGroupMax - 1.
struct Threshold {
  std::string id;  // the alert's name is the store's and this (names.h): "WriteErrors"
  std::string signal;
  Direction direction = Direction::kAbove;
  double limit = 0;      // in the signal's unit; breached strictly above or strictly below
  Milliseconds hold{0};  // `for`: how long the condition must have held
  std::string verdict;
  std::string because;  // "Write errors >1% (SQLite saturated)"
  std::string look;     // runbook: what to look at; may be empty
  std::string act;      // runbook: what to do; may be empty
  Positions positions;
};

// How much of the store's own commits the application's counting saw: one more recorded series, 0 to 1.
// Below `minimum`, or absent, the signals that rest on that counting can't be trusted: those in `unknown` are
// unknown; those in `lower_bound` can only be too small, so a breach above stands and anything else is unknown.
struct Coverage {
  std::string expr;
  double minimum = 0.95;
  std::vector<std::string> unknown;
  std::vector<std::string> lower_bound;
  std::vector<SignalTest> tests;
  Positions positions;
};

struct Spec {
  std::filesystem::path file;  // as the user named it
  Positions positions;         // of the root's keys
  int schema = 1;
  Store store;
  Rules rules;
  Output output;
  std::optional<Alertmanager> alertmanager;
  std::vector<Verdict> verdicts;
  std::vector<Metric> metrics;
  std::vector<Signal> signals;
  std::vector<Threshold> thresholds;
  std::optional<Coverage> coverage;
  std::string digest;  // SHA-256 of the canonical text (digest.h), 64 hexadecimal digits
};

}  // namespace outgrown::spec
