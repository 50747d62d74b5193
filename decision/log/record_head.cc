#include "decision/log/record_head.h"

#include <algorithm>
#include <charconv>
#include <cstddef>
#include <system_error>

#include "common/json_tree.h"

namespace outgrown::decision_log {
namespace {

// JSON as the log has it: without spaces. Each reader gives nothing, or false, where something else stands.
class Scanner {
 public:
  explicit Scanner(std::string_view text) : rest_(text) {}

  bool Take(char byte) {
    if (rest_.empty() || rest_.front() != byte) return false;
    rest_.remove_prefix(1);
    return true;
  }

  // A string's text between its quotes.
  std::optional<std::string_view> String() {
    if (!Take('"')) return std::nullopt;
    for (std::size_t from = 0; from < rest_.size();) {
      const std::size_t quote = rest_.find('"', from);
      if (quote == std::string_view::npos) return std::nullopt;
      std::size_t backslashes = 0;
      while (backslashes < quote - from && rest_[quote - 1 - backslashes] == '\\') ++backslashes;
      if (backslashes % 2 == 1) {
        from = quote + 1;
        continue;
      }
      const std::string_view text = rest_.substr(0, quote);
      rest_.remove_prefix(quote + 1);
      return text;
    }
    return std::nullopt;
  }

  std::optional<std::int64_t> Integer() {
    std::int64_t value = 0;
    const auto [end, failed] = std::from_chars(rest_.data(), rest_.data() + rest_.size(), value);
    if (failed != std::errc()) return std::nullopt;
    rest_.remove_prefix(static_cast<std::size_t>(end - rest_.data()));
    return value;
  }

  // An object whose members are strings, with its braces.
  std::optional<std::string_view> StringObject() {
    const std::string_view begin = rest_;
    if (!Take('{')) return std::nullopt;
    if (!Take('}')) {
      do {
        if (!String() || !Take(':') || !String()) return std::nullopt;
      } while (Take(','));
      if (!Take('}')) return std::nullopt;
    }
    return begin.substr(0, begin.size() - rest_.size());
  }

  // A value of any kind; true if it ends before the text does.
  bool Skip() {
    int depth = 0;
    while (!rest_.empty()) {
      const char byte = rest_.front();
      if (depth == 0 && (byte == ',' || byte == '}')) return true;
      if (byte == '"') {
        if (!String()) return false;
        continue;
      }
      if (byte == '{' || byte == '[') ++depth;
      if (byte == '}' || byte == ']') --depth;
      rest_.remove_prefix(1);
    }
    return false;
  }

 private:
  std::string_view rest_;
};

// Reads a head member by member.
class HeadReader {
 public:
  explicit HeadReader(std::string_view line) : scanner_(line) {}

  std::optional<RecordHead> Read() {
    if (!scanner_.Take('{')) return std::nullopt;
    do {
      const std::optional<std::string_view> key = scanner_.String();
      if (!key || !scanner_.Take(':') || !ReadMember(*key)) return std::nullopt;
      if (kind_ && origin_ && spec_ && digest_ && verdict_ && labels_ && time_ms_) {
        return RecordHead{*spec_, *digest_, *verdict_, *labels_, *time_ms_};
      }
    } while (scanner_.Take(','));
    return std::nullopt;
  }

 private:
  bool ReadMember(std::string_view key) {
    if (key == "kind") return Set(kind_, scanner_.String()) && *kind_ == "decision";
    if (key == "origin") return Set(origin_, scanner_.String()) && *origin_ == "prometheus";
    if (key == "spec") return Set(spec_, scanner_.String()) && !spec_->empty();
    if (key == "digest") return Set(digest_, scanner_.String());
    if (key == "verdict") return Set(verdict_, scanner_.String()) && !verdict_->empty();
    if (key == "labels") return Set(labels_, scanner_.StringObject());
    if (key == "time_ms") return Set(time_ms_, scanner_.Integer());
    return scanner_.Skip();
  }

  template <typename Value>
  static bool Set(std::optional<Value>& member, const std::optional<Value>& value) {
    if (member || !value) return false;
    member = value;
    return true;
  }

  Scanner scanner_;
  std::optional<std::string_view> kind_;
  std::optional<std::string_view> origin_;
  std::optional<std::string_view> spec_;
  std::optional<std::string_view> digest_;
  std::optional<std::string_view> verdict_;
  std::optional<std::string_view> labels_;
  std::optional<std::int64_t> time_ms_;
};

}  // namespace

std::optional<RecordHead> ReadDecisionHead(std::string_view line) { return HeadReader(line).Read(); }

std::optional<std::string> Unquoted(std::string_view text) {
  const bool plain =
      std::ranges::all_of(text, [](char byte) { return byte >= ' ' && byte < '\x7F' && byte != '\\'; });
  if (plain) return std::string(text);
  std::string quoted = "\"";
  quoted += text;
  quoted += '"';
  const Result<Json> json = ParseJson(quoted);
  if (!json || json->string() == nullptr) return std::nullopt;
  return *json->string();
}

std::optional<Labels> ReadLabels(std::string_view text) {
  Labels labels;
  Scanner scanner(text);
  if (!scanner.Take('{') || scanner.Take('}')) return labels;
  do {
    const std::optional<std::string_view> name = scanner.String();
    scanner.Take(':');
    const std::optional<std::string_view> value = scanner.String();
    if (!name || !value) return std::nullopt;
    std::optional<std::string> name_text = Unquoted(*name);
    std::optional<std::string> value_text = Unquoted(*value);
    if (!name_text || !value_text) return std::nullopt;
    labels.emplace_back(std::move(*name_text), std::move(*value_text));
  } while (scanner.Take(','));
  return labels;
}

}  // namespace outgrown::decision_log
