#include "thresholds/table_reader.h"

#include <algorithm>
#include <chrono>
#include <cmath>
#include <cstdint>
#include <limits>
#include <span>

#include "common/check.h"
#include "common/text.h"

namespace outgrown::spec {

namespace {

using Kind = TomlNode::Kind;

// Longer ones mean nothing in a rule, and sums of a few stay far from what Prometheus can hold (292 years).
constexpr Milliseconds kDurationMax = std::chrono::hours(24 * 365);

std::string Join(std::span<const Key> keys) {
  std::string text;
  for (const Key& key : keys) text += (text.empty() ? "" : ", ") + std::string(key.name);
  return text;
}

}  // namespace

std::string Describe(const TomlNode& node) {
  switch (node.kind) {
    case Kind::kString:
      return Quoted(node.string);
    case Kind::kInteger:
      return std::to_string(node.integer);
    case Kind::kFloat:
      if (std::isnan(node.real)) return "nan";
      if (std::isinf(node.real)) return node.real > 0 ? "inf" : "-inf";
      return "the float " + ExactNumber(node.real);
    case Kind::kBoolean:
      return node.boolean ? "true" : "false";
    case Kind::kTime:
      return "a date or time";
    case Kind::kArray:
      return "a list";
    case Kind::kTable:
      return "a table";
  }
  return "nothing";
}

TableReader::TableReader(const TomlNode& table, const TableKeys& keys, Report& report, Positions& positions)
    : table_(table), keys_(keys), report_(report), positions_(positions) {
  OUTGROWN_CHECK(table.kind == Kind::kTable);
  positions_[""] = {table.position, table.position, std::nullopt};
  for (const TomlEntry& entry : table.entries) {
    // Unknown keys are errors, since a misspelt one would otherwise leave a limit at its default without a
    // word.
    if (std::ranges::find(keys.keys, entry.key, &Key::name) != keys.keys.end()) continue;
    std::vector<std::string_view> names;
    for (const Key& key : keys.keys) names.push_back(key.name);
    const std::string_view nearest = Nearest(entry.key, names);
    report_.Add(entry.position, Path(entry.key), "an unknown key",
                nearest.empty() ? "only " + Join(keys.keys) + " in " + std::string(keys.header)
                                : "the key " + std::string(nearest) + " of " + std::string(keys.header));
  }
  for (const Key& key : keys.keys) {
    // At the table's header: a key that is missing has no place of its own.
    if (key.need == Need::kOptional || Find(key.name) != nullptr) continue;
    report_.Add(table.position, Path(key.name), "nothing", std::string(key.expected));
  }
}

const TomlEntry* TableReader::Find(std::string_view key) const {
  // So that no key is read which the lists, and with them the diagnostics and the reference, don't have.
  OUTGROWN_CHECK(std::ranges::find(keys_.keys, key, &Key::name) != keys_.keys.end());
  const auto found = std::ranges::find(table_.entries, key, &TomlEntry::key);
  return found == table_.entries.end() ? nullptr : &*found;
}

// The key with its table; a key that could not be written bare is quoted.
std::string TableReader::Path(std::string_view key) const {
  const bool is_bare = !key.empty() && std::ranges::all_of(key, [](char c) {
    return (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || (c >= '0' && c <= '9') || c == '_' || c == '-';
  });
  const std::string name = is_bare && key.size() <= 60 ? std::string(key) : Quoted(key);
  return keys_.name.empty() ? name : std::string(keys_.name) + "." + name;
}

void TableReader::Wrong(const TomlEntry& entry, std::string found) {
  const auto& key = *std::ranges::find(keys_.keys, entry.key, &Key::name);
  Wrong(entry, entry.value.position, std::move(found), key.expected);
}

void TableReader::Wrong(const TomlEntry& entry, Position position, std::string found,
                        std::string_view expected) {
  report_.Add(position, Path(entry.key), std::move(found), std::string(expected));
  // The validator skips an unusable key: the model holds the default, and judging that would report what the
  // author never wrote.
  positions_[entry.key] = {entry.position, entry.value.position, std::nullopt, /*usable=*/false};
}

void TableReader::Keep(const TomlEntry& entry) {
  positions_[entry.key] = {entry.position, entry.value.position, entry.value.text};
}

bool TableReader::Text(std::string_view key, std::string& value) {
  const TomlEntry* entry = Find(key);
  if (entry == nullptr) return false;
  if (entry->value.kind != Kind::kString) {
    Wrong(*entry, Describe(entry->value));
    return false;
  }
  value = entry->value.string;
  Keep(*entry);
  return true;
}

bool TableReader::Text(std::string_view key, std::optional<std::string>& value) {
  std::string text;
  if (!Text(key, text)) return false;
  value = std::move(text);
  return true;
}

bool TableReader::Integer(std::string_view key, int& value) {
  const TomlEntry* entry = Find(key);
  if (entry == nullptr) return false;
  const std::int64_t integer = entry->value.integer;
  // An integer of TOML has 64 bits.
  const bool fits = integer >= std::numeric_limits<int>::min() && integer <= std::numeric_limits<int>::max();
  if (entry->value.kind != Kind::kInteger || !fits) {
    Wrong(*entry, Describe(entry->value));
    return false;
  }
  value = static_cast<int>(integer);
  Keep(*entry);
  return true;
}

bool TableReader::Boolean(std::string_view key, bool& value) {
  const TomlEntry* entry = Find(key);
  if (entry == nullptr) return false;
  if (entry->value.kind != Kind::kBoolean) {
    Wrong(*entry, Describe(entry->value));
    return false;
  }
  value = entry->value.boolean;
  Keep(*entry);
  return true;
}

std::optional<double> TableReader::NumberOf(const TomlEntry& entry, const TomlNode& value,
                                            std::string_view expected) {
  // TOML has nan, inf and -0. The first two can't be a limit, -0 becomes 0.
  if (value.kind == Kind::kFloat && std::isfinite(value.real)) return value.real == 0 ? 0 : value.real;
  if (value.kind != Kind::kInteger) {
    Wrong(entry, value.position, Describe(value), expected);
    return std::nullopt;
  }
  // 2^53: every integer up to here is a double.
  constexpr std::int64_t kExactMax = std::int64_t{1} << 53U;
  if (value.integer > kExactMax || value.integer < -kExactMax) {
    Wrong(entry, value.position, Describe(value),
          "an integer of at most 9007199254740992, beyond which a double is not exact");
    return std::nullopt;
  }
  return static_cast<double>(value.integer);
}

bool TableReader::Number(std::string_view key, double& value) {
  const TomlEntry* entry = Find(key);
  if (entry == nullptr) return false;
  const std::string_view expected = std::ranges::find(keys_.keys, key, &Key::name)->expected;
  const std::optional<double> number = NumberOf(*entry, entry->value, expected);
  if (!number) return false;
  value = *number;
  Keep(*entry);
  return true;
}

bool TableReader::Duration(std::string_view key, Milliseconds& value) {
  const TomlEntry* entry = Find(key);
  if (entry == nullptr) return false;
  if (entry->value.kind != Kind::kString) {
    Wrong(*entry, Describe(entry->value));
    return false;
  }
  const std::optional<Milliseconds> duration = ParseDuration(entry->value.string);
  if (!duration) {
    Wrong(*entry, Describe(entry->value));
    return false;
  }
  if (*duration > kDurationMax) {
    Wrong(*entry, entry->value.position, Describe(entry->value), "a duration of at most 1y");
    return false;
  }
  value = *duration;
  Keep(*entry);
  return true;
}

bool TableReader::Duration(std::string_view key, std::optional<Milliseconds>& value) {
  Milliseconds duration{0};
  if (!Duration(key, duration)) return false;
  value = duration;
  return true;
}

bool TableReader::TextList(std::string_view key, std::vector<std::string>& value) {
  const TomlEntry* entry = Find(key);
  if (entry == nullptr) return false;
  if (entry->value.kind != Kind::kArray) {
    Wrong(*entry, Describe(entry->value));
    return false;
  }
  // Read to its end, so that every wrong element is reported in one run, and given out only if all are right.
  std::vector<std::string> list;
  bool is_right = true;
  for (const TomlNode& item : entry->value.items) {
    if (item.kind != Kind::kString) {
      Wrong(*entry, item.position, Describe(item), "a string in this list");
      is_right = false;
      continue;
    }
    positions_[std::string(key) + "[" + std::to_string(list.size()) + "]"] = {item.position, item.position,
                                                                              item.text};
    list.push_back(item.string);
  }
  if (!is_right) return false;
  value = std::move(list);
  Keep(*entry);
  return true;
}

bool TableReader::TextTable(std::string_view key, std::string_view of,
                            std::vector<std::pair<std::string, std::string>>& value) {
  const TomlEntry* entry = Find(key);
  if (entry == nullptr) return false;
  if (entry->value.kind != Kind::kTable) {
    Wrong(*entry, Describe(entry->value));
    return false;
  }
  std::vector<std::pair<std::string, std::string>> table;
  bool is_right = true;
  for (const TomlEntry& item : entry->value.entries) {
    if (item.value.kind != Kind::kString) {
      // A bare key with a dot makes a table inside of the table, which is not what an author of `a.b = "..."`
      // expects.
      std::string expected = "a string for each " + std::string(of);
      if (item.value.kind == Kind::kTable) expected += " (put a " + std::string(of) + " with dots in quotes)";
      Wrong(*entry, item.value.position, Describe(item.value), expected);
      is_right = false;
      continue;
    }
    positions_[std::string(key) + "[" + std::to_string(table.size()) + "]"] = {
        item.position, item.value.position, item.value.text};
    table.emplace_back(item.key, item.value.string);
  }
  if (!is_right) return false;
  value = std::move(table);
  Keep(*entry);
  return true;
}

bool TableReader::NumberTable(std::string_view key, std::string_view of,
                              std::vector<std::pair<std::string, double>>& value) {
  const TomlEntry* entry = Find(key);
  if (entry == nullptr) return false;
  if (entry->value.kind != Kind::kTable) {
    Wrong(*entry, Describe(entry->value));
    return false;
  }
  std::vector<std::pair<std::string, double>> table;
  bool is_right = true;
  for (const TomlEntry& item : entry->value.entries) {
    const std::optional<double> number =
        NumberOf(*entry, item.value, "a finite number for each " + std::string(of));
    is_right = is_right && number.has_value();
    if (!number) continue;
    positions_[std::string(key) + "[" + std::to_string(table.size()) + "]"] = {
        item.position, item.value.position, std::nullopt};
    table.emplace_back(item.key, *number);
  }
  if (!is_right) return false;
  value = std::move(table);
  Keep(*entry);
  return true;
}

const TomlNode* TableReader::Table(std::string_view key) {
  const TomlEntry* entry = Find(key);
  if (entry == nullptr) return nullptr;
  const TomlNode& value = entry->value;
  if (value.kind == Kind::kTable) {
    Keep(*entry);
    return &value;
  }
  // Of [[key]] the first is read all the same, for the errors in it.
  const bool is_list =
      value.kind == Kind::kArray && !value.items.empty() && value.items[0].kind == Kind::kTable;
  Wrong(*entry, is_list ? "a list of tables" : Describe(value));
  return is_list ? &value.items[0] : nullptr;
}

std::vector<const TomlNode*> TableReader::Tables(std::string_view key) {
  const TomlEntry* entry = Find(key);
  if (entry == nullptr) return {};
  const TomlNode& value = entry->value;
  if (value.kind != Kind::kArray || value.items.empty()) {
    Wrong(*entry, value.kind == Kind::kArray ? "an empty list" : Describe(value));
    // [key] instead of [[key]]: read as its only one, for the errors in it.
    if (value.kind == Kind::kTable) return {&value};
    return {};
  }
  Keep(*entry);
  std::vector<const TomlNode*> tables;
  for (const TomlNode& item : value.items) {
    if (item.kind == Kind::kTable) {
      tables.push_back(&item);
    } else {
      Wrong(*entry, item.position, Describe(item), "a table [[" + Path(key) + "]]");
    }
  }
  return tables;
}

}  // namespace outgrown::spec
