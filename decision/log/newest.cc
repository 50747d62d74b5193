// The newest decision about each store, in a small file beside the log: the exporter shows it, and --since
// last starts from it.
//
//   {"schema":1,"log":"decisions.jsonl","sequence":118,"hash":"<64 hex>","decisions":[
//   {"spec":"checkpoint","labels":{...},"digest":"...","verdict":"sufficient","time_ms":...,...},
//   ...]}
#include "decision/log/newest.h"

#include <algorithm>
#include <cmath>
#include <cstddef>
#include <system_error>
#include <utility>

#include <fmt/format.h>

#include "common/file.h"
#include "common/json.h"
#include "common/time_text.h"
#include "decision/log/decision_log.h"

namespace outgrown::decision_log {
namespace {

namespace fs = std::filesystem;

// A store without a decision for this long counts as removed.
constexpr std::int64_t kForgottenAfterMs = 90LL * 24 * 3'600'000;
// Records of schema 1 don't say that --at was given; one whose time lies further back than this was.
constexpr std::int64_t kRunMsMax = 30LL * 60'000;

const std::string* Text(const Json& object, std::string_view key) {
  const Json* const member = object.Find(key);
  return member == nullptr ? nullptr : member->string();
}

std::optional<std::int64_t> Integer(const Json& object, std::string_view key) {
  const Json* const member = object.Find(key);
  if (member == nullptr || member->number() == nullptr) return std::nullopt;
  const double value = *member->number();
  // JSON's numbers are read as doubles; beyond 2^53 one may not be the integer that was written.
  if (!(std::abs(value) <= 0x1p53) || value != std::floor(value)) return std::nullopt;
  return static_cast<std::int64_t>(value);
}

std::optional<Labels> LabelsOf(const Json& object) {
  const Json* const member = object.Find("labels");
  if (member == nullptr || member->object() == nullptr) return std::nullopt;
  Labels labels;
  for (const auto& [name, value] : *member->object()) {
    if (value.string() == nullptr) return std::nullopt;
    labels.emplace_back(name, *value.string());
  }
  // By name: the same store whatever the order of its labels in the spec of that time.
  std::ranges::sort(labels);
  return labels;
}

// What a record and a line of the file have in common, "time_ms" as it is written there.
std::optional<NewestDecision> ReadDecision(const Json& object) {
  const std::string* const spec = Text(object, "spec");
  const std::string* const digest = Text(object, "digest");
  const std::string* const verdict = Text(object, "verdict");
  const std::optional<std::int64_t> time_ms = Integer(object, "time_ms");
  std::optional<Labels> labels = LabelsOf(object);
  if (spec == nullptr || spec->empty() || digest == nullptr || verdict == nullptr || verdict->empty() ||
      !time_ms || !labels) {
    return std::nullopt;
  }
  return NewestDecision{.spec = *spec,
                        .labels = std::move(*labels),
                        .digest = *digest,
                        .verdict = *verdict,
                        .time_ms = *time_ms};
}

void AppendLine(std::string& text, const NewestDecision& one) {
  JsonWriter json;
  json.Reserve(512);
  json.StartObject().Key("spec").String(one.spec).Key("labels").StartObject();
  for (const auto& [name, value] : one.labels) json.Key(name).String(value);
  json.EndObject().Key("digest").String(one.digest).Key("verdict").String(one.verdict);
  json.Key("time_ms").Integer(one.time_ms).Key("logged_ms").Integer(one.logged_ms);
  json.Key("instant_ms").Integer(one.instant_ms).Key("period_ms").Integer(one.period_ms).EndObject();
  text += text.empty() ? "\n" : ",\n";
  text += json.text();
}

}  // namespace

NewestBook::NewestBook(std::vector<NewestDecision> decisions) {
  for (NewestDecision& one : decisions) {
    std::pair name(one.spec, one.labels);
    decisions_.insert_or_assign(std::move(name), std::move(one));
  }
}

std::optional<Decided> ReadDecided(const Json& record, std::int64_t logged_ms) {
  const std::string* const kind = Text(record, "kind");
  const std::string* const origin = Text(record, "origin");
  // Given values are no measurement, and an attempt decided nothing.
  if (kind == nullptr || *kind != "decision" || origin == nullptr || *origin != "prometheus")
    return std::nullopt;
  std::optional<NewestDecision> decision = ReadDecision(record);
  if (!decision) return std::nullopt;
  const bool first_schema = Integer(record, "schema") == 1;
  const bool looked_back =
      record.Find("at") != nullptr || (first_schema && logged_ms - decision->time_ms > kRunMsMax);
  return Decided{.decision = *std::move(decision),
                 .looked_back = looked_back,
                 .period = record.Find("period") != nullptr};
}

void NewestBook::Take(Decided decided, std::int64_t logged_ms) {
  NewestDecision& decision = decided.decision;
  // A decision that claims to be of the future, from a clock that was ahead, must not hide all later ones.
  decision.time_ms = std::min(decision.time_ms, logged_ms);
  decision.logged_ms = logged_ms;
  // With the hint that it comes last: a run's decisions are in order, so that in a new book each does.
  NewestDecision& known = decisions_.try_emplace(decisions_.end(), {decision.spec, decision.labels})->second;
  // A decision with --at is no newer one. The others are in the log's order, even if the clock was set back
  // in between.
  const bool newer = !decided.looked_back || known.verdict.empty() || decision.time_ms > known.time_ms;
  decision.instant_ms = decided.looked_back ? known.instant_ms : decision.time_ms;
  decision.period_ms = decided.period && !decided.looked_back ? decision.time_ms : known.period_ms;
  if (newer) known = std::move(decision);
}

Result<void> NewestBook::TakeLog(const fs::path& log) {
  Result<std::vector<fs::path>> files = LogFiles(log);
  if (!files) return files.error();
  // The log may have been rotated just now, so the newest segment is read as well; older ones would only cost time.
  const std::size_t skip = files->size() - std::min<std::size_t>(2, files->size());
  for (std::size_t index = skip; index < files->size(); ++index) {
    Result<void> read = ForEachLine((*files)[index], [&](const LogLine& line) {
      const Result<Json> record = ParseJson(line.bytes);
      // Damaged lines are the audit's to report; here they are passed over.
      if (!record) return;
      const std::string* const logged = Text(*record, "logged");
      const std::optional<std::int64_t> logged_ms = logged == nullptr ? std::nullopt : ParseTime(*logged);
      if (!logged_ms) return;
      if (std::optional<Decided> decided = ReadDecided(*record, *logged_ms))
        Take(*std::move(decided), *logged_ms);
    });
    if (!read) return read;
  }
  return {};
}

std::vector<NewestDecision> NewestBook::Finish() {
  std::vector<NewestDecision> decisions;
  decisions.reserve(decisions_.size());
  for (auto& [name, one] : decisions_) decisions.push_back(std::move(one));
  decisions_.clear();
  return decisions;
}

std::string NewestBook::Lines(std::int64_t now_ms) const {
  std::string lines;
  for (const auto& [name, one] : decisions_)
    if (one.logged_ms >= now_ms - kForgottenAfterMs) AppendLine(lines, one);
  return lines;
}

Result<void> WriteNewest(const fs::path& log, const Link& last, const std::string& lines) {
  const fs::path path = NewestPath(log);
  // A run that was killed while it replaced this file has left a temporary one.
  RemoveAbandoned(path.has_parent_path() ? path.parent_path() : ".", {path.filename().string()});
  std::string text = fmt::format(R"({{"schema":1,"log":{},"sequence":{},"hash":"{}","decisions":[)",
                                 JsonString(log.filename().string()), last.sequence, last.hash);
  text.reserve(text.size() + lines.size() + 3);
  text += lines;
  text += "]}\n";
  // Whoever may read the log may read it: after an upgrade it is new beside an older log.
  const Result<WriteOutcome> written = WriteFileIfChanged(path, text, 0640, log);
  if (!written) return written.error();
  return {};
}

fs::path NewestPath(const fs::path& log) { return ResolveLog(log).replace_extension(".newest.json"); }

Result<std::optional<NewestDecisions>> ReadNewest(const fs::path& log) {
  const fs::path path = NewestPath(log);
  std::error_code failed;
  if (const fs::file_status status = fs::status(log, failed);
      fs::exists(status) && !fs::is_regular_file(status)) {
    return Error{"the decision log is not a regular file", log.string()};
  }
  // Not "exists": a file that can't be looked at is an error, not an absent one.
  if (fs::status(path, failed).type() == fs::file_type::not_found) return std::optional<NewestDecisions>();
  const Result<std::string> text = ReadFile(path);
  if (!text) return text.error();
  const Result<Json> json = ParseJson(*text);
  if (!json) return Error{json.error().what, path.string()};
  const Error unknown{"is not a newest-decisions file", path.string()};
  const std::string* const name = Text(*json, "log");
  const std::string* const hash = Text(*json, "hash");
  const std::optional<std::int64_t> sequence = Integer(*json, "sequence");
  const Json* const decisions = json->Find("decisions");
  if (Integer(*json, "schema") != 1 || name == nullptr || hash == nullptr || hash->size() != 64 ||
      !sequence || *sequence < 0 || decisions == nullptr || decisions->array() == nullptr) {
    return unknown;
  }
  // Logs that differ only in their extension share this file's name; the file of another log says nothing
  // about this one.
  if (*name != ResolveLog(log).filename().string()) return std::optional<NewestDecisions>();
  NewestDecisions newest = {.last = {*sequence, *hash}, .decisions = {}};
  for (const Json& one : *decisions->array()) {
    std::optional<NewestDecision> decision = ReadDecision(one);
    if (!decision) return unknown;
    decision->logged_ms = Integer(one, "logged_ms").value_or(0);
    decision->instant_ms = Integer(one, "instant_ms").value_or(0);
    decision->period_ms = Integer(one, "period_ms").value_or(0);
    newest.decisions.push_back(std::move(*decision));
  }
  return std::optional(std::move(newest));
}

NewestDecisions LoadNewest(const fs::path& log) {
  Result<std::optional<NewestDecisions>> read = ReadNewest(log);
  if (read.ok() && read->has_value()) return std::move(**read);
  NewestBook book;
  const Result<void> taken = book.TakeLog(log);
  return taken.ok() ? NewestDecisions{.last = {}, .decisions = book.Finish()} : NewestDecisions{};
}

}  // namespace outgrown::decision_log
