#include "rulegen/options.h"

#include <algorithm>
#include <cstdint>
#include <sstream>
#include <string>
#include <string_view>
#include <variant>

#include <CLI/CLI.hpp>
#include <fmt/format.h>
#include <fmt/ranges.h>

#include "common/exit_status.h"
#include "common/horizons.h"
#include "common/time_text.h"
#include "decision/log/decision_log.h"
#include "prometheus/http_client.h"

namespace outgrown::rulegen {
namespace {

constexpr const char* kDescription =
    "rulegen: alerting rules, dashboards, documents and decisions from one spec of thresholds.";
constexpr const char* kFooter =
    "Exit status: 0 ok, 1 failure, 2 usage, 3 invalid spec, 4 Prometheus answered no query,\n"
    "5 decision could not be logged, 6 drift, 30 undetermined. The manual is rulegen(1).";
constexpr const char* kConnection = "Connection to Prometheus";
// A smaller step only multiplies the work: a recorded series has one sample an evaluation.
constexpr std::int64_t kStepMsMin = 1'000;
constexpr const char* kModes = "Modes (exactly one)";

// A mode's flag, and the options that mean something with it.
struct ModeFlag {
  Mode mode;
  const char* flag;
  const char* help;
  std::vector<const char*> options;
};

// One table for the help, for the parser and for the check of combinations, so that they cannot differ.
const std::vector<ModeFlag>& ModeFlags() {
  static const std::vector<ModeFlag> flags = {
      {Mode::kGenerate, "--generate", "Write every artefact of the specs", {"--out", "--prune"}},
      {Mode::kCheck,
       "--check",
       "Compare the artefacts on disk with what the specs generate; exit 6 and a unified diff if they differ",
       {"--out"}},
      {Mode::kEvaluate,
       "--evaluate",
       "Decide about every store, from what Prometheus measured; log the decision, then print it",
       {"--measurements", "--log", "--at", "--since", "--wait", "--format", "--exit-code", "--rules-url",
        "--rules-headers-file", "--prometheus", "--basic-auth-file", "--bearer-token-file", "--headers-file",
        "--ca-file", "--timeout"}},
      {Mode::kAudit,
       "--audit",
       "Verify the decision log's hash chain, and recompute every verdict from its recorded inputs",
       {"LOG"}},
      {Mode::kHistory, "--history", "Show when each store's verdict changed, and why", {"LOG"}},
      {Mode::kBacktest,
       "--backtest",
       "Show the verdicts that the specs would have given over the retained history, and what another "
       "spec would have changed; nothing is logged",
       {"--at", "--since", "--step", "--against", "--format", "--rules-url", "--rules-headers-file",
        "--prometheus", "--basic-auth-file", "--bearer-token-file", "--headers-file", "--ca-file",
        "--timeout"}},
      {Mode::kArchive,
       "--archive",
       "Put the evidence into this new folder: specs, artefacts, configurations, loaded rules, decision "
       "log and the signals' samples, with checksums",
       {"--out", "--log", "--at", "--since", "--include", "--alertmanager", "--rules-url",
        "--rules-headers-file", "--prometheus", "--basic-auth-file", "--bearer-token-file", "--headers-file",
        "--ca-file", "--timeout"}},
      {Mode::kVerify,
       "--verify",
       "Compare every copy in use with the specs: files, dashboards, loaded rules, exporters; "
       "exit 6 on drift",
       {"--out", "--rules-url", "--rules-headers-file", "--format", "--prometheus", "--basic-auth-file",
        "--bearer-token-file", "--headers-file", "--ca-file", "--timeout"}},
  };
  return flags;
}

const ModeFlag& FlagOf(Mode mode) { return *std::ranges::find(ModeFlags(), mode, &ModeFlag::mode); }

// "Options of --evaluate, --backtest and --archive": the heading in the help.
std::string GroupOf(std::string_view option) {
  std::vector<std::string> modes;
  for (const ModeFlag& flag : ModeFlags()) {
    if (std::ranges::count(flag.options, option) > 0) modes.emplace_back(flag.flag);
  }
  const std::string last = std::move(modes.back());
  modes.pop_back();
  return fmt::format("Options of {}{}{}", fmt::join(modes, ", "), modes.empty() ? "" : " and ", last);
}

CLI::ValidationError Wrong(const char* flag, std::string_view found, std::string_view expected) {
  return CLI::ValidationError(flag, fmt::format("found \"{}\", expected {}", found, expected));
}

// A positive duration. CLI::ValidationError, naming `flag`, if the text is none.
std::int64_t PositiveDuration(const char* flag, const std::string& text,
                              std::string_view expected = "a duration like 30s or 24h") {
  const std::optional<Milliseconds> duration = ParseDuration(text);
  if (!duration || duration->count() <= 0) throw Wrong(flag, text, expected);
  return duration->count();
}

// A URL that a server may have. CLI::ValidationError, naming `flag`, if the text is none.
std::string ServerUrl(const char* flag, const std::string& text) {
  if (const Result<void> checked = prometheus_api::CheckServerUrl(text); !checked)
    throw CLI::ValidationError(flag, checked.error().what);
  return text;
}

void AddFile(CLI::App& app, const char* flag, std::optional<std::filesystem::path>& file, const char* help,
             const std::string& group) {
  app.add_option_function<std::string>(
         flag,
         [flag, &file](const std::string& path) {
           // As "$LOG" gives without the variable: no file, not the default one.
           if (path.empty()) throw CLI::ValidationError(flag, "names no file");
           file = path;
         },
         help)
      ->type_name("FILE")
      ->group(group);
}

void AddConnectionOptions(CLI::App& app, ConnectionOptions& options) {
  app.add_option_function<std::string>(
         "--prometheus",
         [&options](const std::string& text) { options.url = ServerUrl("--prometheus", text); },
         "The server to ask (default: http://127.0.0.1:9090)")
      ->type_name("URL")
      ->group(kConnection);
  AddFile(app, "--basic-auth-file", options.basic_auth_file, "Log in with the USER:PASSWORD in this file",
          kConnection);
  AddFile(app, "--bearer-token-file", options.bearer_token_file, "Log in with the token in this file",
          kConnection);
  AddFile(app, "--headers-file", options.headers_file,
          "Send the headers in this file, one a line (\"X-Scope-OrgID: tenant\")", kConnection);
  AddFile(app, "--ca-file", options.ca_file, "Trust the certificate authorities in this PEM file",
          kConnection);
  app.add_option_function<std::string>(
         "--timeout",
         [&options](const std::string& text) { options.timeout_ms = PositiveDuration("--timeout", text); },
         "How long one query may take (default: 30s)")
      ->type_name("DURATION")
      ->group(kConnection);
}

// What they take is checked while they are parsed.
// So a wrong value is a usage error before any file or server is touched.
void AddEvaluateOptions(CLI::App& app, EvaluateOptions& options) {
  AddFile(app, "--measurements", options.measurements,
          "Decide from the values in this JSON file (- is standard input) instead of asking Prometheus",
          GroupOf("--measurements"));
  AddFile(app, "--log", options.log,
          "The decision log (default: decisions.jsonl in $STATE_DIRECTORY, else in $XDG_STATE_HOME/outgrown)",
          GroupOf("--log"));
  app.add_option_function<std::string>(
         "--at",
         [&options](const std::string& text) {
           options.at_ms = ParseTime(text);
           if (!options.at_ms)
             throw Wrong("--at", text, "an instant like 2026-11-23T14:00:00Z or Unix seconds");
         },
         "Decide for this instant instead of 10 seconds ago; a backtest or an archive ends there")
      ->type_name("TIME")
      ->group(GroupOf("--at"));
  app.add_option_function<std::string>(
         "--since",
         [&options](const std::string& text) {
           options.since_last = text == "last";
           if (!options.since_last)
             options.since_ms = PositiveDuration("--since", text, "a duration like 30s or 24h, or last");
         },
         "Decide at every evaluation of this period and report the most severe verdict; last: for each store "
         "since the end of its newest period in the log, for a daily timer; with --backtest and --archive: "
         "how far to go back (default: 7d)")
      ->type_name("DURATION")
      ->group(GroupOf("--since"));
  app.add_option_function<std::string>(
         "--format",
         [&options](const std::string& text) {
           if (text != "text" && text != "json") throw Wrong("--format", text, "text or json");
           options.format = text == "json" ? Format::kJson : Format::kText;
         },
         "text (default) or json")
      ->type_name("FORMAT")
      ->group(GroupOf("--format"));
  app.add_option_function<std::string>(
         "--wait",
         [&options](const std::string& text) { options.wait_ms = PositiveDuration("--wait", text); },
         "Wait at most this long for a server that is not reachable yet or answers 503, as Prometheus does "
         "while it replays its WAL after a start (default: no wait)")
      ->type_name("DURATION")
      ->group(GroupOf("--wait"));
  app.add_flag("--exit-code", options.exit_code, "Exit with the verdict's own code (10, 20) if there is one")
      ->group(GroupOf("--exit-code"));
  AddConnectionOptions(app, options.connection);
}

void AddBacktestOptions(CLI::App& app, BacktestOptions& options) {
  app.add_option_function<std::string>(
         "--step",
         [&options](const std::string& text) {
           options.step_ms = PositiveDuration("--step", text);
           if (*options.step_ms < kStepMsMin) throw Wrong("--step", text, "1s or more");
         },
         "Time between two decisions (default: the spec's interval)")
      ->type_name("DURATION")
      ->group(GroupOf("--step"));
  app.add_option_function<std::string>(
         "--against", [&options](const std::string& path) { options.against = path; },
         "Another spec of the same store: show what it would have changed")
      ->type_name("FILE")
      ->group(GroupOf("--against"));
}

void AddArchiveOptions(CLI::App& app, ArchiveOptions& options) {
  app.add_option_function<std::string>(
         "--archive",
         [&options](const std::string& folder) {
           if (folder.empty()) throw CLI::ValidationError("--archive", "names no folder");
           options.place = folder;
         },
         FlagOf(Mode::kArchive).help)
      ->type_name("DIR")
      ->group(kModes);
  app.add_option(
         "--include", options.includes,
         "A file that belongs to the evidence, as Prometheus' own configuration; may be given several times")
      ->type_name("FILE")
      ->allow_extra_args(false)
      ->group(GroupOf("--include"));
  app.add_option_function<std::string>(
         "--alertmanager",
         [&options](const std::string& text) {
           options.alertmanager_url = ServerUrl("--alertmanager", text);
         },
         "The Alertmanager whose running configuration belongs to the evidence")
      ->type_name("URL")
      ->group(GroupOf("--alertmanager"));
}

void AddOptions(CLI::App& app, Options& options) {
  app.add_option("--spec", options.specs, "A spec; may be given several times (default: every rules/*.toml)")
      ->type_name("FILE")
      ->allow_extra_args(false)
      ->group("Common options");
  app.add_option_function<std::string>(
         "--out", [&options](const std::string& folder) { options.out = folder; },
         "Put everything under this folder instead of beside the specs, in the same layout")
      ->type_name("DIR")
      ->group(GroupOf("--out"));
  app.add_flag("--prune", options.prune,
               "Remove the files that carry rulegen's mark and that no spec generates any more; without it "
               "they are named")
      ->group(GroupOf("--prune"));
  app.add_option_function<std::string>(
         "--rules-url",
         [&options](const std::string& text) { options.verify.rules_url = ServerUrl("--rules-url", text); },
         "The server that has the rules loaded, where it is not Prometheus itself (vmalert)")
      ->type_name("URL")
      ->group(GroupOf("--rules-url"));
  app.add_option_function<std::string>(
         "--rules-headers-file",
         [&options](const std::string& path) { options.verify.rules_headers_file = path; },
         "Headers for --rules-url, one a line; it gets the login for Prometheus only if host and port are "
         "the same")
      ->type_name("FILE")
      ->group(GroupOf("--rules-headers-file"));
  AddEvaluateOptions(app, options.evaluate);
  AddBacktestOptions(app, options.backtest);
  AddArchiveOptions(app, options.archive);
  app.add_option(
         "LOG", options.logs,
         "Decision logs, in the order of their records (default: the log of --evaluate, with its segments)")
      ->type_name("FILE")
      ->group(GroupOf("LOG"));
}

Exit Usage(const std::string& what) { return {kExitUsage, "rulegen: " + what + "\nTry 'rulegen --help'.\n"}; }

// The one mode that was given, or what is wrong with the choice of it and of its options.
std::variant<const ModeFlag*, Exit> ChooseMode(const CLI::App& app) {
  const ModeFlag* chosen = nullptr;
  for (const ModeFlag& flag : ModeFlags()) {
    if (app.count(flag.flag) == 0) continue;
    if (chosen != nullptr)
      return Usage(std::string(chosen->flag) + " and " + flag.flag + " exclude each other");
    chosen = &flag;
  }
  if (chosen == nullptr) {
    std::string flags;
    for (const ModeFlag& flag : ModeFlags()) flags += (flags.empty() ? "" : ", ") + std::string(flag.flag);
    return Usage("a mode is missing: one of " + flags);
  }
  for (const ModeFlag& flag : ModeFlags()) {
    for (const char* option : flag.options) {
      // An option that the mode would ignore is refused: its user expects an effect.
      const bool known =
          std::ranges::any_of(chosen->options, [option](std::string_view own) { return own == option; });
      if (app.count(option) > 0 && !known)
        return Usage(std::string(option) + " has no meaning with " + chosen->flag);
    }
  }
  return chosen;
}

}  // namespace

std::int64_t EndMs(const EvaluateOptions& options) {
  // Scrapes, rule evaluations and remote write take some seconds; at "now" the newest samples would be missing.
  constexpr std::int64_t kSettleMs = 10'000;
  return options.at_ms.value_or(NowMs() - kSettleMs);
}

std::int64_t LengthMs(const EvaluateOptions& options) {
  constexpr std::int64_t kWeekMs = 7LL * 24 * 3'600'000;
  return options.since_ms.value_or(kWeekMs);
}

Result<std::filesystem::path> LogPathOf(const EvaluateOptions& options) {
  return options.log ? Result(*options.log) : decision_log::DefaultLogPath();
}

Result<std::vector<std::filesystem::path>> LogFilesOf(const Options& options) {
  // Several names are taken as they are: a collected log may have segments whose names do not follow ours.
  if (options.logs.size() > 1) return options.logs;
  const Result<std::filesystem::path> path =
      options.logs.empty() ? LogPathOf(options.evaluate) : Result(options.logs.front());
  if (!path) return path.error();
  return decision_log::LogFiles(*path);
}

std::variant<Options, Exit> ParseOptions(int argc, const char* const* argv) {
  Options options;
  CLI::App app(kDescription, "rulegen");
  app.set_version_flag("--version", std::string("rulegen ") + OUTGROWN_VERSION, "Print the version and exit");
  app.get_option("--help")->description("Print this help and exit");
  app.footer(kFooter);
  // A misspelt option is an error, and never taken for a LOG.
  app.allow_extras(false);
  for (const ModeFlag& flag : ModeFlags()) {
    if (flag.mode != Mode::kArchive) app.add_flag(flag.flag, flag.help)->group(kModes);
  }
  AddOptions(app, options);
  try {
    app.parse(argc, argv);
  } catch (const CLI::CallForHelp&) {
    return Exit{kExitOk, app.help() + "\n"};
  } catch (const CLI::CallForVersion& version) {
    return Exit{kExitOk, std::string(version.what()) + "\n"};
  } catch (const CLI::ParseError& error) {
    return Usage(error.what());
  }
  const std::variant<const ModeFlag*, Exit> mode = ChooseMode(app);
  if (const Exit* exit = std::get_if<Exit>(&mode)) return *exit;
  options.mode = std::get<const ModeFlag*>(mode)->mode;
  if (options.evaluate.measurements && (options.evaluate.since_ms || options.evaluate.since_last)) {
    return Usage("--since has no meaning with --measurements: given values have no history");
  }
  if (options.evaluate.measurements && options.evaluate.wait_ms)
    return Usage("--wait has no meaning with --measurements: no server is asked");
  if (options.evaluate.since_last && options.mode != Mode::kEvaluate)
    return Usage("--since last has a meaning only with --evaluate");
  if (options.evaluate.at_ms && *options.evaluate.at_ms > NowMs() + kClocksApartMs) {
    return Usage("--at lies in the future: nothing was measured then");
  }
  if (options.evaluate.since_ms && *options.evaluate.since_ms > EndMs(options.evaluate)) {
    return Usage("--since reaches back before 1970");
  }
  return options;
}

}  // namespace outgrown::rulegen
