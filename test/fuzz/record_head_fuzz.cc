// libFuzzer target: no line of a decision log crashes the fast reader of records' heads, and what it finds in valid JSON is what a
// whole reader finds there: no less where it is written as the log is.
#include <algorithm>
#include <cmath>
#include <cstddef>
#include <cstdint>
#include <optional>
#include <string>
#include <string_view>

#include "common/check.h"
#include "common/json_tree.h"
#include "common/json_writer.h"
#include "common/result.h"
#include "decision/log/record_head.h"

namespace {

using namespace outgrown;
using decision_log::Labels;
using decision_log::RecordHead;

// Whether it is a whole number that a double holds exactly, and so do its neighbours.
bool IsInteger(double value) { return value == std::trunc(value) && std::abs(value) < 0x1p53; }

// Whether the member is this text, for the one reader and the other.
void CheckText(const Json& record, std::string_view key, std::string_view found) {
  const Json* const member = record.Find(key);
  OUTGROWN_CHECK(member != nullptr && member->string() != nullptr);
  const std::optional<std::string> text = decision_log::Unquoted(found);
  OUTGROWN_CHECK(text && *text == *member->string());
}

void CheckLabels(const Json& record, std::string_view found) {
  const Json* const member = record.Find("labels");
  OUTGROWN_CHECK(member != nullptr && member->object() != nullptr);
  const std::optional<Labels> labels = decision_log::ReadLabels(found);
  OUTGROWN_CHECK(labels && labels->size() == member->object()->size());
  for (std::size_t index = 0; index < labels->size(); ++index) {
    const auto& [name, value] = (*member->object())[index];
    OUTGROWN_CHECK((*labels)[index].first == name);
    OUTGROWN_CHECK(value.string() != nullptr && (*labels)[index].second == *value.string());
  }
}

// As the log itself writes it.
void Write(const Json& json, JsonWriter& writer) {
  if (json.object() != nullptr) {
    writer.StartObject();
    for (const auto& [name, value] : *json.object()) {
      writer.Key(name);
      Write(value, writer);
    }
    writer.EndObject();
  } else if (json.array() != nullptr) {
    writer.StartArray();
    for (const Json& value : *json.array()) Write(value, writer);
    writer.EndArray();
  } else if (json.string() != nullptr) {
    writer.String(*json.string());
  } else if (json.boolean() != nullptr) {
    writer.Boolean(*json.boolean());
  } else if (json.number() == nullptr) {
    writer.Null();
  } else if (IsInteger(*json.number())) {
    writer.Integer(static_cast<std::int64_t>(*json.number()));
  } else {
    writer.Number(*json.number());
  }
}

bool IsText(const Json& record, std::string_view key, std::string_view wanted) {
  const Json* const member = record.Find(key);
  if (member == nullptr || member->string() == nullptr) return false;
  return wanted == "*" ? !member->string()->empty() : *member->string() == wanted;
}

// Whether a whole reader finds a decision.
bool IsDecision(const Json& record) {
  const Json* const digest = record.Find("digest");
  const Json* const labels = record.Find("labels");
  const Json* const time = record.Find("time_ms");
  return IsText(record, "kind", "decision") && IsText(record, "origin", "prometheus") &&
         IsText(record, "spec", "*") && IsText(record, "verdict", "*") && digest != nullptr &&
         digest->string() != nullptr && time != nullptr && time->number() != nullptr &&
         IsInteger(*time->number()) && labels != nullptr && labels->object() != nullptr &&
         std::ranges::all_of(*labels->object(),
                             [](const auto& label) { return label.second.string() != nullptr; });
}

void CheckSame(const Json& record, const RecordHead& head) {
  CheckText(record, "spec", head.spec);
  CheckText(record, "digest", head.digest);
  CheckText(record, "verdict", head.verdict);
  CheckLabels(record, head.labels);
  const Json* const time = record.Find("time_ms");
  OUTGROWN_CHECK(time != nullptr && time->number() != nullptr);
  OUTGROWN_CHECK(*time->number() == static_cast<double>(head.time_ms));
}

}  // namespace

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  const std::string_view line(reinterpret_cast<const char*>(data), size);
  const Result<Json> record = ParseJson(line);
  if (const std::optional<RecordHead> head = decision_log::ReadDecisionHead(line)) {
    // Of a line that is no JSON it must only be told without a crash what there is.
    decision_log::Unquoted(head->digest);
    decision_log::ReadLabels(head->labels);
    if (record.ok()) CheckSame(*record, *head);
  }
  if (!record) return 0;
  const Json* const time = record->Find("time_ms");
  if (time != nullptr && time->number() != nullptr && !IsInteger(*time->number())) return 0;  // no time
  JsonWriter writer;
  Write(*record, writer);
  const std::optional<RecordHead> head = decision_log::ReadDecisionHead(writer.text());
  OUTGROWN_CHECK(head.has_value() == IsDecision(*record));
  if (head) CheckSame(*record, *head);
  return 0;
}
